// SPDX-License-Identifier: BSD-2-Clause
#include "talk.h"

#include <string.h>
#include <sys/socket.h>

#include "rtpwire.h"

#define PAYLOAD 160 /* 20 ms of G.711 */
#define QUEUE_BYTES (1 << 20)

bool talk_open(struct talk *talk, struct in_addr host, uint16_t port, uint32_t ssrc)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = host, .sin_port = htons(port)};
	int bytes = QUEUE_BYTES;

	memset(talk, 0, sizeof(*talk));
	talk->port = port;
	talk->ssrc = ssrc;
	talk->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return talk->fd >= 0 && !bind(talk->fd, (struct sockaddr *)&at, sizeof(at)) &&
	       !setsockopt(talk->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
}

void talk_start(struct talk *talk, const struct sockaddr_in *to, uint64_t first_ns)
{
	if (talk->on)
		return;
	talk->to = *to;
	talk->next_ns = first_ns;
	talk->on = true;
}

bool talk_send(struct talk *talk, uint64_t now_ns, uint64_t interval_ns)
{
	struct rtp_packet packet = {.sequence = (uint16_t)talk->sent,
				    .timestamp = talk->sent * PAYLOAD,
				    .ssrc = talk->ssrc,
				    .sent_ns = now_ns,
				    .payload = PAYLOAD};
	uint8_t bytes[RTP_PACKET_MAX];
	size_t length;

	if (!talk->on || now_ns < talk->next_ns || talk->sent == TALK_MOST)
		return false;
	length = rtp_build(bytes, &packet);
	if (sendto(talk->fd, bytes, length, 0, (struct sockaddr *)&talk->to, sizeof(talk->to)) < 0)
		return false; /* not sent, and so not counted */
	talk->sent++;
	talk->next_ns += interval_ns;
	return true;
}

static void take(struct talk *talk, const uint8_t *bytes, size_t length)
{
	struct rtp_packet packet;
	bool intact;

	if (!rtp_parse(&packet, &intact, bytes, length) || !intact) {
		talk->strange++;
		return;
	}
	if (!talk->once)
		talk->heard_ssrc = packet.ssrc;
	if (packet.ssrc != talk->heard_ssrc) {
		talk->strange++;
	} else if (talk->seen[packet.sequence / 8] >> packet.sequence % 8 & 1) {
		talk->doubled++;
	} else {
		talk->seen[packet.sequence / 8] |= (uint8_t)(1u << packet.sequence % 8);
		talk->once++;
	}
}

void talk_receive(struct talk *talk)
{
	uint8_t bytes[RTP_PACKET_MAX];
	ssize_t length;

	while ((length = recv(talk->fd, bytes, sizeof(bytes), 0)) >= 0)
		take(talk, bytes, (size_t)length);
}
