// SPDX-License-Identifier: BSD-2-Clause
/*
 * Credentials and challenges of any text: nothing outside is read, and nobody gets in by chance.
 * The fuzzer writes the value of the header.
 */
#include <errno.h>
#include <string.h>

#include "fuzz.h"

#include "sip/digest.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct digest *digest; /* libFuzzer has no other place for what lasts */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static char realm[] = "r";
	const struct digest_config config = {.realm = realm};

	(void)argc;
	(void)argv;
	FUZZ_ASSERT(!digest_alloc(&digest, &config, NULL));
	return 0;
}

static bool lookup(void *context, struct str user, struct digest_ha1 *out)
{
	(void)context;
	memset(out, 'a', sizeof(*out));
	out->hex[DIGEST_SHA256][DIGEST_HEX_LEN - 1] = '\0';
	out->hex[DIGEST_MD5][32] = '\0';
	return user.n == 1;
}

static struct sip_message *message_with(const char *start, const char *name, struct str value)
{
	const struct sip_flow flow = {.proto = SIP_TCP};
	struct buf text = BUF_EMPTY;
	struct sip_message *message;
	struct sip_verdict verdict;

	buf_addf(&text,
		 "%s\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:a@x>\r\nCall-ID: 1"
		 "\r\nCSeq: 2 REGISTER\r\n%s: ",
		 start, name);
	buf_add(&text, value);
	buf_add(&text, STR("\r\n\r\n"));
	sip_message_parse(&message, &flow, buf_str(&text), &verdict);
	buf_free(&text);
	return message;
}

static void check(struct str value)
{
	struct sip_message *request =
		message_with("REGISTER sip:r SIP/2.0", "Authorization", value);
	struct str user = STR_NONE;

	if (!request)
		return;
	FUZZ_ASSERT(digest_check(digest, request, false, lookup, NULL, &user) != DIGEST_GOOD);
	FUZZ_ASSERT(!user.p);
	sip_message_unref(request);
}

/* What we answer is credentials that we read. */
static void answer(struct str value)
{
	const struct digest_credentials credentials = {"a", "b"};
	struct sip_message *challenge = message_with("SIP/2.0 401 X", "WWW-Authenticate", value);
	struct buf out = BUF_EMPTY;
	int ret;

	if (!challenge)
		return;
	ret = digest_answer(&out, challenge, &credentials, STR("REGISTER"), STR("sip:r"), 1);
	FUZZ_ASSERT(ret == 0 || ret == -EOPNOTSUPP);
	FUZZ_ASSERT(ret || str_starts(buf_str(&out), STR("Authorization: Digest username=\"a\"")));
	if (!ret)
		check((struct str){out.data + strlen("Authorization: "),
				   out.len - strlen("Authorization: \r\n")});
	buf_free(&out);
	sip_message_unref(challenge);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct str value = {(const char *)data, size};

	check(value);
	answer(value);
	return 0;
}
