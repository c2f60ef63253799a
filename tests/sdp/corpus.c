// SPDX-License-Identifier: BSD-2-Clause
#include "corpus.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const struct corpus_body corpus[] = {
	{"the least there is",
	 "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
	 "m=audio 5004 RTP/AVP 0\r\n",
	 "audio 5004 RTP/AVP [0] at 192.0.2.10:5004 rtcp 192.0.2.10:5005 sendrecv 8000\n",
	 "192.0.2.10"},
	{"a softphone of many codecs",
	 "v=0\r\no=mod_sofia 1732541002 1732541003 IN IP4 10.20.30.40\r\ns=phone\r\n"
	 "c=IN IP4 10.20.30.40\r\nt=0 0\r\n"
	 "m=audio 27542 RTP/AVP 96 97 9 8 0 18 101\r\n"
	 "a=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1; maxaveragebitrate=30000\r\n"
	 "a=rtpmap:97 speex/16000\r\na=rtpmap:9 G722/8000\r\na=rtpmap:8 PCMA/8000\r\n"
	 "a=rtpmap:0 PCMU/8000\r\na=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no\r\n"
	 "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\n"
	 "a=sendrecv\r\n",
	 "audio 27542 RTP/AVP [96 97 9 8 0 18 101] at 10.20.30.40:27542 rtcp 10.20.30.40:27543 "
	 "sendrecv 48000\n",
	 "10.20.30.40"},
	{"a softphone with video and feedback",
	 "v=0\r\no=alice 2890844526 2890844527 IN IP4 198.51.100.7\r\ns=Talk\r\n"
	 "c=IN IP4 198.51.100.7\r\nb=AS:380\r\nt=0 0\r\n"
	 "a=rtcp-xr:rcvr-rtt=all:10000 stat-summary=loss,dup,jitt,TTL voip-metrics\r\n"
	 "m=audio 7078 RTP/AVPF 96 0\r\na=rtpmap:96 opus/48000/2\r\na=rtcp-fb:* trr-int 5000\r\n"
	 "m=video 9078 RTP/AVPF 97 98\r\nb=AS:300\r\na=rtpmap:97 VP8/90000\r\n"
	 "a=rtpmap:98 H264/90000\r\na=fmtp:98 profile-level-id=42801F\r\n"
	 "a=rtcp-fb:* ccm tmmbr\r\na=rtcp-fb:97 nack pli\r\n",
	 "audio 7078 RTP/AVPF [96 0] at 198.51.100.7:7078 rtcp 198.51.100.7:7079 sendrecv 48000\n"
	 "video 9078 RTP/AVPF [97 98] at 198.51.100.7:9078 rtcp 198.51.100.7:9079 sendrecv 90000\n",
	 "198.51.100.7"},
	{"a carrier's trunk",
	 "v=0\r\no=SBC-07 184467440 1 IN IP4 203.0.113.200\r\ns=sip call\r\n"
	 "c=IN IP4 203.0.113.201\r\nt=0 0\r\nm=audio 16422 RTP/AVP 18 8 0 100\r\n"
	 "a=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no\r\na=rtpmap:8 PCMA/8000\r\n"
	 "a=rtpmap:0 PCMU/8000\r\na=rtpmap:100 telephone-event/8000\r\na=fmtp:100 0-15\r\n"
	 "a=ptime:20\r\na=maxptime:20\r\na=silenceSupp:off - - - -\r\n",
	 "audio 16422 RTP/AVP [18 8 0 100] at 203.0.113.201:16422 rtcp 203.0.113.201:16423 "
	 "sendrecv 8000\n",
	 "203.0.113.200 203.0.113.201 SBC-07"},
	{"a mobile network's voice",
	 "v=0\r\no=- 3859031 3859031 IN IP6 2001:db8:aaaa::17\r\ns=-\r\n"
	 "c=IN IP6 2001:db8:aaaa::17\r\nb=AS:42\r\nb=RS:800\r\nb=RR:2400\r\nt=0 0\r\n"
	 "m=audio 49152 RTP/AVP 104 102 105 100\r\nb=AS:42\r\nb=RS:800\r\nb=RR:2400\r\n"
	 "a=rtpmap:104 AMR-WB/16000/1\r\na=fmtp:104 mode-change-capability=2;max-red=220\r\n"
	 "a=rtpmap:102 AMR/8000/1\r\na=fmtp:102 mode-change-capability=2;max-red=220\r\n"
	 "a=rtpmap:105 telephone-event/16000\r\na=rtpmap:100 telephone-event/8000\r\n"
	 "a=curr:qos local none\r\na=curr:qos remote none\r\na=des:qos mandatory local sendrecv\r\n"
	 "a=des:qos optional remote sendrecv\r\na=inactive\r\na=ptime:20\r\na=maxptime:240\r\n",
	 "audio 49152 RTP/AVP [104 102 105 100] at 2001:db8:aaaa::17:49152 rtcp "
	 "2001:db8:aaaa::17:49153 inactive 16000\n",
	 "2001:db8:aaaa::17"},
	{"a browser",
	 "v=0\r\no=mozilla...THIS_IS_SDPARTA-99.0 5263487613457 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 "
	 "0\r\n"
	 "a=fingerprint:sha-256 "
	 "1F:2E:3D:4C:5B:6A:79:88:97:A6:B5:C4:D3:E2:F1:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:"
	 "EE:"
	 "FF:01\r\n"
	 "a=group:BUNDLE 0 1\r\na=ice-options:trickle\r\na=msid-semantic:WMS *\r\n"
	 "m=audio 51002 UDP/TLS/RTP/SAVPF 111 9 0 8 110\r\nc=IN IP4 203.0.113.77\r\n"
	 "a=rtcp:51003 IN IP4 203.0.113.77\r\n"
	 "a=candidate:0 1 UDP 2122252543 192.168.7.31 51002 typ host\r\n"
	 "a=candidate:1 1 UDP 1686052863 203.0.113.77 51002 typ srflx raddr 192.168.7.31 rport "
	 "51002\r\n"
	 "a=end-of-candidates\r\na=ice-pwd:f0e1d2c3b4a5968778695a4b3c2d1e0f\r\n"
	 "a=ice-ufrag:8a7b6c5d\r\na=mid:0\r\na=rtcp-mux\r\na=sendrecv\r\na=setup:actpass\r\n"
	 "a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n"
	 "a=rtpmap:110 telephone-event/48000\r\na=ssrc:3570614608 cname:{4TOk42mSjXCkVIa6}\r\n"
	 "m=video 51004 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 203.0.113.77\r\n"
	 "a=candidate:0 1 UDP 2122252543 192.168.7.31 51004 typ host\r\n"
	 "a=remote-candidates:1 192.0.2.3 45664\r\na=ice-pwd:f0e1d2c3b4a5968778695a4b3c2d1e0f\r\n"
	 "a=ice-ufrag:8a7b6c5d\r\na=mid:1\r\na=rtcp-mux\r\na=recvonly\r\na=setup:actpass\r\n"
	 "a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\n",
	 "audio 51002 UDP/TLS/RTP/SAVPF [111 9 0 8 110] at 203.0.113.77:51002 rtcp "
	 "203.0.113.77:51003 sendrecv 48000 mux\n"
	 "video 51004 UDP/TLS/RTP/SAVPF [96] at 203.0.113.77:51004 rtcp 203.0.113.77:51005 "
	 "recvonly 90000 mux\n",
	 "203.0.113.77 192.168.7.31 192.0.2.3 candidate ice-"},
	{"SDES keys",
	 "v=0\r\no=- 20518 0 IN IP4 198.51.100.1\r\ns=-\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\n"
	 "m=audio 54400 RTP/SAVP 0 96\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:96 opus/48000\r\n"
	 "a=crypto:1 AES_CM_128_HMAC_SHA1_80 "
	 "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4\r\n"
	 "a=crypto:2 AES_CM_128_HMAC_SHA1_32 "
	 "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\r\n",
	 "audio 54400 RTP/SAVP [0 96] at 198.51.100.1:54400 rtcp 198.51.100.1:54401 sendrecv "
	 "8000\n",
	 "198.51.100.1"},
	{"a trunk with DTLS and ICE lite",
	 "v=0\r\no=- 9 2 IN IP4 203.0.113.9\r\ns=-\r\nc=IN IP4 203.0.113.9\r\nt=0 "
	 "0\r\na=ice-lite\r\n"
	 "m=audio 30002 UDP/TLS/RTP/SAVP 8\r\na=setup:passive\r\na=connection:new\r\n"
	 "a=fingerprint:sha-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB\r\n"
	 "a=rtcp-mux\r\na=rtcp:30002\r\na=candidate:1 1 UDP 2130706431 203.0.113.9 30002 typ "
	 "host\r\n",
	 "audio 30002 UDP/TLS/RTP/SAVP [8] at 203.0.113.9:30002 rtcp 203.0.113.9:30002 sendrecv "
	 "8000 mux\n",
	 "203.0.113.9 candidate ice-lite"},
	{"a fax beside the voice",
	 "v=0\r\no=gw 11 12 IN IP4 192.0.2.50\r\ns=SIP Media Capabilities\r\nc=IN IP4 "
	 "192.0.2.50\r\n"
	 "t=0 0\r\nm=audio 0 RTP/AVP 0\r\nm=image 4402 udptl t38\r\na=T38FaxVersion:0\r\n"
	 "a=T38MaxBitRate:14400\r\na=T38FaxRateManagement:transferredTCF\r\n"
	 "a=T38FaxMaxBuffer:262\r\na=T38FaxMaxDatagram:90\r\na=T38FaxUdpEC:t38UDPRedundancy\r\n",
	 "audio 0 RTP/AVP [0] at 192.0.2.50:0 rtcp 192.0.2.50:0 sendrecv 8000\n"
	 "image 4402 udptl [t38] at 192.0.2.50:4402 rtcp 192.0.2.50:4403 sendrecv 0 not-rtp\n",
	 "192.0.2.50"},
	{"messages beside the voice",
	 "v=0\r\no=bob 5 5 IN IP4 client.example.net\r\ns=-\r\nc=IN IP4 192.0.2.77\r\nt=0 0\r\n"
	 "m=audio 6000 RTP/AVP 8\r\n"
	 "m=message 7394 TCP/MSRP *\r\na=accept-types:text/plain message/cpim\r\n"
	 "a=path:msrp://192.0.2.77:7394/2s93i9ek2a;tcp\r\n",
	 "audio 6000 RTP/AVP [8] at 192.0.2.77:6000 rtcp 192.0.2.77:6001 sendrecv 8000\n"
	 "message 7394 TCP/MSRP [*] at 192.0.2.77:7394 rtcp 192.0.2.77:7395 sendrecv 0 not-rtp\n",
	 "192.0.2.77 client.example.net"},
	{"each section with its own address",
	 "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n"
	 "m=audio 10000 RTP/AVP 0\r\ni=the voice\r\nc=IN IP4 192.0.2.2\r\na=rtcp:10101\r\n"
	 "m=video 20000 RTP/AVP 34\r\nc=IN IP6 2001:db8::3\r\na=rtcp:20101 IN IP6 2001:db8::4\r\n",
	 "audio 10000 RTP/AVP [0] at 192.0.2.2:10000 rtcp 192.0.2.2:10101 sendrecv 8000\n"
	 "video 20000 RTP/AVP [34] at 2001:db8::3:20000 rtcp 2001:db8::4:20101 sendrecv 90000\n",
	 "192.0.2.1 192.0.2.2 2001:db8::3 2001:db8::4"},
	{"a section's address over the session's",
	 "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
	 "m=audio 10000 RTP/AVP 0\r\nc=IN IP4 192.0.2.2\r\nb=AS:64\r\n"
	 "m=audio 10002 RTP/AVP 3\r\n",
	 "audio 10000 RTP/AVP [0] at 192.0.2.2:10000 rtcp 192.0.2.2:10001 sendrecv 8000\n"
	 "audio 10002 RTP/AVP [3] at 192.0.2.1:10002 rtcp 192.0.2.1:10003 sendrecv 8000\n",
	 "192.0.2.1 192.0.2.2"},
	{"hold by sendonly",
	 "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
	 "m=audio 10000 RTP/AVP 0\r\na=sendonly\r\n",
	 "audio 10000 RTP/AVP [0] at 192.0.2.1:10000 rtcp 192.0.2.1:10001 sendonly 8000\n",
	 "192.0.2.1"},
	{"hold for the whole session",
	 "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\na=inactive\r\n"
	 "m=audio 10000 RTP/AVP 0\r\nm=video 10002 RTP/AVP 31\r\na=recvonly\r\n",
	 "audio 10000 RTP/AVP [0] at 192.0.2.1:10000 rtcp 192.0.2.1:10001 inactive 8000\n"
	 "video 10002 RTP/AVP [31] at 192.0.2.1:10002 rtcp 192.0.2.1:10003 recvonly 90000\n",
	 "192.0.2.1"},
	{"hold by 0.0.0.0",
	 "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
	 "m=audio 10000 RTP/AVP 0\r\n",
	 "audio 10000 RTP/AVP [0] at 0.0.0.0:10000 rtcp 0.0.0.0:10001 sendonly 8000 zero\n",
	 "192.0.2.1"},
	{"hold by 0.0.0.0 and by inactive",
	 "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
	 "m=audio 10000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\na=recvonly\r\n",
	 "audio 10000 RTP/AVP [0] at 0.0.0.0:10000 rtcp 0.0.0.0:10001 inactive 8000 zero\n",
	 "192.0.2.1"},
	{"streams sent twice on purpose (RFC 7104)",
	 "v=0\r\no=ali 1122334455 1122334466 IN IP4 dup.example.com\r\ns=DUP\r\nt=0 0\r\n"
	 "a=group:DUP S1a S1b\r\n"
	 "m=audio 30000 RTP/AVP 100\r\nc=IN IP4 198.51.100.30\r\na=rtpmap:100 L16/48000/2\r\n"
	 "a=ssrc-group:DUP 1000 1010\r\na=mid:S1a\r\n"
	 "m=audio 30002 RTP/AVP 101\r\nc=IN IP4 198.51.100.31\r\na=rtpmap:101 L16/48000/2\r\n"
	 "a=mid:S1b\r\n",
	 "audio 30000 RTP/AVP [100] at 198.51.100.30:30000 rtcp 198.51.100.30:30001 sendrecv "
	 "48000\n"
	 "audio 30002 RTP/AVP [101] at 198.51.100.31:30002 rtcp 198.51.100.31:30003 sendrecv "
	 "48000\n",
	 "dup.example.com 198.51.100.30 198.51.100.31"},
	{"a conference with slides and floor control",
	 "v=0\r\no=mcu 77 78 IN IP4 192.0.2.99\r\ns=room\r\nc=IN IP4 192.0.2.99\r\nb=CT:2048\r\n"
	 "t=0 0\r\nm=audio 40000 RTP/AVP 9 0\r\na=label:1\r\n"
	 "m=video 40002 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\na=content:main\r\na=label:2\r\n"
	 "m=application 40004 UDP/BFCP *\r\na=floorctrl:c-s\r\na=confid:1\r\na=userid:2\r\n"
	 "m=video 40006 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\na=content:slides\r\na=sendonly\r\n"
	 "m=application 40008 RTP/AVP 100\r\na=rtpmap:100 H224/4800\r\n",
	 "audio 40000 RTP/AVP [9 0] at 192.0.2.99:40000 rtcp 192.0.2.99:40001 sendrecv 8000\n"
	 "video 40002 RTP/AVP [97] at 192.0.2.99:40002 rtcp 192.0.2.99:40003 sendrecv 90000\n"
	 "application 40004 UDP/BFCP [*] at 192.0.2.99:40004 rtcp 192.0.2.99:40005 sendrecv 0 "
	 "not-rtp\n"
	 "video 40006 RTP/AVP [97] at 192.0.2.99:40006 rtcp 192.0.2.99:40007 sendonly 90000\n"
	 "application 40008 RTP/AVP [100] at 192.0.2.99:40008 rtcp 192.0.2.99:40009 sendrecv "
	 "4800\n",
	 "192.0.2.99"},
	{"everything the grammar has in a session",
	 "v=0\r\no=jdoe 3724394400 3724394405 IN IP4 198.51.100.1\r\ns=Call to J. Smith\r\n"
	 "i=SDP Offer #1\r\nu=http://www.jdoe.example.com/home.html\r\n"
	 "e=Jane Doe <jane@jdoe.example.com>\r\np=+1 617 555-6011\r\nc=IN IP4 198.51.100.1\r\n"
	 "b=X-YZ:128\r\nt=3724394400 3724398000\r\nr=7d 1h 0 25h\r\n"
	 "a=cat:foo.bar\r\nm=audio 49170 RTP/AVP 0\r\ni=title\r\nb=TIAS:64000\r\n"
	 "k=prompt\r\na=lang:en\r\n",
	 "audio 49170 RTP/AVP [0] at 198.51.100.1:49170 rtcp 198.51.100.1:49171 sendrecv 8000\n",
	 "198.51.100.1"},
	{"no media at all",
	 "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n", "",
	 "192.0.2.10"},
	{"the highest port",
	 "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
	 "m=audio 65535 RTP/AVP 4\r\n",
	 "audio 65535 RTP/AVP [4] at 192.0.2.10:65535 rtcp 192.0.2.10:0 sendrecv 8000\n",
	 "192.0.2.10"},
	{"a port range",
	 "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
	 "m=video 5004/2 RTP/AVP 31 26\r\n",
	 "video 5004 RTP/AVP [31 26] at 192.0.2.10:5004 rtcp 192.0.2.10:5005 sendrecv 90000\n",
	 "192.0.2.10"},
};

const size_t corpus_count = COUNT(corpus);

const struct corpus_body *corpus_get(size_t index)
{
	if (index < corpus_count)
		return &corpus[index];
	index -= corpus_count;
	return index < corpus_odd_count ? &corpus_odd[index] : NULL;
}
