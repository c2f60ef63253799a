# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# The topology of the network tests and of the demo. Source it from the repository's root.
#
#   mn --wlan0--[pathsim 10 ms]---- relay ----eth0-- cn
#      --umts0--[pathsim 110 ms]---
#
# Everything lives in a mount, PID and set of network namespaces of its own (net_private): two
# instances cannot meet, and whatever ends the script, even SIGKILL, takes all of it along. So
# nothing needs unique names and no interface, process, pin or mount is left to clean up.
#
# Layouts: "several" (the relay has wlan0, umts0, core0), "hairpin" (the relay has eth0 only, behind
# a gateway). Links: wlan, umts, core. Families: 4, 6.

NET_TOOLS=build/tests/lib
NET_PASS=build/tests/lib/pass.bpf.o
NET_DIR=/run/net # inside, /run is a tmpfs of ours

# Simulators and parties need little time, but at once: a network does not stop because the machine is
# busy. Where the kernel lets us they go before everything else.
NET_URGENT=
if chrt --rr 1 true 2>/dev/null; then
	NET_URGENT="chrt --rr 1"
fi

# net_unbuilt: says what has to be built first; false when it is.
net_unbuilt() {
	[ ! -e "$NET_PASS" ] && echo "$NET_PASS is not built: make check-programs"
}

# net_missing: says why the network tests cannot run here; false when they can.
net_missing() {
	if net_unbuilt; then
		:
	elif [ "$(id -u)" != 0 ]; then
		echo "not root: network namespaces and XDP need it (use sudo)"
	elif ! unshare --mount --net true 2>/dev/null; then
		echo "no right to make namespaces (CAP_SYS_ADMIN is missing)"
	elif ! unshare --net ip link add t0 type veth peer name t1 2>/dev/null; then
		echo "the kernel has no veth"
	elif ! unshare --net ip link set dev lo xdpgeneric obj $NET_PASS sec xdp 2>/dev/null; then
		echo "the kernel or the container refuses XDP programs"
	else
		return 1
	fi
}

# net_need NAME: skips the test of that name, and ends, where it cannot run. What is merely not built is no such
# reason: then it fails. Wants tap.sh.
net_need() {
	if [ -z "${NET_PRIVATE:-}" ] && net_reason=$(net_unbuilt); then
		is "$1" "$net_reason" ""
		done_testing
		exit
	fi
	if [ -z "${NET_PRIVATE:-}" ] && net_reason=$(net_missing); then
		skip "$1" "$net_reason"
		done_testing
		exit
	fi
}

# net_private SCRIPT ARGUMENT...: runs the script again in a world of its own and exits with its
# status; returns when already inside. TERM, INT and HUP end the world; so does the death of this
# shell.
net_private() {
	if [ -n "${NET_PRIVATE:-}" ]; then
		mount -t tmpfs tmpfs /run && mkdir -p $NET_DIR
		mount -t bpf bpf /sys/fs/bpf
		trap 'exit 143' TERM INT HUP # the first process of a PID namespace ignores them else
		return
	fi
	setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --mount-proc \
		env NET_PRIVATE=1 "$@" &
	net_inner=$!
	trap 'kill -KILL $net_inner 2>/dev/null; exit 143' TERM INT HUP
	wait $net_inner
	exit $?
}

# net_scratch: prints a new directory for results that must leave the private world; those of scripts
# that were killed are removed first. Remove it at the end.
net_scratch() {
	for net_old in "${TMPDIR:-/tmp}"/segue-net.*; do
		net_owner=${net_old##*/segue-net.}
		kill -0 "${net_owner%%.*}" 2>/dev/null || rm -rf "$net_old"
	done
	mktemp -d "${TMPDIR:-/tmp}/segue-net.$$.XXXXXX"
}

# net_in NAMESPACE COMMAND...
net_in() {
	net_ns=$1
	shift
	nsenter --net=/run/netns/"$net_ns" -- "$@"
}

# net_start NAMESPACE NAME PROGRAM...: in the background; output in $NET_DIR/NAME.log, process in
# NAME.pid.
net_start() {
	net_space=$1 net_name=$2
	shift 2
	nsenter --net=/run/netns/"$net_space" -- "$@" >"$NET_DIR/$net_name.log" 2>&1 &
	echo $! >"$NET_DIR/$net_name.pid"
}

net_alive() {
	kill -0 "$(cat "$NET_DIR/$1.pid")" 2>/dev/null
}

# net_stop NAME...: asks it to end and waits until it has. One that does not is killed, and said so.
net_stop() {
	for net_name in "$@"; do
		net_pid=$(cat "$NET_DIR/$net_name.pid")
		kill -TERM "$net_pid" 2>/dev/null
		net_until 30 net_has_ended "$net_pid" || {
			echo "net: $net_name does not end, and is killed" >&2
			kill -KILL "$net_pid" 2>/dev/null
		}
		wait "$net_pid" 2>/dev/null
	done
}

# net_has_ended PID: also when nobody has waited for it yet.
net_has_ended() {
	case $(cat "/proc/$1/stat" 2>/dev/null) in
	*') Z '* | '') return 0 ;;
	esac
	return 1
}

