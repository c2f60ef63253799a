// SPDX-License-Identifier: BSD-2-Clause
#include "receiver.h"

#include <errno.h>
#include <segue/window.h>
#include <stdlib.h>

#include "wav.h"

#define SAMPLES_MAX 960u /* of one packet: 120 ms */

/* As the relay has it by default (MP-5). */
static const struct sg_window_params params = {
	.window = 1024, .reset_ns = 2000000000, .restart_ns = 200000000};

struct ua_receiver {
	struct sg_window window;
	struct wav_writer *record;
	/* The source that is listened to: sequence numbers are extended, counted from its first. */
	bool begun;
	uint32_t ssrc;
	uint16_t last;		 /* sequence number of `highest` */
	int64_t highest, lowest; /* relative to the first packet */
	uint64_t taken;		 /* of this source */
	uint32_t first_timestamp;
	uint64_t recorded_at; /* sample at which first_timestamp stands */
	/* All sources. */
	uint64_t sources, packets, duplicates, reordered, lost, begun_us, last_us, gap_us,
		gap_at_us;
};

int ua_receiver_alloc(struct ua_receiver **out, const char *record, struct error *err)
{
	struct ua_receiver *receiver = calloc(1, sizeof(*receiver));
	int ret = 0;

	if (!receiver)
		return error_set(err, -ENOMEM, "no memory to receive");
	if (record)
		ret = wav_create(&receiver->record, record, err);
	if (ret)
		free(receiver);
	else
		*out = receiver;
	return ret;
}

void ua_receiver_free(struct ua_receiver *receiver)
{
	if (receiver)
		wav_close(receiver->record);
	free(receiver);
}

bool ua_receiver_knows(const struct ua_receiver *receiver, uint32_t ssrc)
{
	return receiver->begun && receiver->ssrc == ssrc;
}

static uint64_t lost_of_source(const struct ua_receiver *receiver)
{
	int64_t expected = receiver->highest - receiver->lowest + 1;

	if (!receiver->begun || expected < (int64_t)receiver->taken)
		return 0;
	return (uint64_t)expected - receiver->taken;
}

/* Another source goes on where the clock is, not where the last one stopped. */
static void begin_source(struct ua_receiver *receiver, const struct rtp *rtp, uint64_t now_us)
{
	receiver->lost += lost_of_source(receiver);
	receiver->ssrc = rtp->ssrc;
	receiver->last = rtp->sequence;
	receiver->highest = receiver->lowest = 0;
	receiver->taken = 0;
	receiver->first_timestamp = rtp->timestamp;
	if (!receiver->sources)
		receiver->begun_us = now_us;
	receiver->recorded_at = (now_us - receiver->begun_us) * G711_RATE / 1000000;
	receiver->sources++;
	receiver->begun = true;
}

static void count(struct ua_receiver *receiver, const struct rtp *rtp, bool late, uint64_t now_us)
{
	int16_t step = (int16_t)(rtp->sequence - receiver->last);
	int64_t at = receiver->highest + step;

	if (step > 0) {
		receiver->highest = at;
		receiver->last = rtp->sequence;
	} else if (at < receiver->lowest) {
		receiver->lowest = at;
	}
	receiver->taken++;
	receiver->packets++;
	receiver->reordered += late;
	if (receiver->last_us && now_us - receiver->last_us > receiver->gap_us) {
		receiver->gap_us = now_us - receiver->last_us;
		receiver->gap_at_us = receiver->last_us;
	}
	receiver->last_us = now_us;
}

static void record(struct ua_receiver *receiver, const struct rtp *rtp, enum g711_law law)
{
	int16_t samples[SAMPLES_MAX];
	size_t length = rtp->length < SAMPLES_MAX ? rtp->length : SAMPLES_MAX;
	int64_t at = (int64_t)receiver->recorded_at +
		     (int32_t)(rtp->timestamp - receiver->first_timestamp);

	if (!receiver->record || at < 0)
		return;
	g711_decode(law, rtp->payload, length, samples);
	wav_put(receiver->record, (uint64_t)at, samples, length);
}

bool ua_receiver_take(struct ua_receiver *receiver, const struct rtp *rtp, enum g711_law law,
		      uint64_t now_us)
{
	int late;

	if (sg_window_pass(&receiver->window, &params, rtp->ssrc, rtp->sequence, now_us * 1000,
			   &late) != SG_NONE) {
		receiver->duplicates++;
		return false;
	}
	if (!ua_receiver_knows(receiver, rtp->ssrc))
		begin_source(receiver, rtp, now_us);
	count(receiver, rtp, late, now_us);
	record(receiver, rtp, law);
	return true;
}

json_t *ua_receiver_report(const struct ua_receiver *receiver)
{
	uint64_t lost = receiver->lost + lost_of_source(receiver);

	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:f, s:I, s:I, s:I}", "received",
			 (json_int_t)receiver->packets, "lost", (json_int_t)lost, "duplicates",
			 (json_int_t)receiver->duplicates, "reordered",
			 (json_int_t)receiver->reordered, "sources", (json_int_t)receiver->sources,
			 "longest_gap_ms", (double)receiver->gap_us / 1000, "longest_gap_at_us",
			 (json_int_t)receiver->gap_at_us, "first_us",
			 (json_int_t)receiver->begun_us, "last_us", (json_int_t)receiver->last_us);
}
