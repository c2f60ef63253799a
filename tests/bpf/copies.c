/* SPDX-License-Identifier: BSD-2-Clause */
#include "copies.h"

#include "../model/tap.h"

void copies_stamp(struct rig *rig, const struct frame_spec *spec, struct frame *stamped)
{
	struct frame in;

	frame_build(&in, spec);
	assert_int_equal(kernel_run(rig->kernel->main_fd, &in, stamped), XDP_REDIRECT);
	/* Only the Ethernet addresses hold the stamp: a clone that loses its program is harmless.
	 */
	assert_int_equal(stamped->length, in.length);
	assert_memory_equal(stamped->data + 12, in.data + 12, in.length - 12);
}

int copies_leave(struct rig *rig, const struct frame *stamped, enum kernel_nic nic,
		 struct frame *out)
{
	rig->kernel->meta->nic[KERNEL_PLAYED] = rig->kernel->ifindex[nic];
	return kernel_run(rig->kernel->egress_fd, stamped, out);
}

void copies_check(struct rig *rig, const struct frame_spec *spec, unsigned side, uint32_t mask)
{
	struct frame stamped, out, wanted;
	enum kernel_nic last = KERNEL_LOOPBACK;

	copies_stamp(rig, spec, &stamped);
	for (unsigned slot = 0; slot < SG_PATH_SLOTS; slot++) {
		struct frame_spec expected, read;

		if (!(mask >> slot & 1))
			continue;
		last = rig_hop(rig, !side, slot)->nic;
		expected = rig_expected(rig, spec, side, slot, SG_RTP);
		assert_int_equal(copies_leave(rig, &stamped, last, &out), XDP_PASS);
		frame_build(&wanted, &expected);
		assert_null(frame_read(&out, &read));
		rig_same_frame(&out, &wanted);
	}
	assert_int_equal(copies_leave(rig, &stamped, last, &out), XDP_DROP);
}
