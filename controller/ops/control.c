// SPDX-License-Identifier: BSD-2-Clause
#include "ops/control.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/acceptor.h"
#include "base/list.h"
#include "base/str.h"
#include "ops/json_memory.h"

#define IDLE_S 120 /* without a request */
#define STALL_S 20 /* without taking any of its reply */
#define BACKLOG 16

struct control {
	char *path;
	struct event_base *base;
	struct acceptor acceptor;
	const struct control_command *const *tables;
	const void *rooms;
	struct list clients;
	size_t count;
};

struct client {
	struct list node;
	struct control *control;
	struct bufferevent *io;
	bool ending; /* it sends no more: closed when its reply is out */
};

static void client_free(struct client *client)
{
	struct control *control = client->control;

	list_remove(&client->node);
	bufferevent_free(client->io);
	free(client);
	control->count--;
	acceptor_set_full(&control->acceptor, false);
}

/* ---- requests ----------------------------------------------------------------------------------
 */

static const char *kind_of(int error)
{
	if (error == -ENOENT)
		return "not-found";
	return error == -EINVAL ? "usage" : "failed";
}

int control_text_optional(const struct control_request *request, const char *name, struct str *out)
{
	json_t *value = json_object_get(request->body, name);

	*out = STR_NONE;
	if (!value)
		return 0;
	if (!json_is_string(value))
		return error_set(request->err, -EINVAL, "the request's '%s' is no text", name);
	*out = (struct str){json_string_value(value), json_string_length(value)};
	return 0;
}

int control_text(const struct control_request *request, const char *name, struct str *out)
{
	int ret = control_text_optional(request, name, out);

	if (!ret && !out->n)
		ret = error_set(request->err, -EINVAL, "the request has no '%s'", name);
	return ret;
}

static int check_version(struct control_request *request)
{
	json_t *version = json_object_get(request->body, "segue");

	if (json_is_integer(version) && json_integer_value(version) == CONTROL_VERSION)
		return 0;
	return error_set(request->err, -EINVAL,
			 "the request must be a JSON object with \"segue\":%d: client and segued "
			 "are of different versions",
			 CONTROL_VERSION);
}

int control_count_optional(const struct control_request *request, const char *name, size_t *out)
{
	json_t *value = json_object_get(request->body, name);

	*out = 0;
	if (!value)
		return 0;
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return error_set(request->err, -EINVAL, "the request's '%s' is no count", name);
	*out = (size_t)json_integer_value(value);
	return 0;
}

static int run_command(const struct control_command *const *tables, struct control_request *request)
{
	struct str object, command;
	int ret = control_text(request, "object", &object);

	if (!ret)
		ret = control_text(request, "command", &command);
	if (ret)
		return ret;
	for (size_t i = 0; tables[i]; i++) {
		for (const struct control_command *c = tables[i]; c->object; c++) {
			if (str_eq(object, str_of(c->object)) &&
			    str_eq(command, str_of(c->command)))
				return c->run(request);
		}
	}
	return error_set(request->err, -EINVAL, "this segued has no command '%.64s %.64s'",
			 object.p, command.p);
}

/* NULL: out of memory. Takes the reference of `data`. */
static json_t *make_reply(const struct control_request *request, int ret)
{
	json_t *reply = json_pack("{s:i}", "segue", CONTROL_VERSION), *value = request->data;
	bool failed = false;

	if (json_object_get(request->body, "object"))
		failed |=
			json_object_set(reply, "object", json_object_get(request->body, "object"));
	if (json_object_get(request->body, "command"))
		failed |= json_object_set(reply, "command",
					  json_object_get(request->body, "command"));
	if (ret) {
		json_decref(value);
		value = json_pack("{s:s, s:s}", "kind", kind_of(ret), "text", request->err->text);
		if (!value) /* text that is no UTF-8 */
			value = json_pack("{s:s, s:s}", "kind", kind_of(ret), "text",
					  strerror(-ret));
	}
	failed |= json_object_set_new(reply, ret ? "error" : "data", value);
	if (!failed)
		return reply;
	json_decref(reply);
	return NULL;
}

