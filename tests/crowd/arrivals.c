// SPDX-License-Identifier: BSD-2-Clause
/*
 * arrivals CAPTURE REPORT: was each packet that a crowd says it sent (its REPORT, crowd.c) on the
 * wire of the other side (CAPTURE, a pcap of Ethernet and IPv4) exactly once? Prints "STREAMS SENT
 * MISSING DOUBLED STRANGE" and exits 0 when the last three are 0. Strange is what nobody says he
 * sent: another source, another number, no RTP, a source at a second destination, and a stream at
 * the destination of another.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC_US 0xa1b2c3d4u /* of a pcap of this machine's byte order, by its clock */
#define MAGIC_NS 0xa1b23c4du
#define LINK_ETHERNET 1u
#define STREAMS 4000u
#define NUMBERS 65536u /* a crowd's streams do not wrap (talk.h) */
#define SNAP 65536u
#define ETHERNET 14u
#define UDP 8u
#define RTP 12u

struct stream {
	uint32_t ssrc, sent;
	uint64_t destination; /* address and port; 0 until a packet came */
	uint8_t *times;	      /* that the packet of a number came, 255 at most */
};

struct judge {
	struct stream *stream; /* by SSRC */
	size_t count;
	uint64_t strange;
};

struct record { /* of a pcap, before each packet */
	uint32_t seconds, fraction, captured, length;
};

static int by_ssrc(const void *a, const void *b)
{
	uint32_t one = ((const struct stream *)a)->ssrc, other = ((const struct stream *)b)->ssrc;

	return (one > other) - (one < other);
}

static uint32_t load(const uint8_t *at, size_t bytes)
{
	uint32_t value = 0;

	for (size_t i = 0; i < bytes; i++)
		value = value << 8 | at[i];
	return value;
}

static bool read_report(struct judge *judge, const char *name)
{
	FILE *in = fopen(name, "r");
	char line[256];
	bool good = in;

	while (good && fgets(line, sizeof(line), in)) {
		struct stream *stream = &judge->stream[judge->count];

		good = judge->count < STREAMS &&
		       sscanf(line, "%" SCNu32 " %" SCNu32, &stream->ssrc, &stream->sent) == 2 &&
		       stream->sent <= NUMBERS && (stream->times = calloc(stream->sent + 1, 1));
		judge->count += good;
	}
	if (in)
		fclose(in);
	qsort(judge->stream, judge->count, sizeof(*judge->stream), by_ssrc);
	return good && judge->count;
}

/* The RTP header of a frame, and where the packet goes. NULL: it is no RTP over IPv4. */
static const uint8_t *find_rtp(const uint8_t *frame, size_t length, uint64_t *destination)
{
	const uint8_t *ip = frame + ETHERNET, *udp, *rtp;
	size_t header;

	if (length < ETHERNET + 20 + UDP + RTP || load(frame + 12, 2) != 0x0800 || ip[0] >> 4 != 4)
		return NULL;
	header = (ip[0] & 0xfu) * 4u;
	if (header < 20 || ip[9] != 17 || load(ip + 6, 2) & 0x3fff ||
	    length < ETHERNET + header + UDP + RTP)
		return NULL;
	udp = ip + header;
	rtp = udp + UDP;
	*destination = (uint64_t)load(ip + 16, 4) << 16 | load(udp + 2, 2);
	return rtp[0] >> 6 == 2 && load(udp + 4, 2) >= UDP + RTP ? rtp : NULL;
}

static void take(struct judge *judge, const uint8_t *frame, size_t length)
{
	uint64_t destination = 0;
	const uint8_t *rtp = find_rtp(frame, length, &destination);
	struct stream *stream = NULL;
	uint32_t number;

	for (size_t from = 0, to = rtp ? judge->count : 0; from < to && !stream;) {
		struct stream *middle = &judge->stream[(from + to) / 2];

		if (middle->ssrc == load(rtp + 8, 4))
			stream = middle;
		else if (middle->ssrc < load(rtp + 8, 4))
			from = (from + to) / 2 + 1;
		else
			to = (from + to) / 2;
	}
	if (!stream || (number = load(rtp + 2, 2)) >= stream->sent ||
	    (stream->destination && stream->destination != destination)) {
		judge->strange++;
		return;
	}
	stream->destination = destination;
	if (stream->times[number] < UINT8_MAX)
		stream->times[number]++;
}

/* False: it is no such capture, or ends within a packet. */
static bool read_capture(struct judge *judge, const char *name)
{
	static uint8_t frame[SNAP];
	FILE *in = fopen(name, "rb");
	uint32_t head[6]; /* magic, version, two that are unused, snap length, link type */
	struct record record;
	size_t got = 0;
	bool good = in && fread(head, sizeof(head), 1, in) == 1 &&
		    (head[0] == MAGIC_US || head[0] == MAGIC_NS) && head[5] == LINK_ETHERNET;

	while (good && (got = fread(&record, 1, sizeof(record), in)) == sizeof(record)) {
		good = record.captured <= SNAP &&
		       fread(frame, 1, record.captured, in) == record.captured;
		if (good)
			take(judge, frame, record.captured);
	}
	good = good && !got && !ferror(in);
	if (in)
		fclose(in);
	return good;
}

static bool shared(const struct judge *judge, size_t which)
{
	for (size_t i = 0; i < which; i++) {
		if (judge->stream[which].destination &&
		    judge->stream[i].destination == judge->stream[which].destination)
			return true;
	}
	return false;
}

static bool pronounce(const struct judge *judge)
{
	uint64_t sent = 0, missing = 0, doubled = 0, strange = judge->strange;

	for (size_t i = 0; i < judge->count; i++) {
		const struct stream *stream = &judge->stream[i];

		sent += stream->sent;
		strange += shared(judge, i);
		for (uint32_t n = 0; n < stream->sent; n++) {
			missing += !stream->times[n];
			doubled += stream->times[n] > 1 ? stream->times[n] - 1u : 0;
		}
	}
	printf("%zu %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", judge->count, sent, missing,
	       doubled, strange);
	return !missing && !doubled && !strange;
}

int main(int argc, char **argv)
{
	/* One more than is allowed, into which a line too many is read. */
	struct judge judge = {.stream = calloc(STREAMS + 1, sizeof(struct stream))};
	int status = 2;

	if (argc != 3 || !judge.stream)
		fputs("usage: arrivals CAPTURE REPORT\n", stderr);
	else if (!read_report(&judge, argv[2]))
		fprintf(stderr, "arrivals: %s: no report of a crowd\n", argv[2]);
	else if (!read_capture(&judge, argv[1]))
		fprintf(stderr, "arrivals: %s: no capture, or not all of one\n", argv[1]);
	else
		status = pronounce(&judge) ? 0 : 1;
	for (size_t i = 0; i < judge.count; i++)
		free(judge.stream[i].times);
	free(judge.stream);
	return status;
}
