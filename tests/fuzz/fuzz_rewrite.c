// SPDX-License-Identifier: BSD-2-Clause
/*
 * bpf/rewrite.h: on any bytes it writes nothing outside the frame; on a frame with right checksums
 * from any path to any path, what leaves has right checksums, and nothing above UDP changed.
 */
#include <string.h>

#include "../bpf/frame.h"
#include "fuzz.h"

#include "../../bpf/rewrite.h"

#define HEADROOM 32u /* IPv4 without a tag to IPv6 with one: 24 bytes */
#define CONFIG_BYTES 52u

/* Everything about a rewrite that is not the frame, from the input's first bytes. */
struct setting {
	struct sg_path in, out;
	struct sg_hop hop;
	uint32_t port;
	struct model_endpoint ends[4]; /* in: local, remote; out: local, remote */
};

static uint16_t sum_of(const __be32 *local, const __be32 *remote, __be16 port, __be16 other)
{
	uint16_t words[16];
	uint64_t sum = (uint64_t)port + other;

	memcpy(words, local, 16);
	memcpy(words + 8, remote, 16);
	for (int i = 0; i < 16; i++)
		sum += words[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* An address of one family from four bytes of input. */
static void set_address(uint8_t out[16], const uint8_t *bytes, bool ipv6)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (ipv6)
		memcpy(out, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0", 12);
	else
		memcpy(out, mapped, 12);
	memcpy(out + 12, bytes, 4);
}

static void set_path(struct sg_path *path, struct model_endpoint ends[2], const uint8_t *bytes,
		     uint32_t port)
{
	bool ipv6 = bytes[0] & 1;

	path->flags =
		(uint16_t)((ipv6 ? SG_PATH_IPV6 : 0) | (bytes[0] & 2 ? SG_PATH_KEEP_DSCP : 0));
	path->dscp = bytes[1] & 63;
	for (int i = 0; i < 2; i++) {
		set_address(ends[i].addr, bytes + 4 + 6 * i, ipv6);
		ends[i].port = (uint16_t)(bytes[8 + 6 * i] << 8 | bytes[9 + 6 * i]);
	}
	memcpy(path->local, ends[0].addr, 16);
	memcpy(path->remote, ends[1].addr, 16);
	path->local_port[port] = htons(ends[0].port);
	path->remote_port[port] = htons(ends[1].port);
	path->sum[port] =
		sum_of(path->local, path->remote, path->local_port[port], path->remote_port[port]);
}

static void set_all(struct setting *setting, const uint8_t *bytes)
{
	memset(setting, 0, sizeof(*setting));
	setting->port = bytes[0] & 1;
	setting->hop.vlan = bytes[0] & 2 ? htons((uint16_t)(bytes[1] | 1)) : 0;
	memcpy(setting->hop.dst, bytes + 4, 6);
	memcpy(setting->hop.src, bytes + 10, 6);
	set_path(&setting->in, setting->ends, bytes + 16, setting->port);
	set_path(&setting->out, setting->ends + 2, bytes + 32, setting->port);
}

/* As the program does it: the headers grow or shrink in front of UDP. NULL: not to be rewritten. */
static uint8_t *rewrite(uint8_t *frame, size_t size, struct setting *setting, size_t *length)
{
	struct sg_rewrite r = {.hop = &setting->hop,
			       .in = &setting->in,
			       .out = &setting->out,
			       .port = setting->port};
	struct sg_packet packet = {0};
	uint8_t *end = frame + size, *start;

	if (sg_parse(frame, end, &packet) != SG_PARSED_UDP)
		return NULL;
	if (!sg_keep_frame((char *)frame, (char *)end, &packet, r.out, &r.kept))
		return NULL;
	start = frame + packet.l4 - sg_l2_len(r.hop) - sg_l3_len(r.out);
	*length = (size_t)(end - start);
	return sg_write_frame((char *)start, (char *)end, &r) ? start : NULL;
}

static void any_bytes(const uint8_t *data, size_t size, struct setting *setting)
{
	uint8_t *buffer = malloc(HEADROOM + size);
	size_t length;

	memcpy(buffer + HEADROOM, data, size);
	rewrite(buffer + HEADROOM, size, setting, &length);
	free(buffer);
}

static struct frame_spec spec_of(const struct setting *setting, const uint8_t *bytes,
				 const uint8_t *payload, size_t size)
{
	return (struct frame_spec){
		.src = setting->ends[1],
		.dst = setting->ends[0],
		.vlan = bytes[2] & 1 ? (uint16_t)(bytes[3] | 1) : 0,
		.tos = bytes[18],
		.ttl = bytes[19] | 2, /* packets with less never come so far */
		.id = bytes[34],
		.fragment = bytes[2] & 2 ? FRAME_DF : 0,
		.flow_label = bytes[35],
		.no_checksum = (bytes[2] & 4) && !(setting->in.flags & SG_PATH_IPV6),
		.payload = payload,
		.length = size < 1400 ? size : 1400,
	};
}

static void right_frames(const uint8_t *bytes, const uint8_t *payload, size_t size,
			 struct setting *setting)
{
	struct frame_spec spec = spec_of(setting, bytes, payload, size), read;
	static struct frame in, out;
	uint8_t *buffer, *start;

	frame_build(&in, &spec);
	buffer = malloc(HEADROOM + in.length);
	memcpy(buffer + HEADROOM, in.data, in.length);
	start = rewrite(buffer + HEADROOM, in.length, setting, &out.length);
	FUZZ_ASSERT(start);
	memcpy(out.data, start, out.length);
	free(buffer);
	/* No checksum over IPv6 is completed by the program itself (tests/bpf). */
	if (spec.no_checksum && setting->out.flags & SG_PATH_IPV6)
		return;
	FUZZ_ASSERT(!frame_read(&out, &read));
	FUZZ_ASSERT(read.no_checksum == spec.no_checksum);
	FUZZ_ASSERT(read.ttl == spec.ttl - 1);
	FUZZ_ASSERT(read.length == spec.length);
	FUZZ_ASSERT(memcmp(read.payload, spec.payload, spec.length) == 0);
	FUZZ_ASSERT(memcmp(&read.src, &setting->ends[2], sizeof(read.src)) == 0);
	FUZZ_ASSERT(memcmp(&read.dst, &setting->ends[3], sizeof(read.dst)) == 0);
	FUZZ_ASSERT(read.vlan == ntohs(setting->hop.vlan));
	FUZZ_ASSERT((read.tos & 3) == (spec.tos & 3));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct setting setting;

	if (size < CONFIG_BYTES)
		return 0;
	set_all(&setting, data);
	any_bytes(data + CONFIG_BYTES, size - CONFIG_BYTES, &setting);
	right_frames(data, data + CONFIG_BYTES, size - CONFIG_BYTES, &setting);
	return 0;
}
