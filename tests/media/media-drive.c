// SPDX-License-Identifier: BSD-2-Clause
/*
 * media-drive [OPTION...]: uses controller/call/media.h as told by lines on standard input, and
 * says on standard output what came of each. Ends with its input.
 *
 *   --interface NAME,auto|native|generic|external,ADDRESS[,ADDRESS]
 *   --ports FIRST-LAST   --capacity STREAMS   --dscp NUMBER
 *
 *   reserve PORT PARTY                     PORT and STREAM are names of the test's own
 *   release PORT
 *   install STREAM PORT REMOTE PORT REMOTE [learn] [mux] [direction]
 *   move STREAM SIDE SLOT PORT REMOTE      join STREAM SIDE PORT REMOTE
 *   leave STREAM SIDE SLOT                 set STREAM SIDE SLOT SEND LISTEN ACTIVE
 *   direction STREAM none|ab|ba|both       remove STREAM
 *   find STREAM SIDE LOCAL
 *   info STREAM    adopt STREAM    collect    free    family    quit
 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/list.h"
#include "base/log.h"
#include "base/timer.h"
#include "call/media.h"

#define NAMES 4096
#define WORDS 12

struct named {
	char name[SG_NAME_LEN];
	struct netaddr port;
	struct media_stream *stream;
};

struct drive {
	struct event_base *base;
	struct wheel *wheel;
	struct log *log;
	struct media *media;
	struct config config;
	struct named table[NAMES];
	char input[65536];
	size_t length;
	struct list pendings;
};

/* What `done` and events are about. It outlives the stream. */
struct pending {
	struct list node; /* drive->pendings: one whose stream is removed is never told */
	struct drive *drive;
	char verb[16];
	char name[SG_NAME_LEN];
	unsigned slot;
};

static struct named *find(struct drive *drive, const char *name)
{
	struct named *free_one = NULL;

	for (size_t i = 0; i < NAMES; i++) {
		if (!strcmp(drive->table[i].name, name))
			return &drive->table[i];
		if (!free_one && !drive->table[i].name[0])
			free_one = &drive->table[i];
	}
	if (!free_one) {
		fprintf(stderr, "media-drive: too many names\n");
		exit(2);
	}
	snprintf(free_one->name, sizeof(free_one->name), "%s", name);
	return free_one;
}

static void say_result(const char *verb, const char *name, int result)
{
	printf("%s %s %s\n", verb, name, result ? strerrorname_np(-result) : "0");
}

/* ---- callbacks ------------------------------------------------------------------------------ */

static void pending_free(struct pending *pending)
{
	list_remove(&pending->node);
	free(pending);
}

static void on_done(void *context, int result)
{
	struct pending *pending = context;

	printf("done %s %s %s", pending->verb, pending->name,
	       result ? strerrorname_np(-result) : "0");
	if (!result && (!strcmp(pending->verb, "move") || !strcmp(pending->verb, "join")))
		printf(" slot %u", pending->slot);
	printf("\n");
	if (result && !strcmp(pending->verb, "install"))
		find(pending->drive, pending->name)->stream = NULL;
	pending_free(pending);
}

static void on_event(void *context, const struct media_event *event)
{
	static const char *const kind[] = {"first-packet", "link-down", "link-up"};
	const struct named *named = context;

	printf("event %s %c %u %s\n", named->name, event->side ? 'b' : 'a', event->slot,
	       kind[event->kind]);
}

static struct pending *pending_new(struct drive *drive, const char *verb, const char *name)
{
	struct pending *pending = calloc(1, sizeof(*pending));

	if (!pending)
		abort();
	pending->drive = drive;
	list_append(&drive->pendings, &pending->node);
	snprintf(pending->verb, sizeof(pending->verb), "%s", verb);
	snprintf(pending->name, sizeof(pending->name), "%s", name);
	return pending;
}

