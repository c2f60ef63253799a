// SPDX-License-Identifier: BSD-2-Clause
#include "pcapng.h"

#include <net/if.h>
#include <string.h>

#define BLOCK_SECTION 0x0a0d0d0au
#define BLOCK_INTERFACE 1u
#define BLOCK_PACKET 6u /* enhanced */
#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define LINK_ETHERNET 1u
#define OPTION_NAME 2u	     /* of an interface */
#define OPTION_RESOLUTION 9u /* of its times */
#define OPTION_FLAGS 2u	     /* of a packet */
#define NANOSECONDS 9u	     /* 10^-9 */
#define INBOUND 1u
#define OUTBOUND 2u

/* In the byte order of this machine: the magic number says which. */
static void put(struct pcapng *pcapng, const void *data, uint32_t length)
{
	static const char zeroes[4];
	uint32_t padding = -length & 3u;

	fwrite(data, 1, length, pcapng->file);
	fwrite(zeroes, 1, padding, pcapng->file);
	pcapng->octets += length + padding;
}

static void put_u32(struct pcapng *pcapng, uint32_t value)
{
	put(pcapng, &value, sizeof(value));
}

static void put_pair(struct pcapng *pcapng, uint32_t first, uint32_t second)
{
	const uint16_t pair[2] = {(uint16_t)first, (uint16_t)second};

	put(pcapng, pair, sizeof(pair));
}

static uint32_t padded(size_t length)
{
	return (uint32_t)((length + 3u) & ~(size_t)3u);
}

void pcapng_begin(struct pcapng *pcapng, FILE *file)
{
	const uint32_t length = 28;

	*pcapng = (struct pcapng){.file = file};
	put_u32(pcapng, BLOCK_SECTION);
	put_u32(pcapng, length);
	put_u32(pcapng, BYTE_ORDER_MAGIC);
	put_pair(pcapng, 1, 0);
	put_u32(pcapng, UINT32_MAX); /* the section's length is not known: 64 bits of it */
	put_u32(pcapng, UINT32_MAX);
	put_u32(pcapng, length);
}

static void put_interface(struct pcapng *pcapng, const char *name)
{
	const uint8_t resolution = NANOSECONDS;
	uint32_t length = 20 + 4 + padded(strlen(name)) + 8 + 4;

	put_u32(pcapng, BLOCK_INTERFACE);
	put_u32(pcapng, length);
	put_pair(pcapng, LINK_ETHERNET, 0);
	put_u32(pcapng, 0); /* whole frames */
	put_pair(pcapng, OPTION_NAME, (uint32_t)strlen(name));
	put(pcapng, name, (uint32_t)strlen(name));
	put_pair(pcapng, OPTION_RESOLUTION, sizeof(resolution));
	put(pcapng, &resolution, sizeof(resolution));
	put_u32(pcapng, 0); /* the end of the options */
	put_u32(pcapng, length);
}

/* The NIC's number in the file, which names it at first sight. */
static uint32_t number_of(struct pcapng *pcapng, uint32_t ifindex)
{
	char name[IF_NAMESIZE] = "";
	unsigned i;

	for (i = 0; i < pcapng->nics; i++)
		if (pcapng->nic[i] == ifindex)
			return i;
	if (i == PCAPNG_NICS)
		return 0;
	if (!if_indextoname(ifindex, name))
		snprintf(name, sizeof(name), "if%u", ifindex);
	put_interface(pcapng, name);
	pcapng->nic[pcapng->nics++] = ifindex;
	return i;
}

void pcapng_write(struct pcapng *pcapng, const struct pcapng_frame *frame)
{
	uint32_t number = number_of(pcapng, frame->ifindex);
	uint32_t length = 32 + padded(frame->length) + 8 + 4;

	put_u32(pcapng, BLOCK_PACKET);
	put_u32(pcapng, length);
	put_u32(pcapng, number);
	put_u32(pcapng, (uint32_t)(frame->time_ns >> 32));
	put_u32(pcapng, (uint32_t)frame->time_ns);
	put_u32(pcapng, frame->length);
	put_u32(pcapng, frame->length);
	put(pcapng, frame->data, frame->length);
	put_pair(pcapng, OPTION_FLAGS, sizeof(uint32_t));
	put_u32(pcapng, frame->outbound ? OUTBOUND : INBOUND);
	put_u32(pcapng, 0);
	put_u32(pcapng, length);
}
