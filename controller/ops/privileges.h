/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What segued may do: it starts as root, which alone may make pins and ask about other programs on
 * a NIC, and runs as a user of its own with CAP_BPF and CAP_NET_ADMIN.
 */
#ifndef SEGUE_OPS_PRIVILEGES_H
#define SEGUE_OPS_PRIVILEGES_H

#include <sys/types.h>

#include "base/error.h"

struct privileges_user {
	uid_t uid;
	gid_t gid;
};

/* -ENOENT: there is no such user. */
int privileges_find(struct privileges_user *out, const char *name, struct error *err);
/*
 * For good: user, group, supplementary groups, and all capabilities but the two, which also leave
 * the bounding set; no new ones by execve. -EPERM: we are not root.
 */
int privileges_drop(const struct privileges_user *user, struct error *err);

#endif
