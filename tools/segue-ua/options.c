// SPDX-License-Identifier: BSD-2-Clause
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "media.h"

const char ua_usage[] =
	"usage: segue-ua [OPTIONS] register | call URI | answer\n"
	"  --via NAME=ADDRESS[%DEVICE][@PROXY[:PORT]]   a network of ours, and where requests go\n"
	"                        from there; the first is used first (up to 4)\n"
	"  --aor URI             who we are: sip:alice@example.net\n"
	"  --user NAME           of the credentials, where it is not that of the AOR\n"
	"  --password-file FILE  its first line; or the environment's SEGUE_UA_PASSWORD\n"
	"  --proxy HOST[:PORT]|URI       where requests go; else by DNS for the AOR's domain\n"
	"  --transport udp|tcp|tls       of SIP; else what the proxy's URI or DNS says\n"
	"  --tls-ca FILE         whose certificates are believed (the system's list)\n"
	"  --tls-name NAME       what the proxy's certificate is for (the name of --proxy, or "
	"the\n"
	"                        AOR's domain)\n"
	"  --tls-unchecked       believe any certificate: whoever is in between reads along\n"
	"  --nameserver ADDRESS[:PORT]\n"
	"  --expires SECONDS     of registrations (300); 0: do not register\n"
	"  --sip-port N --rtp-port N     on every network; 0: any\n"
	"  --scheme handover|replaces|reinvite|backup|reregister   how to move (handover)\n"
	"  --backup NAME         network of the standby leg (scheme backup)\n"
	"  --parallel            reregister: REGISTER and re-INVITE at once\n"
	"  --follow              move when the link of the network in use goes\n"
	"  --manual-release      keep the old leg until the command `release`\n"
	"  --good N              packets on the new leg before the old one is released (25)\n"
	"  --accept-handover     as far end: support the extension ourselves\n"
	"  --legs N              likewise: so many of a call at most, 420 for more (4)\n"
	"  --answer-ms N         ring so long before answering (0)\n"
	"  --early-media         answer in a 183, reliably, and play from then on\n"
	"  --refuse STATUS       refuse calls with it\n"
	"  --late-offer          INVITE without a description\n"
	"  --pcma                prefer A-law\n"
	"  --play WAV --tone HZ  what is sent (a tone of 440 Hz)\n"
	"  --record WAV          what is heard\n"
	"  --ssrc N --sequence N of what is sent\n"
	"  --packets CSV         a line for each packet\n"
	"  --video               a second stream beside the voice, a pattern at 25 packets a "
	"second\n"
	"  --video-packets CSV   its packets\n"
	"  --statistics FILE     JSON at the end; - is standard output (the default)\n"
	"  --duration SECONDS    hang up after\n"
	"  --control FIFO        made here; commands, one a line; - is standard input:\n"
	"        move NETWORK|ADDRESS, release, abort, hold, resume, mute, unmute, call URI,\n"
	"        answer, bye, quit\n"
	"  --json-events         events as JSON, one a line\n"
	"  --t1 MS               of SIP's timers (500)\n"
	"  --log error|warning|info|debug  (warning)\n";

static const char *const scheme_names[] = {
	[UA_HANDOVER] = "handover", [UA_REPLACES] = "replaces",	    [UA_REINVITE] = "reinvite",
	[UA_BACKUP] = "backup",	    [UA_REREGISTER] = "reregister",
};

const char *ua_scheme_name(enum ua_scheme scheme)
{
	return scheme_names[scheme];
}

enum {
	OPTION_VIA = 256,
	OPTION_AOR,
	OPTION_USER,
	OPTION_PASSWORD,
	OPTION_PROXY,
	OPTION_TRANSPORT,
	OPTION_TLS_CA,
	OPTION_TLS_NAME,
	OPTION_TLS_UNCHECKED,
	OPTION_NAMESERVER,
	OPTION_EXPIRES,
	OPTION_SIP_PORT,
	OPTION_RTP_PORT,
	OPTION_SCHEME,
	OPTION_BACKUP,
	OPTION_PARALLEL,
	OPTION_FOLLOW,
	OPTION_MANUAL,
	OPTION_GOOD,
	OPTION_ACCEPT,
	OPTION_LEGS,
	OPTION_ANSWER,
	OPTION_REFUSE,
	OPTION_EARLY,
	OPTION_LATE,
	OPTION_PCMA,
	OPTION_VIDEO,
	OPTION_VIDEO_PACKETS,
	OPTION_PLAY,
	OPTION_TONE,
	OPTION_RECORD,
	OPTION_SSRC,
	OPTION_SEQUENCE,
	OPTION_PACKETS,
	OPTION_STATISTICS,
	OPTION_DURATION,
	OPTION_CONTROL,
	OPTION_JSON,
	OPTION_T1,
	OPTION_LOG,
};

