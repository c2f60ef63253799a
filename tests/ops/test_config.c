/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration: what a small file gives, what every key does, and what each error says. */
#include "ops_test.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <unistd.h>

#include "config.h"

static char file[64], certificate[80], key[80], other_key[80];

/* A key, and a certificate for it where one is wanted. */
static void write_pem(const char *key_file, const char *certificate_file)
{
	EVP_PKEY *pair = EVP_EC_gen("P-256");
	X509 *x509 = X509_new();
	FILE *out = fopen(key_file, "w");

	assert_non_null(pair);
	assert_int_equal(PEM_write_PrivateKey(out, pair, NULL, NULL, 0, NULL, NULL), 1);
	fclose(out);
	X509_gmtime_adj(X509_getm_notBefore(x509), 0);
	X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
	X509_set_pubkey(x509, pair);
	X509_sign(x509, pair, EVP_sha256());
	if (certificate_file) {
		out = fopen(certificate_file, "w");
		assert_int_equal(PEM_write_X509(out, x509), 1);
		fclose(out);
	}
	X509_free(x509);
	EVP_PKEY_free(pair);
}

static int make_files(void **state)
{
	int fd;

	(void)state;
	strcpy(file, "/tmp/segue-config.XXXXXX");
	fd = mkstemp(file);
	snprintf(certificate, sizeof(certificate), "%s.pem", file);
	snprintf(key, sizeof(key), "%s.key", file);
	snprintf(other_key, sizeof(other_key), "%s.other", file);
	write_pem(key, certificate);
	write_pem(other_key, NULL);
	return fd < 0 ? -1 : close(fd);
}

static int remove_files(void **state)
{
	(void)state;
	unlink(certificate);
	unlink(key);
	unlink(other_key);
	return unlink(file);
}

static void write_file(const char *text, size_t length)
{
	FILE *out = fopen(file, "w");

	assert_non_null(out);
	assert_int_equal(fwrite(text, 1, length, out), length);
	fclose(out);
}

#define SIP "sip: {domains: [Example.NET], listen: [\"udp:127.0.0.1:5060\"]}\n"
#define MEDIA "media: {interfaces: [{name: lo, address: 127.0.0.1}]}\n"

static struct config *load(const char *text)
{
	struct config *config = NULL;
	struct error err = {""};

	write_file(text, strlen(text));
	if (config_load(&config, file, &err))
		fail_msg("%s", err.text);
	return config;
}

static void small_file(void **state)
{
	struct config *config = load(SIP MEDIA);

	(void)state;
	assert_int_equal(config->domain_count, 1);
	assert_string_equal(config->domains[0], "example.net");
	assert_int_equal(config->listens, 1);
	assert_int_equal(config->listen[0].proto, SIP_UDP);
	assert_int_equal(config->listen[0].at.port, 5060);
	assert_int_equal(config->digests, 2);
	assert_int_equal(config->digest[0], DIGEST_SHA256);
	assert_int_equal(config->digest[1], DIGEST_MD5);
	assert_int_equal(config->nonce_seconds, 300);
	assert_int_equal(config->min_expires, 60);
	assert_int_equal(config->default_expires, 3600);
	assert_int_equal(config->max_expires, 7200);
	assert_int_equal(config->requests_per_second, 200);
	assert_int_equal(config->strangers_per_second, 5000);
	assert_int_equal(config->burst, 1000);
	assert_int_equal(config->interface[0].attach, CONFIG_ATTACH_AUTO);
	assert_int_equal(config->first_port, 30000);
	assert_int_equal(config->last_port, 39999);
	assert_int_equal(config->stream_capacity, 0);
	assert_int_equal(config->dscp, 255);
	assert_false(config->symmetric);
	assert_string_equal(config->store, "sqlite:/var/lib/segue/segue.db");
	assert_string_equal(config->control, "/run/segue/control.sock");
	assert_null(config->http);
	assert_int_equal(config->page, CONFIG_PAGE_LOCAL);
	assert_null(config->cdr_file);
	assert_int_equal(config->cdr_megabytes, 100);
	assert_int_equal(config->cdr_days, 0);
	assert_int_equal(config->handover_window_ms, 10000);
	assert_int_equal(config->handover_most, 0);
	assert_false(config->follow_register);
	assert_int_equal(config->handover_anchor, CONFIG_ANCHOR_ALWAYS);
	assert_int_equal(config->handover_probe, CONFIG_PROBE_REQUIRE);
	assert_int_equal(config->session_expires, 1800);
	assert_int_equal(config->min_se, 90);
	assert_int_equal(config->max_duration, 12 * 3600);
	assert_int_equal(config->media_timeout, 60);
	assert_int_equal(config->max_calls, 50000);
	assert_int_equal(config->subscriber_most, 0);
	assert_int_equal(config->barreds, 0);
	assert_true(config->foreign);
	assert_int_equal(config->udp_max, 1300);
	assert_int_equal(config->ban.offences, 20);
	assert_int_equal(config->ban.time, 600);
	assert_int_equal(config->ban.udp_time, 60);
	assert_int_equal(config->log_level, LOG_LEVEL_INFO);
	config_free(config);
}

