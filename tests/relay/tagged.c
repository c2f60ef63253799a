// SPDX-License-Identifier: BSD-2-Clause
/*
 * tagged DEVICE MAC VLAN FROM TO COUNT: sends RTP over IPv4 in 802.1Q frames, as a trunk would,
 * where the kernel has no VLAN devices. The payload is rtp-end's.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <segue/relay.h>

#define PAYLOAD 172
#define TAG_LEN 4

static uint32_t add(uint32_t sum, const void *data, size_t size)
{
	const uint8_t *byte = data;

	for (size_t i = 0; i < size; i++)
		sum += i & 1 ? byte[i] : (uint32_t)byte[i] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffffu) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static void build_payload(uint8_t *rtp, unsigned sequence)
{
	memset(rtp, 0, 12);
	rtp[0] = 0x80;
	rtp[2] = (uint8_t)(sequence >> 8);
	rtp[3] = (uint8_t)sequence;
	rtp[11] = 77;
	for (size_t i = 12; i < PAYLOAD; i++)
		rtp[i] = (uint8_t)(sequence * 7u + i * 13u);
}

static size_t build(uint8_t *frame, const uint8_t mac[2 * ETH_ALEN], unsigned vlan,
		    const struct sg_endpoint end[2], unsigned sequence)
{
	uint8_t tag[TAG_LEN] = {0x81, 0x00, (uint8_t)(vlan >> 8), (uint8_t)vlan};
	struct iphdr ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP};
	struct udphdr udp = {.source = htons(end[0].port), .dest = htons(end[1].port)};
	uint8_t *at = frame + 2 * ETH_ALEN + TAG_LEN;
	uint32_t sum;

	memcpy(frame, mac, 2 * ETH_ALEN);
	memcpy(frame + 2 * ETH_ALEN, tag, TAG_LEN);
	*at++ = 0x08;
	*at++ = 0x00;
	memcpy(&ip.saddr, end[0].addr + 12, 4);
	memcpy(&ip.daddr, end[1].addr + 12, 4);
	ip.tot_len = htons(sizeof(ip) + sizeof(udp) + PAYLOAD);
	ip.check = fold(add(0, &ip, sizeof(ip)));
	udp.len = htons(sizeof(udp) + PAYLOAD);
	build_payload(at + sizeof(ip) + sizeof(udp), sequence);
	sum = add(IPPROTO_UDP + sizeof(udp) + PAYLOAD, &ip.saddr, 8);
	sum = add(add(sum, &udp, sizeof(udp)), at + sizeof(ip) + sizeof(udp), PAYLOAD);
	udp.check = fold(sum);
	memcpy(at, &ip, sizeof(ip));
	memcpy(at + sizeof(ip), &udp, sizeof(udp));
	return (size_t)(at - frame) + sizeof(ip) + sizeof(udp) + PAYLOAD;
}

static int open_device(const char *name, uint8_t own_mac[ETH_ALEN])
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(name)};
	struct ifreq request = {0};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (fd < 0 || bind(fd, (struct sockaddr *)&to, sizeof(to)) ||
	    ioctl(fd, SIOCGIFHWADDR, &request)) {
		perror("tagged: device");
		exit(1);
	}
	memcpy(own_mac, request.ifr_hwaddr.sa_data, ETH_ALEN);
	return fd;
}

int main(int argc, char **argv)
{
	const struct timespec pause = {.tv_nsec = 2000000};
	uint8_t frame[2 * ETH_ALEN + TAG_LEN + 2 + 60 + PAYLOAD], mac[2 * ETH_ALEN];
	struct sg_endpoint end[2];
	struct sg_error err;
	int fd;

	if (argc != 7 ||
	    sscanf(argv[2], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", mac, mac + 1, mac + 2, mac + 3,
		   mac + 4, mac + 5) != ETH_ALEN ||
	    sg_endpoint_parse(&end[0], argv[4], &err) ||
	    sg_endpoint_parse(&end[1], argv[5], &err)) {
		fputs("usage: tagged DEVICE MAC VLAN FROM TO COUNT\n", stderr);
		return 2;
	}
	fd = open_device(argv[1], mac + ETH_ALEN);
	for (int i = 1; i <= atoi(argv[6]); i++) {
		size_t size = build(frame, mac, (unsigned)atoi(argv[3]), end, (unsigned)i);

		if (write(fd, frame, size) != (ssize_t)size) {
			perror("tagged: write");
			return 1;
		}
		nanosleep(&pause, NULL);
	}
	close(fd);
	return 0;
}
