// SPDX-License-Identifier: BSD-2-Clause
/* sdp_seeds DIRECTORY: writes the corpus of tests/sdp as inputs of fuzz_sdp. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../sdp/corpus.h"

static int write_seed(const char *directory, size_t number, const char *text)
{
	char name[512];
	FILE *file;

	snprintf(name, sizeof(name), "%s/sdp/seed-%zu", directory, number);
	file = fopen(name, "wb");
	if (!file)
		return -errno;
	/* The first byte is the choice of an edit. */
	if (fputc((int)number, file) == EOF || fputs(text, file) == EOF || fclose(file) == EOF)
		return -EIO;
	return 0;
}

int main(int argc, char **argv)
{
	const struct corpus_body *body;
	char name[512];
	int ret = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: sdp_seeds DIRECTORY\n");
		return 2;
	}
	snprintf(name, sizeof(name), "%s/sdp", argv[1]);
	if (mkdir(name, 0755) && errno != EEXIST)
		ret = -errno;
	for (size_t i = 0; !ret && (body = corpus_get(i)); i++)
		ret = write_seed(argv[1], i, body->text);
	if (ret)
		fprintf(stderr, "%s: %s\n", name, strerror(-ret));
	return ret ? 1 : 0;
}
