// SPDX-License-Identifier: BSD-2-Clause
/* What the service manager and the journal are told, byte by byte. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/journal.h"
#include "base/log.h"
#include "ops/notify.h"

#define ROOM 8192

struct manager { /* somebody who listens */
	char directory[32], path[64];
	int fd;
};

static int setup(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct manager *manager = calloc(1, sizeof(*manager));

	assert_non_null(manager);
	strcpy(manager->directory, "/tmp/segue-service.XXXXXX");
	assert_non_null(mkdtemp(manager->directory));
	snprintf(manager->path, sizeof(manager->path), "%s/socket", manager->directory);
	memcpy(at.sun_path, manager->path, strlen(manager->path));
	manager->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(manager->fd, (struct sockaddr *)&at, sizeof(at)), 0);
	*state = manager;
	return 0;
}

static int teardown(void **state)
{
	struct manager *manager = *state;

	close(manager->fd);
	unlink(manager->path);
	rmdir(manager->directory);
	free(manager);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	unsetenv("JOURNAL_STREAM");
	return 0;
}

/* The next datagram as text, "" if there is none. */
static size_t heard(struct manager *manager, char text[ROOM])
{
	ssize_t got = recv(manager->fd, text, ROOM - 1, MSG_DONTWAIT);

	if (got < 0)
		got = 0;
	text[got] = '\0';
	return (size_t)got;
}

static void test_entry(void **state)
{
	static const struct journal_field fields[] = {
		{"MESSAGE", "hello"}, {"PRIORITY", "6"}, {"CALL_ID", NULL}};
	struct manager *manager = *state;
	char text[ROOM];
	int fd = journal_open(manager->path);

	assert_true(fd >= 0);
	assert_int_equal(journal_send(fd, fields, 3), 0);
	heard(manager, text);
	assert_string_equal(text, "MESSAGE=hello\nPRIORITY=6\n");
	close(fd);
}

/* A line end in a value, which might come from a phone, makes no second field. */
static void test_line_end(void **state)
{
	static const struct journal_field field = {"MESSAGE", "a\nPRIORITY=0"};
	static const char wanted[] = "MESSAGE\n\x0c\0\0\0\0\0\0\0a\nPRIORITY=0\n";
	struct manager *manager = *state;
	char text[ROOM];
	int fd = journal_open(manager->path);

	assert_int_equal(journal_send(fd, &field, 1), 0);
	assert_int_equal(heard(manager, text), sizeof(wanted) - 1);
	assert_memory_equal(text, wanted, sizeof(wanted) - 1);
	close(fd);
}

static void test_too_long(void **state)
{
	struct manager *manager = *state;
	char value[5000], text[ROOM];
	struct journal_field field = {"MESSAGE", value};
	int fd = journal_open(manager->path);

	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	assert_int_equal(journal_send(fd, &field, 1), -EMSGSIZE);
	assert_int_equal(heard(manager, text), 0);
	close(fd);
}

static void test_no_journal(void **state)
{
	struct manager *manager = *state;

	assert_int_equal(journal_open("/nowhere/socket"), -ENOENT);
	(void)manager;
}

/* Only a standard error that is the journal's own stream: not one that was redirected since. */
static void test_whose_stderr(void **state)
{
	struct stat status;
	char text[64];

	(void)state;
	assert_false(journal_has_stderr());
	assert_int_equal(fstat(STDERR_FILENO, &status), 0);
	snprintf(text, sizeof(text), "%lu:%lu", (unsigned long)status.st_dev,
		 (unsigned long)status.st_ino);
	setenv("JOURNAL_STREAM", text, 1);
	assert_true(journal_has_stderr());
	snprintf(text, sizeof(text), "%lu:%lu", (unsigned long)status.st_dev,
		 (unsigned long)status.st_ino + 1);
	setenv("JOURNAL_STREAM", text, 1);
	assert_false(journal_has_stderr());
	setenv("JOURNAL_STREAM", "nonsense", 1);
	assert_false(journal_has_stderr());
}

struct loop {
	struct event_base *base;
	struct wheel *wheel;
	struct log *log;
};

