// SPDX-License-Identifier: BSD-2-Clause
/* An algorithm for which memory is missing is not taken for one that this machine lacks. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <unistd.h>

#include "oom_libraries.h"
#include "sip/digest_hash.h"

enum { WHOLE, REFUSED, TAKEN_FOR_MISSING, FREE = 8 };

/* In a process of its own, since what was found once is kept. */
static int in_child(unsigned n)
{
	struct digest_hash hash;
	int status, ret;
	pid_t child = fork();

	assert_true(child >= 0);
	if (!child) {
		signal(SIGSEGV, SIG_DFL);
		oom_arm(n);
		ret = digest_hash_init(&hash, DIGEST_SHA256);
		status = oom_disarm() ? 0 : FREE;
		if (ret)
			status |= REFUSED;
		else if (!digest_hash_there(&hash))
			status |= TAKEN_FOR_MISSING;
		_exit(status);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (!WIFEXITED(status))
		fail_msg("allocation %u: signal %d", n, WTERMSIG(status));
	return WEXITSTATUS(status);
}

static void each_allocation(void **state)
{
	EVP_MD *other = EVP_MD_fetch(NULL, "SHA1", NULL); /* OpenSSL has begun, as at a start */
	unsigned n = 0, refused = 0;
	int said;

	(void)state;
	assert_non_null(other);
	do {
		said = in_child(++n);
		if (said & TAKEN_FOR_MISSING)
			fail_msg("allocation %u", n);
		refused += said == REFUSED;
	} while (!(said & FREE));
	EVP_MD_free(other);
	assert_int_equal(said, FREE | WHOLE);
	assert_in_range(refused, 1, n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_allocation)};

	if (!oom_reach_libraries())
		return 1;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("memory of digests", tests, NULL, NULL);
}