# net_until SECONDS COMMAND...: true as soon as the command is.
net_until() {
	net_tries=$(($1 * 50))
	shift
	until "$@"; do
		net_tries=$((net_tries - 1))
		[ $net_tries -gt 0 ] || return 1
		sleep 0.02
	done
}

# net_clock: starts the clock that net_at and net_now read.
net_clock() {
	NET_CLOCK=$(date +%s%N)
}

# net_now: seconds since net_clock, with a tenth.
net_now() {
	net_elapsed=$((($(date +%s%N) - NET_CLOCK) / 100000000))
	echo "$((net_elapsed / 10)).$((net_elapsed % 10))"
}

# net_at MILLISECONDS: sleeps until so long after net_clock.
net_at() {
	net_left=$(($1 - ($(date +%s%N) - NET_CLOCK) / 1000000))
	[ $net_left -le 0 ] || sleep "$((net_left / 1000)).$(printf %03d $((net_left % 1000)))"
}

# net_tell NAME LINE: a command for a pathsim (named like its link) or an rtp-peer.
net_tell() {
	net_alive "$1" || {
		echo "net: $1 has ended: $(cat "$NET_DIR/$1.log")" >&2
		return 1
	}
	echo "$2" >"$NET_DIR/$1.ctl"
}

# ---- building ------------------------------------------------------------------------------------

net_sysctl() {
	for net_setting in "$@"; do
		echo "${net_setting#*=}" >"/proc/sys/net/${net_setting%%=*}"
	done
}

net_namespace() {
	ip netns add "$1"
	net_in "$1" sh -c '. tests/lib/net.sh
		net_sysctl ipv4/conf/all/rp_filter=0 ipv4/conf/default/rp_filter=0 \
			ipv6/conf/all/accept_dad=0 ipv6/conf/default/accept_dad=0 \
			ipv6/conf/default/accept_ra=0'
	net_in "$1" ip link set lo up
}

# net_veth NS1 DEV1 NS2 DEV2: both up before anyone redirects to them, checksums in software (a
# socket's half-done checksum would be forwarded as it is).
net_veth() {
	net_in "$1" ip link add "$2" type veth peer name "$4" netns "$3"
	net_in "$1" ethtool -K "$2" tx off >/dev/null
	net_in "$3" ethtool -K "$4" tx off >/dev/null
	net_in "$1" ip link set "$2" up
	net_in "$3" ip link set "$4" up
}

# net_number LINK: third part of its addresses.
net_number() {
	case $1 in wlan) echo 1 ;; umts) echo 2 ;; core) echo 3 ;; esac
}

# net_address mn|cn|relay|gw LINK FAMILY: cn is on the link core only.
net_address() {
	net_host=1 net_subnet=$(net_number "$2")
	case $1 in mn | cn) net_host=2 ;; gw) net_host=254 ;; esac
	if [ "$1" = relay ] && [ "$NET_LAYOUT" = hairpin ]; then
		net_host=$net_subnet net_subnet=9
	fi
	case $3 in
	4) echo "10.$net_subnet.0.$net_host" ;;
	6) echo "fd00:$net_subnet::$net_host" ;;
	esac
}

# net_endpoint PARTY LINK FAMILY PORT
net_endpoint() {
	case $3 in
	4) echo "$(net_address "$1" "$2" 4):$4" ;;
	6) echo "[$(net_address "$1" "$2" 6)]:$4" ;;
	esac
}

net_give_address() { # NS DEV PARTY LINK
	net_in "$1" ip addr add "$(net_address "$3" "$4" 4)/24" dev "$2"
	net_in "$1" ip addr add "$(net_address "$3" "$4" 6)/64" dev "$2" nodad
}

net_mac() {
	net_in "$1" sh -c "ip -o link show dev $2 | sed 's/.*ether \([^ ]*\).*/\1/'"
}

# The mobile party knows its first router's MAC: it was on the network before the call.
net_know_router() { # DEV PARTY LINK NS-OF-ROUTER DEV-OF-ROUTER
	net_router=$(net_mac "$4" "$5")
	for net_family in 4 6; do
		net_in mn ip neigh replace "$(net_address "$2" "$3" $net_family)" \
			lladdr "$net_router" dev "$1" nud permanent
	done
}

net_access() { # LINK NS DEV: from mn through the simulator to DEV in NS
	net_veth mn "$1"0 air "$1-m"
	net_veth air "$1-r" "$2" "$3"
	net_give_address mn "$1"0 mn "$1"
	net_in air ip link set dev "$1-r" xdp obj $NET_PASS sec xdp
}

net_core() { # NS: its core0 to the far end
	net_veth "$1" core0 cn eth0
	net_give_address cn eth0 cn core
	net_in cn ip link set dev eth0 xdp obj $NET_PASS sec xdp
}

