// SPDX-License-Identifier: BSD-2-Clause
/*
 * churn keep COUNT            installs COUNT streams that stay, for traffic (rtp-load, seen)
 * churn run SECONDS RATE [FIRST [STEP]]   creates RATE streams a second, numbered from FIRST on,
 *                             and deletes as many; is killed before its STEP-th step of a change
 * churn speed COUNT           what each call costs this process, over COUNT streams
 * churn sweep                 deletes what a churn left behind and waits until nothing rests
 * churn dirty                 has a writer died at work?
 * churn count                 what there is: streams, ports, next hops and their users
 * Streams that stay take 10.0.1.2:(20000 + 2 i) in at 10.0.1.1:(30000 + 2 i) and leave
 * to 10.0.2.20; those that come and go have addresses beside them.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <segue/relay.h>

#include "mortal.h"

#define ALIVE 50u	   /* of those that come and go */
#define PORTS 20000u	   /* local ports of each side that they take in turn */
#define REST_NS 100000000u /* of slots; ports rest to the end of a second */

static void must(int ret, const struct sg_error *err, const char *what)
{
	if (ret >= 0)
		return;
	fprintf(stderr, "churn: %s: %s\n", what, err ? err->text : strerror(-ret));
	exit(1);
}

static void endpoint(struct sg_endpoint *out, const char *address, unsigned port)
{
	char text[SG_ENDPOINT_STRLEN];

	snprintf(text, sizeof(text), "%s:%u", address, port);
	if (sg_endpoint_parse(out, text, NULL)) {
		fprintf(stderr, "churn: %s\n", text);
		exit(1);
	}
}

static uint32_t add(struct sg_relay *relay, const char *name, const char *local[SG_SIDES],
		    const char *remote[SG_SIDES], const unsigned port[2 * SG_SIDES])
{
	struct sg_stream_spec spec = {
		.name = name, .rtcp_mux = true, .direction = SG_DIRECTION_BOTH};
	struct sg_error err;
	uint32_t id;

	for (unsigned side = 0; side < SG_SIDES; side++) {
		endpoint(&spec.side[side].local, local[side], port[2 * side]);
		endpoint(&spec.side[side].remote, remote[side], port[2 * side + 1]);
		spec.side[side].dscp = SG_DSCP_KEEP;
	}
	must(sg_stream_add(relay, &spec, &id, &err), &err, name);
	return id;
}

static void keep(struct sg_relay *relay, unsigned count)
{
	const char *local[] = {"10.0.1.1", "10.0.2.8"}, *remote[] = {"10.0.1.2", "10.0.2.20"};

	for (unsigned i = 0; i < count; i++) {
		unsigned port[] = {30000 + 2 * i, 20000 + 2 * i, 8000 + 4 * i, 6000 + 4 * i};
		char name[SG_NAME_LEN];

		snprintf(name, sizeof(name), "keep-%u", i);
		add(relay, name, local, remote, port);
	}
}

static void run(struct sg_relay *relay, unsigned long seconds, unsigned long rate,
		unsigned long first)
{
	const char *local[] = {"10.0.1.8", "10.0.2.9"}, *remote[] = {"10.0.1.20", "10.0.2.21"};
	uint32_t alive[ALIVE] = {0};
	struct timespec next;
	struct sg_error err;

	clock_gettime(CLOCK_MONOTONIC, &next);
	for (unsigned long i = 0; i < seconds * rate + ALIVE; i++) {
		unsigned at = 10000 + (unsigned)((first + i) % PORTS) * 2;
		unsigned port[] = {at, 7000, at, 7002};
		char name[SG_NAME_LEN];

		if (i >= ALIVE)
			must(sg_stream_remove(relay, alive[i % ALIVE], &err), &err, "remove");
		snprintf(name, sizeof(name), "churn-%lu", first + i);
		if (i < seconds * rate)
			alive[i % ALIVE] = add(relay, name, local, remote, port);
		next.tv_nsec += (long)(1000000000ul / rate);
		next.tv_sec += next.tv_nsec / 1000000000l;
		next.tv_nsec %= 1000000000l;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
}

static void settle(struct sg_relay *relay)
{
	int due;

	while ((due = sg_relay_tick(relay)) >= 0) {
		struct timespec pause = {.tv_sec = due / 1000, .tv_nsec = due % 1000 * 1000000l};

		nanosleep(&pause, NULL);
	}
}

static void sweep(struct sg_relay *relay)
{
	struct sg_stream_info info;
	struct sg_error err;

	for (uint32_t stream = 0; sg_stream_next(relay, &stream); stream++) {
		if (sg_stream_info(relay, stream, &info) == 0 && !strncmp(info.name, "churn-", 6))
			must(sg_stream_remove(relay, stream, &err), &err, info.name);
	}
	settle(relay);
}

static void count(struct sg_relay *relay)
{
	struct sg_port_info port;
	struct sg_nexthop_info hop;
	unsigned live = 0, resting = 0, hops = 0, users = 0;

	for (uint32_t cursor = 0; sg_port_next(relay, &cursor, &port);) {
		live += !port.resting;
		resting += port.resting;
	}
	for (uint32_t cursor = 0; sg_nexthop_next(relay, &cursor, &hop);) {
		hops++;
		users += hop.paths;
	}
	printf("streams %zu ports %u resting %u next hops %u users %u\n", sg_stream_count(relay),
	       live, resting, hops, users);
}

static double seconds_since(const struct timespec *begin)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - begin->tv_sec) + (double)(now.tv_nsec - begin->tv_nsec) / 1e9;
}

