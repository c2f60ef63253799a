/* SPDX-License-Identifier: BSD-2-Clause */
/* The control socket with a table of its own: what it answers, and that no client can hurt it. */
#include "ops_test.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ops/control.h"

static int echo(struct control_request *request)
{
	struct str text;
	int ret = control_text(request, "text", &text);

	if (ret)
		return ret;
	request->data = json_pack("{s:s%, s:s}", "text", text.p, text.n, "rooms",
				  (const char *)request->rooms);
	return 0;
}

static int nowhere(struct control_request *request)
{
	return error_set(request->err, -ENOENT, "no such thing");
}

static int busy(struct control_request *request)
{
	(void)request;
	return -EBUSY;
}

static int large(struct control_request *request)
{
	char *text = malloc(1000001);

	assert_non_null(text);
	memset(text, 'x', 1000000);
	text[1000000] = '\0';
	request->data = json_string(text);
	free(text);
	return 0;
}

static const struct control_command first[] = {
	{"thing", "echo", echo}, {"thing", "nowhere", nowhere}, {0}};
static const struct control_command second[] = {
	{"other", "busy", busy}, {"other", "large", large}, {0}};
static const struct control_command *const tables[] = {first, second, NULL};

struct world {
	char directory[64], path[108];
	struct event_base *base;
	struct wheel *wheel;
	struct log *log;
	struct control *control;
};

static int open_world(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	struct error err = {""};

	assert_non_null(world);
	strcpy(world->directory, "/tmp/segue-control.XXXXXX");
	assert_non_null(mkdtemp(world->directory));
	snprintf(world->path, sizeof(world->path), "%s/socket", world->directory);
	world->base = event_base_new();
	assert_int_equal(wheel_alloc(&world->wheel, world->base), 0);
	assert_int_equal(log_open(&world->log, LOG_LEVEL_ERROR), 0);
	assert_int_equal(control_alloc(&world->control, world->base, world->wheel, world->log,
				       world->path, tables, "rooms", &err),
			 0);
	*state = world;
	return 0;
}

static int close_world(void **state)
{
	struct world *world = *state;

	control_free(world->control);
	wheel_free(world->wheel);
	event_base_free(world->base);
	log_close(world->log);
	assert_int_equal(access(world->path, F_OK), -1);
	rmdir(world->directory);
	free(world);
	return 0;
}