static void say_started(struct pending *pending, int result)
{
	printf("%s %s %s", pending->verb, pending->name, result ? strerrorname_np(-result) : "0");
	if (!result && (!strcmp(pending->verb, "move") || !strcmp(pending->verb, "join")))
		printf(" slot %u", pending->slot);
	printf("\n");
	if (result != -EINPROGRESS)
		pending_free(pending);
}

/* ---- commands ------------------------------------------------------------------------------- */

static enum sg_side side_of(const char *word)
{
	return word[0] == 'b' ? SG_SIDE_B : SG_SIDE_A;
}

static enum sg_direction direction_of(const char *word)
{
	if (!strcmp(word, "none"))
		return SG_DIRECTION_NONE;
	if (!strcmp(word, "ab"))
		return SG_DIRECTION_A_TO_B;
	return strcmp(word, "ba") ? SG_DIRECTION_BOTH : SG_DIRECTION_B_TO_A;
}

static struct media_path path_of(struct drive *drive, const char *port, const char *remote)
{
	struct media_path path = {.local = find(drive, port)->port};

	if (netaddr_parse(&path.remote, str_of(remote)))
		fprintf(stderr, "media-drive: %s is no endpoint\n", remote);
	return path;
}

static void do_reserve(struct drive *drive, char *word[])
{
	struct named *named = find(drive, word[1]);
	char text[NETADDR_STRLEN];
	struct netaddr party;
	int result = netaddr_parse_host(&party, str_of(word[2]), 0);

	if (!result)
		result = media_reserve(drive->media, &party, &named->port);
	if (result)
		say_result("reserve", word[1], result);
	else
		printf("reserve %s %s\n", word[1], netaddr_format(&named->port, text));
}

static void do_install(struct drive *drive, char *word[])
{
	struct named *named = find(drive, word[1]);
	struct pending *pending = pending_new(drive, word[0], word[1]);
	struct media_spec spec = {.name = word[1], .direction = SG_DIRECTION_BOTH};
	int result;

	spec.side[SG_SIDE_A] = path_of(drive, word[2], word[3]);
	spec.side[SG_SIDE_B] = path_of(drive, word[4], word[5]);
	for (int i = 6; word[i]; i++) {
		if (!strcmp(word[i], "learn"))
			spec.side[0].learn = spec.side[1].learn = true;
		else if (!strcmp(word[i], "mux"))
			spec.rtcp_mux = true;
		else
			spec.direction = direction_of(word[i]);
	}
	result = media_install(drive->media, &spec, on_done, pending, &named->stream);
	if (!result || result == -EINPROGRESS)
		media_watch(named->stream, on_event, named);
	say_started(pending, result);
}

static void do_path(struct drive *drive, char *word[])
{
	struct named *named = find(drive, word[1]);
	struct pending *pending = pending_new(drive, word[0], word[1]);
	bool move = !strcmp(word[0], "move");
	struct media_path path = path_of(drive, word[move ? 4 : 3], word[move ? 5 : 4]);
	int result;

	if (move)
		result = media_move(named->stream, side_of(word[2]), (unsigned)atoi(word[3]), &path,
				    &pending->slot, on_done, pending);
	else
		result = media_join(named->stream, side_of(word[2]), &path, &pending->slot, on_done,
				    pending);
	say_started(pending, result);
}

static void say_path(const char *kind, const char *name, const struct sg_path_info *path)
{
	static const char *const state[] = {"free", "live", "draining", "over"};
	char local[SG_ENDPOINT_STRLEN], remote[SG_ENDPOINT_STRLEN];
	struct media_quality quality;

	media_quality(&quality, path, NULL);
	printf("%s %s %c %u %s %s %s send %d listen %d active %d dscp %u packets %llu mos %.1f\n",
	       kind, name, path->side ? 'b' : 'a', path->slot, state[path->state],
	       sg_endpoint_format(&path->local, local), sg_endpoint_format(&path->remote, remote),
	       path->send, path->listen, path->active, path->dscp,
	       (unsigned long long)path->packets, quality.mos);
}

