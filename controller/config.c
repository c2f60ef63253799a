// SPDX-License-Identifier: BSD-2-Clause
/* The keys of the configuration: each stands here once, with its preset and its sentence. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config_values.h"
#include "sip/tls.h"

#define DAY 86400u /* s */

#define FIELD(member) .offset = offsetof(struct config, member)
#define OF_INTERFACE(member) .offset = offsetof(struct config_interface, member)
#define OF_TLS_PAIR(member) .offset = offsetof(struct sip_tls_pair, member)
#define OF_TRUNK(member) .offset = offsetof(struct config_trunk, member)
#define RANGE(...)                                                                                 \
	.param = &(const struct config_range)                                                      \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define SECONDS(...)                                                                               \
	.param = &(const struct config_time)                                                       \
	{                                                                                          \
		.unit_ms = 1000, __VA_ARGS__                                                       \
	}
#define MILLISECONDS(...)                                                                          \
	.param = &(const struct config_time)                                                       \
	{                                                                                          \
		.unit_ms = 1, __VA_ARGS__                                                          \
	}
#define SECTION(table) .read = config_read_mapping, .inner = (table)

static const struct config_choice attach_choices[] = {{"auto", CONFIG_ATTACH_AUTO},
						      {"native", CONFIG_ATTACH_NATIVE},
						      {"generic", CONFIG_ATTACH_GENERIC},
						      {"external", CONFIG_ATTACH_EXTERNAL},
						      {NULL, 0}};

static const struct config_choice level_choices[] = {{"error", LOG_LEVEL_ERROR},
						     {"warning", LOG_LEVEL_WARNING},
						     {"info", LOG_LEVEL_INFO},
						     {"debug", LOG_LEVEL_DEBUG},
						     {NULL, 0}};

static const struct config_choice anchor_choices[] = {
	{"always", CONFIG_ANCHOR_ALWAYS}, {"auto", CONFIG_ANCHOR_AUTO}, {NULL, 0}};

static const struct config_choice probe_choices[] = {
	{"require", CONFIG_PROBE_REQUIRE}, {"supported", CONFIG_PROBE_SUPPORTED}, {NULL, 0}};

static const struct config_choice page_choices[] = {{"local", CONFIG_PAGE_LOCAL},
						    {"any", CONFIG_PAGE_ANY},
						    {"none", CONFIG_PAGE_NONE},
						    {NULL, 0}};

static config_read_fn read_follow;

static const struct config_key tls_other_keys[] = {
	{"certificate", config_read_text, OF_TLS_PAIR(certificate), .required = true,
	 .value = "a PEM file",
	 .help = "A certificate for names that the first one has not, with those that lead to its "
		 "root behind it."},
	{"key", config_read_text, OF_TLS_PAIR(key), .required = true, .value = "a PEM file",
	 .help = "Its private key."},
	{0},
};

static const struct config_key tls_keys[] = {
	{"certificate", config_read_text, FIELD(tls_certificate), .value = "a PEM file",
	 .help = "Our certificate, with those that lead to its root behind it."},
	{"key", config_read_text, FIELD(tls_key), .value = "a PEM file",
	 .help = "The private key of the certificate."},
	{"others", config_read_tls_others, FIELD(tls_other), .inner = tls_other_keys,
	 .value = "a list of {certificate: ..., key: ...}",
	 .help = "More certificates: who connects for a name (SNI) that one of them is good for is "
		 "shown that one, anybody else sip.tls.certificate."},
	{"authorities", config_read_text, FIELD(tls_ca), .value = "a PEM file",
	 .help = "Whose certificates of peers are believed; the system's list where it is "
		 "missing."},
	{"require_client", config_read_bool, FIELD(tls_require_client), .value = "true or false",
	 .preset = "false", .help = "Refuse clients that show no certificate."},
	{0},
};

static const struct config_key expires_keys[] = {
	{"min", config_read_duration, FIELD(min_expires), SECONDS(.min = 1, .max = DAY),
	 .value = "a time", .preset = "60s",
	 .help = "A registration for a shorter time is refused with 423."},
	{"max", config_read_duration, FIELD(max_expires), SECONDS(.min = 1, .max = 30 * DAY),
	 .value = "a time", .preset = "7200s",
	 .help = "A registration for a longer time is shortened to this."},
	{"default", config_read_duration, FIELD(default_expires),
	 SECONDS(.min = 1, .max = 30 * DAY), .value = "a time", .preset = "3600s",
	 .help = "For a registration that names no time."},
	{0},
};