net_several() {
	for net_link in wlan umts; do
		net_access $net_link relay ${net_link}0
		net_give_address relay ${net_link}0 relay $net_link
		net_know_router ${net_link}0 relay $net_link relay ${net_link}0
	done
	net_core relay
	net_give_address relay core0 relay core
	NET_NICS="wlan0 umts0 core0"
}

net_route() { # NS PARTY LINK VIA-PARTY VIA-LINK
	for net_family in 4 6; do
		net_in "$1" ip route add "$(net_address "$2" "$3" $net_family)" \
			via "$(net_address "$4" "$5" $net_family)"
	done
}

net_hairpin() {
	net_namespace gw
	net_in gw sh -c '. tests/lib/net.sh
		net_sysctl ipv4/ip_forward=1 ipv6/conf/all/forwarding=1'
	for net_link in wlan umts; do
		net_access $net_link gw ${net_link}0
		net_give_address gw ${net_link}0 gw $net_link
		net_route mn relay $net_link gw $net_link
		net_know_router ${net_link}0 gw $net_link gw ${net_link}0
	done
	net_core gw
	net_give_address gw core0 gw core
	net_route cn relay core gw core
	net_veth relay eth0 gw relay0
	net_in gw ip link set dev relay0 xdp obj $NET_PASS sec xdp
	net_in gw ip addr add 10.9.0.254/24 dev relay0
	net_in gw ip addr add fd00:9::254/64 dev relay0 nodad
	for net_link in wlan umts core; do
		net_give_address relay eth0 relay $net_link
	done
	net_in relay ip route add default via 10.9.0.254
	net_in relay ip route add default via fd00:9::254
	NET_NICS="eth0"
}

# net_topology several|hairpin: namespaces, links and addresses; the simulators run from here on.
# Sets NET_NICS, the relay's interfaces.
net_topology() {
	NET_LAYOUT=$1
	for net_each in mn air relay cn; do
		net_namespace $net_each
	done
	net_in air sh -c '. tests/lib/net.sh; net_sysctl ipv6/conf/all/disable_ipv6=1 \
		ipv6/conf/default/disable_ipv6=1'
	"net_$1"
	net_path wlan 10
	net_path umts 110
}

# net_path LINK DELAY_MS [ARGUMENT...]: "ab" is from mn to the relay. It ends with the world, and lives longer than a
# script may take, which is long on a busy machine.
net_path() {
	net_link=$1 net_delay=$2
	shift 2
	rm -f "$NET_DIR/$net_link.ctl"
	# shellcheck disable=SC2086 # words or none
	net_start air "$net_link" ${NET_URGENT:-} "$NET_TOOLS/pathsim" --a "$net_link-m" --b "$net_link-r" \
		--do "delay $net_delay" --control "$NET_DIR/$net_link.ctl" --seconds ${NET_SECONDS:-1000} \
		--log "$NET_DIR/$net_link.csv" --summary "$NET_DIR/$net_link.json" "$@"
	net_until 5 test -p "$NET_DIR/$net_link.ctl"
}

# net_peer NAMESPACE NAME ARGUMENT...: an rtp-peer that waits for "send 0 on".
net_peer() {
	net_peer_space=$1 net_peer_name=$2
	shift 2
	# shellcheck disable=SC2086 # words or none
	net_start "$net_peer_space" "$net_peer_name" ${NET_URGENT:-} "$NET_TOOLS/rtp-peer" --send none \
		--control "$NET_DIR/$net_peer_name.ctl" --csv "$NET_DIR/$net_peer_name.csv" \
		--json "$NET_DIR/$net_peer_name.json" --seconds 120 "$@"
	net_until 5 test -p "$NET_DIR/$net_peer_name.ctl"
}

# net_finish NAME...: waits for processes that end by themselves.
net_finish() {
	for net_name in "$@"; do
		wait "$(cat "$NET_DIR/$net_name.pid")" || echo "net: $net_name: $(cat "$NET_DIR/$net_name.log")" >&2
	done
}

# ---- the relay -----------------------------------------------------------------------------------

# net_segue ARGUMENT...: the command line, in the relay's namespace.
net_segue() {
	net_in relay env SEGUE_OBJECT_DIR=build/bpf "${NET_SEGUE:-build/segue}" "$@"
}

# net_attach native|generic: our program on every NIC of the relay; a small number of streams, since
# several relays may run at once.
net_attach() {
	net_capacity="--capacity 64"
	for net_nic in $NET_NICS; do
		# shellcheck disable=SC2086 # two words or none
		net_segue interface attach "$net_nic" --mode "$1" $net_capacity || return
		net_capacity=
	done
}

# net_follow: segue follow in the background.
net_follow() {
	net_start relay follow env SEGUE_OBJECT_DIR=build/bpf "${NET_SEGUE:-build/segue}" follow
}
