// SPDX-License-Identifier: BSD-2-Clause
/* Digest authentication, both sides of it (RFC 3261 22, RFC 7616, RFC 8760). */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "sip/digest.h"
#include "sip/digest_fields.h"
#include "sip/digest_hash.h"
#include "sip/digest_nonce.h"
#include "wire.h"

static char realm[] = "example.net";

struct fixture {
	struct digest *digest;
	struct digest_config config;
	unsigned lookups;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->config = (struct digest_config){.realm = realm};
	memset(f->config.secret, 7, sizeof(f->config.secret));
	assert_int_equal(digest_alloc(&f->digest, &f->config, NULL), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	digest_free(f->digest);
	free(f);
	return 0;
}

static bool lookup(void *context, struct str user, struct digest_ha1 *out)
{
	struct fixture *f = context;

	f->lookups++;
	if (!str_eq(user, STR("alice")))
		return false;
	assert_int_equal(digest_ha1(out, user, str_of(realm), STR("secret")), 0);
	return true;
}

/* A 401 (or 407) of ours as the client sees it; `keep`: only the n-th challenge, from 1. */
static struct sip_message *challenge(struct fixture *f, bool proxy, unsigned keep)
{
	struct buf lines = BUF_EMPTY, text = BUF_EMPTY;
	struct sip_message *message;
	struct sip_verdict verdict;
	const struct sip_flow flow = wire_flow();
	struct str rest, line;

	digest_challenge(f->digest, &lines, proxy, false);
	assert_int_equal(buf_error(&lines), 0);
	buf_addf(&text,
		 "SIP/2.0 %d X\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:alice@x>;tag=1\r\n"
		 "To: <sip:alice@x>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\n",
		 proxy ? 407 : 401);
	rest = buf_str(&lines);
	for (unsigned i = 1; str_split(&rest, '\n', &line); i++) {
		if (!keep || i == keep)
			buf_addf(&text, "%.*s\n", STR_ARG(line));
	}
	buf_add(&text, STR("\r\n"));
	assert_int_equal(sip_message_parse(&message, &flow, buf_str(&text), &verdict), 0);
	buf_free(&lines);
	buf_free(&text);
	return message;
}

static struct sip_message *request_with(struct str header)
{
	struct buf text = BUF_EMPTY;
	struct sip_message *message;
	struct sip_verdict verdict;
	const struct sip_flow flow = wire_flow();

	buf_add(&text, STR("REGISTER sip:example.net SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n"
			   "From: <sip:alice@x>;tag=1\r\nTo: <sip:alice@x>\r\nCall-ID: 1\r\n"
			   "CSeq: 2 REGISTER\r\n"));
	buf_add(&text, header);
	buf_add(&text, STR("\r\n"));
	assert_int_equal(sip_message_parse(&message, &flow, buf_str(&text), &verdict), 0);
	buf_free(&text);
	return message;
}

static struct sip_message *answer(const struct sip_message *challenged, const char *user,
				  const char *password, uint32_t count)
{
	const struct digest_credentials credentials = {user, password};
	struct buf header = BUF_EMPTY;
	struct sip_message *message;

	assert_int_equal(digest_answer(&header, challenged, &credentials, STR("REGISTER"),
				       STR("sip:example.net"), count),
			 0);
	message = request_with(buf_str(&header));
	buf_free(&header);
	return message;
}

static enum digest_outcome check(struct fixture *f, const struct sip_message *request, bool proxy)
{
	struct str user = STR_NONE;
	enum digest_outcome outcome = digest_check(f->digest, request, proxy, lookup, f, &user);