static const struct config_key limit_keys[] = {
	{"messages", config_read_number, FIELD(requests_per_second),
	 RANGE(.min = 1, .max = 1000000, .none = true), .value = "a number, or none",
	 .preset = "200",
	 .help = "Messages a second that one source address may send for long; trunks are not "
		 "limited. Can be reloaded."},
	{"burst", config_read_number, FIELD(burst), RANGE(.min = 1, .max = 10000000),
	 .value = "a number", .preset = "1000",
	 .help = "Messages that one source address may send at once after a pause. Can be "
		 "reloaded."},
	{"strangers", config_read_number, FIELD(strangers_per_second),
	 RANGE(.min = 1, .max = 10000000, .none = true), .value = "a number, or none",
	 .preset = "5000",
	 .help = "Messages a second from all sources together that are neither trunks nor where a "
		 "subscriber showed a password lately. Can be reloaded."},
	{0},
};

static const struct config_key ban_keys[] = {
	{"offences", config_read_number, FIELD(ban.offences),
	 RANGE(.min = 2, .max = 1000000, .none = true), .value = "a number, or none",
	 .preset = "20",
	 .help = "A source with so many offences within the window is banned; none: no number is "
		 "too many. Can be reloaded."},
	{"window", config_read_duration, FIELD(ban.window), SECONDS(.min = 1, .max = DAY),
	 .value = "a time", .preset = "60s",
	 .help = "Offences fade within this time. Can be reloaded."},
	{"time", config_read_duration, FIELD(ban.time), SECONDS(.min = 1, .max = 30 * DAY),
	 .value = "a time", .preset = "10m",
	 .help = "How long a source is banned for what it did over TCP or TLS. Can be reloaded."},
	{"udp_time", config_read_duration, FIELD(ban.udp_time),
	 SECONDS(.min = 1, .max = 30 * DAY, .none = true), .value = "a time, or none",
	 .preset = "60s",
	 .help = "The same over UDP, where anybody can write any source; none: never. Can be "
		 "reloaded."},
	{"allow", config_read_networks, FIELD(ban.allow),
	 .value = "a list of ADDRESS or ADDRESS/BITS",
	 .help = "Never banned, as trunks are not. Can be reloaded."},
	{"agents", config_read_agents, FIELD(ban.agent),
	 .value = "a list of texts, like [friendly-scanner]",
	 .help = "A source whose User-Agent begins with one of these, in any case, is banned at "
		 "once. Can be reloaded."},
	{0},
};

static const struct config_key sip_keys[] = {
	{"domains", config_read_domains, FIELD(domains), .required = true,
	 .value = "a list of at least one domain name, like [example.net]",
	 .help = "We are the registrar and home proxy for these; the first is the realm of "
		 "passwords."},
	{"redirect", config_read_redirects, FIELD(redirect),
	 .value = "a list of domains of sip.domains",
	 .help = "Who asks for a user of these is told where that is (302), and asks there itself; "
		 "users whom only we can reach are relayed to all the same. Can be reloaded."},
	{"listen", config_read_listens, FIELD(listen), .required = true,
	 .value = "a list of at least one PROTOCOL:ADDRESS:PORT, like [\"udp:192.0.2.10:5060\"]",
	 .help = "Where we listen; protocols are udp, tcp and tls, ports 5060 (tls: 5061) where "
		 "not "
		 "named. Can be reloaded."},
	{"tls", SECTION(tls_keys)},
	{"digest", config_read_digests, FIELD(digest), .value = "a list of sha-256 and md5",
	 .preset = "[sha-256, md5]", .help = "Algorithms of challenges, the preferred one first."},
	{"nonce", config_read_duration, FIELD(nonce_seconds), SECONDS(.min = 1, .max = DAY),
	 .value = "a time", .preset = "300s",
	 .help = "How long a challenge may be answered; later answers are challenged anew, with "
		 "stale=true."},
	{"third_party_registration", config_read_bool, FIELD(third_party_registration),
	 .value = "true or false", .preset = "false",
	 .help = "An authenticated user may register for others."},
	{"expires", SECTION(expires_keys)},
	{"limit", SECTION(limit_keys)},
	{"udp_max", config_read_number, FIELD(udp_max),
	 RANGE(.min = 500, .max = 65535, .none = true), .value = "a number of bytes, or none",
	 .preset = "1300",
	 .help = "A longer request goes by TCP, and by UDP only to who takes no connection (RFC "
		 "3261 18.1.1); none: never by TCP for its length."},
	{"ban", SECTION(ban_keys)},
	{"nameservers", config_read_nameservers, FIELD(nameserver),
	 .value = "a list of ADDRESS or ADDRESS:PORT",
	 .help = "Asked for NAPTR, SRV, A and AAAA; the system's where it is missing."},
	{0},
};

