/* SPDX-License-Identifier: BSD-2-Clause */
/* Each allocation of ours fails in turn: an error, nothing that leaks, and service goes on. */
#include "ops_test.h"

#include <errno.h>
#include <event2/event.h>
#include <unistd.h>

#include "../store/oom.h"
#include "config.h"
#include "ops/control.h"
#include "ops/json_memory.h"
#include "ops/limit.h"

static const char text[] = "sip:\n"
			   "  domains: [example.net, example.org]\n"
			   "  listen: ['udp:127.0.0.1:5060', 'tcp:127.0.0.1:5060']\n"
			   "  nameservers: [192.0.2.53]\n"
			   "media:\n"
			   "  interfaces: [{name: lo, address: [127.0.0.1, '::1']}]\n"
			   "trunks:\n"
			   "  - {name: x, source: 192.0.2.0/24, uri: sip:x.example, prefix: '1'}\n"
			   "store: sqlite:/x/y\n"
			   "http: 127.0.0.1:1\n";

static char file[64];

static int make_file(void **state)
{
	int fd;

	(void)state;
	strcpy(file, "/tmp/segue-memory.XXXXXX");
	fd = mkstemp(file);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		return -1;
	return close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(file);
}

static void configuration(void **state)
{
	struct config *config = NULL;
	struct error err;
	unsigned long n;
	int ret;

	(void)state;
	for (n = 1; n < 1000; n++) {
		oom_arm(n);
		ret = config_load(&config, file, &err);
		if (!oom_disarm())
			break;
		assert_int_equal(ret, -ENOMEM);
		assert_string_not_equal(err.text, "");
		assert_null(config);
	}
	assert_int_equal(ret, 0);
	assert_in_range(n, 10, 999);
	config_free(config);
}

/* Without a bucket a source is let through, and the next one is not forgotten for it. */
static void sources(void **state)
{
	struct limit *limit = NULL;
	struct netaddr from;
	struct log *log;
	unsigned long n;

	(void)state;
	assert_int_equal(log_open(&log, LOG_LEVEL_ERROR), 0);
	for (n = 1; n < 100; n++) {
		oom_arm(n);
		if (limit_alloc(&limit, log, 0, NULL, NULL) == 0)
			break;
		assert_true(oom_disarm());
	}
	oom_disarm();
	assert_in_range(n, 2, 99);
	limit_set(limit, 1, 1);
	netaddr_parse_host(&from, STR("192.0.2.1"), 0);
	oom_arm(1);
	assert_true(limit_admit(limit, &from, 1000));
	assert_true(oom_disarm());
	assert_true(limit_admit(limit, &from, 1000));
	assert_false(limit_admit(limit, &from, 1000));
	limit_free(limit);
	log_close(log);
}

static void control_socket(void **state)
{
	static const struct control_command *const no_tables[] = {NULL};
	struct event_base *base = event_base_new();
	struct control *control = NULL;
	struct wheel *wheel;
	struct error err;
	struct log *log;
	char path[80];
	unsigned long n;

	(void)state;
	assert_int_equal(wheel_alloc(&wheel, base), 0);
	assert_int_equal(log_open(&log, LOG_LEVEL_ERROR), 0);
	snprintf(path, sizeof(path), "%s.socket", file);
	for (n = 1; n < 100; n++) {
		oom_arm(n);
		if (control_alloc(&control, base, wheel, log, path, no_tables, NULL, &err) == 0)
			break;
		assert_true(oom_disarm());
		assert_string_not_equal(err.text, "");
		assert_int_equal(access(path, F_OK), -1);
	}
	assert_false(oom_disarm());
	control_free(control);
	wheel_free(wheel);
	event_base_free(base);
	log_close(log);
}

/* What a text of those characters, so many times the middle one, takes is there before it is read.
 */
static void read_one(const char *head, const char *part, size_t times, const char *tail, int wanted)
{
	static char line[CONTROL_REQUEST_MAX];
	struct json_memory_text read, inner;
	size_t length = 0;

	length += (size_t)snprintf(line, sizeof(line), "%s", head);
	for (size_t i = 0; i < times && length + 32 < sizeof(line); i++)
		length += (size_t)snprintf(line + length, sizeof(line) - length, part, (int)i);
	length += (size_t)snprintf(line + length, sizeof(line) - length, "%s", tail);
	oom_arm(1);
	assert_int_equal(json_memory_read(&read, line, length, NULL), -ENOMEM);
	json_memory_forget(&read);
	oom_arm(2);
	if (json_memory_read(&read, line, length, NULL) != wanted || oom_disarm())
		fail_msg("%.40s: %zu bytes of %zu were taken", line, read.used, read.size);
	assert_int_equal(json_memory_read(&inner, line, length, NULL), wanted);
	if (wanted == 0)
		assert_true(json_equal(read.value, inner.value));
	json_memory_forget(&inner);
	json_memory_forget(&read);
}

static void texts(void **state)
{
	static const size_t times[] = {1, 2, 20, 1000, CONTROL_REQUEST_MAX};

	(void)state;
	json_memory_watch();
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		read_one("[", "[],", times[i], "[]]", 0);
		read_one("[", "{},", times[i], "{}]", 0);
		read_one("[", "1,", times[i], "1]", 0);
		read_one("[", "1e9,", times[i], "1]", 0);
		read_one("[", "\"\",", times[i], "\"\"]", 0);
		read_one("[\"", "x", times[i], "\"]", 0);
		read_one("[\"", "\\u1%03x", times[i], "\"]", 0);
		read_one("{", "\"%x\":{},", times[i], "\"x\":1}", 0);
		read_one("{\"a\":[", "{\"%x\":\"\"},", times[i], "1]}", 0);
		read_one("", "[", times[i], "", -EINVAL);
		read_one("", "{\"\":", times[i], "", -EINVAL);
		read_one("{\"", "x", times[i], "", -EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(configuration),
		cmocka_unit_test(sources),
		cmocka_unit_test(control_socket),
		cmocka_unit_test(texts),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
