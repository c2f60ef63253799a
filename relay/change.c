/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What surrounds every change: the lock, this process's view of the maps, what has become due since
 * the last one, and what a writer that died left behind.
 */
#include "index.h"
#include "internal.h"

/* ---- what is due ---------------------------------------------------------------------------- */

static void sweep_ports(struct sg_relay *relay, uint64_t now_ns)
{
	uint64_t next_ns;

	sg_port_sweep(relay, now_ns, &next_ns);
	if (next_ns)
		sg_index_schedule_ports(relay, next_ns);
}

/* A job may be of a time before its slot was used for something else: the state decides. */
static void run_job(struct sg_relay *relay, const struct sg_job *job, uint64_t now_ns)
{
	const struct sg_path *path = sg_path_at(relay, job->stream, job->side, job->slot);
	const struct sg_record *record = &relay->record[job->stream];

	switch (job->kind) {
	case SG_JOB_PATH_DRAINED:
		if (path->state == SG_PATH_DRAINING && path->until_ns <= now_ns &&
		    record->state == SG_STREAM_OPEN && !sg_index_reserve(relay, 2, NULL))
			sg_path_drained(relay, job->stream, job->side, job->slot);
		break;
	case SG_JOB_PATH_RESTED:
		if (path->state == SG_PATH_RESTING && path->until_ns <= now_ns &&
		    record->state == SG_STREAM_OPEN)
			sg_path_release(relay, job->stream, job->side, job->slot);
		break;
	case SG_JOB_STREAM_RESTED:
		if (record->state == SG_STREAM_RESTING && record->rest_until_ns <= now_ns)
			sg_stream_release(relay, job->stream);
		break;
	case SG_JOB_PORTS_RESTED:
		sweep_ports(relay, now_ns);
		break;
	}
}

static bool run_due(struct sg_relay *relay)
{
	uint64_t now_ns = sg_now_ns();
	struct sg_job job;
	bool swept = false;
	bool any = false;

	while (sg_index_take_due(relay, now_ns, &job)) {
		if (job.kind == SG_JOB_PORTS_RESTED && swept)
			continue;
		swept |= job.kind == SG_JOB_PORTS_RESTED;
		any = true;
		run_job(relay, &job, now_ns);
	}
	return any;
}

int sg_change_begin(struct sg_relay *relay, struct sg_error *err)
{
	int ret = sg_lock(relay, err);

	if (ret)
		return ret;
	ret = sg_index_sync(relay, err);
	if (ret) {
		sg_unlock(relay, false);
		return ret;
	}
	/* Whatever comes of the change itself, this one is made. */
	if (run_due(relay)) {
		sg_index_own_change(relay);
		__atomic_add_fetch(&relay->meta->epoch, 1, __ATOMIC_RELEASE);
	}
	return 0;
}

int sg_change_end(struct sg_relay *relay, int ret)
{
	if (!ret)
		sg_index_own_change(relay);
	sg_unlock(relay, !ret);
	return ret;
}

int sg_relay_tick(struct sg_relay *relay)
{
	uint64_t next_ns, now_ns;

	if (relay->read_only || sg_change_begin(relay, NULL))
		return -1;
	next_ns = sg_index_next_ns(relay);
	sg_unlock(relay, false);
	if (!next_ns)
		return -1;
	now_ns = sg_now_ns();
	return next_ns > now_ns ? (int)((next_ns - now_ns) / 1000000 + 1) : 0;
}

/* ---- recovery ------------------------------------------------------------------------------- */

/* A port that leads nowhere: its stream is gone, or it is of an older generation. */
static void recover_ports(struct sg_relay *relay)
{
	uint64_t until_ns = sg_now_ns() + relay->meta->rest_ns;
	struct sg_port_info info;
	uint32_t cursor = 0;

	while (sg_port_next(relay, &cursor, &info)) {
		uint64_t entry = relay->port[cursor - 1];

		if (!info.resting &&
		    (relay->record[info.stream].state != SG_STREAM_OPEN ||
		     relay->stream[info.stream].generation != sg_port_generation(entry)))
			sg_port_rest(relay, &info.local, until_ns);
	}
}

static void recover_stream(struct sg_relay *relay, uint32_t stream)
{
	struct sg_record *record = &relay->record[stream];

	/* Its writer died between filling it and opening the route, or while removing it. */
	if (record->state == SG_STREAM_INSTALLING ||
	    (record->state == SG_STREAM_OPEN && !relay->stream[stream].route)) {
		relay->stream[stream].route = 0;
		record->rest_until_ns = sg_now_ns() + relay->meta->rest_ns;
		record->state = SG_STREAM_RESTING;
	}
	for (uint32_t i = 0; i < SG_SIDES * SG_PATH_SLOTS; i++) {
		const struct sg_path *path = sg_path_at(relay, stream, i % SG_SIDES, i / SG_SIDES);

		if (record->state != SG_STREAM_FREE && path->state != SG_PATH_FREE && path->nexthop)
			relay->nexthop[path->nexthop].paths++;
	}
}

void sg_change_recover(struct sg_relay *relay)
{
	for (uint32_t i = 0; i < SG_NEXTHOPS; i++)
		relay->nexthop[i].paths = 0;
	for (uint32_t i = 0; i < relay->meta->stream_high; i++)
		recover_stream(relay, i);
	recover_ports(relay);
	sg_nexthop_collect(relay);
	sg_index_free(relay);
}
