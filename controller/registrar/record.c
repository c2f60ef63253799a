// SPDX-License-Identifier: BSD-2-Clause
/*
 * A user's bindings as one text of the store: for each binding five netstrings ("5:alice,"), then
 * numbers and addresses up to a comma. Lengths in front, because a Contact may hold any character.
 * Times are milliseconds since 1970 there, as the monotonic clock starts again with the machine. A
 * connection's number is left out: it ends with the process that has it.
 */
#include <time.h>

#include "registrar/location_private.h"

#define TEXTS 5u
#define NUMBERS 12u

/* What to add to wheel_now_ms() to get the time since 1970. */
static uint64_t epoch_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 - wheel_now_ms();
}

static void write_text(struct buf *out, struct str text)
{
	buf_add_u64(out, text.n);
	buf_add_char(out, ':');
	buf_add(out, text);
	buf_add_char(out, ',');
}

static void write_number(struct buf *out, uint64_t number)
{
	buf_add_u64(out, number);
	buf_add_char(out, ' ');
}

static void write_addr(struct buf *out, const struct netaddr *addr)
{
	char text[NETADDR_STRLEN];

	buf_add(out, str_of(netaddr_format(addr, text)));
	buf_add_char(out, ' ');
}

static void write_numbers(struct buf *out, const struct binding *b, uint64_t epoch)
{
	write_number(out, b->cseq);
	write_number(out, b->reg_id);
	write_number(out, b->q);
	write_number(out, b->if_q);
	write_number(out, b->has_ua_id);
	write_number(out, b->use_flow);
	write_number(out, b->flow_only);
	write_number(out, b->expires_ms + epoch);
	write_number(out, b->changed_ms + epoch);
	write_number(out, b->flow.proto);
	write_addr(out, &b->flow.local);
	write_addr(out, &b->flow.remote);
	buf_add_char(out, ',');
}

void location_record_write(struct buf *out, const struct location_user *user)
{
	const uint64_t epoch = epoch_ms();

	for (struct list *node = user->bindings.next; node != &user->bindings; node = node->next) {
		const struct binding *b = &location_entry_of(node)->binding;

		write_text(out, str_of(b->contact));
		write_text(out, str_of(b->params));
		write_text(out, str_of(b->path));
		write_text(out, str_of(b->call_id));
		write_text(out, str_of(b->instance));
		write_numbers(out, b, epoch);
	}
}

static bool read_text(struct str *record, struct str *out)
{
	size_t colon = str_index(*record, ':');
	uint64_t length;

	if (!str_to_u64((struct str){record->p, colon}, &length) || record->n - colon < 2 ||
	    length > record->n - colon - 2 || record->p[colon + 1 + length] != ',')
		return false;
	*out = (struct str){record->p + colon + 1, length};
	record->p += colon + length + 2;
	record->n -= colon + length + 2;
	return true;
}

static bool read_numbers(struct str text, struct location_draft *out)
{
	const uint64_t epoch = epoch_ms();
	uint64_t n[NUMBERS - 2];
	struct str part;

	for (unsigned i = 0; i < NUMBERS - 2; i++) {
		if (!str_split(&text, ' ', &part) || !str_to_u64(part, &n[i]))
			return false;
	}
	if (!str_split(&text, ' ', &part) || netaddr_parse(&out->flow.local, part) ||
	    !str_split(&text, ' ', &part) || netaddr_parse(&out->flow.remote, part))
		return false;
	out->cseq = (uint32_t)n[0];
	out->reg_id = (uint32_t)n[1];
	out->q = (unsigned)n[2];
	out->if_q = (unsigned)n[3];
	out->has_ua_id = n[4];
	out->use_flow = n[5];
	out->flow_only = n[6];
	/* The past may lie before the machine's start: then it is over, too. */
	out->expires_ms = n[7] > epoch ? n[7] - epoch : 0;
	out->changed_ms = n[8] > epoch ? n[8] - epoch : 0;
	out->flow.proto = (enum sip_proto)n[9];
	return n[9] <= SIP_TLS;
}

bool location_record_read(struct str *record, struct location_draft *out)
{
	struct str *const texts[TEXTS] = {&out->contact, &out->params, &out->path, &out->call_id,
					  &out->instance};
	struct str rest = *record, numbers;

	*out = (struct location_draft){0};
	for (unsigned i = 0; i < TEXTS; i++) {
		if (!read_text(&rest, texts[i]))
			return false;
	}
	if (!str_split(&rest, ',', &numbers) || !read_numbers(numbers, out))
		return false;
	*record = rest;
	return true;
}