/* Every key, with a value that is not its preset. */
static const char every_key_text[] =
	"sip:\n"
	"  domains: [example.net, 192.0.2.1]\n"
	"  redirect: 192.0.2.1\n"
	"  listen: [\"udp:127.0.0.1\", \"tls:127.0.0.2\", \"tcp:[::1]:5070\"]\n"
	"  tls: {certificate: %s, key: %s, authorities: %s,\n"
	"        others: [{certificate: %s, key: %s}], require_client: true}\n"
	"  digest: md5\n"
	"  nonce: 20m\n"
	"  third_party_registration: true\n"
	"  expires: {min: 30s, max: 2h, default: 10m}\n"
	"  limit: {messages: none, burst: 7, strangers: none}\n"
	"  ban: {offences: none, window: 5s, time: 1h, udp_time: none, agents: [sip scan, x],\n"
	"        allow: [198.51.100.0/24, \"2001:db8::1\"]}\n"
	"  udp_max: none\n"
	"  nameservers: [192.0.2.53, \"[2001:db8::53]:5353\"]\n"
	"media:\n"
	"  interfaces:\n"
	"    - {name: lo, address: [127.0.0.1, \"::1\"], attach: external}\n"
	"  ports: 20000-20003\n"
	"  streams: 64\n"
	"  dscp: 46\n"
	"  symmetric: true\n"
	"trunks:\n"
	"  - {name: carrier, source: 198.51.100.0/24, uri: sip:gw.example.com, prefix: "
	"+49, most: 30}\n"
	"  - {name: other, source: \"2001:db8::1\"}\n"
	"calls: {most: 3, subscriber_most: 2, barred: [\"+882\", 00], foreign: false, "
	"max_duration: none, media_timeout: none, session_expires: none,\n"
	"        min_se: 120s}\n"
	"handover: {window: 1500ms, silence: 700ms, most: 9, follow: register, anchor: auto,\n"
	"           probe: supported}\n"
	"store: sqlite:/x/y.db\n"
	"control: /x/control\n"
	"http: 127.0.0.1:9810\n"
	"page: any\n"
	"hep: {to: \"udp:[2001:db8::60]:9060\", id: 7}\n"
	"cdr: {file: /tmp/cdr.jsonl, size: none, keep: 30}\n"
	"log: {level: debug}\n";

static void check_ban(const struct config_ban *ban)
{
	assert_int_equal(ban->offences, 0);
	assert_int_equal(ban->window, 5);
	assert_int_equal(ban->time, 3600);
	assert_int_equal(ban->udp_time, 0);
	assert_int_equal(ban->agents, 2);
	assert_string_equal(ban->agent[0], "sip scan");
	assert_int_equal(ban->allows, 2);
	assert_int_equal(ban->allow[0].bits, 24);
	assert_int_equal(ban->allow[1].bits, 128);
}

