// SPDX-License-Identifier: BSD-2-Clause
#include "corpus.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const struct corpus_body corpus_odd[] = {
	{"line feeds alone",
	 "v=0\no=- 1 1 IN IP4 192.0.2.10\ns=-\nc=IN IP4 192.0.2.10\nt=0 0\n"
	 "m=audio 5004 RTP/AVP 0\na=sendonly\n",
	 "audio 5004 RTP/AVP [0] at 192.0.2.10:5004 rtcp 192.0.2.10:5005 sendonly 8000\n",
	 "192.0.2.10"},
	{"no end of the last line",
	 "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
	 "m=audio 5004 RTP/AVP 0",
	 "audio 5004 RTP/AVP [0] at 192.0.2.10:5004 rtcp 192.0.2.10:5005 sendrecv 8000\n",
	 "192.0.2.10"},
	{"an empty line at the end",
	 "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
	 "m=audio 5004 RTP/AVP 0\r\n\r\n",
	 "audio 5004 RTP/AVP [0] at 192.0.2.10:5004 rtcp 192.0.2.10:5005 sendrecv 8000\n",
	 "192.0.2.10"},
	{"no t= and an empty s=",
	 "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=\r\nc=IN IP4 192.0.2.10\r\n"
	 "m=audio 5004 RTP/AVP 0\r\n",
	 "audio 5004 RTP/AVP [0] at 192.0.2.10:5004 rtcp 192.0.2.10:5005 sendrecv 8000\n",
	 "192.0.2.10"},
	{"b= after t= (E23)",
	 "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\nb=AS:64\r\n"
	 "m=audio 5004 RTP/AVP 0\r\n",
	 "audio 5004 RTP/AVP [0] at 192.0.2.10:5004 rtcp 192.0.2.10:5005 sendrecv 8000\n",
	 "192.0.2.10"},
	{"c= behind the attributes",
	 "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nt=0 0\r\n"
	 "m=audio 5004 RTP/AVP 0\r\na=ptime:20\r\nc=IN IP4 192.0.2.11\r\n",
	 "audio 5004 RTP/AVP [0] at 192.0.2.11:5004 rtcp 192.0.2.11:5005 sendrecv 8000\n",
	 "192.0.2.10 192.0.2.11"},
	{"no o= at all", "v=0\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\nm=audio 5004 RTP/AVP 0\r\n",
	 "audio 5004 RTP/AVP [0] at 192.0.2.10:5004 rtcp 192.0.2.10:5005 sendrecv 8000\n",
	 "192.0.2.10"},
	{"an unknown line",
	 "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\nx=private\r\n"
	 "m=audio 5004 RTP/AVP 0\r\ny=0100\r\na=unheard:of\r\na=rtpmap\r\na=:\r\n",
	 "audio 5004 RTP/AVP [0] at 192.0.2.10:5004 rtcp 192.0.2.10:5005 sendrecv 8000\n",
	 "192.0.2.10"},
	{"blanks too many",
	 "v=0\r\no=-  1 1  IN IP4 192.0.2.10 \r\ns=-\r\nc=IN  IP4 192.0.2.10 \r\nt=0 0\r\n"
	 "m=audio  5004  RTP/AVP  0 8 \r\na=sendonly \r\n",
	 "audio 5004 RTP/AVP [0 8] at 192.0.2.10:5004 rtcp 192.0.2.10:5005 sendonly 8000\n",
	 "192.0.2.10"},
	{"letters in the wrong case",
	 "v=0\r\no=- 1 1 in ip4 192.0.2.10\r\ns=-\r\nc=in ip4 192.0.2.10\r\nt=0 0\r\n"
	 "m=audio 5004 rtp/avp 0\r\na=SendOnly\r\n",
	 "audio 5004 rtp/avp [0] at 192.0.2.10:5004 rtcp 192.0.2.10:5005 sendonly 8000\n",
	 "192.0.2.10"},
	{"a number in m=, another in a=rtpmap (E23)",
	 "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
	 "m=audio 5004 RTP/AVP 96\r\na=rtpmap:97 AMR/8000\r\na=fmtp:102 mode-set=0\r\n",
	 "audio 5004 RTP/AVP [96] at 192.0.2.10:5004 rtcp 192.0.2.10:5005 sendrecv 0\n",
	 "192.0.2.10"},
	{"a refused line that forgot its formats",
	 "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
	 "m=audio 5004 RTP/AVP 0\r\nm=video 0 RTP/AVP\r\n",
	 "audio 5004 RTP/AVP [0] at 192.0.2.10:5004 rtcp 192.0.2.10:5005 sendrecv 8000\n"
	 "video 0 RTP/AVP [] at 192.0.2.10:0 rtcp 192.0.2.10:0 sendrecv 0\n",
	 "192.0.2.10"},
	{"a TTL on a unicast address",
	 "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10/127\r\nt=0 0\r\n"
	 "m=audio 5004 RTP/AVP 0\r\n",
	 "audio 5004 RTP/AVP [0] at 192.0.2.10:5004 rtcp 192.0.2.10:5005 sendrecv 8000\n",
	 "192.0.2.10"},
	{"a name in c=",
	 "v=0\r\no=- 1 1 IN IP4 phone.example.net\r\ns=-\r\nc=IN IP4 phone.example.net\r\nt=0 0\r\n"
	 "m=audio 5004 RTP/AVP 0\r\n",
	 "audio 5004 RTP/AVP [0] at name sendrecv 8000\n", "phone.example.net"},
	{"no c= anywhere",
	 "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nt=0 0\r\nm=audio 5004 RTP/AVP 0\r\n",
	 "audio 5004 RTP/AVP [0] at nowhere sendrecv 8000\n", "192.0.2.10"},
	{"another network",
	 "v=0\r\no=- 1 1 ATM NSAP 47.0091.8100.0000.0060\r\ns=-\r\n"
	 "c=ATM NSAP 47.0091.8100.0000.0060\r\nt=0 0\r\nm=audio 5004 RTP/AVP 0\r\n",
	 "audio 5004 RTP/AVP [0] at nowhere sendrecv 8000\n", "47.0091.8100.0000.0060"},
	{"addresses wherever there is room",
	 "v=0\r\no=carol@10.9.8.7 1 1 IN IP4 10.9.8.7\r\ns=call from 10.9.8.7\r\ni=at 10.9.8.7\r\n"
	 "u=http://10.9.8.7/me\r\ne=carol@10.9.8.7\r\nc=IN IP4 10.9.8.7\r\nt=0 0\r\n"
	 "a=X-nat:5 10.9.8.7:9000\r\na=alt:1 1 : 4D9E2B5A 0000002F 10.9.8.7 5004\r\n"
	 "m=audio 5004 RTP/AVP 0\r\na=altc:1 IP4 10.9.8.7 5004\r\n"
	 "a=ssrc:12 cname:carol@10.9.8.7\r\na=source-filter: incl IN IP4 * 10.9.8.7\r\n"
	 "a=rtcp:5005 IN IP4 10.9.8.7\r\na=fmtp:0 x=110.9.8.71\r\n",
	 "audio 5004 RTP/AVP [0] at 10.9.8.7:5004 rtcp 10.9.8.7:5005 sendrecv 8000\n",
	 "10.9.8.7 carol"},
	{"two directions: the last one counts",
	 "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
	 "m=audio 5004 RTP/AVP 0\r\na=sendrecv\r\na=sendonly\r\n",
	 "audio 5004 RTP/AVP [0] at 192.0.2.10:5004 rtcp 192.0.2.10:5005 sendonly 8000\n",
	 "192.0.2.10"},
	{"more formats than we look at",
	 "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
	 "m=audio 5004 RTP/AVP 0 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 96 97 98 99 100 101 102 "
	 "103 104 105 106 107 108 109 110 111 112 113\r\n",
	 "audio 5004 RTP/AVP [0 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 96 97 98 99 100 101 102 "
	 "103 104 105 106 107 108 109 110] at 192.0.2.10:5004 rtcp 192.0.2.10:5005 sendrecv 8000\n",
	 "192.0.2.10"},
	{"an IPv4 address in the clothes of IPv6",
	 "v=0\r\no=- 1 1 IN IP6 ::ffff:192.0.2.10\r\ns=-\r\nc=IN IP6 ::ffff:192.0.2.10\r\nt=0 0\r\n"
	 "m=audio 5004 RTP/AVP 0\r\n",
	 "audio 5004 RTP/AVP [0] at 192.0.2.10:5004 rtcp 192.0.2.10:5005 sendrecv 8000\n",
	 "192.0.2.10"},
	{"a browser that has gathered nothing yet",
	 "v=0\r\no=- 46117317 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n"
	 "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n"
	 "a=ice-ufrag:Oyef\r\na=ice-pwd:T0teqPLNQQOf+5W+ls+P2p16\r\na=ice-options:trickle\r\n"
	 "a=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n",
	 "audio 9 UDP/TLS/RTP/SAVPF [111] at 0.0.0.0:9 rtcp 0.0.0.0:9 sendonly 48000 mux zero\n",
	 "127.0.0.1 ice-"},
};

const size_t corpus_odd_count = COUNT(corpus_odd);