	if (outcome == DIGEST_GOOD)
		assert_str(user, "alice");
	else
		assert_null(user.p);
	return outcome;
}

static void the_rfc_has_the_same_responses(void **state)
{
	static const struct {
		enum digest_algorithm algorithm;
		const char *response;
	} wanted[] = {{DIGEST_MD5, "8ca523f5e9506fed4657c9700eebdbec"},
		      {DIGEST_SHA256,
		       "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"}};
	const struct digest_proof proof = {STR("GET"),
					   STR("/dir/index.html"),
					   STR("7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"),
					   STR("00000001"),
					   STR("f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"),
					   STR("auth")};
	struct digest_ha1 ha1;

	(void)state;
	assert_int_equal(digest_ha1(&ha1, STR("Mufasa"), STR("http-auth@example.org"),
				    STR("Circle of Life")),
			 0);
	for (size_t i = 0; i < 2; i++) { /* RFC 7616 3.9.1 */
		struct digest_hash hash;
		char hex[DIGEST_HEX_LEN];

		assert_int_equal(digest_hash_init(&hash, wanted[i].algorithm), 0);
		assert_int_equal(digest_response(&hash, ha1.hex[wanted[i].algorithm], &proof, hex),
				 0);
		assert_string_equal(hex, wanted[i].response);
		digest_hash_free(&hash);
	}
}

static void challenges_come_in_order(void **state)
{
	struct fixture *f = *state;
	struct sip_message *m = challenge(f, false, 0);
	struct digest_fields one, two;

	assert_int_equal(digest_fields_parse(&one, sip_header(m, "WWW-Authenticate", 0)), 0);
	assert_int_equal(digest_fields_parse(&two, sip_header(m, "WWW-Authenticate", 1)), 0);
	assert_str(one.field[DIGEST_ALGORITHM], "SHA-256");
	assert_str(two.field[DIGEST_ALGORITHM], "MD5");
	assert_str(one.field[DIGEST_REALM], realm);
	assert_str(one.field[DIGEST_QOP], "auth");
	assert_str(two.field[DIGEST_QOP], "auth");
	assert_null(sip_header(m, "WWW-Authenticate", 2).p);
	sip_message_unref(m);
	digest_free(f->digest);
	f->config.order[0] = DIGEST_MD5;
	f->config.algorithms = 1;
	assert_int_equal(digest_alloc(&f->digest, &f->config, NULL), 0);
	m = challenge(f, true, 0);
	assert_int_equal(digest_fields_parse(&one, sip_header(m, "Proxy-Authenticate", 0)), 0);
	assert_str(one.field[DIGEST_ALGORITHM], "MD5");
	assert_null(sip_header(m, "Proxy-Authenticate", 1).p);
	sip_message_unref(m);
}

static void the_right_password_is_good(void **state)
{
	struct fixture *f = *state;

	for (unsigned proxy = 0; proxy < 2; proxy++) {
		for (unsigned keep = 0; keep < 3; keep++) { /* both, SHA-256, MD5 */
			struct sip_message *c = challenge(f, proxy, keep);
			struct sip_message *m = answer(c, "alice", "secret", 1);

			assert_int_equal(check(f, m, proxy), DIGEST_GOOD);
			assert_int_equal(check(f, m, !proxy), DIGEST_MISSING);
			sip_message_unref(m);
			sip_message_unref(c);
		}
	}
}

static void wrong_and_unknown_are_the_same(void **state)
{
	struct fixture *f = *state;
	struct sip_message *c = challenge(f, false, 0);
	struct sip_message *wrong = answer(c, "alice", "guess", 1);
	struct sip_message *unknown = answer(c, "mallory", "secret", 1);

	assert_int_equal(check(f, wrong, false), DIGEST_WRONG);
	assert_int_equal(check(f, unknown, false), DIGEST_WRONG);
	assert_int_equal(f->lookups, 2);
	sip_message_unref(wrong);
	sip_message_unref(unknown);
	sip_message_unref(c);
}

static void counts_are_used_once(void **state)
{
	static const struct {
		uint32_t count;
		enum digest_outcome wanted;
	} steps[] = {{1, DIGEST_GOOD},	  {1, DIGEST_WRONG},   {3, DIGEST_GOOD},
		     {2, DIGEST_GOOD}, /* overtaken on the way */
		     {2, DIGEST_WRONG},	  {200, DIGEST_GOOD},  {137, DIGEST_GOOD},
		     {136, DIGEST_WRONG}, {137, DIGEST_WRONG}, {4294967295u, DIGEST_GOOD}};
	struct fixture *f = *state;
	struct sip_message *c = challenge(f, false, 0);

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct sip_message *m = answer(c, "alice", "secret", steps[i].count);

		assert_int_equal(check(f, m, false), steps[i].wanted);
		sip_message_unref(m);
	}
	sip_message_unref(c);
}

