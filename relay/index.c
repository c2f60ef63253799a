/* SPDX-License-Identifier: BSD-2-Clause */
/* Streams by name, free slots, and what is due when. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "index.h"

#define NONE UINT32_MAX
#define FANOUT_BUCKETS 64u

struct sg_index {
	uint64_t epoch;
	uint32_t buckets; /* a power of two */
	uint32_t *head;	  /* first stream of a bucket, NONE-terminated through next */
	uint32_t *next;	  /* by stream */
	size_t names;
	uint32_t *free_slot; /* a stack */
	uint32_t free_slots;
	struct sg_job *heap; /* earliest first */
	size_t jobs;
	size_t room;
	uint64_t ports_ns;		 /* the earliest look at resting ports, 0: none */
	uint32_t fanout[FANOUT_BUCKETS]; /* keys; 0: none */
};

/* ---- names ---------------------------------------------------------------------------------- */

static uint32_t hash_name(const char *name)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619u;
	return hash;
}

static uint32_t *bucket_of(const struct sg_relay *relay, const char *name)
{
	return &relay->index->head[hash_name(name) & (relay->index->buckets - 1)];
}

int64_t sg_index_find(const struct sg_relay *relay, const char *name)
{
	uint32_t stream = *bucket_of(relay, name);

	while (stream != NONE && strncmp(relay->record[stream].name, name, SG_NAME_LEN) != 0)
		stream = relay->index->next[stream];
	return stream == NONE ? -ENOENT : (int64_t)stream;
}

void sg_index_add_name(struct sg_relay *relay, uint32_t stream)
{
	uint32_t *head = bucket_of(relay, relay->record[stream].name);

	relay->index->next[stream] = *head;
	*head = stream;
	relay->index->names++;
}

void sg_index_remove_name(struct sg_relay *relay, uint32_t stream)
{
	uint32_t *link = bucket_of(relay, relay->record[stream].name);

	while (*link != NONE && *link != stream)
		link = &relay->index->next[*link];
	if (*link == NONE)
		return;
	*link = relay->index->next[stream];
	relay->index->names--;
}

size_t sg_index_count(const struct sg_relay *relay)
{
	return relay->index->names;
}

/* ---- device maps ---------------------------------------------------------------------------- */

bool sg_index_knows_fanout(const struct sg_relay *relay, uint32_t key)
{
	return relay->index && relay->index->fanout[key % FANOUT_BUCKETS] == key;
}

void sg_index_note_fanout(struct sg_relay *relay, uint32_t key)
{
	if (relay->index)
		relay->index->fanout[key % FANOUT_BUCKETS] = key;
}

/* ---- slots ---------------------------------------------------------------------------------- */

int64_t sg_index_take_slot(struct sg_relay *relay)
{
	struct sg_index *index = relay->index;

	if (index->free_slots)
		return index->free_slot[--index->free_slots];
	if (relay->meta->stream_high >= relay->capacity)
		return -ENOSPC;
	return relay->meta->stream_high++;
}

void sg_index_give_slot(struct sg_relay *relay, uint32_t stream)
{
	relay->index->free_slot[relay->index->free_slots++] = stream;
}

/* ---- jobs: a binary heap -------------------------------------------------------------------- */

int sg_index_reserve(struct sg_relay *relay, size_t count, struct sg_error *err)
{
	struct sg_index *index = relay->index;
	size_t room = index->room ? index->room : 64;
	struct sg_job *heap;

	if (index->jobs + count <= index->room)
		return 0;
	while (room < index->jobs + count)
		room *= 2;
	heap = realloc(index->heap, room * sizeof(*heap));
	if (!heap) {
		sg_fail(err, -ENOMEM, "no memory for %zu timers", room);
		return -ENOMEM;
	}
	index->heap = heap;
	index->room = room;
	return 0;
}

void sg_index_schedule(struct sg_relay *relay, const struct sg_job *job)
{
	struct sg_index *index = relay->index;
	size_t at = index->jobs++;

	while (at > 0 && job->due_ns < index->heap[(at - 1) / 2].due_ns) {
		index->heap[at] = index->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	index->heap[at] = *job;
}

void sg_index_schedule_ports(struct sg_relay *relay, uint64_t due_ns)
{
	struct sg_index *index = relay->index;
	struct sg_job job = {.due_ns = due_ns, .kind = SG_JOB_PORTS_RESTED};

	if (index->ports_ns && index->ports_ns <= due_ns)
		return;
	index->ports_ns = due_ns;
	sg_index_schedule(relay, &job);
}

bool sg_index_take_due(struct sg_relay *relay, uint64_t now_ns, struct sg_job *job)
{
	struct sg_index *index = relay->index;
	struct sg_job last;
	size_t at = 0;

	if (!index->jobs || index->heap[0].due_ns > now_ns)
		return false;
	*job = index->heap[0];
	if (job->kind == SG_JOB_PORTS_RESTED)
		index->ports_ns = 0;
	last = index->heap[--index->jobs];
	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= index->jobs)
			break;
		if (child + 1 < index->jobs &&
		    index->heap[child + 1].due_ns < index->heap[child].due_ns)
			child++;
		if (last.due_ns <= index->heap[child].due_ns)
			break;
		index->heap[at] = index->heap[child];
		at = child;
	}
	index->heap[at] = last;
	return true;
}

