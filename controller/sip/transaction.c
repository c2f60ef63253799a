// SPDX-License-Identifier: BSD-2-Clause
#include "sip/transaction.h"

#define PART_MAX 64u /* longer ones are replaced by their hashes */
#define PARTS_MAX 8u

/* The parts of a key, each behind its length, so that no two lists of parts read alike. */
struct parts {
	size_t len;
	char text[PARTS_MAX * (1 + PART_MAX)];
};

static void add_bytes(struct parts *parts, const void *bytes, size_t len)
{
	parts->text[parts->len++] = (char)len;
	memcpy(parts->text + parts->len, bytes, len);
	parts->len += len;
}

static void add(const struct tx_seeds *seeds, struct parts *parts, struct str part)
{
	if (part.n > PART_MAX) {
		const struct tx_key hashes = {hash_text(&seeds->bucket, part),
					      hash_text(&seeds->check, part)};

		add_bytes(parts, &hashes, sizeof(hashes));
	} else if (part.n) {
		add_bytes(parts, part.p, part.n);
	} else {
		add_bytes(parts, "", 0);
	}
}

static struct tx_key key_of(const struct tx_seeds *seeds, const struct tx_table *table,
			    const struct parts *parts)
{
	const struct str text = {parts->text, parts->len};
	struct tx_key key;

	key.bucket = hash_text(&seeds->bucket, text);
	__builtin_prefetch(&table->now.bucket[key.bucket & table->now.mask]);
	key.check = hash_text(&seeds->check, text);
	return key;
}

/*
 * A branch without the cookie is not unique (RFC 2543): then the request itself identifies the
 * transaction, all but the To tag, which the ACK has and the INVITE has not (RFC 3261 17.2.3).
 */
static void add_old(const struct tx_seeds *seeds, struct parts *parts,
		    const struct sip_message *request)
{
	add(seeds, parts, request->request_uri);
	add(seeds, parts, request->from_tag);
	add(seeds, parts, request->call_id);
	add_bytes(parts, &request->cseq, sizeof(request->cseq));
}

struct tx_key tx_key_server(const struct tx_seeds *seeds, const struct tx_table *table,
			    const struct sip_message *request, struct str method)
{
	const struct sip_via *via = &request->via;
	struct parts parts;

	parts.len = 0;
	add(seeds, &parts, via->branch);
	add(seeds, &parts, via->host);
	add_bytes(&parts, &via->port, sizeof(via->port));
	add(seeds, &parts, method);
	if (!str_case_starts(via->branch, SIP_BRANCH_COOKIE))
		add_old(seeds, &parts, request);
	return key_of(seeds, table, &parts);
}

struct tx_key tx_key_client(const struct tx_seeds *seeds, const struct tx_table *table,
			    struct str branch, struct str method)
{
	struct parts parts;

	parts.len = 0;
	add(seeds, &parts, branch);
	add(seeds, &parts, method);
	return key_of(seeds, table, &parts);
}

struct tx_key tx_key_merged(const struct tx_seeds *seeds, const struct tx_table *table,
			    const struct sip_message *request)
{
	struct parts parts;

	parts.len = 0;
	add(seeds, &parts, request->call_id);
	add(seeds, &parts, request->from_tag);
	add_bytes(&parts, &request->cseq, sizeof(request->cseq));
	add(seeds, &parts, request->method_name);
	return key_of(seeds, table, &parts);
}