static void check_sip(const struct config *config)
{
	check_ban(&config->ban);
	assert_int_equal(config->domain_count, 2);
	assert_int_equal(config->redirects, 1);
	assert_string_equal(config->redirect[0], "192.0.2.1");
	assert_int_equal(config->listens, 3);
	assert_int_equal(config->listen[0].at.port, 5060);
	assert_int_equal(config->listen[1].proto, SIP_TLS);
	assert_int_equal(config->listen[1].at.port, 5061);
	assert_int_equal(config->listen[2].at.port, 5070);
	assert_string_equal(config->tls_certificate, certificate);
	assert_string_equal(config->tls_key, key);
	assert_string_equal(config->tls_ca, certificate);
	assert_int_equal(config->tls_others, 1);
	assert_string_equal(config->tls_other[0].certificate, certificate);
	assert_string_equal(config->tls_other[0].key, key);
	assert_true(config->tls_require_client);
	assert_int_equal(config->digests, 1);
	assert_int_equal(config->digest[0], DIGEST_MD5);
	assert_int_equal(config->nonce_seconds, 1200);
	assert_true(config->third_party_registration);
	assert_int_equal(config->min_expires, 30);
	assert_int_equal(config->max_expires, 7200);
	assert_int_equal(config->default_expires, 600);
	assert_int_equal(config->requests_per_second, 0);
	assert_int_equal(config->strangers_per_second, 0);
	assert_int_equal(config->burst, 7);
	assert_int_equal(config->udp_max, 0);
	assert_int_equal(config->nameservers, 2);
	assert_int_equal(config->nameserver[0].port, 53);
	assert_int_equal(config->nameserver[1].port, 5353);
}

static void check_media(const struct config *config)
{
	assert_int_equal(config->interfaces, 1);
	assert_string_equal(config->interface[0].name, "lo");
	assert_int_equal(config->interface[0].addresses, 2);
	assert_int_equal(config->interface[0].attach, CONFIG_ATTACH_EXTERNAL);
	assert_int_equal(config->first_port, 20000);
	assert_int_equal(config->last_port, 20003);
	assert_int_equal(config->stream_capacity, 64);
	assert_int_equal(config->dscp, 46);
	assert_true(config->symmetric);
}

static void check_rest(const struct config *config)
{
	assert_int_equal(config->trunks, 2);
	assert_string_equal(config->trunk[0].name, "carrier");
	assert_int_equal(config->trunk[0].prefix, 24);
	assert_string_equal(config->trunk[0].uri, "sip:gw.example.com");
	assert_string_equal(config->trunk[0].prefix_match, "+49");
	assert_int_equal(config->trunk[1].prefix, 128);
	assert_int_equal(config->trunk[0].most, 30);
	assert_null(config->trunk[1].uri);
	assert_int_equal(config->trunk[1].most, 0);
	assert_int_equal(config->subscriber_most, 2);
	assert_int_equal(config->barreds, 2);
	assert_string_equal(config->barred[0], "+882");
	assert_string_equal(config->barred[1], "00");
	assert_false(config->foreign);
	assert_int_equal(config->max_calls, 3);
	assert_int_equal(config->max_duration, 0);
	assert_int_equal(config->media_timeout, 0);
	assert_int_equal(config->session_expires, 0);
	assert_int_equal(config->min_se, 120);
	assert_int_equal(config->handover_window_ms, 1500);
	assert_int_equal(config->handover_silence_ms, 700);
	assert_int_equal(config->handover_most, 9);
	assert_true(config->follow_register);
	assert_int_equal(config->handover_anchor, CONFIG_ANCHOR_AUTO);
	assert_int_equal(config->handover_probe, CONFIG_PROBE_SUPPORTED);
	assert_string_equal(config->store, "sqlite:/x/y.db");
	assert_string_equal(config->control, "/x/control");
	assert_string_equal(config->http, "127.0.0.1:9810");
	assert_int_equal(config->page, CONFIG_PAGE_ANY);
	assert_int_equal(config->hep.port, 9060);
	assert_int_equal(config->hep_agent, 7);
	assert_string_equal(config->cdr_file, "/tmp/cdr.jsonl");
	assert_int_equal(config->cdr_megabytes, 0);
	assert_int_equal(config->cdr_days, 30);
	assert_int_equal(config->log_level, LOG_LEVEL_DEBUG);
}

static void every_key(void **state)
{
	static char text[2048];
	struct config *config;

	(void)state;
	snprintf(text, sizeof(text), every_key_text, certificate, key, certificate, certificate,
		 key);
	config = load(text);
	check_sip(config);
	check_media(config);
	check_rest(config);
	config_free(config);
}

