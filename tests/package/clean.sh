#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The package in a clean Debian 12 that systemd boots: installed, it starts as it is; it is loaded again, restarted, killed
# and installed anew, also under a crowd of calls; one that hangs is ended, and the journal finds a call's
# lines; taken off, it leaves neither programs nor pins. What the documentation says of package and service is typed there as
# it stands; at last `make install` takes the package's place. `make check-package`; the first run fetches that Debian and keeps
# it in build/package-root (SEGUE_MIRROR names another mirror).
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh

base=build/package-root
mirror=${SEGUE_MIRROR:-http://deb.debian.org/debian}
deb=$(ls build/deb/segue_*.deb 2>/dev/null)

depends() {
	dpkg-deb -f "$deb" Depends | tr ',' '\n' | sed 's/|.*//; s/(.*//; s/ //g' | grep -vx systemd
}

make_base() {
	[ -e $base/usr/bin/tcpdump ] && return
	rm -rf $base
	# It leaves file systems of the kernel mounted where it may not make device nodes.
	unshare --mount debootstrap --variant=minbase \
		--include="systemd,systemd-sysv,iproute2,ethtool,jq,procps,tcpdump,$(depends | paste -sd,)" \
		bookworm $base.new "$mirror" && mv $base.new $base
}

# The same package as the later version of docs/upgrade.md, whose kernel programs have other instructions.
make_newer() {
	newer=$(sed -n 's/^apt install \.\/segue_\([0-9.]*\)_.*/\1/p' docs/upgrade.md)
	dpkg-deb -R "$deb" "$root/newer" && sed -i "s/^Version: .*/Version: $newer/" "$root/newer/DEBIAN/control" &&
		cp build/tests/package/other/*.bpf.o "$root/newer/usr/lib/segue" &&
		dpkg-deb --root-owner-group -b "$root/newer" "$root/root/segue_${newer}_amd64.deb" && rm -r "$root/newer"
}

skip_all() {
	skip "the package in a clean Debian" "$1"
	done_testing
	exit
}

[ -n "$deb" ] || skip_all "no package: make deb"
[ "$(id -u)" = 0 ] || skip_all "not root"
for tool in debootstrap systemd-nspawn; do
	command -v $tool >/dev/null || skip_all "no $tool"
done
root=$(mktemp -d "${TMPDIR:-/tmp}/segue-clean.XXXXXX")
trap 'kill "${booted:-}" 2>/dev/null; rm -rf "$root"' EXIT
trap 'exit 143' TERM INT HUP
ok "a Debian 12 of its own" make_base
[ $tap_failed = 0 ] || {
	done_testing
	exit 1
}
cp -ax $base/. "$root"
cp "$deb" "$root/root"
ok "the same package as another version" make_newer
ok "make install into a directory" make -s install DESTDIR="$root/root/tree"
cp tests/package/inside*.sh "$root/root"
cp --parents tests/lib/tap.sh tests/lib/net.sh tests/lib/holds tests/controller/lib.sh tests/crowd/lib.sh tests/docs/lines.sh \
	README.md docs/*.md \
	build/tests/lib/pass.bpf.o build/tests/crowd/crowd build/tests/crowd/arrivals "$root/root"
cat >"$root/etc/systemd/system/inside.service" <<END
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/sh /root/inside.sh
StandardOutput=file:/root/tap
StandardError=file:/root/errors
ExecStopPost=/bin/systemctl --force poweroff
[Install]
WantedBy=graphical.target
END
ln -s ../inside.service "$root/etc/systemd/system/multi-user.target.wants/inside.service"
# The kernel's file systems are writable as on a machine. Let through is what nspawn refuses even to root:
# bpf(2), and perf_event_open(2), by which captures are read.
SYSTEMD_NSPAWN_API_VFS_WRITABLE=1 timeout -k 10 800 systemd-nspawn --quiet --directory="$root" --boot \
	--register=no --keep-unit --private-network --capability=all \
	--system-call-filter='bpf perf_event_open @keyring' \
	--machine="segue-$$" --console=pipe >"$root/boot.log" 2>&1 </dev/null &
booted=$!
wait $booted
booted=
[ -s "$root/root/tap" ] || {
	diag "$(tail -n 20 "$root/boot.log")"
	diag "$(cat "$root/root/errors" 2>/dev/null)"
	ok "it boots" false
	done_testing
	exit 1
}
# Its lines behind ours, with numbers that go on.
sed -n '/^1\.\./!p' "$root/root/tap" | awk -v first=$tap_count '
	/^(not )?ok / { n = ++count + first; sub(/ok [0-9]+/, "ok " n) } { print }
	END { print "1.." count + first }'
! grep -q '^not ok' "$root/root/tap"