/* Room for four: the fifth pushes the first out, which then is stale and not to be replayed. */
static void what_was_forgotten_cannot_be_replayed(void **state)
{
	struct fixture *f = *state;
	struct sip_message *first = challenge(f, false, 0),
			   *m = answer(first, "alice", "secret", 1);

	digest_free(f->digest);
	f->config.nonces = 4;
	assert_int_equal(digest_alloc(&f->digest, &f->config, NULL), 0);
	assert_int_equal(check(f, m, false), DIGEST_GOOD);
	for (unsigned i = 0; i < 4; i++) {
		struct sip_message *c = challenge(f, false, 0);
		struct sip_message *other = answer(c, "alice", "secret", 1);
		enum digest_outcome outcome = check(f, other, false);

		/* Made in the same second as the one that was pushed out: stale, to be on the safe
		 * side. */
		assert_true(outcome == DIGEST_GOOD || outcome == DIGEST_STALE);
		sip_message_unref(other);
		sip_message_unref(c);
	}
	assert_int_equal(check(f, m, false), DIGEST_STALE);
	sip_message_unref(m);
	sip_message_unref(first);
}

static void nonces_outlive_the_process(void **state)
{
	struct fixture *f = *state;
	struct sip_message *c = challenge(f, false, 0), *m = answer(c, "alice", "secret", 1);

	digest_free(f->digest);
	assert_int_equal(digest_alloc(&f->digest, &f->config, NULL), 0);
	assert_int_equal(check(f, m, false), DIGEST_GOOD);
	/* With another secret it is not ours: right, but stale. */
	digest_free(f->digest);
	f->config.secret[0]++;
	assert_int_equal(digest_alloc(&f->digest, &f->config, NULL), 0);
	assert_int_equal(check(f, m, false), DIGEST_STALE);
	sip_message_unref(m);
	sip_message_unref(c);
}

static void nonces_grow_old(void **state)
{
	struct fixture *f = *state;
	struct nonces *nonces;
	char nonce[NONCE_LEN], forged[NONCE_LEN];
	struct str text = {nonce, NONCE_LEN - 1};

	assert_int_equal(nonces_alloc(&nonces, f->config.secret, 4, 300), 0);
	assert_int_equal(nonce_make(nonces, 1000, nonce), 0);
	assert_true(nonce_is_good(nonces, 1000, text));
	assert_true(nonce_is_good(nonces, 1300, text));
	assert_false(nonce_is_good(nonces, 1301, text));
	assert_true(nonce_is_good(nonces, 950, text)); /* a clock that was set back a little */
	assert_false(nonce_is_good(nonces, 900, text));
	assert_false(nonce_is_good(nonces, 1000, STR("")));
	for (size_t i = 0; i < NONCE_LEN - 1; i++) {
		memcpy(forged, nonce, NONCE_LEN);
		forged[i] = forged[i] == '0' ? '1' : '0';
		assert_false(nonce_is_good(nonces, 1000, (struct str){forged, NONCE_LEN - 1}));
	}
	nonces_free(nonces);
}

