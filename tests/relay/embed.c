// SPDX-License-Identifier: BSD-2-Clause
/*
 * embed: a process as segued is: one handle and one loop, in which it follows (sg_follow_fd) and
 * changes streams without ever waiting for a next hop. Commands come on standard input, a line
 * each; what happens goes to standard output. add NAME LOCAL REMOTE LOCAL REMOTE   until it
 * succeeds or 3 s are over: "added NAME after N tries" path NAME LOCAL REMOTE               the
 * same for a second path of side B info NAME                            "path SIDE SLOT packets N
 * first F last L", F and L relative to the stream's creation in ms, -1 = none del NAME A call that
 * took longer than 50 ms is told as "slow", and so is a turn of the loop.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <segue/relay.h>

#define SLOW_NS 50000000ull
#define PATIENCE_NS 3000000000ull
#define AGAIN_MS 5
#define WAITING 64u

/* What did not succeed yet. */
struct wish {
	char line[512];
	uint64_t since_ns;
	unsigned tries;
};

struct embed {
	struct sg_relay *relay;
	struct sg_follow *follow;
	struct wish wish[WAITING];
	unsigned wishes;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

static void on_follow(enum sg_follow_what what, const char *text, void *context)
{
	(void)context;
	printf("follow %d %s\n", (int)what, text);
}

static void on_event(const struct sg_event *event, void *context)
{
	(void)context;
	printf("event %s side %c slot %u\n", sg_event_name(event->type), event->side ? 'b' : 'a',
	       event->slot);
}

static int read_path(struct sg_path_spec *spec, const char *local, const char *remote)
{
	memset(spec, 0, sizeof(*spec));
	spec->dscp = SG_DSCP_KEEP;
	if (!local || !remote || sg_endpoint_parse(&spec->local, local, NULL))
		return -EINVAL;
	return sg_endpoint_parse(&spec->remote, remote, NULL);
}

static int add(struct embed *embed, char **word, struct sg_error *err)
{
	struct sg_stream_spec spec = {
		.name = word[1], .direction = SG_DIRECTION_BOTH, .resolve_ms = SG_RESOLVE_NOWAIT};

	if (read_path(&spec.side[SG_SIDE_A], word[2], word[3]) ||
	    read_path(&spec.side[SG_SIDE_B], word[4], word[5]))
		return -EINVAL;
	return sg_stream_add(embed->relay, &spec, NULL, err);
}

static int path(struct embed *embed, char **word, struct sg_error *err)
{
	struct sg_path_spec spec;
	uint32_t stream;

	if (read_path(&spec, word[2], word[3]))
		return -EINVAL;
	if (sg_stream_find(embed->relay, word[1], &stream))
		return -ENOENT;
	return sg_path_add(embed->relay, stream, SG_SIDE_B, &spec, SG_RESOLVE_NOWAIT, NULL, err);
}

static double since_ms(uint64_t ns, uint64_t created_ns)
{
	return ns ? (double)(int64_t)(ns - created_ns) / 1e6 : -1;
}

static int info(struct embed *embed, char **word)
{
	struct sg_stream_info out;
	uint32_t stream;

	if (sg_stream_find(embed->relay, word[1], &stream) ||
	    sg_stream_info(embed->relay, stream, &out))
		return -ENOENT;
	for (size_t i = 0; i < out.paths; i++) {
		const struct sg_path_info *p = &out.path[i];

		printf("path %c %u packets %" PRIu64 " first %.0f last %.0f\n", p->side ? 'b' : 'a',
		       p->slot, p->packets, since_ms(p->first_packet_ns, out.created_ns),
		       since_ms(p->last_packet_ns, out.created_ns));
	}
	return 0;
}

static int del(struct embed *embed, char **word, struct sg_error *err)
{
	uint32_t stream;

	if (sg_stream_find(embed->relay, word[1], &stream))
		return -ENOENT;
	return sg_stream_remove(embed->relay, stream, err);
}

static int run(struct embed *embed, char **word, struct sg_error *err)
{
	if (!strcmp(word[0], "add"))
		return add(embed, word, err);
	if (!strcmp(word[0], "path"))
		return path(embed, word, err);
	if (!strcmp(word[0], "info"))
		return info(embed, word);
	return del(embed, word, err);
}

/* One try. True if the wish is done with. */
static bool attempt(struct embed *embed, struct wish *wish)
{
	char line[sizeof(wish->line)], *word[7] = {NULL}, *rest = NULL;
	struct sg_error err = {""};
	uint64_t began = now_ns();
	int count = 0, ret;

	memcpy(line, wish->line, sizeof(line));
	for (char *at = strtok_r(line, " \n", &rest); at && count < 6;
	     at = strtok_r(NULL, " \n", &rest))
		word[count++] = at;
	if (count < 2)
		return true;
	wish->tries++;
	ret = run(embed, word, &err);
	if (now_ns() - began > SLOW_NS)
		printf("slow %s\n", word[0]);
	if (ret == -EINPROGRESS && now_ns() - wish->since_ns < PATIENCE_NS)
		return false;
	if (ret)
		printf("failed %s %s: %s %s\n", word[0], word[1], strerror(-ret), err.text);
	else
		printf("done %s %s after %u tries\n", word[0], word[1], wish->tries);
	return true;
}

static void attempt_all(struct embed *embed)
{
	unsigned left = 0;

	for (unsigned i = 0; i < embed->wishes; i++) {
		if (!attempt(embed, &embed->wish[i]))
			embed->wish[left++] = embed->wish[i];
	}
	embed->wishes = left;
}

/* Reads what has come; false at the end. */
static bool read_commands(struct embed *embed)
{
	static char pending[4096];
	static size_t length;
	ssize_t got = read(STDIN_FILENO, pending + length, sizeof(pending) - 1 - length);
	char *end;

	if (got <= 0)
		return false;
	length += (size_t)got;
	pending[length] = '\0';
	while ((end = memchr(pending, '\n', length)) && embed->wishes < WAITING) {
		struct wish *wish = &embed->wish[embed->wishes++];
		size_t line = (size_t)(end - pending) + 1;

		*end = '\0';
		snprintf(wish->line, sizeof(wish->line), "%.500s", pending);
		wish->since_ns = now_ns();
		wish->tries = 0;
		memmove(pending, pending + line, length - line + 1);
		length -= line;
	}
	return true;
}

static void must(int ret, const struct sg_error *err)
{
	if (ret >= 0)
		return;
	fprintf(stderr, "embed: %s\n", err->text);
	exit(1);
}

static void loop(struct embed *embed)
{
	struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN},
			       {.fd = sg_follow_fd(embed->follow), .events = POLLIN}};
	bool open = true;

	while (open || embed->wishes) {
		uint64_t began;

		if (poll(fds, 2, embed->wishes ? AGAIN_MS : -1) < 0 && errno != EINTR)
			break;
		began = now_ns();
		if (fds[1].revents && sg_follow_poll(embed->follow, 0)) {
			printf("following ended\n");
			break;
		}
		if (now_ns() - began > SLOW_NS)
			printf("slow follow\n");
		if (fds[0].revents)
			open = read_commands(embed);
		fds[0].fd = open ? STDIN_FILENO : -1;
		attempt_all(embed);
	}
}

int main(void)
{
	const struct sg_relay_options options = {.flags = SG_OPEN_RESIDENT};
	struct embed *embed = calloc(1, sizeof(*embed));
	struct sg_error err;

	if (!embed)
		return 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	must(sg_relay_open(&embed->relay, &options, &err), &err);
	must(sg_follow_open(&embed->follow, embed->relay, on_follow, NULL, &err), &err);
	sg_follow_on_event(embed->follow, on_event, NULL);
	printf("ready\n");
	loop(embed);
	sg_follow_close(embed->follow);
	sg_relay_close(embed->relay);
	free(embed);
	return 0;
}
