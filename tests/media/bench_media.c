// SPDX-License-Identifier: BSD-2-Clause
/*
 * bench_media ADDRESS ADDRESS PARTY PARTY [ROUNDS]: the CPU that one call's media costs: two ports
 * reserved, the stream installed and removed; and the relay's share of it, by the same installs
 * and removals without this room. SEGUE_OBJECT_DIR and a NIC as in media.sh; bench.sh makes them.
 */
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "base/timer.h"
#include "call/media.h"
#include "call/media_internal.h"

#define ROUNDS 20000

struct rig {
	struct event_base *base;
	struct wheel *wheel;
	struct log *log;
	struct media *media;
	struct config config;
	struct config_interface interface[2];
	struct netaddr address[2], party[2];
};

static double cpu_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int call_once(struct rig *rig, struct media_path side[SG_SIDES], const char *name)
{
	struct media_spec spec = {.name = name, .direction = SG_DIRECTION_BOTH};
	struct media_stream *stream;
	int ret = 0;

	for (unsigned i = 0; i < SG_SIDES && !ret; i++) {
		ret = media_reserve(rig->media, &rig->party[i], &side[i].local);
		side[i].remote = rig->party[i];
		side[i].remote.port = 5000;
		spec.side[i] = side[i];
	}
	if (!ret)
		ret = media_install(rig->media, &spec, NULL, NULL, &stream);
	if (!ret)
		media_remove(stream);
	return ret;
}

/* The same ports once more: they rested meanwhile. */
static int relay_once(struct rig *rig, const struct media_path side[SG_SIDES], const char *name)
{
	struct sg_stream_spec spec = {
		.name = name, .direction = SG_DIRECTION_BOTH, .resolve_ms = SG_RESOLVE_NOWAIT};
	uint32_t stream;
	int ret;

	for (unsigned i = 0; i < SG_SIDES; i++) {
		media_endpoint(&spec.side[i].local, &side[i].local);
		media_endpoint(&spec.side[i].remote, &side[i].remote);
		spec.side[i].dscp = SG_DSCP_KEEP;
	}
	ret = sg_stream_add(rig->media->relay, &spec, &stream, NULL);
	return ret ? ret : sg_stream_remove(rig->media->relay, stream, NULL);
}

static int measure(struct rig *rig, unsigned rounds, bool whole,
		   struct media_path (*side)[SG_SIDES])
{
	double began = cpu_us(), spent;
	char name[32];
	int ret = 0;

	for (unsigned i = 0; i < rounds && !ret; i++) {
		snprintf(name, sizeof(name), "%s%u.0", whole ? "c" : "r", i);
		ret = whole ? call_once(rig, side[i], name) : relay_once(rig, side[i], name);
		if (i % 64 == 0)
			event_base_loop(rig->base, EVLOOP_NONBLOCK);
	}
	spent = cpu_us() - began;
	if (ret)
		printf("%s: %s\n", name, strerrorname_np(-ret));
	else
		printf("%-44s %6.2f us\n",
		       whole ? "reserve x2, install, remove" : "of which sg_stream_add and remove",
		       spent / rounds);
	return ret;
}

static void let_rest(struct rig *rig, unsigned seconds)
{
	const struct timeval pause = {.tv_sec = (time_t)seconds};

	event_base_loopexit(rig->base, &pause);
	event_base_dispatch(rig->base);
}

static int run(struct rig *rig, unsigned rounds)
{
	struct media_path(*side)[SG_SIDES] = calloc(rounds, sizeof(*side));
	struct error err;
	int ret = media_alloc(&rig->media, rig->base, rig->wheel, rig->log, &rig->config, &err);

	if (ret) {
		fprintf(stderr, "bench_media: %s\n", err.text);
	} else {
		ret = measure(rig, rounds, true, side);
		let_rest(rig, 3); /* SEGUE_SHORT_TIMES: a second, and its end */
		if (!ret)
			ret = measure(rig, rounds, false, side);
		media_free(rig->media);
	}
	free(side);
	return ret ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct rig rig = {.config = {.first_port = 1024, .last_port = 65535, .dscp = SG_DSCP_KEEP}};
	char *name[2] = {(char[]){"r1"}, (char[]){"r2"}};
	int ret = 2;

	if (argc < 5)
		return 2;
	for (unsigned i = 0; i < 2; i++) {
		if (netaddr_parse_host(&rig.address[i], str_of(argv[1 + i]), 0) ||
		    netaddr_parse_host(&rig.party[i], str_of(argv[3 + i]), 0))
			return 2;
		rig.interface[i] = (struct config_interface){
			.name = name[i], .address = &rig.address[i], .addresses = 1};
	}
	rig.config.interface = rig.interface;
	rig.config.interfaces = 2;
	rig.base = event_base_new();
	if (rig.base && !wheel_alloc(&rig.wheel, rig.base) &&
	    !log_open(&rig.log, LOG_LEVEL_WARNING))
		ret = run(&rig, argc > 5 ? (unsigned)atoi(argv[5]) : ROUNDS);
	log_close(rig.log);
	wheel_free(rig.wheel);
	event_base_free(rig.base);
	return ret;
}