static void loop_open(struct loop *loop)
{
	loop->base = event_base_new();
	assert_int_equal(wheel_alloc(&loop->wheel, loop->base), 0);
	assert_int_equal(log_open(&loop->log, LOG_LEVEL_ERROR), 0);
}

static void loop_close(struct loop *loop)
{
	log_close(loop->log);
	wheel_free(loop->wheel);
	event_base_free(loop->base);
}

static void test_states(void **state)
{
	struct manager *manager = *state;
	struct notify *notify;
	struct loop loop;
	char text[ROOM], wanted[128];

	loop_open(&loop);
	setenv("NOTIFY_SOCKET", manager->path, 1);
	assert_int_equal(notify_alloc(&notify, loop.wheel, loop.log, NULL), 0);
	assert_int_equal(heard(manager, text), 0);
	notify_ready(notify, "running");
	heard(manager, text);
	snprintf(wanted, sizeof(wanted), "READY=1\nSTATUS=running\nMAINPID=%ld", (long)getpid());
	assert_string_equal(text, wanted);
	notify_reloading(notify);
	heard(manager, text);
	assert_non_null(strstr(text, "RELOADING=1\n"));
	assert_non_null(strstr(text, "\nMONOTONIC_USEC="));
	notify_stopping(notify, "ending");
	heard(manager, text);
	assert_string_equal(text, "STOPPING=1\nSTATUS=ending");
	notify_free(notify);
	loop_close(&loop);
}

/* Twice in the time that the manager waits, and only while the loop turns. */
static void test_watchdog(void **state)
{
	struct manager *manager = *state;
	struct notify *notify;
	struct loop loop;
	char text[ROOM];

	loop_open(&loop);
	setenv("NOTIFY_SOCKET", manager->path, 1);
	setenv("WATCHDOG_USEC", "100000", 1);
	assert_int_equal(notify_alloc(&notify, loop.wheel, loop.log, NULL), 0);
	usleep(120000);
	assert_int_equal(heard(manager, text), 0);
	while (!heard(manager, text))
		event_base_loop(loop.base, EVLOOP_ONCE);
	assert_string_equal(text, "WATCHDOG=1");
	while (!heard(manager, text))
		event_base_loop(loop.base, EVLOOP_ONCE);
	assert_string_equal(text, "WATCHDOG=1");
	notify_free(notify);
	loop_close(&loop);
}

static void test_watchdog_of_another(void **state)
{
	struct manager *manager = *state;
	struct notify *notify;
	struct loop loop;

	loop_open(&loop);
	setenv("NOTIFY_SOCKET", manager->path, 1);
	setenv("WATCHDOG_USEC", "20000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(notify_alloc(&notify, loop.wheel, loop.log, NULL), 0);
	for (int i = 0; i < 5; i++) {
		char text[ROOM];

		usleep(20000);
		event_base_loop(loop.base, EVLOOP_NONBLOCK);
		assert_int_equal(heard(manager, text), 0);
	}
	notify_free(notify);
	loop_close(&loop);
}

static void test_nobody_asked(void **state)
{
	struct error err = {""};
	struct notify *notify = NULL;
	struct loop loop;

	(void)state;
	loop_open(&loop);
	assert_int_equal(notify_alloc(&notify, loop.wheel, loop.log, &err), 0);
	notify_ready(notify, "running");
	notify_free(notify);
	setenv("NOTIFY_SOCKET", "vsock:1:2", 1);
	assert_int_equal(notify_alloc(&notify, loop.wheel, loop.log, &err), -EINVAL);
	assert_non_null(strstr(err.text, "NOTIFY_SOCKET 'vsock:1:2'"));
	setenv("NOTIFY_SOCKET", "/nowhere/socket", 1);
	assert_int_equal(notify_alloc(&notify, loop.wheel, loop.log, &err), -ENOENT);
	loop_close(&loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_entry, setup, teardown),
		cmocka_unit_test_setup_teardown(test_line_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_long, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_journal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_whose_stderr, setup, teardown),
		cmocka_unit_test_setup_teardown(test_states, setup, teardown),
		cmocka_unit_test_setup_teardown(test_watchdog, setup, teardown),
		cmocka_unit_test_setup_teardown(test_watchdog_of_another, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody_asked, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
