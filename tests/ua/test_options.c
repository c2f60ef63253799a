// SPDX-License-Identifier: BSD-2-Clause
/* The command line: what it is read as, and what is refused, with a sentence. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "options.h"

#define WORDS 24

static int parse(struct ua_options *options, const char *line, struct error *err)
{
	char *words[WORDS] = {(char[]){"segue-ua"}}, *copy = strdup(line), *save = NULL;
	int count = 1, ret;

	assert_non_null(copy);
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
		words[count++] = word;
	ret = ua_options_parse(options, count, words, err);
	/* Operands point into the words, as they do into argv. */
	if (ret)
		ua_options_free(options);
	else
		assert_true(!options->callee || strlen(options->callee));
	free(copy);
	return ret;
}

static void networks_have_names_addresses_and_devices(void **state)
{
	struct ua_options options;
	char text[NETADDR_STRLEN];

	(void)state;
	assert_int_equal(
		parse(&options, "--via wlan=10.1.0.2%wlan0 --via umts=2001:db8::2 answer", NULL),
		0);
	assert_int_equal(options.networks, 2);
	assert_int_equal(options.mode, UA_ANSWER);
	assert_string_equal(options.network[0].name, "wlan");
	assert_string_equal(options.network[0].device, "wlan0");
	assert_string_equal(netaddr_format_host(&options.network[0].address, text), "10.1.0.2");
	assert_string_equal(options.network[1].device, "");
	assert_string_equal(netaddr_format_host(&options.network[1].address, text), "2001:db8::2");
	ua_options_free(&options);
}

static void a_network_may_have_a_proxy_of_its_own(void **state)
{
	struct ua_options options;
	char text[NETADDR_STRLEN];

	(void)state;
	assert_int_equal(
		parse(&options,
		      "--via a=10.1.0.2%wlan0@10.1.0.1 --via b=fd00::2@[fd00::1]:5070 --via "
		      "c=10.0.0.1 answer",
		      NULL),
		0);
	assert_string_equal(netaddr_format(&options.network[0].proxy, text), "10.1.0.1:5060");
	assert_string_equal(options.network[0].device, "wlan0");
	assert_string_equal(netaddr_format(&options.network[1].proxy, text), "[fd00::1]:5070");
	assert_int_equal(options.network[2].proxy.port, 0);
	ua_options_free(&options);
}

static void the_rest_has_sensible_values(void **state)
{
	struct ua_options options;

	(void)state;
	assert_int_equal(parse(&options, "--via a=10.0.0.1 answer", NULL), 0);
	assert_int_equal(options.expires, 300);
	assert_int_equal(options.scheme, UA_HANDOVER);
	assert_int_equal(options.good, 25);
	assert_int_equal(options.sequence, -1);
	assert_false(options.follow);
	ua_options_free(&options);
	assert_int_equal(parse(&options,
			       "--via a=10.0.0.1 --scheme reregister --parallel --follow --good 3 "
			       "--sequence 0 --log debug --nameserver 10.0.0.9 answer",
			       NULL),
			 0);
	assert_int_equal(options.scheme, UA_REREGISTER);
	assert_true(options.parallel && options.follow);
	assert_int_equal(options.good, 3);
	assert_int_equal(options.sequence, 0);
	assert_int_equal(options.nameserver->port, 53);
	ua_options_free(&options);
}

struct refusal {
	const char *line, *says;
};

static const struct refusal refusals[] = {
	{"", "wants register, call URI, or answer; see --help"},
	{"--via a=10.0.0.1", "wants register, call URI, or answer; see --help"},
	{"--via a=10.0.0.1 call", "wants register, call URI, or answer; see --help"},
	{"--via a=10.0.0.1 answer now", "wants register, call URI, or answer; see --help"},
	{"answer", "no network: --via NAME=ADDRESS"},
	{"--via 10.0.0.1 answer", "--via wants NAME=ADDRESS[%DEVICE][@PROXY], not \"10.0.0.1\""},
	{"--via a=1.1.1.1@x answer",
	 "--via wants NAME=ADDRESS[%DEVICE][@PROXY], not \"a=1.1.1.1@x\""},
	{"--via a=b answer", "--via wants NAME=ADDRESS[%DEVICE][@PROXY], not \"a=b\""},
	{"--via a-name-that-is-too-long=10.0.0.1 answer",
	 "--via wants NAME=ADDRESS[%DEVICE][@PROXY], not \"a-name-that-is-too-long=10.0.0.1\""},
	{"--via a=1.1.1.1 --via a=1.1.1.1 --via a=1.1.1.1 --via a=1.1.1.1 --via a=1.1.1.1 answer",
	 "more than 4 networks"},
	{"--via a=10.0.0.1 register", "register wants --aor, and --expires above 0"},
	{"--via a=10.0.0.1 --scheme backup answer", "the scheme backup wants --backup NAME"},
	{"--via a=10.0.0.1 --scheme luck answer", "\"luck\" is no scheme"},
	{"--via a=10.0.0.1 --rtp-port 5005 answer", "--rtp-port wants an even number"},
	{"--via a=10.0.0.1 --refuse 200 answer", "\"200\" is no number from 300 to 699"},
	{"--via a=10.0.0.1 --good x answer", "\"x\" is no number from 1 to 10000"},
	{"--via a=10.0.0.1 --log loud answer", "\"loud\" is no level"},
	{"--via a=10.0.0.1 --nameserver x answer", "\"x\" is no address"},
	{"--nonsense answer", "--nonsense: unknown, or without its value; see --help"},
	{"--via a=10.0.0.1 --password-file /nonexistent/p answer",
	 "/nonexistent/p: No such file or directory"},
};

static void says_what_is_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct ua_options options;
		struct error err = {""};

		if (!parse(&options, refusals[i].line, &err))
			fail_msg("taken: %s", refusals[i].line);
		assert_string_equal(err.text, refusals[i].says);
	}
}

static void the_password_may_be_in_the_environment(void **state)
{
	struct ua_options options;

	(void)state;
	setenv("SEGUE_UA_PASSWORD", "secret", 1);
	assert_int_equal(parse(&options, "--via a=10.0.0.1 answer", NULL), 0);
	unsetenv("SEGUE_UA_PASSWORD");
	assert_string_equal(options.password, "secret");
	ua_options_free(&options);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(networks_have_names_addresses_and_devices),
		cmocka_unit_test(a_network_may_have_a_proxy_of_its_own),
		cmocka_unit_test(the_rest_has_sensible_values),
		cmocka_unit_test(says_what_is_wrong),
		cmocka_unit_test(the_password_may_be_in_the_environment),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