uint64_t sg_index_next_ns(const struct sg_relay *relay)
{
	return relay->index->jobs ? relay->index->heap[0].due_ns : 0;
}

/* ---- the view as a whole -------------------------------------------------------------------- */

void sg_index_free(struct sg_relay *relay)
{
	struct sg_index *index = relay->index;

	if (!index)
		return;
	free(index->head);
	free(index->next);
	free(index->free_slot);
	free(index->heap);
	free(index);
	relay->index = NULL;
}

static int allocate(struct sg_relay *relay, struct sg_error *err)
{
	struct sg_index *index = calloc(1, sizeof(*index));

	relay->index = index;
	if (!index) {
		sg_fail(err, -ENOMEM, "no memory for the index of streams");
		return -ENOMEM;
	}
	index->buckets = 1;
	while (index->buckets < relay->capacity)
		index->buckets *= 2;
	index->head = malloc(index->buckets * sizeof(*index->head));
	index->next = malloc(relay->capacity * sizeof(*index->next));
	index->free_slot = malloc(relay->capacity * sizeof(*index->free_slot));
	if (!index->head || !index->next || !index->free_slot) {
		sg_index_free(relay);
		sg_fail(err, -ENOMEM, "no memory for the index of %u streams", relay->capacity);
		return -ENOMEM;
	}
	memset(index->head, 0xff, index->buckets * sizeof(*index->head));
	return 0;
}

static int note_paths(struct sg_relay *relay, uint32_t stream, struct sg_error *err)
{
	int ret = sg_index_reserve(relay, SG_SIDES * SG_PATH_SLOTS, err);

	for (uint32_t i = 0; !ret && i < SG_SIDES * SG_PATH_SLOTS; i++) {
		struct sg_job job = {.stream = stream, .side = i % SG_SIDES, .slot = i / SG_SIDES};
		const struct sg_path *path = sg_path_at(relay, stream, job.side, job.slot);

		job.due_ns = path->until_ns;
		job.kind =
			path->state == SG_PATH_DRAINING ? SG_JOB_PATH_DRAINED : SG_JOB_PATH_RESTED;
		if (path->state == SG_PATH_DRAINING || path->state == SG_PATH_RESTING)
			sg_index_schedule(relay, &job);
	}
	return ret;
}

static int note_stream(struct sg_relay *relay, uint32_t stream, struct sg_error *err)
{
	const struct sg_record *record = &relay->record[stream];
	struct sg_job rested = {record->rest_until_ns, SG_JOB_STREAM_RESTED, stream, 0, 0};
	int ret;

	switch (record->state) {
	case SG_STREAM_OPEN:
		sg_index_add_name(relay, stream);
		return note_paths(relay, stream, err);
	case SG_STREAM_RESTING:
		ret = sg_index_reserve(relay, 1, err);
		if (!ret)
			sg_index_schedule(relay, &rested);
		return ret;
	default:
		sg_index_give_slot(relay, stream);
		return 0;
	}
}

int sg_index_sync(struct sg_relay *relay, struct sg_error *err)
{
	uint64_t epoch = __atomic_load_n(&relay->meta->epoch, __ATOMIC_ACQUIRE);
	int ret;

	if (relay->index && relay->index->epoch == epoch)
		return 0;
	sg_index_free(relay);
	ret = allocate(relay, err);
	/* From the top, so that the lowest free slots are taken first. */
	for (uint32_t i = relay->meta->stream_high; !ret && i > 0; i--)
		ret = note_stream(relay, i - 1, err);
	if (!ret)
		ret = sg_index_reserve(relay, 1, err);
	if (ret) {
		sg_index_free(relay);
		return ret;
	}
	/* Due at once: the look itself finds out when the next one is. */
	sg_index_schedule_ports(relay, 1);
	relay->index->epoch = epoch;
	return 0;
}

void sg_index_own_change(struct sg_relay *relay)
{
	if (relay->index && relay->index->epoch == relay->meta->epoch)
		relay->index->epoch++;
}
