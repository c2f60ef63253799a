// SPDX-License-Identifier: BSD-2-Clause
/*
 * Where a request goes: our subscribers by their bindings, telephone numbers by trunk, foreign
 * domains by DNS, for those who proved to be ours.
 */
#include "call/internal.h"

#include <errno.h>
#include <stdlib.h>

void targets_free(struct target *target, size_t count)
{
	for (size_t i = 0; target && i < count; i++) {
		free(target[i].uri);
		free(target[i].path);
		free(target[i].user);
		free(target[i].instance);
		free(target[i].trunk);
	}
	free(target);
}

const struct config_trunk *trunk_of(const struct config *config, const struct netaddr *source)
{
	for (size_t i = 0; i < config->trunks; i++) {
		const struct config_trunk *trunk = &config->trunk[i];

		if (netaddr_in_prefix(source, &trunk->source, trunk->prefix))
			return trunk;
	}
	return NULL;
}

static int make(struct target **out, size_t *count, size_t room)
{
	*out = calloc(room, sizeof(**out));
	*count = 0;
	return *out ? 0 : 500;
}

/* ---- our subscribers ------------------------------------------------------------------------ */

static int fill_from_binding(struct target *target, const struct binding *binding, struct str aor)
{
	target->uri = str_dup(str_of(binding->contact));
	target->path = str_dup(str_of(binding->path));
	target->user = str_dup(aor);
	if (binding->instance && binding->instance[0])
		target->instance = str_dup(str_of(binding->instance));
	target->flow = binding->flow;
	target->use_flow = binding->use_flow;
	target->q = binding->q;
	return target->uri && target->path && target->user ? 0 : 500;
}

static int route_to_user(struct calls *calls, struct str aor, struct target **out, size_t *count)
{
	const struct binding *binding[CALL_TARGETS];
	size_t bindings = location_lookup(calls->location, aor, binding, CALL_TARGETS);
	int status;

	if (!bindings)
		return registrar_has_subscriber(calls->registrar, aor) ? 480 : 404;
	status = make(out, count, bindings);
	while (!status && *count < bindings) {
		status = fill_from_binding(&(*out)[*count], binding[*count], aor);
		++*count;
	}
	return status;
}

/* ---- trunks --------------------------------------------------------------------------------- */

/* Who writes the host of a trunk instead of a number of its prefix gets there, too; as its leg. */
static const struct config_trunk *trunk_at(const struct config *config, const struct sip_uri *uri)
{
	struct sip_uri parsed;

	for (size_t i = 0; i < config->trunks; i++)
		if (config->trunk[i].uri && !sip_uri_parse(&parsed, str_of(config->trunk[i].uri)) &&
		    str_case_eq(parsed.host, uri->host))
			return &config->trunk[i];
	return NULL;
}

static const struct config_trunk *trunk_for(const struct config *config, struct str user)
{
	const struct config_trunk *best = NULL;
	size_t longest = 0;

	for (size_t i = 0; i < config->trunks; i++) {
		const struct config_trunk *trunk = &config->trunk[i];
		struct str prefix = str_of(trunk->prefix_match);

		if (!trunk->uri || !trunk->prefix_match || !sip_number_starts(user, prefix))
			continue;
		if (!best || prefix.n > longest) {
			best = trunk;
			longest = prefix.n;
		}
	}
	return best;
}

/* "sip:gateway:5060" and "4420..." make "sip:4420...@gateway:5060". */
static char *uri_at_trunk(const struct config_trunk *trunk, struct str user)
{
	struct str uri = str_of(trunk->uri);
	struct buf text = BUF_EMPTY;
	struct sip_uri parsed;
	char *made = NULL;

	if (sip_uri_parse(&parsed, uri))
		return NULL;
	if (parsed.user.n)
		return str_dup(uri);
	buf_add(&text, parsed.scheme);
	buf_add_char(&text, ':');
	buf_add(&text, user);
	buf_add_char(&text, '@');
	buf_add(&text, str_from(parsed.host.p, uri.p + uri.n));
	if (!buf_error(&text))
		made = str_dup(buf_str(&text));
	buf_free(&text);
	return made;
}

static int one_target(struct target **out, size_t *count, char *uri, const char *trunk)
{
	int status = uri ? make(out, count, 1) : 500;

	if (status) {
		free(uri);
		return status;
	}
	*count = 1;
	**out = (struct target){.uri = uri, .path = str_dup(STR("")), .q = 1000};
	if (trunk)
		(*out)->trunk = str_dup(str_of(trunk));
	return (*out)->path && (!trunk || (*out)->trunk) ? 0 : 500;
}

/* ---- which of them -------------------------------------------------------------------------- */

/* Numbers go to the trunk of their prefix (SG-26), unless calls.barred has them. */
static int route_number(struct calls *calls, struct str number, const struct identity *caller,
			struct target **out, size_t *count)
{
	const struct config_trunk *trunk = trunk_for(calls->config, number);

	if (!trunk)
		return 404;
	if (!admit_number(calls, number)) {
		admit_refused(calls, CALLS_REFUSED_BARRED, caller, "calls.barred has", number);
		return 403;
	}
	return one_target(out, count, uri_at_trunk(trunk, number), trunk->name);
}

static int route_local(struct calls *calls, const struct sip_uri *uri,
		       const struct identity *caller, struct target **out, size_t *count)
{
	struct buf aor = BUF_EMPTY;
	int status = 404;

	if (!registrar_aor(calls->registrar, uri, &aor))
		status = route_to_user(calls, buf_str(&aor), out, count);
	buf_free(&aor);
	return status == 404 ? route_number(calls, uri->user, caller, out, count) : status;
}

/* Elsewhere: we carry for our users, not between strangers. */
static int route_foreign(struct calls *calls, const struct sip_uri *uri, struct str text,
			 const struct identity *caller, struct target **out, size_t *count)
{
	const struct config_trunk *trunk = trunk_at(calls->config, uri);

	if (caller->trunk)
		return 403;
	if (!admit_number(calls, uri->user)) {
		admit_refused(calls, CALLS_REFUSED_BARRED, caller, "calls.barred has", uri->user);
		return 403;
	}
	if (!calls->config->foreign && !trunk) {
		admit_refused(calls, CALLS_REFUSED_FOREIGN, caller, "calls.foreign keeps it from",
			      uri->host);
		return 403;
	}
	return one_target(out, count, str_dup(text), trunk ? trunk->name : NULL);
}

int route_uri(struct calls *calls, const struct sip_uri *uri, struct str text,
	      const struct identity *caller, struct target **out, size_t *count)
{
	int status;

	*out = NULL;
	*count = 0;
	if (str_case_eq(uri->scheme, STR("tel")))
		status = route_number(calls, uri->user, caller, out, count);
	else if (!str_case_eq(uri->scheme, STR("sip")) && !str_case_eq(uri->scheme, STR("sips")))
		status = 416;
	else if (registrar_is_ours(calls->registrar, uri))
		status = route_local(calls, uri, caller, out, count);
	else
		status = route_foreign(calls, uri, text, caller, out, count);
	if (status) {
		targets_free(*out, *count);
		*out = NULL;
		*count = 0;
	}
	return status;
}

int route_find(struct calls *calls, const struct sip_message *request,
	       const struct identity *caller, struct target **out, size_t *count)
{
	return route_uri(calls, &request->uri, request->request_uri, caller, out, count);
}
