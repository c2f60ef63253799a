/* SPDX-License-Identifier: BSD-2-Clause */
/* NICs followed by name: an index does not survive a driver's reload or a virtual NIC's return. */
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "netlink.h"
#include "nicwatch.h"

struct nic {
	char name[SG_LINK_NAME_LEN]; /* "": nothing here */
	uint32_t ifindex;
	enum sg_attach_mode mode;
	bool running;
	bool gone;
};

struct sg_nicwatch {
	struct sg_relay *relay;
	const struct sg_listener *listener;
	struct nic nic[2 * SG_NICS]; /* those that are gone beside those that are there */
};

struct sg_nicwatch *sg_nicwatch_open(struct sg_relay *relay, const struct sg_listener *listener)
{
	struct sg_nicwatch *watch = calloc(1, sizeof(*watch));

	if (watch) {
		watch->relay = relay;
		watch->listener = listener;
	}
	return watch;
}

void sg_nicwatch_close(struct sg_nicwatch *watch)
{
	free(watch);
}

static void say(struct sg_nicwatch *watch, const char *name, const char *what, const char *why)
{
	sg_tell(watch->listener, SG_FOLLOW_LINK, "%s %s%s%s", name, what, why ? ": " : "",
		why ? why : "");
}

static struct nic *find(struct sg_nicwatch *watch, uint32_t ifindex)
{
	for (unsigned i = 0; i < 2 * SG_NICS; i++)
		if (watch->nic[i].name[0] && !watch->nic[i].gone &&
		    watch->nic[i].ifindex == ifindex)
			return &watch->nic[i];
	return NULL;
}

static struct nic *find_gone(struct sg_nicwatch *watch, const char *name)
{
	for (unsigned i = 0; i < 2 * SG_NICS; i++)
		if (watch->nic[i].gone && strcmp(watch->nic[i].name, name) == 0)
			return &watch->nic[i];
	return NULL;
}

static struct nic *find_empty(struct sg_nicwatch *watch)
{
	for (unsigned i = 0; i < 2 * SG_NICS; i++)
		if (!watch->nic[i].name[0])
			return &watch->nic[i];
	return NULL;
}

/* ---- remembering ---------------------------------------------------------------------------- */

static bool is_running(struct sg_nicwatch *watch, uint32_t ifindex)
{
	struct sg_netlink *netlink = sg_netlink_of(watch->relay, NULL);
	struct sg_link link;

	return netlink && sg_netlink_link(netlink, ifindex, &link) == 0 && link.running;
}

static void remember(struct sg_nicwatch *watch, const struct sg_interface *interface)
{
	struct nic *nic = find_gone(watch, interface->name);

	if (!nic)
		nic = find_empty(watch);
	if (!nic)
		return;
	memset(nic, 0, sizeof(*nic));
	memcpy(nic->name, interface->name, sizeof(nic->name));
	nic->ifindex = interface->ifindex;
	nic->mode = interface->mode;
	nic->running = is_running(watch, interface->ifindex);
}

void sg_nicwatch_learn(struct sg_nicwatch *watch)
{
	struct sg_interface list[SG_NICS];
	int count = sg_interface_list(watch->relay, list, SG_NICS);

	for (unsigned i = 0; i < 2 * SG_NICS; i++)
		if (!watch->nic[i].gone)
			watch->nic[i].name[0] = '\0';
	for (int i = 0; i < count && i < (int)SG_NICS; i++)
		if (list[i].nic >= 0)
			remember(watch, &list[i]);
}

/* ---- what happened -------------------------------------------------------------------------- */

/* -EEXIST and the like leave it among the gone: the next change of the link tries again. */
static bool attach_again(struct sg_nicwatch *watch, struct nic *nic)
{
	char name[SG_LINK_NAME_LEN];
	struct sg_error why;

	memcpy(name, nic->name, sizeof(name));
	if (sg_interface_attach(watch->relay, name, nic->mode, false, &why)) {
		say(watch, name, "is back but cannot be attached", why.text);
		return false;
	}
	say(watch, name, "is back and attached again", NULL);
	sg_nicwatch_learn(watch);
	return true;
}

static void note_state(struct sg_nicwatch *watch, struct nic *nic)
{
	bool running = is_running(watch, nic->ifindex);

	if (running != nic->running)
		say(watch, nic->name, running ? "is up" : "is down", NULL);
	nic->running = running;
}

bool sg_nicwatch_changed(struct sg_nicwatch *watch, uint32_t ifindex, const char *name)
{
	struct nic *nic = find(watch, ifindex);

	if (nic) {
		snprintf(nic->name, sizeof(nic->name), "%s", name);
		note_state(watch, nic);
		return false;
	}
	nic = find_gone(watch, name);
	return nic && attach_again(watch, nic);
}

/* False if no slot was the NIC's. */
static bool free_slot(struct sg_nicwatch *watch, uint32_t ifindex)
{
	struct sg_relay *relay = watch->relay;
	bool changed = false;
	struct sg_error why;

	if (sg_lock(relay, NULL))
		return false;
	for (unsigned slot = 0; slot < SG_NICS; slot++) {
		if (relay->meta->nic[slot] == ifindex) {
			__atomic_store_n(&relay->meta->nic[slot], 0, __ATOMIC_RELEASE);
			changed = true;
		}
	}
	if (changed && sg_fanout_refresh(relay, &why))
		sg_tell(watch->listener, SG_FOLLOW_LINK, "%s", why.text);
	sg_unlock(relay, changed);
	return changed;
}

void sg_nicwatch_gone(struct sg_nicwatch *watch, uint32_t ifindex)
{
	struct nic *nic = find(watch, ifindex);

	if (!nic)
		return;
	nic->gone = free_slot(watch, ifindex);
	if (!nic->gone) { /* it had been detached */
		nic->name[0] = '\0';
		return;
	}
	say(watch, nic->name, "is gone: it will be attached again when it returns", NULL);
}

void sg_nicwatch_check(struct sg_nicwatch *watch)
{
	for (unsigned i = 0; i < 2 * SG_NICS; i++) {
		struct nic *nic = &watch->nic[i];
		char name[IF_NAMESIZE];

		if (nic->name[0] && !nic->gone && !if_indextoname(nic->ifindex, name))
			sg_nicwatch_gone(watch, nic->ifindex);
		if (nic->gone && if_nametoindex(nic->name))
			attach_again(watch, nic);
	}
	sg_nicwatch_learn(watch);
}
