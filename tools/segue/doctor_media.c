/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks of what is relayed: next hops, paths that stay silent, drops that grow. */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "doctor.h"
#include "values.h"

#define SILENT_AFTER_MS 5000u /* a path as old as this should have got a packet */
#define NAMED_MAX 5u	      /* findings of one kind that name their stream */
#define GROWTH_MS 200u	      /* between two readings of the drops */

static void check_nexthop(struct doctor *doctor, const struct sg_nexthop_info *info)
{
	char gateway[SG_ENDPOINT_STRLEN], device[IF_NAMESIZE] = "?", cure[CURE_LEN];
	char subject[96];

	sg_address_format(info->gateway, gateway);
	if_indextoname(info->l3_ifindex, device);
	snprintf(subject, sizeof(subject), "next hop %u (%s on %s)", info->index, gateway, device);
	snprintf(cure, sizeof(cure),
		 "ping -c 1 %s; ip neigh show %s dev %s; and keep `segue "
		 "follow` running",
		 gateway, gateway, device);
	doctor_report(doctor, RESULT_PROBLEM, subject, cure,
		      "unresolved or its link down, and %u paths need it", info->paths);
}

void doctor_nexthops(struct doctor *doctor)
{
	struct sg_nexthop_info info;
	uint32_t cursor = 0;
	unsigned usable = 0, bad = 0;

	while (sg_nexthop_next(doctor->relay, &cursor, &info)) {
		if (info.hop.flags & SG_NEXTHOP_USABLE)
			usable++;
		else if (info.paths && ++bad <= NAMED_MAX)
			check_nexthop(doctor, &info);
	}
	if (bad > NAMED_MAX)
		doctor_report(doctor, RESULT_PROBLEM, NULL, "segue nexthop list",
			      "%u more next hops in use are unusable", bad - NAMED_MAX);
	if (!bad)
		doctor_report(doctor, RESULT_OK, NULL, NULL, "%u usable, none in use is not",
			      usable);
}

/* Media of a closed direction is not expected. */
static bool should_have_packets(const struct sg_stream_info *info, const struct sg_path_info *path)
{
	uint64_t age_ms = (cli_now_ns() - info->created_ns) / 1000000u;

	return age_ms > SILENT_AFTER_MS && path->listen && !path->last_packet_ns &&
	       sg_route_open(info->route, path->side);
}

static void name_silent(struct doctor *doctor, const struct sg_stream_info *info,
			const struct sg_path_info *path)
{
	char local[SG_ENDPOINT_STRLEN], remote[SG_ENDPOINT_STRLEN];
	char subject[SG_NAME_LEN + 16], cure[CURE_LEN];
	uint64_t strangers = path->dropped[SG_SOURCE];

	sg_endpoint_format(&path->local, local);
	sg_endpoint_format(&path->remote, remote);
	snprintf(subject, sizeof(subject), "%s %s %u", info->name, side_name(path->side),
		 path->slot);
	if (strangers) {
		snprintf(cure, sizeof(cure), "segue path move %s %s %u %s=ADDRESS:PORT", info->name,
			 side_name(path->side), path->slot, local);
		doctor_report(doctor, RESULT_WARNING, subject, cure,
			      "never got a packet from %s at %s, but %llu from other sources: NAT, "
			      "or a wrong address (`segue event follow` names the source)",
			      remote, local, (unsigned long long)strangers);
		return;
	}
	snprintf(cure, sizeof(cure), "tcpdump -ni NIC udp port %u; segue drop list",
		 path->local.port);
	doctor_report(doctor, RESULT_WARNING, subject, cure,
		      "never got a packet from %s at %s: it sends elsewhere, a firewall drops it, "
		      "or it arrives on a NIC without the program",
		      remote, local);
}

void doctor_streams(struct doctor *doctor)
{
	struct sg_stream_info info;
	uint32_t stream = 0;
	unsigned streams = 0, silent = 0;

	for (; sg_stream_next(doctor->relay, &stream); stream++) {
		if (sg_stream_info(doctor->relay, stream, &info) < 0)
			continue;
		streams++;
		for (size_t i = 0; i < info.paths; i++) {
			if (should_have_packets(&info, &info.path[i]) && ++silent <= NAMED_MAX)
				name_silent(doctor, &info, &info.path[i]);
		}
	}
	if (silent > NAMED_MAX)
		doctor_report(doctor, RESULT_WARNING, NULL, "segue stream list",
			      "%u more paths never got a packet", silent - NAMED_MAX);
	if (!silent)
		doctor_report(doctor, RESULT_OK, NULL, NULL,
			      "%u streams, none older than %u s without packets", streams,
			      SILENT_AFTER_MS / 1000);
}