static json_t *reply_of(const struct control_command *const *tables,
			struct control_request *request, int ret)
{
	unsigned long failures = json_memory_failures();

	if (!ret)
		ret = run_command(tables, request);
	if (!ret && !request->data)
		ret = -ENOMEM;
	if (json_memory_failures() != failures)
		ret = error_set(request->err, -ENOMEM, "out of memory");
	if (ret && !*request->err->text)
		error_set(request->err, ret, "%s", strerror(-ret));
	return make_reply(request, ret);
}

json_t *control_ask(const struct control_command *const *tables, const void *rooms,
		    const json_t *body)
{
	struct error err = {""};
	struct control_request request = {.rooms = rooms, .body = body, .err = &err};

	return reply_of(tables, &request, check_version(&request));
}

/* Its text, without the line end; the caller frees it. NULL: out of memory. */
static char *answer(const struct control *control, const char *line, size_t length)
{
	struct error err = {""};
	json_error_t why;
	struct json_memory_text body;
	int ret = json_memory_read(&body, line, length, &why);
	struct control_request request = {.rooms = control->rooms, .body = body.value, .err = &err};
	json_t *reply;
	char *text;

	if (!ret)
		ret = check_version(&request);
	else if (ret == -EINVAL)
		ret = error_set(&err, ret, "the request is no JSON: %.200s", why.text);
	reply = reply_of(control->tables, &request, ret);
	text = json_memory_dump(reply);
	json_decref(reply);
	json_memory_forget(&body);
	return text;
}

static void free_text(const void *data, size_t length, void *context)
{
	(void)length;
	(void)context;
	free((void *)(uintptr_t)data);
}

/* False: the client is gone. */
static bool reply_to(struct client *client, const char *line, size_t length)
{
	char *text = answer(client->control, line, length);
	struct evbuffer *out = bufferevent_get_output(client->io);

	if (!text || evbuffer_add_reference(out, text, strlen(text), free_text, NULL)) {
		free(text);
		client_free(client);
		return false;
	}
	/* libevent starts to write by itself, but where memory is short it does not say that it
	 * could not. */
	if (evbuffer_add(out, "\n", 1) || bufferevent_enable(client->io, EV_WRITE)) {
		client_free(client);
		return false;
	}
	return true;
}

/* ---- clients -----------------------------------------------------------------------------------
 */

/* One that could not be read is one that found no memory. */
static bool has_line(struct evbuffer *in)
{
	return evbuffer_search_eol(in, NULL, NULL, EVBUFFER_EOL_LF).pos >= 0;
}

/*
 * One request at a time: the next is read when the reply is out, so that a client that only asks
 * and never reads makes nothing grow.
 */
static void serve(struct client *client)
{
	struct evbuffer *in = bufferevent_get_input(client->io);
	size_t length = 0;
	char *line = NULL;
	bool alive = true;

	if (evbuffer_get_length(bufferevent_get_output(client->io)))
		return;
	line = evbuffer_readln(in, &length, EVBUFFER_EOL_LF);
	if (line) {
		bufferevent_disable(client->io, EV_READ);
		alive = reply_to(client, line, length);
		/* It may have held a password. */
		explicit_bzero(line, length);
		free(line);
		if (!alive)
			return;
	} else if (client->ending || evbuffer_get_length(in) >= CONTROL_REQUEST_MAX ||
		   has_line(in) || bufferevent_enable(client->io, EV_READ)) {
		client_free(client);
	}
}

static void on_read(struct bufferevent *io, void *context)
{
	(void)io;
	serve(context);
}

static void on_written(struct bufferevent *io, void *context)
{
	(void)io;
	serve(context);
}

static void on_event(struct bufferevent *io, short what, void *context)
{
	struct client *client = context;

	if (!(what & BEV_EVENT_EOF) || (what & BEV_EVENT_ERROR)) {
		client_free(client);
		return;
	}
	client->ending = true;
	bufferevent_disable(io, EV_READ);
	serve(client);
}

