/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks of segued: its configuration, read by segued itself, and whether it runs and has room. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon.h"
#include "doctor.h"

#define SETTING_MAX (1024 * 1024) /* bytes of its answer */
#define FILES_LEAST 4096u	  /* descriptors: one for each connection */

/* segued as installed: beside us as in a build, in sbin as in a package, else by PATH. */
static void run_segued(const char *file)
{
	char own[512], path[600];
	ssize_t length = readlink("/proc/self/exe", own, sizeof(own) - 1);
	char *slash;

	if (length > 0) {
		own[length] = '\0';
		slash = strrchr(own, '/');
		*slash = '\0';
		snprintf(path, sizeof(path), "%s/segued", own);
		execl(path, "segued", "--check", "--json", file ? "--config" : (char *)NULL, file,
		      (char *)NULL);
		snprintf(path, sizeof(path), "%s/../sbin/segued", own);
		execl(path, "segued", "--check", "--json", file ? "--config" : (char *)NULL, file,
		      (char *)NULL);
	}
	execlp("segued", "segued", "--check", "--json", file ? "--config" : (char *)NULL, file,
	       (char *)NULL);
	_exit(127);
}

/* What it printed; NULL: it could not be run, or said nothing that is JSON. */
static json_t *ask_segued(const char *file)
{
	json_t *answer = NULL;
	int ends[2];
	FILE *in;
	pid_t pid;

	if (pipe(ends) < 0)
		return NULL;
	pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		run_segued(file);
	}
	close(ends[1]);
	in = fdopen(ends[0], "r");
	if (in) {
		answer = json_loadf(in, JSON_DISABLE_EOF_CHECK, NULL);
		fclose(in);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return answer;
}

/* Of a segued that answers; NULL without a word when none does. */
static json_t *status_of(const struct doctor *doctor)
{
	json_t *status = NULL;

	return daemon_try(doctor->cli, "status", "show", &status) ? status : NULL;
}

static void report_errors(struct doctor *doctor, const json_t *answer)
{
	const char *file = json_string_value(json_object_get(answer, "file"));
	const json_t *errors = json_object_get(answer, "errors"), *error;
	char cure[CURE_LEN];
	size_t i;

	snprintf(cure, sizeof(cure), "edit %.80s; segued --check --config %.80s", file, file);
	json_array_foreach(errors, i, error)
	{
		doctor_report(doctor, RESULT_PROBLEM, NULL, cure, "%s", json_string_value(error));
	}
}

void doctor_config(struct doctor *doctor)
{
	const struct doctor_args *args = doctor->cli->args;
	json_t *status = status_of(doctor), *answer;
	const char *file = json_string_value(json_object_get(status, "config"));

	answer = ask_segued(args->config ? args->config : file);
	if (!answer) {
		doctor_report(doctor, RESULT_WARNING, NULL, "apt install segue, or make install",
			      "segued is not installed where `segue` is, nor in PATH: nothing can "
			      "be said of its configuration");
	} else if (!json_array_size(json_object_get(answer, "errors"))) {
		doctor->config = json_incref(answer);
		doctor_report(doctor, RESULT_OK, json_string_value(json_object_get(answer, "file")),
			      NULL, "read, and good");
	} else if (!args->config && !file &&
		   access(json_string_value(json_object_get(answer, "file")), F_OK) < 0) {
		doctor_report(doctor, RESULT_OK, json_string_value(json_object_get(answer, "file")),
			      NULL, "not there: the relay is used without segued");
	} else {
		report_errors(doctor, answer);
	}
	json_decref(answer);
	json_decref(status);
}

/* ---- does it run ------------------------------------------------------------------------------
 */

static unsigned long files_limit(json_int_t pid)
{
	unsigned long limit = 0;
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%" JSON_INTEGER_FORMAT "/limits", pid);
	file = fopen(path, "re");
	while (file && !limit && fgets(line, sizeof(line), file))
		if (sscanf(line, "Max open files %lu", &limit) != 1)
			limit = 0;
	if (file)
		fclose(file);
	return limit;
}

static void look_at_files(struct doctor *doctor, const json_t *status)
{
	unsigned long limit = files_limit(json_integer_value(json_object_get(status, "pid")));

	if (!limit)
		doctor_report(doctor, RESULT_OK, NULL, NULL,
			      "its limit of files is not shown to us");
	else if (limit < FILES_LEAST)
		doctor_report(doctor, RESULT_WARNING, NULL,
			      "systemctl edit segued (LimitNOFILE=65536)",
			      "it may open %lu files: each TCP or TLS connection takes one", limit);
	else
		doctor_report(doctor, RESULT_OK, NULL, NULL, "it may open %lu files", limit);
}

void doctor_segued(struct doctor *doctor)
{
	json_t *status = status_of(doctor);

	if (status) {
		doctor_report(doctor, RESULT_OK, NULL, NULL,
			      "process %" JSON_INTEGER_FORMAT ", %" JSON_INTEGER_FORMAT
			      " calls, answers",
			      json_integer_value(json_object_get(status, "pid")),
			      json_integer_value(json_object_get(status, "calls")));
		if (!json_is_true(json_object_get(json_object_get(status, "store"), "healthy")))
			doctor_report(doctor, RESULT_PROBLEM, NULL,
				      "journalctl -u segued | grep store",
				      "its store fails: CDRs and bindings stay in memory");
		look_at_files(doctor, status);
	} else if (doctor->config) {
		doctor_report(doctor, RESULT_WARNING, NULL, "systemctl start segued",
			      "it is configured, but does not answer (or not us: the group segue "
			      "may ask)");
	} else {
		doctor_report(doctor, RESULT_OK, NULL, NULL, "does not run, and is not configured");
	}
	json_decref(status);
}
