// SPDX-License-Identifier: BSD-2-Clause
/* segued: the SIP controller. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "config.h"
#include "config_json.h"
#include "ops/prepare.h"
#include "worker.h"

#define CONFIG_FILE "/etc/segue/segued.yaml"
#define DEFAULT_USER "segue"

enum { EXIT_DONE, EXIT_FAILED, EXIT_USAGE };
enum mode {
	MODE_NONE,
	MODE_CHECK,
	MODE_FOREGROUND,
	MODE_KEYS,
	MODE_PREPARE,
	MODE_RECORDS,
	MODE_HELP,
	MODE_VERSION
};

static const char usage[] =
	"Usage: segued [--config FILE] [--user NAME] --foreground | --check | --prepare\n"
	"\n"
	"  -c, --config FILE   the configuration (" CONFIG_FILE ")\n"
	"  -f, --foreground    run, and log to standard error; SIGHUP loads the file again,\n"
	"                      SIGTERM ends\n"
	"      --user NAME     as root: do what takes root, then run as that user\n"
	"      --prepare       only do what takes root, for that user (segue)\n"
	"      --dry-run       with --prepare: only say why this version could not take over\n"
	"      --keep-records FILE  make FILE, with the call records of the store alone\n"
	"      --check         say \"ok\", or everything that is wrong with the file\n"
	"      --json          with --check: what it says, for other programs\n"
	"      --keys          every key of the file, what may stand there, and its preset\n"
	"  -h, --help          this text\n"
	"  -V, --version       the version\n"
	"\n"
	"Exit codes: 0 done, 1 failed, 2 wrong usage. More: segued(8), `segue --help`.\n";

static const struct option options[] = {
	{"config", required_argument, NULL, 'c'},
	{"foreground", no_argument, NULL, 'f'},
	{"check", no_argument, NULL, 'C'},
	{"json", no_argument, NULL, 'J'},
	{"keys", no_argument, NULL, 'K'},
	{"prepare", no_argument, NULL, 'P'},
	{"user", required_argument, NULL, 'u'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{"dry-run", no_argument, NULL, 'D'},
	{"keep-records", required_argument, NULL, 'R'},
	{0},
};

static enum mode mode_of(int letter)
{
	switch (letter) {
	case 'C':
		return MODE_CHECK;
	case 'f':
		return MODE_FOREGROUND;
	case 'K':
		return MODE_KEYS;
	case 'P':
		return MODE_PREPARE;
	case 'R':
		return MODE_RECORDS;
	case 'h':
		return MODE_HELP;
	case 'V':
		return MODE_VERSION;
	default:
		return MODE_NONE;
	}
}

static int wrong_usage(const char *text)
{
	fprintf(stderr, "segued: %s (segued --help)\n", text);
	return EXIT_USAGE;
}

static void print_sentence(void *context, const char *sentence)
{
	(void)context;
	fprintf(stderr, "%s\n", sentence);
}

static int check(const char *file, bool json)
{
	if (json)
		return config_print_json(file, stdout) || fflush(stdout) ? EXIT_FAILED : EXIT_DONE;
	if (config_examine(file, print_sentence, NULL))
		return EXIT_FAILED;
	puts("ok");
	return fflush(stdout) ? EXIT_FAILED : EXIT_DONE;
}

static void print_key(void *context, const char *path, const char *value, const char *preset,
		      const char *help)
{
	(void)context;
	printf("%s: %s\n    %s\n    %s%s\n", path, value, help, *preset ? "preset: " : "no preset",
	       preset);
}

/* A file descriptor for each connection: as many as the system lets us have. */
static void allow_connections(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int failed(int ret, const struct error *err)
{
	fprintf(stderr, "segued: %s\n", *err->text ? err->text : strerror(-ret));
	return EXIT_FAILED;
}

static int prepare_for(const char *file, const char *name, struct privileges_user *user,
		       struct error *err)
{
	int ret = privileges_find(user, name, err);

	return ret ? ret : prepare(file, user, err);
}

static int prepare_only(const char *file, const char *name, bool dry)
{
	struct privileges_user user;
	struct error err = {""};
	int ret = dry ? prepare_check(file, &err)
		      : prepare_for(file, name ? name : DEFAULT_USER, &user, &err);

	return ret ? failed(ret, &err) : EXIT_DONE;
}

static int keep(const char *file, const char *records)
{
	struct error err = {""};
	int ret = keep_records(file, records, &err);

	return ret ? failed(ret, &err) : EXIT_DONE;
}

/* What takes root is done before anybody can send us anything. */
static int become(const char *file, const char *name, struct error *err)
{
	struct privileges_user user;
	int ret = prepare_for(file, name, &user, err);

	return ret ? ret : privileges_drop(&user, err);
}

static int run(const char *file, const char *name)
{
	struct error err = {""};
	struct worker *worker;
	int ret;

	/* A peer that closed is an error of the write, not the end of us. */
	signal(SIGPIPE, SIG_IGN);
	allow_connections();
	ret = name ? become(file, name, &err) : 0;
	if (!ret)
		ret = worker_alloc(&worker, file, &err);
	if (ret)
		return failed(ret, &err);
	ret = worker_run(worker);
	worker_free(worker);
	return ret ? EXIT_FAILED : EXIT_DONE;
}

struct wanted {
	enum mode mode;
	const char *file, *user, *records;
	bool json, dry;
};

static int act(const struct wanted *wanted)
{
	switch (wanted->mode) {
	case MODE_CHECK:
		return check(wanted->file, wanted->json);
	case MODE_FOREGROUND:
		return run(wanted->file, wanted->user);
	case MODE_PREPARE:
		return prepare_only(wanted->file, wanted->user, wanted->dry);
	case MODE_RECORDS:
		return keep(wanted->file, wanted->records);
	case MODE_KEYS:
		config_keys(print_key, NULL);
		return EXIT_DONE;
	case MODE_HELP:
		fputs(usage, stdout);
		return EXIT_DONE;
	case MODE_VERSION:
		puts("segued " SEGUE_VERSION);
		return EXIT_DONE;
	default:
		return wrong_usage("say --foreground to run, or --check to look at the file");
	}
}

int main(int argc, char **argv)
{
	struct wanted wanted = {.mode = MODE_NONE, .file = CONFIG_FILE};
	int letter;

	while ((letter = getopt_long(argc, argv, "c:fhV", options, NULL)) != -1) {
		if (letter == '?')
			return EXIT_USAGE;
		if (letter == 'R')
			wanted.records = optarg;
		if (letter == 'c')
			wanted.file = optarg;
		else if (letter == 'u')
			wanted.user = optarg;
		else if (letter == 'J')
			wanted.json = true;
		else if (letter == 'D')
			wanted.dry = true;
		else if (wanted.mode == MODE_NONE)
			wanted.mode = mode_of(letter);
		else
			return wrong_usage("one of --foreground, --check, --prepare, "
					   "--keep-records and --keys at a time");
	}
	if (optind < argc)
		return wrong_usage("takes no operands");
	if (wanted.json && wanted.mode != MODE_CHECK)
		return wrong_usage("--json goes with --check");
	if (wanted.dry && wanted.mode != MODE_PREPARE)
		return wrong_usage("--dry-run goes with --prepare");
	return act(&wanted);
}
