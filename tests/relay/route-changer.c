// SPDX-License-Identifier: BSD-2-Clause
/*
 * route-changer SECONDS RATE: STREAMS streams from 10.0.1.2 on r1 to far ends behind r2, and RATE
 * changes of route a second while media runs (MP-12). Stream i takes 10.0.1.2:(20000 + 2 i) in at
 * 10.0.1.1:(30000 + 2 i). By number:
 *   movers     their path to B moves to another class: other addresses, ports and MAC (seen.c);
 *              every other one has a second path, which stays
 *   togglers   a second path is sent to, or not
 *   closers    A to B is opened and closed
 *   the rest   stay as they are
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <segue/relay.h>

#include "seen.h"

#define MOVERS 100u
#define TOGGLERS 110u /* number after the last */
#define CLOSERS 120u
#define STREAMS 128u
#define CLASSES 4u
#define DRAIN_NS 20000000u
#define MOVE_GAP_NS 300000000u /* a path slot rests for a second, and there are six */

struct changer {
	struct sg_relay *relay;
	uint32_t id[STREAMS];
	unsigned slot[STREAMS]; /* of the mover's path, or of the toggler's second */
	unsigned class[STREAMS];
	bool on[STREAMS];
	uint64_t moved_ns[MOVERS];
	unsigned port[CLASSES]; /* local ports are not used twice: they rest */
	unsigned long moves, toggles, closes, failed;
	struct sg_error error; /* the last */
};

static void endpoint(struct sg_endpoint *out, const char *network, unsigned host, unsigned port)
{
	char text[SG_ENDPOINT_STRLEN];

	snprintf(text, sizeof(text), "%s.%u:%u", network, host, port);
	if (sg_endpoint_parse(out, text, NULL)) {
		fprintf(stderr, "route-changer: %s\n", text);
		exit(1);
	}
}

/* A path of a class to B: 10.0.2.8-11 to 10.0.2.20-23, with ports that are the class modulo 4. */
static void path_of(struct changer *c, unsigned stream, unsigned class, unsigned base,
		    struct sg_path_spec *out)
{
	memset(out, 0, sizeof(*out));
	endpoint(&out->local, "10.0.2", 8 + class, 8000 + 4 * c->port[class]++ + class);
	endpoint(&out->remote, "10.0.2", 20 + class, base + 4 * stream + class);
	out->dscp = SG_DSCP_KEEP;
}

static void must(int ret, const struct sg_error *err, const char *what)
{
	if (ret >= 0)
		return;
	fprintf(stderr, "route-changer: %s: %s\n", what, err->text);
	exit(1);
}

static void add_stream(struct changer *c, unsigned i)
{
	char name[SG_NAME_LEN];
	struct sg_stream_spec spec = {
		.name = name, .rtcp_mux = true, .direction = SG_DIRECTION_BOTH};
	struct sg_path_spec second;
	struct sg_error err;

	snprintf(name, sizeof(name), "stream-%u", i);
	endpoint(&spec.side[0].local, "10.0.1", 1, 30000 + 2 * i);
	endpoint(&spec.side[0].remote, "10.0.1", 2, 20000 + 2 * i);
	spec.side[0].dscp = SG_DSCP_KEEP;
	path_of(c, i, 0, 6000, &spec.side[1]);
	must(sg_stream_add(c->relay, &spec, &c->id[i], &err), &err, "add");
	if (i >= TOGGLERS || (i < MOVERS && i % 2))
		return;
	path_of(c, i, 1, 40000, &second);
	must(sg_path_add(c->relay, c->id[i], SG_SIDE_B, &second, 0, &c->slot[i], &err), &err,
	     "second path");
	if (i < MOVERS)
		c->slot[i] = 0;
}

/* ---- changes --------------------------------------------------------------------------------- */

static int move(struct changer *c, unsigned i)
{
	unsigned class = (c->class[i] + 1) % CLASSES;
	struct sg_path_spec spec;
	int ret;

	path_of(c, i, class, 6000, &spec);
	ret = sg_path_move(c->relay, c->id[i], SG_SIDE_B, c->slot[i], &spec, 0, &c->slot[i],
			   &c->error);
	if (!ret)
		c->class[i] = class;
	c->moves++;
	return ret;
}

