/* SPDX-License-Identifier: BSD-2-Clause */
#include "window_program.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>

#include "../model/tap.h"
#include "kernel.h"

void window_program_open(struct window_program *program)
{
	program->object = kernel_load("build/bpf/window_test.bpf.o", NULL);
	program->fd = kernel_program(program->object);
}

void window_program_close(struct window_program *program)
{
	bpf_object__close(program->object);
}

void window_program_reset(const struct window_program *program,
			  const struct sg_window_params *params)
{
	static const struct sg_window_rings no_history;
	static const struct sg_path_stat no_window;
	struct sg_meta meta = {
		.magic = SG_MAGIC,
		.abi = SG_ABI_VERSION,
		.window = params->window,
		.capacity = KERNEL_CAPACITY,
		.reset_ns = params->reset_ns,
		.restart_ns = params->restart_ns,
	};
	uint32_t zero = 0;
	int failed =
		bpf_map_update_elem(kernel_object_map(program->object, "sg_meta"), &zero, &meta, 0);

	failed |= bpf_map_update_elem(kernel_object_map(program->object, "sg_history"), &zero,
				      &no_history, 0);
	for (uint32_t slot = 0; slot < SG_SSRCS; slot++) {
		uint32_t index = sg_path_index(KERNEL_CAPACITY, 0, 0, slot);

		failed |= bpf_map_update_elem(kernel_object_map(program->object, "sg_path_stat"),
					      &index, &no_window, 0);
	}
	assert_int_equal(failed, 0);
}

void window_program_ask(const struct window_program *program, struct window_record *records,
			unsigned count)
{
	__u32 size = count * (__u32)sizeof(*records);
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = records, .data_size_in = size,
		    .data_out = records, .data_size_out = size, .repeat = 1);

	assert_int_equal(bpf_prog_test_run_opts(program->fd, &opts), 0);
	assert_int_equal(opts.retval, XDP_PASS);
}
