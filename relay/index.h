/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * This process's view of what the maps hold, arranged for finding: streams by name, free slots, and
 * what is due when. The maps are the truth; when another process changed them (sg_meta.epoch), the
 * view is made again from them.
 */
#ifndef SG_RELAY_INDEX_H
#define SG_RELAY_INDEX_H

#include "internal.h"

enum sg_job_kind {
	SG_JOB_PATH_DRAINED,
	SG_JOB_PATH_RESTED,
	SG_JOB_STREAM_RESTED,
	SG_JOB_PORTS_RESTED,
};

struct sg_job {
	uint64_t due_ns;
	enum sg_job_kind kind;
	uint32_t stream;
	uint32_t side;
	uint32_t slot;
};

/* Makes the view if there is none or others changed the maps. -ENOMEM. */
int sg_index_sync(struct sg_relay *relay, struct sg_error *err);
/* The epoch is about to move by one, by our own doing: the view stays true. */
void sg_index_own_change(struct sg_relay *relay);
void sg_index_free(struct sg_relay *relay);

/* The stream of that name, or -ENOENT. */
int64_t sg_index_find(const struct sg_relay *relay, const char *name);
void sg_index_add_name(struct sg_relay *relay, uint32_t stream);
void sg_index_remove_name(struct sg_relay *relay, uint32_t stream);
size_t sg_index_count(const struct sg_relay *relay);

/* Does sg_fanout have a device map for the key? Known since the view was made, or not known. */
bool sg_index_knows_fanout(const struct sg_relay *relay, uint32_t key);
void sg_index_note_fanout(struct sg_relay *relay, uint32_t key);

/* A free stream slot, or -ENOSPC; raises sg_meta.stream_high when it must. */
int64_t sg_index_take_slot(struct sg_relay *relay);
void sg_index_give_slot(struct sg_relay *relay, uint32_t stream);

/* Room for `count` more jobs, so that scheduling them cannot fail. -ENOMEM. */
int sg_index_reserve(struct sg_relay *relay, size_t count, struct sg_error *err);
void sg_index_schedule(struct sg_relay *relay, const struct sg_job *job);
/*
 * Has rested ports freed at `due_ns`, the end of a second. One look at all ports serves all that
 * end in it, so this counts as a job only if none is scheduled until then.
 */
void sg_index_schedule_ports(struct sg_relay *relay, uint64_t due_ns);
/* Takes the earliest job if it is due at `now_ns`. */
bool sg_index_take_due(struct sg_relay *relay, uint64_t now_ns, struct sg_job *job);
/* When the earliest job is due; 0 if there is none. */
uint64_t sg_index_next_ns(const struct sg_relay *relay);

#endif
