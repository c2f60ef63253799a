// SPDX-License-Identifier: BSD-2-Clause
/*
 * The whole program agrees with the reference model, packet by packet: reason, copies, every byte
 * of what leaves. The kernel's clock is its own, so the rules that depend on time are set to
 * "never" and to "at once"; test_window_kernel.c gives the window times of its choice.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../model/generator.h"
#include "../model/recent.h"
#include "../model/tap.h"
#include "copies.h"

#define PACKETS 200000u

static void apply(struct rig *rig, const struct generator_item *item)
{
	if (item->kind == GENERATOR_ROUTE) {
		rig_route(rig, item->route);
		return;
	}
	rig->stream.path[item->side][item->slot].hop_usable = item->usable;
	rig_hop(rig, item->side, item->slot)->flags = item->usable ? SG_NEXTHOP_USABLE : 0;
}

static struct frame_spec frame_of(const struct model_packet *packet)
{
	return (struct frame_spec){
		.eth_dst = {2, 0, 0, 0, 0, 1},
		.eth_src = {2, 0, 0, 0, 0, 2},
		.src = packet->source,
		.dst = packet->local,
		.ttl = 64,
		.fragment = FRAME_DF,
		.payload = packet->payload,
		.length = packet->length,
	};
}

static bool is_same(const struct frame *got, const struct frame_spec *spec)
{
	struct frame wanted;

	frame_build(&wanted, spec);
	return got->length == wanted.length && !memcmp(got->data, wanted.data, wanted.length);
}

/* Does the kernel forward as the model wants? */
static bool forwards(struct rig *rig, const struct model_packet *packet,
		     const struct model_verdict *verdict, const struct frame_spec *spec)
{
	unsigned component = packet->component == SG_RTCP ? SG_RTCP : SG_RTP;
	bool several = (verdict->copies & (verdict->copies - 1)) != 0;
	struct frame in, out, copy;

	frame_build(&in, spec);
	if (kernel_run(rig->kernel->main_fd, &in, &out) != (several ? XDP_REDIRECT : XDP_TX))
		return false;
	for (unsigned slot = 0; slot < SG_PATH_SLOTS; slot++) {
		struct frame_spec expected;

		if (!(verdict->copies >> slot & 1))
			continue;
		expected = rig_expected(rig, spec, packet->side, slot, component);
		if (!several)
			return is_same(&out, &expected);
		if (copies_leave(rig, &out, KERNEL_LOOPBACK, &copy) != XDP_PASS ||
		    !is_same(&copy, &expected))
			return false;
	}
	return copies_leave(rig, &out, KERNEL_LOOPBACK, &copy) == XDP_DROP;
}

/* Reasons counted beside this one (of copies that could not leave) are not looked at. */
static bool ends(struct rig *rig, const struct model_verdict *verdict,
		 const struct frame_spec *spec)
{
	uint64_t before = kernel_drops(rig->kernel, verdict->reason);
	struct frame in, out;
	int action;

	frame_build(&in, spec);
	action = kernel_run(rig->kernel->main_fd, &in, &out);
	return action == (verdict->reason == SG_NOT_MEDIA ? XDP_PASS : XDP_DROP) &&
	       kernel_drops(rig->kernel, verdict->reason) > before;
}

static void check(struct rig *rig, struct recent *recent, const struct generator_item *item)
{
	struct model_verdict verdict;
	struct frame_spec spec = frame_of(&item->packet);
	struct recent_packet packet = {.time_ns = item->packet.time_ns, .side = item->packet.side};
	bool agrees;

	model_decide(&rig->stream, &item->packet, &verdict);
	packet.path = verdict.path;
	packet.ssrc = verdict.ssrc;
	packet.sequence = verdict.sequence;
	packet.wanted = verdict.reason;
	if (verdict.reason == SG_NONE)
		agrees = forwards(rig, &item->packet, &verdict, &spec);
	else
		agrees = ends(rig, &verdict, &spec);
	packet.got = agrees ? packet.wanted : 0xffff;
	recent_add(recent, &packet);
	if (agrees)
		return;
	recent_print(recent);
	fail_msg("model and kernel differ at packet %" PRIu64 ": reason %d, copies 0x%x",
		 recent->count, verdict.reason, verdict.copies);
}

static void agree(struct rig *rig, uint64_t seed, unsigned window, uint64_t restart_ns, bool mux)
{
	struct generator_options options = {
		.seed = seed,
		/* The generator aims at the edges of the times that the RFC has. */
		.params = {window, SG_RESET_NS_DEFAULT, SG_RESTART_NS_DEFAULT},
		.admission = true,
		.mux = mux,
		.ssrcs = SG_SSRCS,
	};
	struct generator *generator = calloc(1, sizeof(*generator));
	static const enum kernel_nic nics[SG_PATHS] = {KERNEL_LOOPBACK, KERNEL_LOOPBACK,
						       KERNEL_LOOPBACK, KERNEL_LOOPBACK};
	struct recent recent = {.count = 0};
	static struct generator_item item;

	generator_init(generator, &options);
	generator_stream(generator, &rig->stream);
	rig->stream.params = (struct model_params){window, RIG_NEVER_NS, restart_ns};
	rig->mux = mux;
	rig_install(rig);
	for (unsigned count = 2; count <= SG_PATHS; count++)
		rig_fanout(rig, nics, count);
	while (recent.count < PACKETS) {
		generator_next(generator, &item);
		if (item.kind == GENERATOR_PACKET)
			check(rig, &recent, &item);
		else
			apply(rig, &item);
	}
	free(generator);
}

static void without_restarts(void **state)
{
	agree(*state, 101, 1024, RIG_NEVER_NS, false);
}

static void with_restarts_at_once(void **state)
{
	agree(*state, 102, 1024, 0, false);
}

static void with_mux_and_a_small_window(void **state)
{
	agree(*state, 103, 64, 0, true);
}

#define T(test) cmocka_unit_test_setup(test, rig_reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(without_restarts),
		T(with_restarts_at_once),
		T(with_mux_and_a_small_window),
	};

	return cmocka_run_group_tests_name("kernel and model", tests, rig_setup, rig_teardown);
}