/* Place (LINE:COLUMN) and words of the first complaint. */
static const struct {
	const char *text, *at, *words;
} wrong[] = {
	{"", "1:1", "the file is empty"},
	{"sip: [\n", "2:1", "did not find expected"},
	{"\tsip: x\n", "1:1", "cannot start any token"},
	{"sip\n", "1:1", "is a single value, and must be a mapping"},
	{MEDIA, "1:1", "the key 'sip' is missing"},
	{SIP, "1:1", "the key 'media' is missing"},
	{SIP MEDIA "colour: red\n", "3:1", "unknown key 'colour'; known are sip, media, trunks"},
	{SIP MEDIA "log: {leval: info}\n", "3:7", "log: unknown key 'leval'; known are level"},
	{SIP MEDIA "media: {}\n", "3:1", "'media' is there twice"},
	{SIP MEDIA "---\nmore: 1\n", "4:1", "a second document"},
	{SIP MEDIA "log: {level: loud}\n", "3:14",
	 "log.level: 'loud' is none of error, warning, info, debug"},
	{SIP MEDIA "log: {level: [info]}\n", "3:14", "is a list, and must be a single value"},
	{SIP MEDIA "control: \"a\\0b\"\n", "3:10", "NUL"},
	{SIP MEDIA "control: ''\n", "3:10", "control: is empty, and must be the path of a socket"},
	{SIP MEDIA "store: redis:x\n", "3:8", "'redis:x' is no store; write sqlite:/"},
	{SIP MEDIA "http: 9810\n", "3:7", "'9810' is not ADDRESS:PORT"},
	{SIP MEDIA "page: all\n", "3:7", "'all'"},
	{SIP MEDIA "hep: {to: \"tcp:192.0.2.60:9060\"}\n", "3:11", "is not udp:ADDRESS:PORT"},
	{SIP MEDIA "hep: {to: \"udp:192.0.2.60\"}\n", "3:11", "is not udp:ADDRESS:PORT"},
	{SIP MEDIA "handover: {window: 10}\n", "3:20",
	 "handover.window: '10' is not a time: write a number and ms, s, m or h"},
	{SIP MEDIA "handover: {window: 99ms}\n", "3:20", "'99ms' is not from 500ms to 600000ms"},
	{SIP MEDIA "calls: {barred: [\"sip:+882\"]}\n", "3:18",
	 "'sip:+882' is not the beginning of a number"},
	{SIP MEDIA "calls: {barred: [\"\"]}\n", "3:18", "is not the beginning of a number"},
	{SIP MEDIA "handover: {most: -1}\n", "3:18", "'-1' is not a whole number from 1 to"},
	{SIP MEDIA "handover: {follow: invite}\n", "3:20", "none, register"},
	{SIP MEDIA "handover: {anchor: never}\n", "3:20", "always, auto"},
	{SIP MEDIA "handover: {probe: 420}\n", "3:19", "require, supported"},
	{SIP MEDIA "calls: {media_timeout: 1500ms}\n", "3:24", "in whole seconds"},
	{SIP MEDIA "calls: {session_expires: 90s, min_se: 91s}\n", "3:26",
	 "calls.session_expires is 90s, less than calls.min_se, 91s"},
	{SIP MEDIA "trunks: [{name: x}]\n", "3:10", "trunks[0]: the key 'source' is missing"},
	{SIP MEDIA "trunks: [{name: x, source: gw.example.com}]\n", "3:28",
	 "trunks[0].source: 'gw.example.com' is no address"},
	{SIP MEDIA "trunks: [{name: x, source: 192.0.2.0/33}]\n", "3:28", "from 0 to 32"},
	{SIP MEDIA "trunks: [{name: x, source: 192.0.2.0, uri: tel:1}]\n", "3:44", "no SIP URI"},
	{MEDIA "sip:\n  domains: []\n  listen: udp:127.0.0.1\n", "3:12",
	 "sip.domains: is empty, and must have a list of at least one domain"},
	{MEDIA "sip: {domains: [a_b], listen: ['udp:127.0.0.1']}\n", "2:17",
	 "sip.domains[0]: 'a_b' is no domain name"},
	{MEDIA "sip:\n  domains: [x]\n  listen:\n    - udp:127.0.0.1\n    - sctp:127.0.0.1\n",
	 "6:7", "sip.listen[1]: 'sctp:127.0.0.1' begins with none of udp:, tcp: and tls:"},
	{MEDIA "sip: {domains: [x], listen: ['udp:0.0.0.0:5060']}\n", "2:30",
	 "'0.0.0.0' is every address; name the one"},
	{MEDIA "sip: {domains: [x], listen: ['udp:192.0.2.77:5060']}\n", "2:30",
	 "'192.0.2.77' is no address of this machine"},
	{MEDIA "sip: {domains: [x], listen: ['udp:127.0.0.1:0']}\n", "2:30", "port 0"},
	{MEDIA "sip: {domains: [x], listen: ['udp:127.0.0.1:70000']}\n", "2:30",
	 "no address behind"},
	{MEDIA "sip: {domains: [x], listen: ['udp:127.0.0.1', 'udp:127.0.0.1:5060']}\n", "2:47",
	 "[1] listens at udp:127.0.0.1:5060, as [0] does"},
	{MEDIA "sip: {domains: [x], listen: ['tcp:127.0.0.1:5061', 'tls:127.0.0.1']}\n", "2:52",
	 "as [0] does"},
	{MEDIA "sip: {domains: [x], listen: ['tls:127.0.0.1']}\n", "2:6",
	 "sip.tls.certificate is missing, and listening with tls: needs it"},
	{MEDIA "sip: {domains: [x], listen: [udp:127.0.0.1], redirect: [x, y]}\n", "2:56",
	 "sip.redirect: 'y' is none of sip.domains"},
	{MEDIA "sip: {domains: [x], listen: ['tls:127.0.0.1'],\n  tls: {certificate: /no/such.pem, "
	       "key: /no/key}}\n",
	 "3:22", "sip.tls.certificate: '/no/such.pem': No such file"},
	{MEDIA "sip: {domains: [x], listen: [udp:127.0.0.1], digest: [md5, md5]}\n", "2:54",
	 "at most once"},
	{MEDIA "sip: {domains: [x], listen: [udp:127.0.0.1], expires: {min: 2h}}\n", "2:55",
	 "sip.expires.default is 3600s, less than sip.expires.min, 7200s"},
	{MEDIA "sip: {domains: [x], listen: [udp:127.0.0.1], third_party_registration: yes}\n",
	 "2:72", "'yes' is neither true nor false"},
	{SIP "media: {interfaces: []}\n", "2:21", "media.interfaces: is empty"},
	{SIP "media: {interfaces: [{name: nosuch0, address: 127.0.0.1}]}\n", "2:29",
	 "media.interfaces[0].name: 'nosuch0' is no interface of this machine"},
	{SIP "media: {interfaces: [{name: lo, address: 192.0.2.77}]}\n", "2:42",
	 "media.interfaces[0].address: '192.0.2.77' is no address of this machine"},
	{SIP "media: {interfaces: [{name: lo, address: 127.0.0.1}, {name: lo, address: '::1'}]}\n",
	 "2:21", "[0] and [1] are both 'lo'"},
	{SIP "media: {ports: 30001-39999, interfaces: [{name: lo, address: 127.0.0.1}]}\n", "2:16",
	 "must begin even and end odd, since a stream takes an even port and the one above it; "
	 "write 30000-39999"},
	{SIP "media: {ports: 30000-39998, interfaces: [{name: lo, address: 127.0.0.1}]}\n", "2:16",
	 "write 30000-39999"},
	{SIP "media: {ports: 39999-30000, interfaces: [{name: lo, address: 127.0.0.1}]}\n", "2:16",
	 "the smaller first"},
	{SIP "media: {ports: 30000-30001, interfaces: [{name: lo, address: 127.0.0.1}]}\n", "2:16",
	 "no room for a call"},
	{SIP "media: {ports: many, interfaces: [{name: lo, address: 127.0.0.1}]}\n", "2:16",
	 "'many' is no range; write a range, like 30000-39999"},
	{SIP "media: {dscp: 64, interfaces: [{name: lo, address: 127.0.0.1}]}\n", "2:15",
	 "neither 'keep' nor from 0 to 63"},
};