static void memory_of_counts_is_bounded(void **state)
{
	struct fixture *f = *state;
	struct nonces *nonces;
	char nonce[NONCE_LEN], first[NONCE_LEN], kept[NONCE_LEN];

	assert_int_equal(nonces_alloc(&nonces, f->config.secret, 3, 300), 0);
	for (int64_t now = 1000; now < 1010; now++) {
		assert_int_equal(nonce_make(nonces, now, nonce), 0);
		assert_int_equal(nonce_use(nonces, (struct str){nonce, NONCE_LEN - 1}, 1), 0);
		if (now == 1000)
			memcpy(first, nonce, NONCE_LEN);
		if (now == 1005)
			memcpy(kept, nonce, NONCE_LEN);
		if (now > 1005) /* used again and again: not the one to go */
			assert_int_equal(
				nonce_use(nonces, (struct str){kept, NONCE_LEN - 1}, (uint32_t)now),
				0);
	}
	assert_int_equal(nonces_count(nonces), 3);
	assert_int_equal(nonce_use(nonces, (struct str){first, NONCE_LEN - 1}, 2), -ESTALE);
	assert_int_equal(nonce_use(nonces, (struct str){kept, NONCE_LEN - 1}, 1009), -EEXIST);
	nonces_free(nonces);
}

static void outcome_of(struct fixture *f, const char *header, enum digest_outcome wanted)
{
	struct sip_message *m = request_with(str_of(header));

	if (check(f, m, false) != wanted)
		print_error("%s: not %d\n", header, wanted);
	assert_int_equal(check(f, m, false), wanted);
	sip_message_unref(m);
}

#define R32 "00000000000000000000000000000000"
#define FULL                                                                                       \
	"username=\"alice\", realm=\"example.net\", nonce=\"x\", uri=\"sip:x\", response=\"" R32   \
	"\", "

static void credentials_are_read_with_care(void **state)
{
	struct fixture *f = *state;

	outcome_of(f, "", DIGEST_MISSING);
	outcome_of(f, "Authorization: Basic YTpi\r\n", DIGEST_MISSING);
	outcome_of(f, "Authorization: NoOneKnowsThisScheme opaque-data=here\r\n", DIGEST_MISSING);
	outcome_of(f, "Authorization: Digest username=\"alice\", realm=\"other\"\r\n",
		   DIGEST_MISSING);
	outcome_of(f, "Authorization: Digest\r\n", DIGEST_MALFORMED);
	outcome_of(f, "Authorization: Digest username\r\n", DIGEST_MALFORMED);
	outcome_of(f, "Authorization: Digest username=\"alice\r\n", DIGEST_MALFORMED);
	outcome_of(f, "Authorization: Digest username=\"a\", username=\"b\"\r\n", DIGEST_MALFORMED);
	outcome_of(f, "Authorization: Digest realm=\"example.net\"\r\n", DIGEST_MALFORMED);
	outcome_of(f, "Authorization: Digest " FULL "algorithm=MD5\r\n", DIGEST_MALFORMED);
	outcome_of(f, "Authorization: Digest " FULL "cnonce=\"c\", qop=auth, nc=1\r\n",
		   DIGEST_MALFORMED);
	outcome_of(f, "Authorization: Digest " FULL "cnonce=\"c\", qop=auth-int, nc=00000001\r\n",
		   DIGEST_MALFORMED);
	outcome_of(f, "Authorization: Digest " FULL "cnonce=\"c\", qop=auth, nc=0000000g\r\n",
		   DIGEST_MALFORMED);
	outcome_of(f, "Authorization: Digest " FULL "cnonce=\"c\", qop=auth, nc=00000001\r\n",
		   DIGEST_WRONG);
	outcome_of(f,
		   "Authorization: digest " FULL
		   "cnonce=\"c\" , qop = \"auth\",nc=0000000A,algorithm=SHA-512-256\r\n",
		   DIGEST_WRONG);
	/* The realm that is ours may be the second one. */
	outcome_of(f,
		   "Authorization: Digest username=\"alice\", realm=\"other\"\r\nAuthorization: "
		   "Digest " FULL "cnonce=\"c\", qop=auth, nc=00000001\r\n",
		   DIGEST_WRONG);
}