static int dial(const struct world *world)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(at.sun_path, world->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static void turn(const struct world *world)
{
	event_base_loop(world->base, EVLOOP_NONBLOCK);
}

static void say(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* The next line that comes; NULL when the other end closed. One client at a time may wait here. */
static json_t *hear(const struct world *world, int fd)
{
	static char line[2000000];
	size_t length = 0;

	for (unsigned turns = 0; turns < 100000; turns++) {
		ssize_t got = read(fd, line + length, 1);

		if (got == 0)
			return NULL;
		if (got < 0) {
			assert_int_equal(errno, EAGAIN);
			turn(world);
		} else if (line[length++] == '\n') {
			json_t *reply = json_loadb(line, length, 0, NULL);

			assert_non_null(reply);
			return reply;
		} else {
			turns = 0;
		}
	}
	fail_msg("no answer");
	return NULL;
}

static const char *text_at(const json_t *reply, const char *outer, const char *inner)
{
	const char *text = json_string_value(json_object_get(json_object_get(reply, outer), inner));

	return text ? text : "(none)";
}

static void answers(void **state)
{
	const struct world *world = *state;
	struct stat status;
	json_t *reply;
	int fd = dial(world);

	say(fd, "{\"segue\":1,\"object\":\"thing\",\"command\":\"echo\",\"text\":\"a\\u00e4\"}\n");
	reply = hear(world, fd);
	assert_int_equal(json_integer_value(json_object_get(reply, "segue")), 1);
	assert_string_equal(json_string_value(json_object_get(reply, "object")), "thing");
	assert_string_equal(json_string_value(json_object_get(reply, "command")), "echo");
	assert_string_equal(text_at(reply, "data", "text"), "a\xc3\xa4");
	assert_string_equal(text_at(reply, "data", "rooms"), "rooms");
	assert_null(json_object_get(reply, "error"));
	json_decref(reply);
	close(fd);
	assert_int_equal(stat(world->path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0660);
}

static void refuses(void **state)
{
	static const struct {
		const char *request, *kind, *text;
	} rows[] = {
		{"", "usage", "no JSON"},
		{"nonsense", "usage", "no JSON"},
		{"[]", "usage", "\"segue\":1"},
		{"{\"object\":\"thing\",\"command\":\"echo\"}", "usage", "different versions"},
		{"{\"segue\":2,\"object\":\"thing\",\"command\":\"echo\"}", "usage", "versions"},
		{"{\"segue\":1}", "usage", "no 'object'"},
		{"{\"segue\":1,\"object\":\"thing\"}", "usage", "no 'command'"},
		{"{\"segue\":1,\"object\":7,\"command\":\"echo\"}", "usage", "'object' is no text"},
		{"{\"segue\":1,\"object\":\"thing\",\"command\":\"busy\"}", "usage", "thing busy"},
		{"{\"segue\":1,\"object\":\"thing\",\"command\":\"echo\"}", "usage", "no 'text'"},
		{"{\"segue\":1,\"object\":\"thing\",\"command\":\"nowhere\"}", "not-found",
		 "no such thing"},
		{"{\"segue\":1,\"object\":\"other\",\"command\":\"busy\"}", "failed", "busy"},
	};
	const struct world *world = *state;
	int fd = dial(world);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *reply;

		say(fd, rows[i].request);
		say(fd, "\n");
		reply = hear(world, fd);
		assert_non_null(reply);
		assert_string_equal(text_at(reply, "error", "kind"), rows[i].kind);
		assert_non_null(strstr(text_at(reply, "error", "text"), rows[i].text));
		assert_null(json_object_get(reply, "data"));
		json_decref(reply);
	}
	close(fd);
}

static const char busy_request[] = "{\"segue\":1,\"object\":\"other\",\"command\":\"busy\"}\n";
static const char large_request[] = "{\"segue\":1,\"object\":\"other\",\"command\":\"large\"}\n";

/* Several at once, byte by byte, in one write, and after the client has said all. */
static void clients_are_apart(void **state)
{
	const struct world *world = *state;
	int one = dial(world), two = dial(world), three = dial(world);
	json_t *reply;

	for (const char *c = busy_request; *c; c++) {
		const char byte[2] = {*c, '\0'};

		say(one, byte);
		turn(world);
	}
	say(two, busy_request);
	say(two, large_request);
	say(two, busy_request);
	say(three, busy_request);
	shutdown(three, SHUT_WR);
	json_decref(hear(world, one));
	json_decref(hear(world, two));
	reply = hear(world, two);
	assert_int_equal(json_string_length(json_object_get(reply, "data")), 1000000);
	json_decref(reply);
	json_decref(hear(world, two));
	json_decref(hear(world, three));
	assert_null(hear(world, three));
	close(one);
	close(two);
	close(three);
}

/* A client that asks and asks, and reads nothing, gets no more than one answer made for it. */
static void greedy_client(void **state)
{
	const struct world *world = *state;
	int fd = dial(world), other;
	ssize_t sent = 0;

	for (unsigned i = 0; i < 10000 && sent >= 0; i++) {
		sent = write(fd, large_request, strlen(large_request));
		turn(world);
	}
	/* The socket is full: what it sends is not read before it reads itself. */
	assert_int_equal(sent, -1);
	assert_int_equal(errno, EAGAIN);
	other = dial(world);
	say(other, busy_request);
	json_decref(hear(world, other));
	close(other);
	close(fd);
}

static void endless_line(void **state)
{
	const struct world *world = *state;
	char text[4096];
	int fd = dial(world);
	ssize_t sent = 0;

	memset(text, 'x', sizeof(text));
	for (unsigned i = 0; i < 10000 && sent >= 0; i++) {
		sent = send(fd, text, sizeof(text), MSG_NOSIGNAL);
		turn(world);
	}
	assert_int_equal(sent, -1);
	assert_true(errno == EPIPE || errno == ECONNRESET);
	close(fd);
}

/* The one too many waits until another one leaves. */
static void many_clients(void **state)
{
	const struct world *world = *state;
	int fd[CONTROL_CLIENTS + 1];
	char byte;

	for (size_t i = 0; i <= CONTROL_CLIENTS; i++) {
		fd[i] = dial(world);
		say(fd[i], busy_request);
	}
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		json_decref(hear(world, fd[i]));
	for (unsigned i = 0; i < 100; i++)
		turn(world);
	assert_int_equal(read(fd[CONTROL_CLIENTS], &byte, 1), -1);
	assert_int_equal(errno, EAGAIN);
	close(fd[0]);
	json_decref(hear(world, fd[CONTROL_CLIENTS]));
	for (size_t i = 1; i <= CONTROL_CLIENTS; i++)
		close(fd[i]);
}

static void one_socket_one_owner(void **state)
{
	struct world *world = *state;
	struct control *second_control = NULL;
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct error err = {""};
	char path[108];
	int fd;

	assert_int_equal(control_alloc(&second_control, world->base, world->wheel, world->log,
				       world->path, tables, NULL, &err),
			 -EADDRINUSE);
	assert_non_null(strstr(err.text, "another segued answers"));
	/* What a killed one left behind is replaced; what is no socket is not. */
	snprintf(path, sizeof(path), "%s/left", world->directory);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	strcpy(at.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	close(fd);
	assert_int_equal(control_alloc(&second_control, world->base, world->wheel, world->log, path,
				       tables, NULL, &err),
			 0);
	control_free(second_control);
	fclose(fopen(path, "w"));
	assert_int_equal(control_alloc(&second_control, world->base, world->wheel, world->log, path,
				       tables, NULL, &err),
			 -EADDRINUSE);
	assert_non_null(strstr(err.text, "is no socket"));
	unlink(path);
	assert_int_equal(control_alloc(&second_control, world->base, world->wheel, world->log,
				       "/nowhere/at/all", tables, NULL, &err),
			 -ENOENT);
}

int main(void)
{
#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)
	const struct CMUnitTest tests[] = {
		WITH_WORLD(answers),
		WITH_WORLD(refuses),
		WITH_WORLD(clients_are_apart),
		WITH_WORLD(greedy_client),
		WITH_WORLD(endless_line),
		WITH_WORLD(many_clients),
		WITH_WORLD(one_socket_one_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