static void every_error(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct config *config = NULL;
		struct error err = {""};
		char place[128];

		write_file(wrong[i].text, strlen(wrong[i].text));
		if (config_load(&config, file, &err) != -EINVAL)
			fail_msg("row %zu was taken: %s", i, wrong[i].text);
		assert_null(config);
		snprintf(place, sizeof(place), "%s:%s: ", file, wrong[i].at);
		if (strncmp(err.text, place, strlen(place)) != 0)
			fail_msg("row %zu: not at %s: %s", i, wrong[i].at, err.text);
		if (!strstr(err.text, wrong[i].words))
			fail_msg("row %zu: no \"%s\" in: %s", i, wrong[i].words, err.text);
	}
}

static void refused_tls(const char *pem, const char *key_file, const char *words)
{
	struct config *config = NULL;
	struct error err = {""};
	char text[512];

	snprintf(text, sizeof(text),
		 MEDIA "sip: {domains: [x], listen: ['tls:127.0.0.1'],\n"
		       "  tls: {certificate: %s, key: %s}}\n",
		 pem, key_file);
	write_file(text, strlen(text));
	assert_int_equal(config_load(&config, file, &err), -EINVAL);
	assert_non_null(strstr(err.text, ":3:8: sip.tls: "));
	if (!strstr(err.text, words))
		fail_msg("no \"%s\" in: %s", words, err.text);
}