/* The usual cause of each reason, and what to type. No cause: it belongs to ordinary work. */
static const struct {
	enum result result;
	const char *cause, *cure;
} usual[SG_REASON_COUNT] = {
	[SG_SOURCE] = {RESULT_WARNING, "the party sends from another address than signalled (NAT)",
		       "segue event follow, then segue path move or --learn"},
	[SG_STANDBY] = {RESULT_WARNING, "a party still sends on a path that left",
			"segue path list NAME"},
	[SG_DIRECTION] = {RESULT_OK, "media is on hold", NULL},
	[SG_BAD_RTP] = {RESULT_WARNING, "something that is not RTP is sent to a media port",
			"at the sender (here it is dropped before tcpdump): tcpdump -X udp"},
	[SG_DUPLICATE] = {RESULT_OK, "two paths of one side carry the same packets", NULL},
	[SG_TOO_LATE] = {RESULT_WARNING, "the paths' delays differ by more than the window",
			 "segue window list"},
	[SG_JUMP] = {RESULT_WARNING, "a sender restarts or sends two sequences with one SSRC",
		     "segue window list"},
	[SG_NO_PATH] = {RESULT_WARNING, "a side has no path with send on",
			"segue path set NAME SIDE INDEX --send on"},
	[SG_NEXT_HOP] = {RESULT_PROBLEM, "a gateway does not answer, or nobody follows it",
			 "segue nexthop list; segue follow"},
	[SG_TOO_BIG] = {RESULT_WARNING, "the sender's packets do not fit the path's MTU",
			"segue stream show NAME --json (mtu)"},
	[SG_NOT_MEDIA] = {RESULT_OK, "STUN or DTLS, for the stack", NULL},
	[SG_NO_ROOM] = {RESULT_PROBLEM, "the driver leaves no head room for a VLAN tag or IPv6",
			"segue interface attach NIC --mode generic"},
	[SG_FAN_OUT] = {RESULT_PROBLEM, "a NIC of the route lost its slot",
			"segue interface attach NIC"},
	[SG_COPY] = {RESULT_PROBLEM, "copies were not told apart at egress",
		     "segue interface detach NIC --force; segue interface attach NIC"},
	[SG_TTL] = {RESULT_WARNING, "a routing loop, or a sender with TTL 1",
		    "tcpdump -ni NIC -v udp"},
	[SG_CLOSED] = {RESULT_WARNING, "an install was not finished", "segue stream list"},
	[SG_STALE] = {RESULT_WARNING, "a port belongs to a stream that is gone", "segue port list"},
	[SG_RESTING] = {RESULT_OK, "a party still sends to a stream that was removed", NULL},
	[SG_OPTIONS] = {RESULT_WARNING, "a sender uses IP options or extension headers",
			"tcpdump -ni NIC -v udp"},
	[SG_FRAGMENT] = {RESULT_WARNING, "a sender's packets are larger than its MTU",
			 "tcpdump -ni NIC -v 'ip[6:2] & 0x3fff != 0'"},
	[SG_ICMP] = {RESULT_OK, "path MTU discovery", NULL},
	[SG_BANNED] = {RESULT_OK, "a source that was banned goes on sending", "segue ban list"},
};

void doctor_drops(struct doctor *doctor)
{
	uint64_t before[SG_REASON_COUNT], now[SG_REASON_COUNT];
	bool grew = false;

	if (sg_drop_read(doctor->relay, before) < 0)
		return;
	cli_stop_requested(GROWTH_MS);
	if (sg_drop_read(doctor->relay, now) < 0)
		return;
	for (int i = SG_NONE + 1; i < SG_REASON_COUNT; i++) {
		if (now[i] <= before[i])
			continue;
		grew = true;
		doctor_report(doctor, usual[i].result, sg_reason_name((enum sg_reason)i),
			      usual[i].cure, "%llu in %u ms: %s",
			      (unsigned long long)(now[i] - before[i]), GROWTH_MS,
			      usual[i].cause ? usual[i].cause : sg_reason_text((enum sg_reason)i));
	}
	if (!grew)
		doctor_report(doctor, RESULT_OK, NULL, NULL, "none in %u ms", GROWTH_MS);
}
