/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of one answer a bucket: whatever is asked for last is remembered. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "answers.h"
#include "internal.h"

#define ROUTES 4096u /* powers of two */
#define LINKS 64u
#define NEIGHBOURS 256u
#define AGE_MAX_NS 1000000000ull

/* When an answer was given; stale if that was in an earlier era, or long ago. */
struct given {
	uint64_t at_ns; /* 0: never */
	uint64_t era;
};

struct route_answer {
	struct given given;
	uint8_t local[16]; /* all zero: from any */
	uint8_t remote[16];
	struct sg_route route;
};

struct link_answer {
	struct given given;
	struct sg_link link;
};

struct neighbour_answer {
	struct given given;
	uint32_t ifindex;
	uint8_t addr[16];
	struct sg_neighbour neighbour;
};

struct sg_answers {
	struct sg_monitor *monitor;
	uint64_t era; /* one more when nothing that was said before can be trusted */
	struct route_answer route[ROUTES];
	struct link_answer link[LINKS];
	struct neighbour_answer neighbour[NEIGHBOURS];
};

int sg_answers_open(struct sg_answers **out, struct sg_error *err)
{
	struct sg_answers *answers = calloc(1, sizeof(*answers));
	int error;

	if (!answers)
		return sg_fail(err, -ENOMEM, "no memory to remember routes in");
	error = sg_monitor_open(&answers->monitor, err);
	if (error) {
		sg_answers_close(answers);
		return error;
	}
	*out = answers;
	return 0;
}

void sg_answers_close(struct sg_answers *answers)
{
	if (!answers)
		return;
	sg_monitor_close(answers->monitor);
	free(answers);
}

/* ---- what is still true --------------------------------------------------------------------- */

/* Addresses differ in few bits, often the last ones in memory: each multiplication spreads them. */
static uint32_t hash(const uint8_t addr[16], uint32_t seed)
{
	uint64_t word[2], mixed;

	memcpy(word, addr, sizeof(word));
	mixed = (word[0] ^ seed) * 0x9E3779B97F4A7C15ull;
	mixed = (mixed ^ mixed >> 32 ^ word[1]) * 0xD6E8FEB86659FD93ull;
	mixed = (mixed ^ mixed >> 32) * 0xD6E8FEB86659FD93ull;
	return (uint32_t)(mixed >> 32);
}

static struct neighbour_answer *neighbour_bucket(struct sg_answers *answers, uint32_t ifindex,
						 const uint8_t addr[16])
{
	return &answers->neighbour[hash(addr, ifindex) % NEIGHBOURS];
}

static void on_change(const struct sg_change *change, void *context)
{
	struct sg_answers *answers = context;

	if (change->kind == SG_CHANGE_NEIGHBOUR)
		neighbour_bucket(answers, change->ifindex, change->addr)->given.at_ns = 0;
	else
		answers->era++;
}

void sg_answers_catch_up(struct sg_answers *answers)
{
	if (answers && sg_monitor_read(answers->monitor, on_change, answers))
		answers->era++; /* notifications were lost */
}

void sg_answers_forget(struct sg_answers *answers)
{
	if (answers)
		answers->era++;
}

static bool holds(const struct sg_answers *answers, const struct given *given, uint64_t now_ns)
{
	return given->at_ns && given->era == answers->era && now_ns - given->at_ns < AGE_MAX_NS;
}

static struct given given_now(const struct sg_answers *answers, uint64_t now_ns)
{
	return (struct given){.at_ns = now_ns, .era = answers->era};
}

/* ---- asking --------------------------------------------------------------------------------- */

int sg_answer_route(struct sg_relay *relay, const uint8_t local[16], const uint8_t remote[16],
		    struct sg_route *out)
{
	static const uint8_t any[16];
	struct sg_answers *answers = relay->answers;
	const uint8_t *from = local ? local : any;
	struct route_answer *known;
	uint64_t now_ns;
	int error;

	if (!answers)
		return sg_netlink_route(relay->netlink, local, remote, out);
	now_ns = sg_now_ns();
	known = &answers->route[hash(remote, hash(from, 0)) % ROUTES];
	if (holds(answers, &known->given, now_ns) && !memcmp(known->local, from, 16) &&
	    !memcmp(known->remote, remote, 16)) {
		*out = known->route;
		return 0;
	}
	error = sg_netlink_route(relay->netlink, local, remote, out);
	if (error)
		return error;
	known->given = given_now(answers, now_ns);
	memcpy(known->local, from, 16);
	memcpy(known->remote, remote, 16);
	known->route = *out;
	return 0;
}

int sg_answer_link(struct sg_relay *relay, uint32_t ifindex, struct sg_link *out)
{
	struct sg_answers *answers = relay->answers;
	struct link_answer *known;
	uint64_t now_ns;
	int error;

	if (!answers)
		return sg_netlink_link(relay->netlink, ifindex, out);
	now_ns = sg_now_ns();
	known = &answers->link[ifindex % LINKS];
	if (holds(answers, &known->given, now_ns) && known->link.ifindex == ifindex) {
		*out = known->link;
		return 0;
	}
	error = sg_netlink_link(relay->netlink, ifindex, out);
	if (error)
		return error;
	known->given = given_now(answers, now_ns);
	known->link = *out;
	return 0;
}

/* Only one that can be sent to is remembered: the others are about to change. */
int sg_answer_neighbour(struct sg_relay *relay, uint32_t ifindex, const uint8_t addr[16],
			struct sg_neighbour *out)
{
	struct sg_answers *answers = relay->answers;
	struct neighbour_answer *known;
	uint64_t now_ns;
	int error;

	if (!answers)
		return sg_netlink_neighbour(relay->netlink, ifindex, addr, out);
	now_ns = sg_now_ns();
	known = neighbour_bucket(answers, ifindex, addr);
	if (holds(answers, &known->given, now_ns) && known->ifindex == ifindex &&
	    !memcmp(known->addr, addr, 16)) {
		*out = known->neighbour;
		return 0;
	}
	error = sg_netlink_neighbour(relay->netlink, ifindex, addr, out);
	if (error || !sg_neighbour_usable(out))
		return error;
	known->given = given_now(answers, now_ns);
	known->ifindex = ifindex;
	memcpy(known->addr, addr, 16);
	known->neighbour = *out;
	return 0;
}
