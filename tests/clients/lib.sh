# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# Real phones, headless, in the namespaces of tests/controller/lib.sh. Source it after that.

CLIENTS_DIR=$NET_DIR/clients

# clients_tone FILE SECONDS HERTZ: 8 kHz mono, 16 bits.
clients_tone() {
	sox -q -n -r 8000 -c 1 -b 16 "$1" synth "$2" sine "$3" vol 0.5
}

# clients_address NAMESPACE FAMILY
clients_address() {
	case $1 in alice) client_number=1 ;; bob) client_number=2 ;; esac
	case $2 in
	4) echo 10.0.$client_number.2 ;;
	6) echo "fd00:$client_number::2" ;;
	esac
}

# clients_proxy NAMESPACE FAMILY: where segued listens for it, as in a URI.
clients_proxy() {
	case $1 in alice) client_number=1 ;; bob) client_number=2 ;; esac
	case $2 in
	4) echo 10.0.$client_number.1 ;;
	6) echo "[fd00:$client_number::1]" ;;
	esac
}

# ---- baresip -------------------------------------------------------------------------------------

# baresip_start NAME FAMILY TRANSPORT ANSWERMODE: registers NAME@example.net.
baresip_start() {
	client_home=$CLIENTS_DIR/$1
	mkdir -p "$client_home"
	clients_tone "$client_home/tone.wav" 60 440
	cat >"$client_home/config" <<END
module_path /usr/lib/baresip/modules
module stdio.so
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
audio_player aubridge,unheard
snd_path $client_home
audio_source aufile,$client_home/tone.wav
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
ctrl_tcp_listen 127.0.0.1:4444
$([ "$2" = 6 ] && echo "net_prefer_ipv6 yes")
END
	echo "<sip:$1@example.net>;auth_pass=$1-secret;outbound=\"sip:$(clients_proxy "$1" "$2");transport=$3\";regint=60;answermode=$4;audio_codecs=PCMU/8000/1" \
		>"$client_home/accounts"
	: >"$client_home/contacts"
	: >"$CLIENTS_DIR/$1.in"
	net_start "$1" "$1" baresip -f "$client_home" -v
}

clients_listen() {
	client_listen=$(clients_address "$1" "$2")
	[ "$2" = 4 ] && echo "$client_listen" || echo "[$client_listen]"
}

# baresip_say NAME COMMAND [PARAMETER]: over its control connection (netstrings of JSON), which it keeps
# open. True when it took the command.
baresip_say() {
	client_json="{\"command\":\"$2\",\"params\":\"${3:-}\"}"
	printf '%s:%s,' "${#client_json}" "$client_json" |
		net_in "$1" timeout 2 nc -q 1 127.0.0.1 4444 >"$CLIENTS_DIR/$1.said"
	grep -qa '"ok":true' "$CLIENTS_DIR/$1.said"
}

# ---- linphonec -----------------------------------------------------------------------------------

# linphonec_start NAME: commands by linphonec_say; registers NAME@example.net over UDP.
linphonec_start() {
	client_home=$CLIENTS_DIR/$1
	mkdir -p "$client_home/.local/share/linphone" "$client_home/.config/linphone"
	clients_tone "$client_home/tone.wav" 60 660
	cat >"$client_home/linphonerc" <<END
[sip]
default_proxy=0
sip_port=5060
sip_tcp_port=5060
sip_tls_port=-1
guess_hostname=1
contact=sip:$1@$(clients_address "$1" 4)
use_ipv6=0
[rtp]
audio_rtp_port=7078
[video]
enabled=0
capture=0
display=0
[sound]
echocancellation=0
[audio_codec_0]
mime=PCMU
rate=8000
channels=1
enabled=1
[proxy_0]
reg_proxy=<sip:$(clients_proxy "$1" 4)>
reg_route=<sip:$(clients_proxy "$1" 4);lr>
reg_identity=sip:$1@example.net
reg_expires=60
reg_sendregister=1
publish=0
[auth_info_0]
username=$1
passwd=$1-secret
realm=example.net
[net]
firewall_policy=0
stun_server=
mtu=0
END
	rm -f "$client_home/in"
	mkfifo "$client_home/in"
	net_start "$1" "$1" env HOME="$client_home" sh -c \
		"sleep 300 >'$client_home/in' & exec linphonec -c '$client_home/linphonerc' -d 6 -l $client_home/log <'$client_home/in'"
	linphonec_say "$1" "soundcard use files"
	linphonec_say "$1" "record $client_home/heard.wav"
	linphonec_say "$1" "play $client_home/tone.wav"
}

