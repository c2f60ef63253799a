/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

static void die(const char *what, const char *of)
{
	printf("Bail out! %s %s: %s\n", what, of, strerror(errno));
	exit(1);
}

/* A verifier's log is megabytes: its end says why. */
static int print_end(enum libbpf_print_level level, const char *format, va_list arguments)
{
	char *text = NULL;
	int length = level == LIBBPF_WARN ? vasprintf(&text, format, arguments) : -1;

	if (length >= 0) {
		fputs(length > 2000 ? text + length - 2000 : text, stderr);
		free(text);
	}
	return 0;
}

struct size {
	const char *name;
	uint32_t entries;
};

static const struct size sizes[] = {
	{"sg_port_" SG_MAP_VERSION, KERNEL_ADDRESSES *SG_PORTS_PER_ADDRESS},
	{"sg_stream_" SG_MAP_VERSION, KERNEL_CAPACITY},
	{"sg_record_" SG_MAP_VERSION, KERNEL_CAPACITY},
	{"sg_history_" SG_MAP_VERSION, KERNEL_CAPACITY *SG_SIDES},
	{"sg_path_" SG_MAP_VERSION, KERNEL_CAPACITY *SG_SIDES *SG_PATH_SLOTS},
	{"sg_path_stat_" SG_MAP_VERSION, KERNEL_CAPACITY *SG_SIDES *SG_PATH_SLOTS},
	{"sg_path_rare_" SG_MAP_VERSION, KERNEL_CAPACITY *SG_SIDES *SG_PATH_SLOTS},
};

static void shrink(struct bpf_map *map)
{
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (strcmp(bpf_map__name(map), sizes[i].name) == 0)
			bpf_map__set_max_entries(map, sizes[i].entries);
	}
}

struct bpf_object *kernel_load(const char *file, struct bpf_object *shared)
{
	struct bpf_object *object;
	struct bpf_map *map;

	if (geteuid() != 0) {
		printf("Bail out! loading kernel programs needs root: sudo make check\n");
		exit(1);
	}
	libbpf_set_print(print_end);
	object = bpf_object__open_file(file, NULL);
	if (!object)
		die("open", file);
	bpf_object__for_each_map(map, object)
	{
		struct bpf_map *other = NULL;

		bpf_map__set_pin_path(map, NULL);
		shrink(map);
		if (shared)
			other = bpf_object__find_map_by_name(shared, bpf_map__name(map));
		if (other && bpf_map__reuse_fd(map, bpf_map__fd(other)))
			die("share a map of", file);
	}
	if (bpf_object__load(object))
		die("load", file);
	return object;
}

int kernel_program(const struct bpf_object *object)
{
	struct bpf_program *program = bpf_object__next_program(object, NULL);

	if (!program)
		die("no program in", bpf_object__name(object));
	return bpf_program__fd(program);
}

int kernel_object_map(const struct bpf_object *object, const char *name)
{
	char full[64];
	int fd;

	snprintf(full, sizeof(full), "%s_" SG_MAP_VERSION, name);
	fd = bpf_object__find_map_fd_by_name(object, full);
	if (fd < 0)
		die("no map", full);
	return fd;
}

int kernel_map(const struct kernel *kernel, const char *name)
{
	return kernel_object_map(kernel->main, name);
}

static void *map_memory(const struct kernel *kernel, const char *name)
{
	struct bpf_map_info info = {0};
	uint32_t length = sizeof(info);
	int fd = kernel_map(kernel, name);
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size;
	void *memory;

	if (bpf_obj_get_info_by_fd(fd, &info, &length))
		die("map info of", name);
	size = (((size_t)info.value_size + 7) & ~(size_t)7) * info.max_entries;
	size = (size + page - 1) / page * page;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		die("mmap", name);
	return memory;
}