static const struct option names[] = {
	{"via", 1, NULL, OPTION_VIA},
	{"aor", 1, NULL, OPTION_AOR},
	{"user", 1, NULL, OPTION_USER},
	{"password-file", 1, NULL, OPTION_PASSWORD},
	{"proxy", 1, NULL, OPTION_PROXY},
	{"transport", 1, NULL, OPTION_TRANSPORT},
	{"tls-ca", 1, NULL, OPTION_TLS_CA},
	{"tls-name", 1, NULL, OPTION_TLS_NAME},
	{"tls-unchecked", 0, NULL, OPTION_TLS_UNCHECKED},
	{"nameserver", 1, NULL, OPTION_NAMESERVER},
	{"expires", 1, NULL, OPTION_EXPIRES},
	{"sip-port", 1, NULL, OPTION_SIP_PORT},
	{"rtp-port", 1, NULL, OPTION_RTP_PORT},
	{"scheme", 1, NULL, OPTION_SCHEME},
	{"backup", 1, NULL, OPTION_BACKUP},
	{"parallel", 0, NULL, OPTION_PARALLEL},
	{"follow", 0, NULL, OPTION_FOLLOW},
	{"manual-release", 0, NULL, OPTION_MANUAL},
	{"good", 1, NULL, OPTION_GOOD},
	{"accept-handover", 0, NULL, OPTION_ACCEPT},
	{"legs", 1, NULL, OPTION_LEGS},
	{"answer-ms", 1, NULL, OPTION_ANSWER},
	{"refuse", 1, NULL, OPTION_REFUSE},
	{"early-media", 0, NULL, OPTION_EARLY},
	{"late-offer", 0, NULL, OPTION_LATE},
	{"pcma", 0, NULL, OPTION_PCMA},
	{"video", 0, NULL, OPTION_VIDEO},
	{"video-packets", 1, NULL, OPTION_VIDEO_PACKETS},
	{"play", 1, NULL, OPTION_PLAY},
	{"tone", 1, NULL, OPTION_TONE},
	{"record", 1, NULL, OPTION_RECORD},
	{"ssrc", 1, NULL, OPTION_SSRC},
	{"sequence", 1, NULL, OPTION_SEQUENCE},
	{"packets", 1, NULL, OPTION_PACKETS},
	{"statistics", 1, NULL, OPTION_STATISTICS},
	{"duration", 1, NULL, OPTION_DURATION},
	{"control", 1, NULL, OPTION_CONTROL},
	{"json-events", 0, NULL, OPTION_JSON},
	{"t1", 1, NULL, OPTION_T1},
	{"log", 1, NULL, OPTION_LOG},
	{"help", 0, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

/* ---- values ---------------------------------------------------------------------------------- */

static int number(const char *text, uint32_t least, uint32_t most, unsigned *out, struct error *err)
{
	uint32_t value;

	if (!str_to_u32(str_of(text), &value) || value < least || value > most)
		return error_set(err, -EINVAL, "\"%s\" is no number from %u to %u", text, least,
				 most);
	*out = value;
	return 0;
}

static int port(const char *text, uint16_t *out, struct error *err)
{
	unsigned value = 0;
	int ret = number(text, 0, 65534, &value, err);

	if (!ret)
		*out = (uint16_t)value;
	return ret;
}

static bool copy_name(char out[UA_NAME_LEN], struct str name)
{
	if (!name.n || name.n >= UA_NAME_LEN)
		return false;
	memcpy(out, name.p, name.n);
	out[name.n] = '\0';
	return true;
}

static bool parse_proxy(struct netaddr *out, struct str text)
{
	return !netaddr_parse(out, text) || !netaddr_parse_host(out, text, 5060);
}

static bool parse_network(struct ua_network_options *network, struct str text)
{
	struct str name, address, place;

	if (!str_split(&text, '=', &name) || !str_split(&text, '@', &place) ||
	    !str_split(&place, '%', &address))
		return false;
	return copy_name(network->name, name) &&
	       !netaddr_parse_host(&network->address, address, 0) &&
	       (!place.n || copy_name(network->device, place)) &&
	       (!text.n || parse_proxy(&network->proxy, text));
}

static int add_network(struct ua_options *options, const char *text, struct error *err)
{
	struct ua_network_options *network = &options->network[options->networks];

	if (options->networks == UA_NETWORKS)
		return error_set(err, -EINVAL, "more than %u networks", UA_NETWORKS);
	*network = (struct ua_network_options){0};
	if (!parse_network(network, str_of(text)))
		return error_set(err, -EINVAL,
				 "--via wants NAME=ADDRESS[%%DEVICE][@PROXY], not \"%s\"", text);
	options->networks++;
	return 0;
}

static int set_password(struct ua_options *options, const char *path, struct error *err)
{
	FILE *file = fopen(path, "re");
	size_t room = 0;
	ssize_t length;

	if (!file)
		return error_set(err, -errno, "%s: %s", path, strerror(errno));
	free(options->password);
	options->password = NULL;
	length = getline(&options->password, &room, file);
	fclose(file);
	if (length <= 0)
		return error_set(err, -EINVAL, "%s: no password in it", path);
	options->password[strcspn(options->password, "\r\n")] = '\0';
	return 0;
}

static int set_scheme(struct ua_options *options, const char *name, struct error *err)
{
	for (unsigned i = 0; i < sizeof(scheme_names) / sizeof(scheme_names[0]); i++) {
		if (!strcmp(name, scheme_names[i])) {
			options->scheme = (enum ua_scheme)i;
			return 0;
		}
	}
	return error_set(err, -EINVAL, "\"%s\" is no scheme", name);
}

static int set_transport(struct ua_options *options, const char *name, struct error *err)
{
	options->transport_chosen = true;
	if (sip_proto_parse(&options->transport, str_of(name)))
		return error_set(err, -EINVAL, "\"%s\" is no transport: udp, tcp or tls", name);
	return 0;
}

static int set_nameserver(struct ua_options *options, const char *text, struct error *err)
{
	struct netaddr at;

	if (netaddr_parse(&at, str_of(text)) && netaddr_parse_host(&at, str_of(text), 53))
		return error_set(err, -EINVAL, "\"%s\" is no address", text);
	if (!options->nameserver)
		options->nameserver = malloc(sizeof(at));
	if (!options->nameserver)
		return error_set(err, -ENOMEM, "out of memory");
	*options->nameserver = at;
	return 0;
}

/* ---- options --------------------------------------------------------------------------------- */

static int set_number(struct ua_options *o, int option, const char *value, struct error *err)
{
	unsigned n = 0;
	int ret;

	switch (option) {
	case OPTION_EXPIRES:
		return number(value, 0, 86400, &o->expires, err);
	case OPTION_GOOD:
		return number(value, 1, 10000, &o->good, err);
	case OPTION_LEGS:
		return number(value, 1, UA_PATHS, &o->legs, err);
	case OPTION_ANSWER:
		return number(value, 0, 600000, &o->answer_ms, err);
	case OPTION_TONE:
		return number(value, 1, 3999, &o->tone_hz, err);
	case OPTION_DURATION:
		return number(value, 1, 86400, &o->duration, err);
	case OPTION_T1:
		return number(value, 10, 10000, &o->t1_ms, err);
	case OPTION_SSRC:
		return number(value, 1, UINT32_MAX, &o->ssrc, err);
	case OPTION_SEQUENCE:
		ret = number(value, 0, UINT16_MAX, &n, err);
		o->sequence = ret ? -1 : (int)n;
		return ret;
	default: /* OPTION_REFUSE */
		ret = number(value, 300, 699, &n, err);
		o->refuse = (int)n;
		return ret;
	}
}

static int set_text(struct ua_options *o, int option, const char *value, struct error *err)
{
	const char **const texts[] = {
		[OPTION_AOR - OPTION_VIA] = &o->aor,
		[OPTION_USER - OPTION_VIA] = &o->user,
		[OPTION_PROXY - OPTION_VIA] = &o->proxy,
		[OPTION_TLS_CA - OPTION_VIA] = &o->tls_ca,
		[OPTION_TLS_NAME - OPTION_VIA] = &o->tls_name,
		[OPTION_BACKUP - OPTION_VIA] = &o->backup,
		[OPTION_PLAY - OPTION_VIA] = &o->play,
		[OPTION_RECORD - OPTION_VIA] = &o->record,
		[OPTION_PACKETS - OPTION_VIA] = &o->packets,
		[OPTION_VIDEO_PACKETS - OPTION_VIA] = &o->video_packets,
		[OPTION_STATISTICS - OPTION_VIA] = &o->statistics,
		[OPTION_CONTROL - OPTION_VIA] = &o->control,
		[OPTION_LOG - OPTION_VIA] = NULL,
	};
	const char **text = texts[option - OPTION_VIA];

	if (!text)
		return set_number(o, option, value, err);
	*text = value;
	return 0;
}

static bool set_flag(struct ua_options *o, int option)
{
	bool *const flags[] = {
		[OPTION_TLS_UNCHECKED - OPTION_VIA] = &o->tls_unchecked,
		[OPTION_PARALLEL - OPTION_VIA] = &o->parallel,
		[OPTION_FOLLOW - OPTION_VIA] = &o->follow,
		[OPTION_MANUAL - OPTION_VIA] = &o->manual,
		[OPTION_ACCEPT - OPTION_VIA] = &o->accept_handover,
		[OPTION_EARLY - OPTION_VIA] = &o->early,
		[OPTION_LATE - OPTION_VIA] = &o->late,
		[OPTION_PCMA - OPTION_VIA] = &o->a_law,
		[OPTION_VIDEO - OPTION_VIA] = &o->video,
		[OPTION_JSON - OPTION_VIA] = &o->json_events,
		[OPTION_LOG - OPTION_VIA] = NULL,
	};
	bool *flag = flags[option - OPTION_VIA];

	if (flag)
		*flag = true;
	return flag;
}

static int set_option(struct ua_options *o, int option, const char *value, struct error *err)
{
	if (set_flag(o, option))
		return 0;
	switch (option) {
	case OPTION_VIA:
		return add_network(o, value, err);
	case OPTION_PASSWORD:
		return set_password(o, value, err);
	case OPTION_NAMESERVER:
		return set_nameserver(o, value, err);
	case OPTION_TRANSPORT:
		return set_transport(o, value, err);
	case OPTION_SCHEME:
		return set_scheme(o, value, err);
	case OPTION_SIP_PORT:
		return port(value, &o->sip_port, err);
	case OPTION_RTP_PORT:
		return port(value, &o->rtp_port, err);
	case OPTION_LOG:
		return log_level_parse(&o->level, str_of(value))
			       ? error_set(err, -EINVAL, "\"%s\" is no level", value)
			       : 0;
	default:
		return set_text(o, option, value, err);
	}
}

/* ---- operands -------------------------------------------------------------------------------- */

static int set_mode(struct ua_options *o, int argc, char **argv, struct error *err)
{
	const char *mode = argc ? argv[0] : "";

	if (!strcmp(mode, "call") && argc == 2) {
		o->mode = UA_CALL;
		o->callee = argv[1];
	} else if (!strcmp(mode, "answer") && argc == 1) {
		o->mode = UA_ANSWER;
	} else if (!strcmp(mode, "register") && argc == 1) {
		o->mode = UA_REGISTER;
	} else {
		return error_set(err, -EINVAL, "wants register, call URI, or answer; see --help");
	}
	return 0;
}

static int check(const struct ua_options *o, struct error *err)
{
	if (!o->networks)
		return error_set(err, -EINVAL, "no network: --via NAME=ADDRESS");
	if (o->mode == UA_REGISTER && (!o->aor || !o->expires))
		return error_set(err, -EINVAL, "register wants --aor, and --expires above 0");
	if (o->scheme == UA_BACKUP && !o->backup)
		return error_set(err, -EINVAL, "the scheme backup wants --backup NAME");
	if (o->rtp_port % 2)
		return error_set(err, -EINVAL, "--rtp-port wants an even number");
	return 0;
}

static int use_environment(struct ua_options *o, struct error *err)
{
	const char *password = getenv("SEGUE_UA_PASSWORD");

	if (!password || o->password)
		return 0;
	o->password = strdup(password);
	return o->password ? 0 : error_set(err, -ENOMEM, "out of memory");
}

int ua_options_parse(struct ua_options *out, int argc, char **argv, struct error *err)
{
	int option, ret = 0;

	*out = (struct ua_options){.expires = 300,
				   .good = 25,
				   .legs = UA_PATHS,
				   .tone_hz = 440,
				   .sequence = -1,
				   .level = LOG_LEVEL_WARNING};
	optind = 0;
	opterr = 0;
	while (!ret && (option = getopt_long(argc, argv, "+h", names, NULL)) != -1) {
		if (option == 'h') {
			fputs(ua_usage, stdout);
			ret = -ECANCELED;
		} else if (option == '?') {
			ret = error_set(err, -EINVAL,
					"%s: unknown, or without its value; see --help",
					argv[optind - 1]);
		} else {
			ret = set_option(out, option, optarg, err);
		}
	}
	if (!ret)
		ret = set_mode(out, argc - optind, argv + optind, err);
	if (!ret)
		ret = check(out, err);
	return ret ? ret : use_environment(out, err);
}

void ua_options_free(struct ua_options *options)
{
	free(options->password);
	free(options->nameserver);
	options->password = NULL;
	options->nameserver = NULL;
}