static void answers_text(const char *challenge_line, int wanted, const char *contains)
{
	const struct digest_credentials credentials = {"alice", "secret"};
	struct buf out = BUF_EMPTY;
	char text[1024];
	struct sip_message *m;

	snprintf(text, sizeof(text),
		 "SIP/2.0 401 X\nVia: SIP/2.0/UDP h\nFrom: <sip:a@x>;tag=1\nTo: <sip:a@x>\n"
		 "Call-ID: 1\nCSeq: 1 REGISTER\n%s\n\n",
		 challenge_line);
	m = wire_message(text);
	assert_int_equal(digest_answer(&out, m, &credentials, STR("REGISTER"), STR("sip:x"), 10),
			 wanted);
	if (contains && !strstr(out.data, contains))
		print_error("%s\n", out.data);
	assert_true(!contains || strstr(out.data, contains));
	sip_message_unref(m);
	buf_free(&out);
}

static void the_client_takes_what_it_knows(void **state)
{
	(void)state;
	answers_text("WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=SHA-512-256, "
		     "qop=\"auth\"\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", "
		     "algorithm=SHA-256, qop=\"auth-int, auth\", opaque=\"o\"",
		     0, "algorithm=SHA-256, cnonce=\"");
	answers_text(
		"WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\", opaque=\"o\"", 0,
		"qop=auth, nc=0000000a, opaque=\"o\"\r\n");
	answers_text("WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"", 0,
		     "uri=\"sip:x\", response=\"");
	answers_text("WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"",
		     -EOPNOTSUPP, NULL);
	answers_text("WWW-Authenticate: Basic realm=\"r\"", -EOPNOTSUPP, NULL);
	answers_text("X: y", -EOPNOTSUPP, NULL);
}

static void a_realm_must_fit_into_quotes(void **state)
{
	struct fixture *f = *state;
	struct digest_config config = f->config;
	struct digest *digest;
	struct error err;
	char bad[] = "a\"b", empty[] = "";

	config.realm = bad;
	assert_int_equal(digest_alloc(&digest, &config, &err), -EINVAL);
	assert_non_null(strstr(err.text, "a\"b"));
	config.realm = empty;
	assert_int_equal(digest_alloc(&digest, &config, &err), -EINVAL);
}

/* FIPS: a machine without MD5 stores an empty hash; it must let nobody in. */
static bool lookup_empty(void *context, struct str user, struct digest_ha1 *out)
{
	(void)context;
	(void)user;
	*out = (struct digest_ha1){0};
	return true;
}

static void an_empty_hash_lets_nobody_in(void **state)
{
	struct fixture *f = *state;
	const struct digest_proof proof = {STR("REGISTER"), STR("sip:x"), STR("x"),
					   STR("00000001"), STR("c"),	  STR("auth")};
	struct digest_hash hash;
	char hex[DIGEST_HEX_LEN], header[512];
	struct sip_message *m;
	struct str user;

	assert_int_equal(digest_hash_init(&hash, DIGEST_MD5), 0);
	assert_int_equal(digest_response(&hash, "", &proof, hex), 0);
	digest_hash_free(&hash);
	snprintf(header, sizeof(header),
		 "Authorization: Digest username=\"alice\", realm=\"example.net\", nonce=\"x\", "
		 "uri=\"sip:x\", response=\"%s\", cnonce=\"c\", qop=auth, nc=00000001\r\n",
		 hex);
	m = request_with(str_of(header));
	assert_int_equal(digest_check(f->digest, m, false, lookup_empty, NULL, &user),
			 DIGEST_WRONG);
	sip_message_unref(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rfc_has_the_same_responses),
		cmocka_unit_test_setup_teardown(challenges_come_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(the_right_password_is_good, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_and_unknown_are_the_same, setup, teardown),
		cmocka_unit_test_setup_teardown(counts_are_used_once, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_forgotten_cannot_be_replayed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(nonces_outlive_the_process, setup, teardown),
		cmocka_unit_test_setup_teardown(nonces_grow_old, setup, teardown),
		cmocka_unit_test_setup_teardown(memory_of_counts_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(credentials_are_read_with_care, setup, teardown),
		cmocka_unit_test(the_client_takes_what_it_knows),
		cmocka_unit_test_setup_teardown(a_realm_must_fit_into_quotes, setup, teardown),
		cmocka_unit_test_setup_teardown(an_empty_hash_lets_nobody_in, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
