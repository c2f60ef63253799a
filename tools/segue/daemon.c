/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon.h"

#define PROTOCOL_VERSION 1
#define ANSWER_SECONDS 20
#define ANSWER_MAX (256u * 1024u * 1024u) /* bytes */
#define COLUMNS 16u			  /* of a table whose columns are found in its rows */

static const char *socket_path(const struct cli *cli)
{
	const char *from_environment = getenv("SEGUE_CONTROL");

	if (cli->globals.control)
		return cli->globals.control;
	return from_environment && *from_environment ? from_environment : DAEMON_SOCKET;
}

static int no_answer(const struct cli *cli, int error)
{
	if (error == ENOENT || error == ECONNREFUSED)
		return output_error(&cli->out, EXIT_FAILED,
				    "no segued answers at %s: start it, or name its socket with "
				    "--control or SEGUE_CONTROL",
				    socket_path(cli));
	if (error == EAGAIN)
		return output_error(&cli->out, EXIT_FAILED,
				    "segued at %s did not answer within %d s", socket_path(cli),
				    ANSWER_SECONDS);
	return output_error(&cli->out, EXIT_FAILED, "%s: %s", socket_path(cli), strerror(error));
}

/* A socket, or a negative errno. */
static int dial(const struct cli *cli)
{
	const struct timeval patience = {ANSWER_SECONDS, 0};
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	const char *path = socket_path(cli);
	int fd;

	if (strlen(path) >= sizeof(at.sun_path))
		return -ENAMETOOLONG;
	memcpy(at.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
		int error = errno;

		close(fd);
		return -error;
	}
	return fd;
}

static int send_all(int fd, const char *text, size_t length)
{
	while (length) {
		ssize_t sent = send(fd, text, length, MSG_NOSIGNAL);

		if (sent < 0 && errno != EINTR)
			return errno;
		if (sent > 0) {
			text += sent;
			length -= (size_t)sent;
		}
	}
	return 0;
}

static int send_request(int fd, const json_t *request)
{
	char *text = json_dumps(request, JSON_COMPACT);
	size_t length;
	int error;

	if (!text)
		return ENOMEM;
	length = strlen(text);
	text[length] = '\n'; /* in the place of its NUL: sent by length */
	error = send_all(fd, text, length + 1);
	explicit_bzero(text, length);
	free(text);
	return error;
}