static const struct config_key interface_keys[] = {
	{"name", config_read_nic, OF_INTERFACE(name), .required = true,
	 .value = "an interface, like eth0", .help = "The NIC that media comes and goes on."},
	{"address", config_read_addresses, OF_INTERFACE(address), .required = true,
	 .value = "an address of it, or a list",
	 .help = "Media addresses: the first of each family is what parties are told."},
	{"attach", config_read_choice, OF_INTERFACE(attach), .param = attach_choices,
	 .value = "auto, native, generic or external", .preset = "auto",
	 .help = "How the program is put on the NIC; external: somebody else does it, with ip "
		 "link."},
	{0},
};

static const struct config_key media_keys[] = {
	{"interfaces", config_read_interfaces, FIELD(interface), .inner = interface_keys,
	 .required = true, .value = "a list of at least one {name: eth0, address: 192.0.2.10}",
	 .help = "The NICs and addresses that media is anchored at."},
	{"ports", config_read_ports, FIELD(first_port), .value = "a range, like 30000-39999",
	 .preset = "30000-39999",
	 .help = "Ports of media on each address; even first, odd last: a call takes four for "
		 "each of its m= lines."},
	{"streams", config_read_number, FIELD(stream_capacity),
	 RANGE(.min = 64, .max = 1048576, .none = true), .value = "a number, or none",
	 .preset = "none",
	 .help = "Streams that the maps have room for when we make them (6 kB each); none: the "
		 "relay's own 131072."},
	{"dscp", config_read_dscp, FIELD(dscp), .value = "keep, or a number from 0 to 63",
	 .preset = "keep", .help = "DSCP of media that leaves."},
	{"symmetric", config_read_bool, FIELD(symmetric), .value = "true or false",
	 .preset = "false",
	 .help = "Parties behind NAT: learn where their media comes from, shortly after each "
		 "offer and answer."},
	{0},
};

static const struct config_key trunk_keys[] = {
	{"name", config_read_text, OF_TRUNK(name), .required = true, .value = "a word",
	 .help = "What logs call it."},
	{"source", config_read_prefix, OF_TRUNK(source), .required = true,
	 .value = "ADDRESS or ADDRESS/BITS",
	 .help = "Requests from there need no password and have no limit."},
	{"uri", config_read_sip_uri, OF_TRUNK(uri), .value = "a SIP URI, like sip:gw.example.com",
	 .help = "Where calls to it go."},
	{"prefix", config_read_text, OF_TRUNK(prefix_match), .value = "digits, like \"+49\"",
	 .help = "Calls to users that begin with it, and are no subscribers, go to this trunk."},
	{"most", config_read_number, OF_TRUNK(most), RANGE(.min = 1, .max = 1000000, .none = true),
	 .value = "a number, or none", .preset = "none",
	 .help = "Legs at once, from and to it; the next call gets 503."},
	{0},
};