static void make_nics(struct kernel *kernel)
{
	cpu_set_t one;

	/* Copies are told apart per CPU, and counters have an owner. */
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof(one), &one);
	if (unshare(CLONE_NEWNET))
		die("unshare", "the network namespace");
	if (system("ip link set lo up && ip link add sgt0 type veth peer name sgt1"))
		die("ip link add", "sgt0");
	kernel->ifindex[KERNEL_LOOPBACK] = if_nametoindex("lo");
	kernel->ifindex[KERNEL_VETH] = if_nametoindex("sgt0");
	kernel->ifindex[KERNEL_OTHER_VETH] = if_nametoindex("sgt1");
}

struct kernel *kernel_open(void)
{
	struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	struct kernel *kernel = calloc(1, sizeof(*kernel));

	if (!kernel)
		die("memory for", "the harness");
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	make_nics(kernel);
	kernel->main = kernel_load("build/bpf/segue.bpf.o", NULL);
	kernel->egress = kernel_load("build/bpf/egress_test.bpf.o", kernel->main);
	kernel->main_fd = kernel_program(kernel->main);
	kernel->egress_fd = kernel_program(kernel->egress);
	kernel->meta = map_memory(kernel, "sg_meta");
	kernel->address = map_memory(kernel, "sg_address");
	kernel->port = map_memory(kernel, "sg_port");
	kernel->stream = map_memory(kernel, "sg_stream");
	kernel->path = map_memory(kernel, "sg_path");
	kernel->nexthop = map_memory(kernel, "sg_nexthop");
	kernel->stat = map_memory(kernel, "sg_path_stat");
	kernel->rare = map_memory(kernel, "sg_path_rare");
	return kernel;
}

void kernel_close(struct kernel *kernel)
{
	bpf_object__close(kernel->egress);
	bpf_object__close(kernel->main);
	free(kernel);
}

int kernel_run(int fd, const struct frame *in, struct frame *out)
{
	uint8_t data[FRAME_MAX];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in->data, .data_size_in = (__u32)in->length,
		    .data_out = data, .data_size_out = sizeof(data), .repeat = 1);

	if (bpf_prog_test_run_opts(fd, &opts))
		die("test run of", "a program");
	memcpy(out->data, data, opts.data_size_out);
	out->length = opts.data_size_out;
	return (int)opts.retval;
}

/* The metadata comes back before the frame, wherever the program moved that. */
int kernel_run_meta(int fd, const struct frame *in, size_t meta, struct frame *out)
{
	uint8_t data[FRAME_MAX + 256] = {0}, after[FRAME_MAX + 256];
	struct xdp_md before = {.data = (__u32)meta, .data_end = (__u32)(meta + in->length)};
	struct xdp_md behind = {0};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = data,
		    .data_size_in = (__u32)(meta + in->length), .data_out = after,
		    .data_size_out = sizeof(after), .ctx_in = &before,
		    .ctx_size_in = sizeof(before), .ctx_out = &behind,
		    .ctx_size_out = sizeof(behind), .repeat = 1);

	memcpy(data + meta, in->data, in->length);
	if (bpf_prog_test_run_opts(fd, &opts)) {
		if (errno == EINVAL && meta > KERNEL_META_ALWAYS)
			return -EINVAL;
		die("test run of", "a program with metadata");
	}
	out->length = opts.data_size_out - behind.data;
	memcpy(out->data, after + behind.data, out->length);
	return (int)opts.retval;
}

uint64_t kernel_drops(const struct kernel *kernel, enum sg_reason reason)
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t values[cpus], sum = 0;
	uint32_t key = reason;

	if (bpf_map_lookup_elem(kernel_map(kernel, "sg_drop"), &key, values))
		die("read", "sg_drop");
	for (int i = 0; i < cpus; i++)
		sum += values[i];
	return sum;
}

uint32_t kernel_verified(int fd)
{
	struct bpf_prog_info info = {0};
	uint32_t length = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &length) ? 0 : info.verified_insns;
}