static void on_accept(void *context, int fd, const struct sockaddr *from)
{
	const struct timeval idle = {IDLE_S, 0}, stall = {STALL_S, 0};
	struct control *control = context;
	struct client *client = calloc(1, sizeof(*client));

	(void)from;
	if (client)
		client->io = bufferevent_socket_new(control->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!client || !client->io) {
		free(client);
		close(fd);
		return;
	}
	client->control = control;
	list_append(&control->clients, &client->node);
	acceptor_set_full(&control->acceptor, ++control->count >= CONTROL_CLIENTS);
	bufferevent_setcb(client->io, on_read, on_written, on_event, client);
	bufferevent_set_timeouts(client->io, &idle, &stall);
	/* Out of memory, and nobody would ever hear what it says. */
	if (bufferevent_enable(client->io, EV_READ | EV_WRITE))
		client_free(client);
}

/* ---- the socket --------------------------------------------------------------------------------
 */

static bool somebody_answers(const struct sockaddr_un *at)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool answers;

	if (fd < 0)
		return true;
	/* A full queue of clients is somebody, too. */
	answers = !connect(fd, (const struct sockaddr *)at, sizeof(*at)) || errno == EAGAIN;
	close(fd);
	return answers;
}

static int bind_socket(int fd, const struct sockaddr_un *at, struct error *err)
{
	struct stat status;
	int ret;

	if (!bind(fd, (const struct sockaddr *)at, sizeof(*at)))
		return 0;
	if (errno != EADDRINUSE)
		return error_set(err, -errno, "control: %s: %s", at->sun_path, strerror(errno));
	if (lstat(at->sun_path, &status) || !S_ISSOCK(status.st_mode))
		return error_set(err, -EADDRINUSE,
				 "control: %s exists and is no socket: name another path",
				 at->sun_path);
	if (somebody_answers(at))
		return error_set(err, -EADDRINUSE,
				 "control: another segued answers at %s: stop it, or give each "
				 "its own path",
				 at->sun_path);
	unlink(at->sun_path);
	if (!bind(fd, (const struct sockaddr *)at, sizeof(*at)))
		return 0;
	ret = -errno;
	return error_set(err, ret, "control: %s: %s", at->sun_path, strerror(-ret));
}

/* Nobody can connect before listen(): the mode is right from the first moment. */
static int open_socket(struct control *control, struct error *err)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd, ret;

	if (strlen(control->path) >= sizeof(at.sun_path))
		return error_set(err, -ENAMETOOLONG, "control: '%s' is longer than %zu characters",
				 control->path, sizeof(at.sun_path) - 1);
	memcpy(at.sun_path, control->path, strlen(control->path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_set(err, -errno, "control: no socket: %s", strerror(errno));
	ret = bind_socket(fd, &at, err);
	if (!ret && chmod(control->path, 0660))
		ret = error_set(err, -errno, "control: %s: %s", control->path, strerror(errno));
	if (ret) {
		close(fd);
		return ret;
	}
	ret = acceptor_listen(&control->acceptor, control->base, fd, BACKLOG);
	if (!ret)
		return 0;
	unlink(control->path);
	close(fd);
	return error_set(err, ret, "control: cannot listen at %s: %s", control->path,
			 strerror(-ret));
}

int control_alloc(struct control **out, struct event_base *base, struct wheel *wheel,
		  struct log *log, const char *path, const struct control_command *const *tables,
		  const void *rooms, struct error *err)
{
	struct control *control = calloc(1, sizeof(*control));
	int ret;

	if (!control)
		return error_set(err, -ENOMEM, "out of memory");
	list_init(&control->clients);
	control->base = base;
	control->acceptor = (struct acceptor){.name = "control",
					      .wheel = wheel,
					      .log = log,
					      .accepted = on_accept,
					      .context = control};
	control->tables = tables;
	control->rooms = rooms;
	control->path = str_dup(str_of(path));
	if (control->path)
		ret = open_socket(control, err);
	else
		ret = error_set(err, -ENOMEM, "out of memory");
	if (ret) {
		free(control->path);
		free(control);
		return ret;
	}
	*out = control;
	return 0;
}

void control_free(struct control *control)
{
	if (!control)
		return;
	acceptor_close(&control->acceptor);
	list_for_each(node, after, &control->clients)
		client_free(container_of(node, struct client, node));
	unlink(control->path);
	free(control->path);
	free(control);
}
