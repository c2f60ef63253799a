// SPDX-License-Identifier: BSD-2-Clause
/* Verifier headroom: a program near the limit of one million breaks with the next kernel. */
#include <bpf/libbpf.h>

#include "../model/tap.h"
#include "kernel.h"

#define LIMIT 700000u

static void below_the_limit(const char *file)
{
	struct bpf_object *object = kernel_load(file, NULL);
	struct bpf_program *program;

	bpf_object__for_each_program(program, object)
	{
		uint32_t verified = kernel_verified(bpf_program__fd(program));

		diag("%s: %u instructions verified, limit %u", bpf_program__name(program), verified,
		     LIMIT);
		assert_in_range(verified, 1, LIMIT);
	}
	bpf_object__close(object);
}

static void ingress(void **state)
{
	(void)state;
	below_the_limit("build/bpf/segue.bpf.o");
}

static void egress(void **state)
{
	(void)state;
	below_the_limit("build/bpf/egress.bpf.o");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ingress),
		cmocka_unit_test(egress),
	};

	return cmocka_run_group_tests_name("verifier complexity", tests, NULL, NULL);
}