/* One line; 0, or an errno. ENODATA: the other end closed before a line was whole. */
static int read_line(int fd, char **line, size_t *length)
{
	size_t room = 65536;

	*length = 0;
	*line = malloc(room);
	while (*line) {
		ssize_t got = read(fd, *line + *length, room - *length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? errno : ENODATA;
		*length += (size_t)got;
		if ((*line)[*length - 1] == '\n')
			return 0;
		if (*length == room) {
			char *larger = room < ANSWER_MAX ? realloc(*line, room * 2) : NULL;

			if (!larger)
				return EMSGSIZE;
			*line = larger;
			room *= 2;
		}
	}
	return ENOMEM;
}

/* 0, or an errno. */
static int converse(const struct cli *cli, const json_t *request, json_t **reply)
{
	char *line = NULL;
	size_t length;
	int error, fd = dial(cli);

	*reply = NULL;
	if (fd < 0)
		return -fd;
	error = send_request(fd, request);
	if (!error)
		error = read_line(fd, &line, &length);
	close(fd);
	if (!error) {
		*reply = json_loadb(line, length, 0, NULL);
		error = *reply ? 0 : EBADMSG;
	}
	free(line);
	return error;
}

bool daemon_try(const struct cli *cli, const char *object, const char *command, json_t **data)
{
	json_t *request = json_pack("{s:i, s:s, s:s}", "segue", PROTOCOL_VERSION, "object", object,
				    "command", command);
	json_t *reply;

	*data = NULL;
	if (!converse(cli, request, &reply))
		*data = json_incref(json_object_get(reply, "data"));
	json_decref(reply);
	json_decref(request);
	return *data != NULL;
}

static int say_error(const struct cli *cli, const json_t *error)
{
	const char *kind = json_string_value(json_object_get(error, "kind"));
	const char *text = json_string_value(json_object_get(error, "text"));
	enum exit_code code = EXIT_FAILED;

	if (kind && strcmp(kind, "not-found") == 0)
		code = EXIT_NOT_FOUND;
	else if (kind && strcmp(kind, "usage") == 0)
		code = EXIT_USAGE;
	return output_error(&cli->out, code, "%s",
			    text ? text : "segued refused, and says no reason");
}

int daemon_ask(const struct cli *cli, json_t *arguments, json_t **data)
{
	return daemon_ask_for(cli, cli->object->name,
			      cli->command->name ? cli->command->name : "show", arguments, data);
}

int daemon_ask_for(const struct cli *cli, const char *object, const char *command,
		   json_t *arguments, json_t **data)
{
	json_t *request = arguments ? arguments : json_object(), *reply, *error;
	int code;

	*data = NULL;
	json_object_set_new(request, "segue", json_integer(PROTOCOL_VERSION));
	json_object_set_new(request, "object", json_string(object));
	json_object_set_new(request, "command", json_string(command));
	code = converse(cli, request, &reply);
	json_decref(request);
	if (code)
		return no_answer(cli, code);
	error = json_object_get(reply, "error");
	if (error)
		code = say_error(cli, error);
	else
		*data = json_incref(json_object_get(reply, "data"));
	json_decref(reply);
	if (code == EXIT_OK && !*data)
		return output_error(&cli->out, EXIT_FAILED, "segued answered without data");
	return code;
}

/* ---- printing ----------------------------------------------------------------------------------
 */

void daemon_print_rows(struct cli *cli, const struct column *columns, json_t *rows)
{
	json_t *row;
	size_t i;

	output_list_begin(&cli->out, columns);
	json_array_foreach(rows, i, row)
	{
		output_list_row(&cli->out, json_incref(row));
	}
	output_list_end(&cli->out);
	json_decref(rows);
}

static enum cell_format format_of(const char *key)
{
	size_t length = strlen(key);

	return length > 3 && strcmp(key + length - 3, "_ms") == 0 ? CELL_DURATION : CELL_PLAIN;
}

/* Columns for the plain values of a row, titled by their keys. */
static void find_columns(const json_t *row, struct column columns[COLUMNS + 1])
{
	size_t count = 0;
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)row, key, value)
	{
		if (count < COLUMNS && !json_is_object(value) && !json_is_array(value))
			columns[count++] = (struct column){key, key, format_of(key)};
	}
	columns[count] = (struct column){NULL, NULL, CELL_PLAIN};
}

static void print_heading(const struct output *out, const char *outer, const char *name)
{
	printf("\n%s%s%s%s%s\n", out->colour ? "\033[1m" : "", outer, *outer ? " " : "", name,
	       out->colour ? "\033[0m" : "");
}

static void print_record(const struct output *out, const char *name, const json_t *record);

/* Rows as a table; what hides inside of them comes behind it, since a cell has no room. */
static void print_list(const struct output *out, const char *name, const json_t *list)
{
	struct column columns[COLUMNS + 1];
	const json_t *element;
	size_t i;

	if (!json_is_object(json_array_get(list, 0))) {
		json_array_foreach(list, i, element)
		{
			if (json_is_string(element))
				printf("  %s\n", json_string_value(element));
		}
		return;
	}
	find_columns(json_array_get(list, 0), columns);
	text_table(out, columns, list);
	json_array_foreach(list, i, element)
	{
		char path[64];
		const char *key;
		json_t *value;

		json_object_foreach((json_t *)(uintptr_t)element, key, value)
		{
			if (!json_is_object(value) && !json_array_size(value))
				continue;
			snprintf(path, sizeof(path), "%s[%zu]", name, i);
			print_heading(out, path, key);
			print_record(out, path, value);
		}
	}
}

static void print_record(const struct output *out, const char *name, const json_t *record)
{
	struct column columns[COLUMNS + 1];
	const char *key;
	json_t *value;

	if (json_is_array(record)) {
		print_list(out, name, record);
		return;
	}
	find_columns(record, columns);
	text_fields(out, columns, record);
	json_object_foreach((json_t *)(uintptr_t)record, key, value)
	{
		if (json_is_object(value) || json_array_size(value)) {
			print_heading(out, "", key);
			print_record(out, key, value);
		}
	}
}

void daemon_record_text(const struct output *out, const json_t *data)
{
	print_record(out, "", data);
}
