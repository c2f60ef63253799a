// SPDX-License-Identifier: BSD-2-Clause
#include "oracle.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sofia-sip/sdp.h>
#include <sofia-sip/su_alloc.h>

/* Loaded, not linked: it has functions of the same names as ours (sdp_parse). */
struct library {
	__typeof__(sdp_parse) *parse;
	__typeof__(sdp_session) *session;
	__typeof__(sdp_parsing_error) *error;
	__typeof__(sdp_parser_free) *free_parser;
	__typeof__(sdp_media_connections) *connections;
	__typeof__(su_home_new) *new_home;
	__typeof__(su_home_unref) *unref_home;
};

static void *symbol(void *handle, const char *name)
{
	void *found = dlsym(handle, name);

	if (!found) {
		fprintf(stderr, "libsofia-sip-ua has no %s\n", name);
		abort();
	}
	return found;
}

static const struct library *library(void)
{
	static struct library loaded;
	void *handle;

	if (loaded.parse)
		return &loaded;
	handle = dlopen("libsofia-sip-ua.so.0", RTLD_NOW | RTLD_LOCAL);
	if (!handle) {
		fprintf(stderr, "%s\n", dlerror());
		abort();
	}
	loaded = (struct library){
		.parse = symbol(handle, "sdp_parse"),
		.session = symbol(handle, "sdp_session"),
		.error = symbol(handle, "sdp_parsing_error"),
		.free_parser = symbol(handle, "sdp_parser_free"),
		.connections = symbol(handle, "sdp_media_connections"),
		.new_home = symbol(handle, "su_home_new"),
		.unref_home = symbol(handle, "su_home_unref"),
	};
	return &loaded;
}

static void read_formats(struct oracle_media *out, const sdp_media_t *media)
{
	size_t at = 0;

	if (media->m_rtpmaps) {
		out->clock_hz = media->m_rtpmaps->rm_rate;
		for (const sdp_rtpmap_t *map = media->m_rtpmaps; map; map = map->rm_next)
			at += (size_t)snprintf(out->formats + at, sizeof(out->formats) - at, "%s%u",
					       at ? " " : "", map->rm_pt);
		return;
	}
	for (const sdp_list_t *item = media->m_format; item; item = item->l_next)
		at += (size_t)snprintf(out->formats + at, sizeof(out->formats) - at, "%s%s",
				       at ? " " : "", item->l_text);
}

static void read_media(struct oracle_media *out, const sdp_media_t *media)
{
	const sdp_connection_t *at = library()->connections(media);

	memset(out, 0, sizeof(*out));
	snprintf(out->type, sizeof(out->type), "%s", media->m_type_name);
	snprintf(out->proto, sizeof(out->proto), "%s", media->m_proto_name);
	out->port = media->m_port;
	if (at && at->c_nettype == sdp_net_in)
		snprintf(out->host, sizeof(out->host), "%s", at->c_address);
	out->direction = media->m_mode;
	read_formats(out, media);
}

static void read_session(struct oracle *out, const sdp_session_t *session)
{
	const sdp_origin_t *origin = session->sdp_origin;

	if (origin && origin->o_address)
		snprintf(out->origin_host, sizeof(out->origin_host), "%s",
			 origin->o_address->c_address);
	for (const sdp_media_t *media = session->sdp_media; media && out->medias < ORACLE_MEDIA;
	     media = media->m_next)
		read_media(&out->media[out->medias++], media);
}

bool oracle_read(struct oracle *out, struct str text, char why[ORACLE_TEXT])
{
	const struct library *lib = library();
	su_home_t *home = lib->new_home(sizeof(*home));
	sdp_parser_t *parser = lib->parse(home, text.p, (issize_t)text.n,
					  sdp_f_insane | sdp_f_c_missing | sdp_f_mode_0000);
	sdp_session_t *session = lib->session(parser);

	memset(out, 0, sizeof(*out));
	snprintf(why, ORACLE_TEXT, "%s", session ? "" : lib->error(parser));
	if (session)
		read_session(out, session);
	lib->free_parser(parser);
	lib->unref_home(home);
	return session;
}
