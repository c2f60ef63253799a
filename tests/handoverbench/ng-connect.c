// SPDX-License-Identifier: BSD-2-Clause
/*
 * ng-connect PORT FLAG|- A B: sets up a call in the rtpengine that listens there, between two
 * parties (ADDRESS:PORT each), with that flag in its offer and answer. Prints where A and where B
 * have to send to, a line each.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../bench/net.h"
#include "../bench/ng.h"

static struct ng_end parse_end(const char *text)
{
	char dotted[INET_ADDRSTRLEN] = "";
	struct ng_end end = {0};
	unsigned port;

	if (sscanf(text, "%15[0-9.]:%u", dotted, &port) != 2 || !port || port > 65535 ||
	    inet_pton(AF_INET, dotted, &end.address) != 1)
		die("no ADDRESS:PORT: %s", text);
	end.port = htons((uint16_t)port);
	return end;
}

static void print_end(const struct ng_end *end)
{
	char dotted[INET_ADDRSTRLEN];

	printf("%s:%u\n", inet_ntop(AF_INET, &end->address, dotted, sizeof(dotted)),
	       ntohs(end->port));
}

/* It needs some time to listen. */
static void open_patiently(struct ng *ng, uint16_t port)
{
	for (int i = 0; ng_open(ng, port); i++) {
		if (i == 50)
			die("no rtpengine answers at port %u", port);
		usleep(100000);
	}
}

int main(int argc, char **argv)
{
	struct ng_end a, b, for_a, for_b;
	char flags[64] = "le";
	struct ng ng;

	if (argc != 5) {
		fputs("usage: ng-connect PORT FLAG|- ADDRESS:PORT ADDRESS:PORT\n", stderr);
		return 2;
	}
	if (strcmp(argv[2], "-") != 0)
		snprintf(flags, sizeof(flags), "l%zu:%se", strlen(argv[2]), argv[2]);
	a = parse_end(argv[3]);
	b = parse_end(argv[4]);
	open_patiently(&ng, (uint16_t)atoi(argv[1]));
	ng_connect(&ng, "movement", flags, &a, &b, &for_a, &for_b);
	ng_close(&ng);
	print_end(&for_a);
	print_end(&for_b);
	return 0;
}