/* What is in the files is looked at before a listener that works is given up for it. */
static void certificates(void **state)
{
	(void)state;
	refused_tls(key, key, "TLS certificate");
	refused_tls(certificate, certificate, "TLS key");
	refused_tls(certificate, other_key, "key");
}

static void no_file(void **state)
{
	struct config *config = NULL;
	struct error err = {""};

	(void)state;
	assert_int_equal(config_load(&config, "/no/such/file", &err), -ENOENT);
	assert_string_equal(err.text, "/no/such/file: No such file or directory");
	assert_int_equal(config_load(&config, "/tmp", &err), -EISDIR);
}

static void count(void *context, const char *sentence)
{
	assert_non_null(strstr(sentence, file));
	++*(unsigned *)context;
}

/* All that is wrong is told, not only the first. */
static void all_errors(void **state)
{
	static const char text[] = "sip: {domains: [], listen: ['sctp:x', 'udp:192.0.2.77']}\n"
				   "media: {ports: x, interfaces: [{name: nosuch0, x: y}]}\n";
	unsigned errors = 0;

	(void)state;
	write_file(text, strlen(text));
	assert_int_equal(config_examine(file, count, &errors), -EINVAL);
	assert_int_equal(errors, 7);
	write_file(SIP MEDIA, strlen(SIP MEDIA));
	errors = 0;
	assert_int_equal(config_examine(file, count, &errors), 0);
	assert_int_equal(errors, 0);
}

/* A file that names itself, or one name ten times ten times ten, must not cost more than it has. */
static void strange_files(void **state)
{
	static const char *const texts[] = {
		"&a [*a]",
		"sip: &a {tls: *a}\nmedia: *a\n",
		"a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nsip: {domains: *c}\n",
		"? [a, b]\n: c\n",
		"!!binary x: y\n",
		"sip: {domains: [\xff\xfe]}\n",
	};
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct config *config = NULL;

		write_file(texts[i], strlen(texts[i]));
		assert_int_equal(config_load(&config, file, &err), -EINVAL);
		assert_true(strlen(err.text) > strlen(file));
	}
}

/* Every prefix of a good file, and it with every byte changed: refused or taken, never a fault. */
static void torn_files(void **state)
{
	char text[] =
		SIP MEDIA "trunks: [{name: x, source: 192.0.2.0/24}]\nhandover: {window: 10s}\n";
	struct error err;

	(void)state;
	for (size_t i = 0; i < strlen(text); i++) {
		struct config *config = NULL;
		char kept = text[i];

		write_file(text, i);
		if (config_load(&config, file, &err) == 0)
			config_free(config);
		text[i] = kept == ':' ? '[' : ':';
		write_file(text, strlen(text));
		config = NULL;
		if (config_load(&config, file, &err) == 0)
			config_free(config);
		text[i] = kept;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_file),	 cmocka_unit_test(every_key),
		cmocka_unit_test(every_error),	 cmocka_unit_test(certificates),
		cmocka_unit_test(no_file),	 cmocka_unit_test(all_errors),
		cmocka_unit_test(strange_files), cmocka_unit_test(torn_files),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
