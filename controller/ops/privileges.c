// SPDX-License-Identifier: BSD-2-Clause
#include "ops/privileges.h"

#include <cap-ng.h>
#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define ENTRY_MAX 16384u /* of the user database */

int privileges_find(struct privileges_user *out, const char *name, struct error *err)
{
	char buffer[ENTRY_MAX];
	struct passwd entry, *found;
	int error = getpwnam_r(name, &entry, buffer, sizeof(buffer), &found);

	if (error)
		return error_set(err, -error, "user '%.64s': %s", name, strerror(error));
	if (!found)
		return error_set(err, -ENOENT,
				 "there is no user '%.64s': systemd-sysusers makes it, or useradd "
				 "--system",
				 name);
	out->uid = entry.pw_uid;
	out->gid = entry.pw_gid;
	return 0;
}

/* CAP_BPF: maps, programs. CAP_NET_ADMIN: XDP on a NIC that returns, neighbours kept fresh. */
static int keep_two(void)
{
	capng_clear(CAPNG_SELECT_BOTH);
	return capng_updatev(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET,
			     CAP_BPF, CAP_NET_ADMIN, -1);
}

int privileges_drop(const struct privileges_user *user, struct error *err)
{
	int ret;

	if (geteuid())
		return error_set(err, -EPERM,
				 "only root can become another user: leave --user out");
	ret = keep_two();
	if (!ret)
		ret = capng_change_id((int)user->uid, (int)user->gid,
				      CAPNG_INIT_SUPP_GRP | CAPNG_CLEAR_BOUNDING);
	if (ret)
		return error_set(err, -EPERM,
				 "cannot become user %u with CAP_BPF and CAP_NET_ADMIN (libcap-ng "
				 "says %d)",
				 (unsigned)user->uid, ret);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return error_set(err, -errno, "no_new_privs: %s", strerror(errno));
	return 0;
}