static double microseconds(const struct timeval *t)
{
	return (double)t->tv_sec * 1e6 + (double)t->tv_usec;
}

static void run_timed(struct sg_relay *relay, int argc, char **argv)
{
	unsigned long seconds = strtoul(argv[2], NULL, 0), rate = strtoul(argv[3], NULL, 0);
	struct timespec begin;
	struct rusage usage;

	if (argc > 5)
		mortal_die_at(strtoul(argv[5], NULL, 0));
	clock_gettime(CLOCK_MONOTONIC, &begin);
	run(relay, seconds, rate, argc > 4 ? strtoul(argv[4], NULL, 0) : 0);
	getrusage(RUSAGE_SELF, &usage);
	printf("created and deleted %.0f a second, CPU %.0f us each\n",
	       (double)(seconds * rate) / seconds_since(&begin),
	       (microseconds(&usage.ru_utime) + microseconds(&usage.ru_stime)) /
		       (double)(seconds * rate));
}

/* ---- what calls cost ------------------------------------------------------------------------ */

static double cpu_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

enum call { ADD, INFO, PATH_ADD, PATH_MOVE, PATH_REMOVE, REMOVE, CALLS };

static void path_spec(struct sg_path_spec *spec, const char *local, unsigned port, unsigned remote)
{
	memset(spec, 0, sizeof(*spec));
	endpoint(&spec->local, local, port);
	endpoint(&spec->remote, "10.0.2.22", remote);
	spec->dscp = SG_DSCP_KEEP;
}

/* A call that is handed over, moves, and ends. Adds what each step took to `spent`. */
static void live(struct sg_relay *relay, unsigned long i, double spent[CALLS])
{
	const char *local[] = {"10.0.1.8", "10.0.2.9"}, *remote[] = {"10.0.1.20", "10.0.2.21"};
	unsigned at = 10000 + (unsigned)(i % PORTS) * 2, moved;
	unsigned port[] = {at, 7000, at, 7002}, slot;
	double begin[CALLS + 1];
	struct sg_stream_info info;
	struct sg_path_spec spec;
	char name[SG_NAME_LEN];
	struct sg_error err;
	uint32_t id;

	snprintf(name, sizeof(name), "churn-%lu", i);
	path_spec(&spec, "10.0.2.10", at, 7004);
	begin[ADD] = cpu_us();
	id = add(relay, name, local, remote, port);
	begin[INFO] = cpu_us();
	must(sg_stream_info(relay, id, &info), NULL, name);
	begin[PATH_ADD] = cpu_us();
	must(sg_path_add(relay, id, SG_SIDE_B, &spec, SG_RESOLVE_NOWAIT, &slot, &err), &err, name);
	spec.remote.port = 7006;
	begin[PATH_MOVE] = cpu_us();
	must(sg_path_move(relay, id, SG_SIDE_B, slot, &spec, SG_RESOLVE_NOWAIT, &moved, &err), &err,
	     name);
	begin[PATH_REMOVE] = cpu_us();
	must(sg_path_remove(relay, id, SG_SIDE_B, moved, &err), &err, name);
	begin[REMOVE] = cpu_us();
	must(sg_stream_remove(relay, id, &err), &err, name);
	begin[CALLS] = cpu_us();
	for (unsigned call = 0; call < CALLS; call++)
		spent[call] += begin[call + 1] - begin[call];
}

static void speed(struct sg_relay *relay, unsigned long count)
{
	static const char *const names[] = {"stream add", "stream info", "path add",
					    "path move",  "path remove", "stream remove"};
	double spent[CALLS] = {0};

	for (unsigned long i = 0; i < count; i++)
		live(relay, i, spent);
	for (unsigned call = 0; call < CALLS; call++)
		printf("%s %.1f us\n", names[call], spent[call] / (double)count);
}

/* Looking, unlike opening for a change, recovers nothing. */
static int say_dirty(void)
{
	const struct sg_relay_options options = {.flags = SG_OPEN_READ_ONLY};
	struct sg_relay *relay;
	struct sg_error err;
	struct sg_meta meta;

	must(sg_relay_open(&relay, &options, &err), &err, "open");
	sg_relay_meta(relay, &meta);
	printf("%u\n", meta.dirty);
	sg_relay_close(relay);
	return 0;
}

int main(int argc, char **argv)
{
	const struct sg_tunables tunables = {.rest_ns = REST_NS};
	const struct sg_relay_options options = {
		.flags = argc > 2 && strcmp(argv[1], "keep") ? SG_OPEN_RESIDENT : 0};
	struct sg_relay *relay;
	struct sg_error err;

	if (argc == 2 && !strcmp(argv[1], "dirty"))
		return say_dirty();
	setenv("SEGUE_SHORT_TIMES", "1", 1);
	must(sg_relay_open(&relay, &options, &err), &err, "open");
	must(sg_relay_tune(relay, &tunables, &err), &err, "tune");
	if (argc == 3 && !strcmp(argv[1], "keep"))
		keep(relay, (unsigned)atoi(argv[2]));
	else if (argc >= 4 && !strcmp(argv[1], "run"))
		run_timed(relay, argc, argv);
	else if (argc == 3 && !strcmp(argv[1], "speed"))
		speed(relay, strtoul(argv[2], NULL, 0));
	else if (argc == 2 && !strcmp(argv[1], "sweep"))
		sweep(relay);
	else if (argc == 2 && !strcmp(argv[1], "count"))
		count(relay);
	else
		return 2;
	sg_relay_close(relay);
	return 0;
}