static int toggle(struct changer *c, unsigned i)
{
	struct sg_path_change change = {.send = c->on[i] ? SG_ON : SG_OFF};

	c->on[i] = !c->on[i];
	c->toggles++;
	return sg_path_set(c->relay, c->id[i], SG_SIDE_B, c->slot[i], &change, &c->error);
}

static int close_or_open(struct changer *c, unsigned i)
{
	enum sg_direction direction = c->on[i] ? SG_DIRECTION_BOTH : SG_DIRECTION_B_TO_A;

	c->on[i] = !c->on[i];
	c->closes++;
	return sg_stream_set_direction(c->relay, c->id[i], direction, &c->error);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The mover whose turn it is, while rtp-load sends to it; no change if it moved a moment ago. */
static int move_in_turn(struct changer *c)
{
	uint64_t now = now_ns();
	unsigned i = turn_of(now, MOVERS);

	if (now - c->moved_ns[i] < MOVE_GAP_NS)
		return 0;
	c->moved_ns[i] = now;
	return move(c, i);
}

/* Ten changes take TURNS_MS: three of them are moves, amid the three turns. */
static void change(struct changer *c, unsigned long number)
{
	unsigned long of_kind = number / 10;
	int ret;

	switch (number % 10) {
	case 1:
	case 4:
	case 8:
		ret = move_in_turn(c);
		break;
	case 0:
	case 3:
	case 6:
		ret = toggle(c, MOVERS + (unsigned)(of_kind % (TOGGLERS - MOVERS)));
		break;
	default:
		ret = close_or_open(c, TOGGLERS + (unsigned)(of_kind % (CLOSERS - TOGGLERS)));
		break;
	}
	c->failed += ret < 0;
}

static unsigned long run(struct changer *c, unsigned long seconds, unsigned long rate)
{
	unsigned long count = seconds * rate;
	struct timespec next;

	clock_gettime(CLOCK_MONOTONIC, &next);
	next.tv_nsec = 0; /* turns begin with the second */
	next.tv_sec++;
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	for (unsigned long i = 0; i < count; i++) {
		change(c, i);
		next.tv_nsec += (long)(1000000000ul / rate);
		if (next.tv_nsec >= 1000000000l) {
			next.tv_nsec -= 1000000000l;
			next.tv_sec++;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
	return count;
}

static double seconds_since(const struct timespec *begin)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - begin->tv_sec) + (double)(now.tv_nsec - begin->tv_nsec) / 1e9;
}

int main(int argc, char **argv)
{
	const struct sg_tunables tunables = {.drain_ns = DRAIN_NS};
	const struct sg_relay_options options = {0};
	struct changer *c = calloc(1, sizeof(*c));
	struct timespec begin;
	struct sg_error err;
	unsigned long count;
	double took;

	if (argc != 3 || !c)
		return 2;
	setenv("SEGUE_SHORT_TIMES", "1", 1);
	must(sg_relay_open(&c->relay, &options, &err), &err, "open");
	must(sg_relay_tune(c->relay, &tunables, &err), &err, "tune");
	for (unsigned i = 0; i < STREAMS; i++)
		add_stream(c, i);
	puts("ready");
	fflush(stdout);
	getchar(); /* the load runs */
	clock_gettime(CLOCK_MONOTONIC, &begin);
	count = run(c, strtoul(argv[1], NULL, 0), strtoul(argv[2], NULL, 0));
	took = seconds_since(&begin) - 1 + (double)begin.tv_nsec / 1e9; /* it waits for a second */
	printf("changes %lu failed %lu a second %.0f (moves %lu, copies %lu, directions %lu)\n",
	       count, c->failed, (double)count / took, c->moves, c->toggles, c->closes);
	if (c->failed)
		printf("the last failure: %s\n", c->error.text);
	sg_relay_close(c->relay);
	free(c);
	return 0;
}