static void do_info(struct drive *drive, char *word[])
{
	struct media_stream *stream = find(drive, word[1])->stream;
	struct sg_path_info past[16];
	struct sg_stream_info info;
	int result = media_info(stream, &info);

	for (size_t i = 0; !result && i < info.paths; i++)
		say_path("path", word[1], &info.path[i]);
	for (size_t i = 0, count = media_past(stream, past, 16); i < count && i < 16; i++)
		say_path("past", word[1], &past[i]);
	say_result("info", word[1], result);
}

static void do_adopt(struct drive *drive, char *word[])
{
	struct named *named = find(drive, word[1]);
	int result = media_adopt(drive->media, word[1], &named->stream);

	if (!result)
		media_watch(named->stream, on_event, named);
	say_result("adopt", word[1], result);
}

static void do_stream(struct drive *drive, char *word[])
{
	struct named *named = find(drive, word[1]);
	int result = 0;

	if (!strcmp(word[0], "leave"))
		result = media_leave(named->stream, side_of(word[2]), (unsigned)atoi(word[3]));
	else if (!strcmp(word[0], "set"))
		result = media_path_set(named->stream, side_of(word[2]), (unsigned)atoi(word[3]),
					atoi(word[4]), atoi(word[5]), atoi(word[6]));
	else if (!strcmp(word[0], "direction"))
		result = media_set_direction(named->stream, direction_of(word[2]));
	else {
		media_remove(named->stream);
		named->stream = NULL;
	}
	say_result(word[0], word[1], result);
}

static void do_find(struct drive *drive, char *word[])
{
	struct netaddr local;
	unsigned slot = 0;
	int result = netaddr_parse(&local, str_of(word[3]));

	if (!result)
		result = media_find_path(find(drive, word[1])->stream, side_of(word[2]), &local,
					 &slot);
	if (result)
		say_result("find", word[1], result);
	else
		printf("find %s slot %u\n", word[1], slot);
}

static void do_all(struct drive *drive, char *word[])
{
	if (!strcmp(word[0], "collect"))
		printf("collect %d\n", media_collect(drive->media));
	else if (!strcmp(word[0], "quit"))
		event_base_loopbreak(drive->base);
	else if (!strcmp(word[0], "free"))
		printf("free %zu\n", media_ports_free(drive->media));
	else
		printf("family %d %d\n", media_has_family(drive->media, true),
		       media_has_family(drive->media, false));
}

static void do_release(struct drive *drive, char *word[])
{
	media_release(drive->media, &find(drive, word[1])->port);
	say_result("release", word[1], 0);
}

static const struct command {
	const char *name;
	int words;
	void (*run)(struct drive *drive, char *word[]);
} commands[] = {
	{"reserve", 3, do_reserve}, {"release", 2, do_release},	 {"install", 6, do_install},
	{"move", 6, do_path},	    {"join", 5, do_path},	 {"leave", 4, do_stream},
	{"set", 7, do_stream},	    {"direction", 3, do_stream}, {"remove", 2, do_stream},
	{"info", 2, do_info},	    {"adopt", 2, do_adopt},	 {"collect", 1, do_all},
	{"find", 4, do_find},	    {"free", 1, do_all},	 {"family", 1, do_all},
	{"quit", 1, do_all},
};

static void run_line(struct drive *drive, char *line)
{
	char *word[WORDS + 1] = {NULL}, *save = NULL;
	int count = 0;

	for (char *at = strtok_r(line, " ", &save); at && count < WORDS;
	     at = strtok_r(NULL, " ", &save))
		word[count++] = at;
	for (size_t i = 0; count && i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, word[0]) || count < commands[i].words)
			continue;
		commands[i].run(drive, word);
		return;
	}
	if (count)
		printf("what? %s\n", word[0]);
}

/* ---- the loop ------------------------------------------------------------------------------- */

static void on_input(evutil_socket_t fd, short what, void *context)
{
	struct drive *drive = context;
	ssize_t got =
		read(fd, drive->input + drive->length, sizeof(drive->input) - 1 - drive->length);
	char *end;

	(void)what;
	if (got <= 0) {
		event_base_loopbreak(drive->base);
		return;
	}
	drive->length += (size_t)got;
	drive->input[drive->length] = '\0';
	while ((end = strchr(drive->input, '\n'))) {
		*end = '\0';
		run_line(drive, drive->input);
		drive->length -= (size_t)(end + 1 - drive->input);
		memmove(drive->input, end + 1, drive->length + 1);
	}
}

