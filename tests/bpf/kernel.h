/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The programs of bpf/, loaded for BPF_PROG_TEST_RUN: nothing is pinned, the maps are small, and
 * everything happens in a network namespace of this process. Loading needs root.
 */
#ifndef SEGUE_TESTS_KERNEL_H
#define SEGUE_TESTS_KERNEL_H

#include <linux/bpf.h>

#include <segue/abi.h>

#include "frame.h"

struct bpf_object;
struct bpf_map;

#define KERNEL_CAPACITY 8u     /* streams */
#define KERNEL_ADDRESSES 8u    /* slots of sg_address that have ports here */
#define KERNEL_META_ALWAYS 32u /* bytes of metadata that every kernel takes */

/*
 * NIC slots. egress_test.bpf.o plays the NIC of slot 0, so no next hop uses that one. Test packets
 * arrive on loopback, so what leaves there is a hairpin.
 */
enum kernel_nic {
	KERNEL_PLAYED = 0,
	KERNEL_LOOPBACK = 1,
	KERNEL_VETH = 2,
	KERNEL_OTHER_VETH = 3,
	KERNEL_NICS
};

struct kernel {
	struct bpf_object *main, *egress;
	int main_fd, egress_fd;
	struct sg_meta *meta; /* mapped */
	struct sg_address *address;
	uint64_t *port;
	struct sg_stream *stream;
	struct sg_path *path;
	struct sg_nexthop *nexthop;
	struct sg_path_stat *stat;
	struct sg_path_rare *rare;
	uint32_t ifindex[KERNEL_NICS];
};

/*
 * Loads an object of build/bpf without pins and with small maps; maps that `shared` (or NULL) has
 * too are taken from there. Ends the test program if that fails.
 */
struct bpf_object *kernel_load(const char *file, struct bpf_object *shared);
/* Descriptor of an object's only program, or of a map by its name without version. */
int kernel_program(const struct bpf_object *object);
int kernel_object_map(const struct bpf_object *object, const char *name);

/*
 * Loads segue.bpf.o and egress_test.bpf.o from build/bpf, sharing their maps, and makes the
 * namespace. Ends the test program if that fails. One per process.
 */
struct kernel *kernel_open(void);
void kernel_close(struct kernel *kernel);

/* Descriptor of a map by its name without version ("sg_drop"). */
int kernel_map(const struct kernel *kernel, const char *name);

/* Runs a program once on a frame; *out (may be `in`) is the frame afterwards. The XDP action. */
int kernel_run(int program_fd, const struct frame *in, struct frame *out);
/*
 * The same, with so many bytes of metadata in front of the frame, as a driver may leave them.
 * -EINVAL where this kernel's test runs take no more than KERNEL_META_ALWAYS (6.1 does not).
 */
int kernel_run_meta(int program_fd, const struct frame *in, size_t meta, struct frame *out);

/* Sum over CPUs of sg_drop for a reason. */
uint64_t kernel_drops(const struct kernel *kernel, enum sg_reason reason);

/* Instructions that the verifier looked at to accept a program; 0 if the kernel does not say. */
uint32_t kernel_verified(int program_fd);

#endif