static const struct config_key handover_keys[] = {
	{"window", config_read_duration, FIELD(handover_window_ms),
	 MILLISECONDS(.min = 500, .max = 600000), .value = "a time", .preset = "10s",
	 .help = "How long both legs of a handover may live; then the better one is kept."},
	{"silence", config_read_duration, FIELD(handover_silence_ms),
	 MILLISECONDS(.min = 500, .max = 600000, .none = true), .value = "a time, or none",
	 .preset = "2s",
	 .help = "The old leg goes when its path was silent for so long while the new one is "
		 "heard."},
	{"most", config_read_number, FIELD(handover_most),
	 RANGE(.min = 1, .max = 1000000, .none = true), .value = "a number, or none",
	 .preset = "none", .help = "Handovers that may run at once."},
	{"follow", read_follow, FIELD(follow_register), .value = "none or register",
	 .preset = "none",
	 .help = "register: a call follows its party when that registers from another address."},
	{"anchor", config_read_choice, FIELD(handover_anchor), .param = anchor_choices,
	 .value = "always or auto", .preset = "always",
	 .help = "auto: media of a call whose parties both support the extension goes past the "
		 "relay, and the far end duplicates. Can be reloaded."},
	{"probe", config_read_choice, FIELD(handover_probe), .param = probe_choices,
	 .value = "require or supported", .preset = "require",
	 .help = "With auto, how an unknown callee is found out: by Require and its 420, or by "
		 "what "
		 "its first answer supports. Can be reloaded."},
	{0},
};

static const struct config_key call_keys[] = {
	{"most", config_read_number, FIELD(max_calls), RANGE(.min = 1, .max = 1000000),
	 .value = "a number", .preset = "50000",
	 .help = "Calls at once; the next one gets 503. Can be reloaded."},
	{"subscriber_most", config_read_number, FIELD(subscriber_most),
	 RANGE(.min = 1, .max = 1000000, .none = true), .value = "a number, or none",
	 .preset = "none",
	 .help = "Calls that one subscriber has begun and that are not over; the next one gets "
		 "403. Can be reloaded."},
	{"barred", config_read_barred, FIELD(barred),
	 .value = "a list of digits, like [\"+882\", \"00882\"]",
	 .help = "Numbers that begin with one of these are refused (403), whoever calls, transfers "
		 "or redirects there. Can be reloaded."},
	{"foreign", config_read_bool, FIELD(foreign), .value = "true or false", .preset = "true",
	 .help = "Subscribers may call other domains than ours and the trunks'. Can be reloaded."},
	{"max_duration", config_read_duration, FIELD(max_duration),
	 SECONDS(.min = 1, .max = 30 * DAY, .none = true), .value = "a time, or none",
	 .preset = "12h", .help = "A longer call is ended. Can be reloaded."},
	{"media_timeout", config_read_duration, FIELD(media_timeout),
	 SECONDS(.min = 5, .max = DAY, .none = true), .value = "a time, or none", .preset = "60s",
	 .help = "A call is ended when no media came from either side for so long, unless it is on "
		 "hold. Can be reloaded."},
	{"session_expires", config_read_duration, FIELD(session_expires),
	 SECONDS(.min = 90, .max = DAY, .none = true), .value = "a time, or none",
	 .preset = "1800s", .help = "Session timer that we ask for (RFC 4028). Can be reloaded."},
	{"min_se", config_read_duration, FIELD(min_se), SECONDS(.min = 90, .max = DAY),
	 .value = "a time", .preset = "90s",
	 .help = "A shorter session timer is refused with 422. Can be reloaded."},
	{0},
};

static const struct config_key cdr_keys[] = {
	{"file", config_read_text, FIELD(cdr_file), .value = "the path of a file",
	 .help = "CDRs are written there, too, as lines of JSON."},
	{"size", config_read_number, FIELD(cdr_megabytes),
	 RANGE(.min = 1, .max = 1000000, .none = true), .value = "a number, or none",
	 .preset = "100",
	 .help = "Megabytes after which that file is set aside, with the time behind its name."},
	{"keep", config_read_number, FIELD(cdr_days), RANGE(.min = 1, .max = 36500, .none = true),
	 .value = "a number, or none", .preset = "none",
	 .help = "Days after which CDRs are removed from the store. Can be reloaded."},
	{0},
};