static int add_interface(struct config *config, char *text)
{
	static const char *const modes[] = {"auto", "native", "generic", "external"};
	struct config_interface *interface = &config->interface[config->interfaces++];
	char *save = NULL, *mode;

	interface->name = strtok_r(text, ",", &save);
	mode = strtok_r(NULL, ",", &save);
	interface->address = calloc(2, sizeof(*interface->address));
	for (unsigned i = 0; mode && i < 4; i++) {
		if (!strcmp(modes[i], mode))
			interface->attach = (enum config_attach)i;
	}
	for (char *at; interface->addresses < 2 && (at = strtok_r(NULL, ",", &save));) {
		if (netaddr_parse_host(&interface->address[interface->addresses++], str_of(at), 0))
			return -EINVAL;
	}
	return 0;
}

static int read_options(struct config *config, int argc, char **argv)
{
	for (int i = 1; i + 1 < argc; i += 2) {
		unsigned first, last;

		if (!strcmp(argv[i], "--interface")) {
			if (add_interface(config, argv[i + 1]))
				return -EINVAL;
		} else if (!strcmp(argv[i], "--ports") &&
			   sscanf(argv[i + 1], "%u-%u", &first, &last) == 2) {
			config->first_port = (uint16_t)first;
			config->last_port = (uint16_t)last;
		} else if (!strcmp(argv[i], "--capacity")) {
			config->stream_capacity = (uint32_t)atoi(argv[i + 1]);
		} else if (!strcmp(argv[i], "--dscp")) {
			config->dscp = (uint8_t)atoi(argv[i + 1]);
		} else {
			return -EINVAL;
		}
	}
	return 0;
}

static int run(struct drive *drive)
{
	struct event *input;
	struct error err;
	int ret = media_alloc(&drive->media, drive->base, drive->wheel, drive->log, &drive->config,
			      &err);

	if (ret) {
		printf("failed %s %s\n", strerrorname_np(-ret), err.text);
		return 1;
	}
	printf("ready\n");
	input = event_new(drive->base, STDIN_FILENO, EV_READ | EV_PERSIST, on_input, drive);
	event_add(input, NULL);
	event_base_dispatch(drive->base);
	event_free(input);
	media_free(drive->media);
	while (!list_empty(&drive->pendings))
		pending_free(container_of(drive->pendings.next, struct pending, node));
	printf("bye\n");
	return 0;
}

int main(int argc, char **argv)
{
	struct drive *drive = calloc(1, sizeof(*drive));
	struct event_config *events = event_config_new();
	int ret = 2;

	if (!drive || !events)
		return 2;
	list_init(&drive->pendings);
	setvbuf(stdout, NULL, _IOLBF, 0);
	drive->config.interface = calloc((size_t)argc, sizeof(*drive->config.interface));
	drive->config.first_port = 30000;
	drive->config.last_port = 30099;
	drive->config.dscp = SG_DSCP_KEEP;
	if (read_options(&drive->config, argc, argv)) {
		fprintf(stderr, "media-drive: see the top of media-drive.c\n");
		return 2;
	}
	/* Standard input may be a file, which epoll refuses. */
	event_config_require_features(events, EV_FEATURE_FDS);
	drive->base = event_base_new_with_config(events);
	if (drive->base && !wheel_alloc(&drive->wheel, drive->base) &&
	    !log_open(&drive->log, LOG_LEVEL_DEBUG))
		ret = run(drive);
	log_close(drive->log);
	wheel_free(drive->wheel);
	event_base_free(drive->base);
	event_config_free(events);
	for (size_t i = 0; i < drive->config.interfaces; i++)
		free(drive->config.interface[i].address);
	free(drive->config.interface);
	free(drive);
	return ret;
}
