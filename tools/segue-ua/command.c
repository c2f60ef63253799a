// SPDX-License-Identifier: BSD-2-Clause
#include "command.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "media.h"
#include "move.h"

#define LINE_MAX_LEN 256u

struct ua_command {
	struct ua *ua;
	struct event *readable;
	int fd;
	char text[LINE_MAX_LEN];
	size_t length; /* of the line that is not whole yet */
};

/* ---- what they do ---------------------------------------------------------------------------- */

static int do_move(struct ua *ua, struct str operand)
{
	struct ua_network *network = ua_network_find(ua, operand);

	if (!network)
		return -EINVAL;
	return ua->call ? ua_move_begin(ua->call, network) : -ENOTCONN;
}

static int do_release(struct ua *ua, struct str operand)
{
	(void)operand;
	return ua->call ? ua_move_release(ua->call) : -ENOTCONN;
}

static int do_abort(struct ua *ua, struct str operand)
{
	(void)operand;
	return ua->call ? ua_move_abort(ua->call) : -ENOTCONN;
}

static int do_hold(struct ua *ua, struct str operand)
{
	(void)operand;
	return ua->call ? ua_call_hold(ua->call, true) : -ENOTCONN;
}

static int do_resume(struct ua *ua, struct str operand)
{
	(void)operand;
	return ua->call ? ua_call_hold(ua->call, false) : -ENOTCONN;
}

static int mute(struct ua *ua, bool muted)
{
	for (unsigned kind = 0; kind < UA_KINDS; kind++) {
		if (ua->media[kind])
			ua_media_mute(ua->media[kind], muted);
	}
	return 0;
}

static int do_mute(struct ua *ua, struct str operand)
{
	(void)operand;
	return mute(ua, true);
}

static int do_unmute(struct ua *ua, struct str operand)
{
	(void)operand;
	return mute(ua, false);
}

static int do_answer(struct ua *ua, struct str operand)
{
	(void)operand;
	return ua->call ? ua_call_answer(ua->call) : -ENOTCONN;
}

static int do_bye(struct ua *ua, struct str operand)
{
	(void)operand;
	if (!ua->call)
		return -ENOTCONN;
	ua_call_end(ua->call, "hung up");
	return 0;
}

static int do_call(struct ua *ua, struct str operand)
{
	char *callee = str_dup(operand);
	int ret = callee ? -EBUSY : -ENOMEM;

	if (callee && !ua->call)
		ret = ua_call_start(ua, &ua->network[0], callee);
	free(callee);
	return ret;
}

static int do_quit(struct ua *ua, struct str operand)
{
	(void)operand;
	ua_quit(ua);
	return 0;
}

static const struct {
	struct str name;
	int (*fn)(struct ua *ua, struct str operand);
} commands[] = {
	{STR("move"), do_move},	    {STR("release"), do_release}, {STR("abort"), do_abort},
	{STR("hold"), do_hold},	    {STR("resume"), do_resume},	  {STR("bye"), do_bye},
	{STR("call"), do_call},	    {STR("quit"), do_quit},	  {STR("mute"), do_mute},
	{STR("unmute"), do_unmute}, {STR("answer"), do_answer},
};

int ua_command_do(struct ua *ua, struct str line)
{
	struct str word = STR_NONE;

	line = str_trim(line);
	if (!str_split(&line, ' ', &word))
		return 0;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (str_eq(word, commands[i].name))
			return commands[i].fn(ua, str_trim(line));
	}
	return -EINVAL;
}

/* ---- where they come from -------------------------------------------------------------------- */

static void take_line(struct ua_command *command, struct str line)
{
	int ret = ua_command_do(command->ua, line);

	if (ret)
		ua_event(command->ua, "command-failed",
			 json_pack("{s:s%, s:s}", "command", line.p, line.n, "error",
				   strerror(-ret)));
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
	struct ua_command *command = context;
	char more[LINE_MAX_LEN];
	ssize_t length = read(fd, more, sizeof(more));

	(void)what;
	if (length <= 0) {
		if (!length || errno != EAGAIN) /* standard input has ended */
			event_del(command->readable);
		return;
	}
	for (ssize_t i = 0; i < length; i++) {
		if (more[i] == '\n') {
			struct str line = {command->text, command->length};

			command->length = 0;
			take_line(command, line);
		} else if (command->length < sizeof(command->text)) {
			command->text[command->length++] = more[i];
		}
	}
}

static int open_source(const char *path)
{
	int fd;

	if (!strcmp(path, "-"))
		return fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
	if (mkfifo(path, 0600) && errno != EEXIST)
		return -1;
	/* For writing too, so that it never reports that its last writer has gone. */
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return fd;
}

int ua_command_open(struct ua_command **out, struct ua *ua, const char *path, struct error *err)
{
	struct ua_command *command = calloc(1, sizeof(*command));

	if (!command)
		return error_set(err, -ENOMEM, "no memory for commands");
	command->ua = ua;
	command->fd = open_source(path);
	if (command->fd < 0) {
		error_set(err, -errno, "%s: %s", path, strerror(errno));
		free(command);
		return -EIO;
	}
	command->readable =
		event_new(ua->base, command->fd, EV_READ | EV_PERSIST, on_readable, command);
	if (!command->readable || event_add(command->readable, NULL)) {
		ua_command_close(command);
		return error_set(err, -ENOMEM, "%s: cannot be watched", path);
	}
	*out = command;
	return 0;
}

void ua_command_close(struct ua_command *command)
{
	if (!command)
		return;
	if (command->readable)
		event_free(command->readable);
	close(command->fd);
	free(command);
}
