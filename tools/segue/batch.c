/* SPDX-License-Identifier: BSD-2-Clause */
/* Many changes in one process: 100 000 streams are 100 000 lines, not 100 000 starts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"

#define WORDS_MAX 32

struct tally {
	unsigned long line, good, bad;
	int code;
};

static int split(char *line, char *word[WORDS_MAX])
{
	char *rest = NULL;
	int count = 0;

	for (char *w = strtok_r(line, " \t\r\n", &rest); w; w = strtok_r(NULL, " \t\r\n", &rest)) {
		if (*w == '#')
			break;
		if (count == WORDS_MAX)
			return -E2BIG;
		word[count++] = w;
	}
	return count;
}

static int do_line(struct cli *cli, char *line, batch_line_fn *fn, struct tally *tally,
		   struct sg_error *err)
{
	char *word[WORDS_MAX];
	int count = split(line, word);
	int rc;

	if (count == 0)
		return 0;
	rc = count < 0 ? option_error(err, "more than %d words", WORDS_MAX)
		       : fn(cli, count, word, err);
	if (rc == 0)
		tally->good++;
	return rc;
}

static void line_failed(struct cli *cli, const char *file, int rc, const struct sg_error *err,
			struct tally *tally)
{
	struct sg_error where;

	tally->bad++;
	snprintf(where.text, sizeof(where.text), "%.80s:%lu: %.220s", file, tally->line,
		 *err->text ? err->text : strerror(-rc));
	rc = cli_refused(cli, rc, &where);
	if (tally->code == EXIT_OK)
		tally->code = rc;
}

int batch_run(struct cli *cli, const char *file, bool keep_going, batch_line_fn *fn,
	      const char *done)
{
	bool standard = strcmp(file, "-") == 0;
	FILE *in = standard ? stdin : fopen(file, "re");
	struct tally tally = {.code = EXIT_OK};
	char *line = NULL;
	size_t size = 0;

	if (!in)
		return output_error(&cli->out, EXIT_FAILED, "%s: %s", file, strerror(errno));
	while ((keep_going || !tally.bad) && getline(&line, &size, in) >= 0) {
		struct sg_error err = {""};
		int rc;

		tally.line++;
		rc = do_line(cli, line, fn, &tally, &err);
		if (rc < 0)
			line_failed(cli, file, rc, &err, &tally);
	}
	if (ferror(in))
		tally.code = output_error(&cli->out, EXIT_FAILED, "%s: cannot read", file);
	free(line);
	if (!standard)
		fclose(in);
	output_line(&cli->out,
		    json_pack("{s:I, s:I, s:I}", done, (json_int_t)tally.good, "failed",
			      (json_int_t)tally.bad, "lines", (json_int_t)tally.line),
		    "%lu %s, %lu failed", tally.good, done, tally.bad);
	return tally.code;
}
