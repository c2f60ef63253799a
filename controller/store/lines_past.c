// SPDX-License-Identifier: BSD-2-Clause
#include "store/lines_past.h"

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* More than a power failure takes from the store, whose records are then older than the file's. */
#define PAST_BYTES (256u * 1024)

/* The end of the open file; returns where it begins there. */
static off_t read_end(struct lines_past *past, int fd)
{
	struct stat st;
	off_t from;
	ssize_t got;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || !st.st_size)
		return 0;
	from = st.st_size > (off_t)PAST_BYTES ? st.st_size - (off_t)PAST_BYTES : 0;
	past->text = malloc(PAST_BYTES);
	got = past->text ? pread(fd, past->text, PAST_BYTES, from) : 0;
	past->n = got > 0 ? (size_t)got : 0;
	return from;
}

/* A line that is longer than what was read is none of ours. */
static void take_half_line_back(struct lines_past *past, int fd, off_t from, const char *file,
				struct log *log)
{
	const char *end = past->n ? memrchr(past->text, '\n', past->n) : NULL;
	size_t whole = end ? (size_t)(end - past->text) + 1 : 0;

	if (whole == past->n || (!whole && from))
		return;
	if (ftruncate(fd, from + (off_t)whole))
		return;
	past->n = whole;
	log_warning(log, NULL, "cdr file %s: half a line at its end was taken back", file);
}

/* The caller frees it. NULL: none. */
static char *newest_set_aside(const char *file)
{
	struct timespec newest = {0};
	char *pattern, *name = NULL;
	struct stat st;
	glob_t found;

	if (asprintf(&pattern, "%s.*", file) < 0)
		return NULL;
	if (!glob(pattern, 0, NULL, &found)) {
		for (size_t i = 0; i < found.gl_pathc; i++) {
			if (stat(found.gl_pathv[i], &st) || !S_ISREG(st.st_mode) ||
			    (st.st_mtim.tv_sec == newest.tv_sec
				     ? st.st_mtim.tv_nsec <= newest.tv_nsec
				     : st.st_mtim.tv_sec < newest.tv_sec))
				continue;
			newest = st.st_mtim;
			free(name);
			name = strdup(found.gl_pathv[i]);
		}
		globfree(&found);
	}
	free(pattern);
	return name;
}

void lines_past_read(struct lines_past *out, const char *file, struct log *log)
{
	int fd = open(file, O_RDWR | O_CLOEXEC);
	char *aside;

	*out = (struct lines_past){0};
	if (fd >= 0) {
		take_half_line_back(out, fd, read_end(out, fd), file, log);
		close(fd);
	}
	if (out->n)
		return;
	lines_past_free(out);
	aside = newest_set_aside(file);
	fd = aside ? open(aside, O_RDONLY | O_CLOEXEC) : -1;
	if (fd >= 0) {
		read_end(out, fd);
		close(fd);
	}
	free(aside);
}

void lines_past_free(struct lines_past *past)
{
	free(past->text);
	*past = (struct lines_past){0};
}

bool lines_past_has(const struct lines_past *past, struct str line)
{
	static const char behind[] = "\",\"caller\":"; /* the id: quotes in texts are escaped */
	const char *end = memmem(line.p, line.n, behind, sizeof(behind) - 1);

	return end && past->n &&
	       memmem(past->text, past->n, line.p, (size_t)(end - line.p) + sizeof(behind) - 1);
}