static const struct config_key hep_keys[] = {
	{"to", config_read_hep, FIELD(hep), .value = "udp:ADDRESS:PORT, like udp:192.0.2.60:9060",
	 .help = "Each SIP message is copied there (HEP version 3), for Homer or sngrep; in clear, "
		 "TLS too."},
	{"id", config_read_number, FIELD(hep_agent), RANGE(.min = 1, .max = 65535),
	 .value = "a number", .preset = "1",
	 .help = "The capture agent that copies say they are of."},
	{0},
};

static const struct config_key log_keys[] = {
	{"level", config_read_choice, FIELD(log_level), .param = level_choices,
	 .value = "error, warning, info or debug", .preset = "info",
	 .help = "What is logged: this and what is graver. Can be reloaded."},
	{0},
};

static const struct config_key keys[] = {
	{"sip", SECTION(sip_keys), .required = true, .value = "a mapping with domains and listen"},
	{"media", SECTION(media_keys), .required = true, .value = "a mapping with interfaces"},
	{"trunks", config_read_trunks, FIELD(trunk), .inner = trunk_keys,
	 .value = "a list of {name: ..., source: ...}",
	 .help = "Peers that are known by their address. Can be reloaded."},
	{"calls", SECTION(call_keys)},
	{"handover", SECTION(handover_keys)},
	{"store", config_read_store, FIELD(store), .value = "sqlite:/DIRECTORY/FILE",
	 .preset = "\"sqlite:/var/lib/segue/segue.db\"",
	 .help = "Subscribers, registrations, the journal of calls and CDRs."},
	{"cdr", SECTION(cdr_keys)},
	{"control", config_read_text, FIELD(control), .value = "the path of a socket",
	 .preset = "/run/segue/control.sock", .help = "Where the command line reaches us."},
	{"http", config_read_http, FIELD(http), .value = "ADDRESS:PORT, like 127.0.0.1:9810",
	 .help = "Where metrics (Prometheus) and the state of health are served, to whoever asks."},
	{"page", config_read_choice, FIELD(page), .param = page_choices,
	 .value = "local, any or none", .preset = "local",
	 .help = "Who is served the live page there, which shows who calls whom: this machine "
		 "only, whoever asks, nobody. Can be reloaded."},
	{"hep", SECTION(hep_keys)},
	{"log", SECTION(log_keys)},
	{0},
};

static int read_follow(struct config_reader *reader, yaml_node_t *node,
		       const struct config_key *key, void *field)
{
	static const struct config_choice choices[] = {{"none", 0}, {"register", 1}, {NULL, 0}};
	struct str text;
	int ret = config_scalar(reader, node, &text);

	(void)key;
	if (!ret)
		ret = config_choose(reader, node, text, choices);
	if (ret < 0)
		return ret;
	*(bool *)field = ret == 1;
	return 0;
}

/* ---- what several keys say together ------------------------------------------------------------
 */

static bool has_tls(const struct config *config)
{
	for (size_t i = 0; i < config->listens; i++) {
		if (config->listen[i].proto == SIP_TLS)
			return true;
	}
	return false;
}

static int check_pem(struct config_reader *reader, yaml_node_t *root, const char *path,
		     const char *file)
{
	yaml_node_t *node = config_find(reader, root, path);

	if (!file)
		return config_wrong(reader, node, "%s is missing, and listening with tls: needs it",
				    path);
	if (access(file, R_OK))
		return config_wrong(reader, node, "%s: '%.200s': %s", path, file, strerror(errno));
	return 0;
}

/* What is in the files, and whether they belong together: by doing with them what listening does.
 */
static int try_tls(struct config_reader *reader, yaml_node_t *root, const struct config *config)
{
	const struct sip_tls_config files = {
		.own = {config->tls_certificate, config->tls_key},
		.other = config->tls_other,
		.others = config->tls_others,
		.ca = config->tls_ca,
	};
	struct error err = {""};
	struct tls *tls;
	int ret = tls_alloc(&tls, &files, &err);

	if (!ret)
		tls_free(tls);
	else if (ret != -ENOMEM)
		config_wrong(reader, config_find(reader, root, "sip.tls"), "sip.tls: %s", err.text);
	return ret;
}

