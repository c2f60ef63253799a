// SPDX-License-Identifier: BSD-2-Clause
/*
 * bench BUILD_DIRECTORY: measures the relay, the limit and the peers in one run, interleaved: each
 * round runs every case once, so that what disturbs the machine disturbs all. Writes a table to
 * standard output, bench.json and bench.svg to the build directory.
 *
 * bench BUILD_DIRECTORY CASE...: measures these cases only (and their direct way, if it is named),
 * for work on one of them, and prints nothing but their figures.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cases.h"
#include "net.h"
#include "report.h"

static bool is_wanted(const char *name, char **names, int named)
{
	for (int i = 0; i < named; i++)
		if (!strcmp(name, names[i]))
			return true;
	return named == 0;
}

/* Results to fill of the named cases, or of all. */
static struct result *results_alloc(char **names, int named, unsigned *count)
{
	unsigned all;
	const struct bench_case *plan = bench_plan(&all);
	struct result *results = calloc(all, sizeof(*results));

	if (!results)
		die("no memory");
	*count = 0;
	for (unsigned i = 0; i < all; i++)
		if (is_wanted(plan[i].name, names, named))
			results[(*count)++].plan = &plan[i];
	return results;
}

static void run_all(struct environment *environment, struct result *results, unsigned count)
{
	for (unsigned round = 0; round < ROUNDS_MAX; round++) {
		if (isatty(STDERR_FILENO))
			fprintf(stderr, "\rround %u of %u ", round + 1, ROUNDS_MAX);
		for (unsigned i = 0; i < count; i++)
			if (round < results[i].plan->rounds)
				case_run(environment, &results[i]);
	}
	if (isatty(STDERR_FILENO))
		fputs("\r                 \r", stderr);
}

static void write_report(struct report *report, const char *build)
{
	char path[4096];

	report_make(report);
	report_table(report, stdout);
	snprintf(path, sizeof(path), "%s/bench.json", build);
	report_json(report, path);
	snprintf(path, sizeof(path), "%s/bench.svg", build);
	report_svg(report, path);
}

int main(int argc, char **argv)
{
	struct environment environment;
	struct report report = {0};
	struct result *results;
	unsigned count;

	if (argc < 2) {
		fputs("usage: bench BUILD_DIRECTORY [CASE...]\n", stderr);
		return 2;
	}
	results = results_alloc(argv + 2, argc - 2, &count);
	if (!count)
		die("no case of that name; tests/bench/cases.c has the list");
	environment_open(&environment, argv[1]);
	run_all(&environment, results, count);
	report = (struct report){.results = results, .count = count, .environment = &environment};
	if (argc > 2)
		report_cases(&report, stdout);
	else
		write_report(&report, argv[1]);
	subject_drops(&environment.subject);
	environment_close(&environment);
	free(results);
	return 0;
}