linphonec_say() {
	timeout 2 sh -c "echo '$2' >'$CLIENTS_DIR/$1/in'"
}

# ---- what was on the wire ------------------------------------------------------------------------

# clients_capture NAMESPACE NAME: what its interface sees, until it is stopped by net_stop.
clients_capture() {
	net_start "$1" "$2" tcpdump --immediate-mode -i e0 -U -s 200 -w "$NET_DIR/$2.pcap" udp
	net_until 5 grep -qs 'listening on' "$NET_DIR/$2.log"
}

# clients_rtp NAME SOURCE: "SSRC SEQUENCE" of each RTP packet from that address, in order.
clients_rtp() {
	tshark -r "$NET_DIR/$1.pcap" -o rtp.heuristic_rtp:TRUE \
		-Y "rtp.version == 2 && rtp.p_type < 64 && ip.src == $2" \
		-T fields -e rtp.ssrc -e rtp.seq 2>/dev/null
}

# clients_crossed LEFT ARRIVED: files of clients_rtp. Prints what crossed. True when that is one stream
# without a gap, each packet once. What leaves before the answer or after the BYE reached segued may
# be missing at the edges: it is counted.
clients_crossed() {
	awk 'NR == FNR { left[$1, $2]++; sent++; next }
		{ got++; if (seen[$1, $2]++) doubled++; if (!(($1, $2) in left)) strange++
			if (!($1 in first)) { first[$1] = $2; ssrcs++ }
			last = $2; ssrc = $1 }
		END { span = (last - first[ssrc] + 65536) % 65536 + 1
			printf "sent %d, arrived %d, doubled %d, gaps %d, not sent %d, streams %d\n",
				sent, got, doubled, span - got + doubled, strange, ssrcs
			exit !(ssrcs == 1 && got >= 50 && !doubled && !strange && span == got &&
				sent - got <= 10) }' "$1" "$2"
}

# clients_world: MD5 alone, since baresip 1.0 gives up at the first challenge that it does not know.
clients_world() {
	mkdir -p "$CLIENTS_DIR"
	# linphonec asks DNS for the caller's domain before it rings. Nobody answers here, and it should
	# not wait for long to learn it.
	echo 'nameserver 127.0.0.1' >"$CLIENTS_DIR/resolv.conf"
	mount --bind "$CLIENTS_DIR/resolv.conf" /etc/resolv.conf
	CONTROLLER_DIGEST=md5 controller_world "$@"
}

# ---- either --------------------------------------------------------------------------------------

clients_is_baresip() {
	[ -e "$CLIENTS_DIR/$1/accounts" ]
}

clients_said() { # NAME PATTERN: since the last clients_dial
	tail -n "+${clients_mark:-1}" "$NET_DIR/$1.log" | grep -qaE "$2"
}

# clients_dial CALLER CALLEE: true when the callee rings.
clients_dial() {
	clients_mark=$(($(wc -l <"$NET_DIR/$2.log") + 1))
	if clients_is_baresip "$1"; then
		baresip_say "$1" dial "sip:$2@$CONTROLLER_DOMAIN"
	else
		linphonec_say "$1" "call sip:$2@$CONTROLLER_DOMAIN"
	fi
	net_until 10 clients_said "$2" 'incoming call|Incoming call'
}

# clients_answer_and NAME COMMAND...
clients_answer_and() {
	if clients_is_baresip "$1"; then
		baresip_say "$1" accept
	else
		linphonec_say "$1" answer
	fi
	shift
	"$@"
}

clients_hang_up() {
	if clients_is_baresip "$1"; then
		baresip_say "$1" hangup
	else
		linphonec_say "$1" "terminate"
	fi
}