static int check_tls(struct config_reader *reader, yaml_node_t *root, const struct config *config)
{
	int ret = 0;

	if (config->tls_ca)
		ret = check_pem(reader, root, "sip.tls.authorities", config->tls_ca);
	if (ret || (!has_tls(config) && !config->tls_certificate && !config->tls_key))
		return ret;
	ret = check_pem(reader, root, "sip.tls.certificate", config->tls_certificate);
	if (!ret)
		ret = check_pem(reader, root, "sip.tls.key", config->tls_key);
	return ret ? ret : try_tls(reader, root, config);
}

static int check_times(struct config_reader *reader, yaml_node_t *root, const struct config *config)
{
	if (config->min_expires > config->default_expires)
		return config_wrong(reader, config_find(reader, root, "sip.expires.default"),
				    "sip.expires.default is %us, less than sip.expires.min, %us",
				    config->default_expires, config->min_expires);
	if (config->default_expires > config->max_expires)
		return config_wrong(reader, config_find(reader, root, "sip.expires.max"),
				    "sip.expires.max is %us, less than sip.expires.default, %us",
				    config->max_expires, config->default_expires);
	if (config->session_expires && config->session_expires < config->min_se)
		return config_wrong(reader, config_find(reader, root, "calls.session_expires"),
				    "calls.session_expires is %us, less than calls.min_se, %us",
				    config->session_expires, config->min_se);
	return 0;
}

static bool is_domain(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->domain_count; i++) {
		if (!strcmp(config->domains[i], name))
			return true;
	}
	return false;
}

static int check_redirects(struct config_reader *reader, yaml_node_t *root,
			   const struct config *config)
{
	for (size_t i = 0; i < config->redirects; i++) {
		if (!is_domain(config, config->redirect[i]))
			return config_wrong(reader, config_find(reader, root, "sip.redirect"),
					    "sip.redirect: '%.64s' is none of sip.domains",
					    config->redirect[i]);
	}
	return 0;
}

static int check_together(struct config_reader *reader, yaml_node_t *root, void *base)
{
	const struct config *config = base;
	int tls = check_tls(reader, root, config), times = check_times(reader, root, config);
	int redirects = check_redirects(reader, root, config);

	if (redirects)
		return redirects;
	return tls ? tls : times;
}

/* ---- the doors ---------------------------------------------------------------------------------
 */

static int load(struct config **out, const char *file, config_error_fn *report, void *context)
{
	struct config_reader reader = {.file = file, .report = report, .context = context};
	struct config *config = calloc(1, sizeof(*config));
	int ret = -ENOMEM;

	if (config)
		ret = config_read_file(&reader, keys, config, check_together);
	/* Memory that is missing has no place in the file. */
	if (ret && !reader.errors)
		report(context, strerror(-ret));
	if (ret)
		config_free(config);
	else
		*out = config;
	return ret;
}

static void keep_first(void *context, const char *sentence)
{
	struct error *err = context;

	if (err && !*err->text)
		error_set(err, 0, "%s", sentence);
}

int config_load(struct config **out, const char *file, struct error *err)
{
	if (err)
		*err->text = '\0';
	return load(out, file, keep_first, err);
}

int config_examine(const char *file, config_error_fn *fn, void *context)
{
	struct config *config;
	int ret = load(&config, file, fn, context);

	if (!ret)
		config_free(config);
	return ret;
}

void config_free(struct config *config)
{
	if (!config)
		return;
	config_values_free(config);
	free(config->tls_certificate);
	free(config->tls_key);
	free(config->tls_ca);
	free(config->store);
	free(config->cdr_file);
	free(config->control);
	free(config->http);
	free(config);
}

static void each_key(const struct config_key *table, const char *outer, config_key_fn *fn,
		     void *context)
{
	for (const struct config_key *key = table; key->name; key++) {
		const char *preset = key->preset ? key->preset : "";
		char path[160];

		snprintf(path, sizeof(path), "%s%s", outer, key->name);
		if (key->help)
			fn(context, path, key->value, key->required ? "(required)" : preset,
			   key->help);
		if (!key->inner)
			continue;
		strncat(path, key->read == config_read_mapping ? "." : "[].", 4);
		each_key(key->inner, path, fn, context);
	}
}

void config_keys(config_key_fn *fn, void *context)
{
	each_key(keys, "", fn, context);
}
