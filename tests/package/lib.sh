# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# Users of our own: inside net_private, /etc/passwd and /etc/group are files of ours with the user segue, and with
# `watcher` and `stranger`, the first of whom is a member of the group segue. Source it after tests/lib/net.sh.

PACKAGE_UID=31960 PACKAGE_WATCHER=31961 PACKAGE_STRANGER=31962

package_users() {
	{
		cat /etc/passwd
		echo "segue:x:$PACKAGE_UID:$PACKAGE_UID::/nonexistent:/usr/sbin/nologin"
	} >"$NET_DIR/passwd"
	{
		cat /etc/group
		echo "segue:x:$PACKAGE_UID:"
	} >"$NET_DIR/group"
	mount --bind "$NET_DIR/passwd" /etc/passwd && mount --bind "$NET_DIR/group" /etc/group
}

# package_as watcher|stranger COMMAND...: in the relay's namespace, without any capability.
package_as() {
	package_groups=
	package_user=$PACKAGE_STRANGER
	if [ "$1" = watcher ]; then
		package_user=$PACKAGE_WATCHER
		package_groups=$PACKAGE_UID,
	fi
	shift
	net_in relay setpriv --reuid "$package_user" --regid "$package_user" \
		--groups "$package_groups$package_user" --inh-caps=-all --bounding-set=-all --no-new-privs "$@"
}
