// SPDX-License-Identifier: BSD-2-Clause
/*
 * nameserver DOMAIN ADDRESS [HOST]: knows a domain whose SIP is at that address, by TLS first, then
 * TCP, then UDP. Prints where it listens: a port of HOST (127.0.0.1). Ends when it is told to.
 */
#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "../sip/dns_rig.h"

struct names {
	char tls[256], tcp[256], udp[256], host[256];
};

static int serve(const char *host, const struct zone_record *zone, size_t records)
{
	struct event_base *base = event_base_new();
	struct dns_rig rig = {0};
	char text[NETADDR_STRLEN];
	int ret;

	if (!base)
		return 1;
	dns_rig_bind_at(&rig, host, zone, records);
	dns_rig_serve(&rig, base);
	puts(netaddr_format(&rig.at, text));
	fflush(stdout);
	ret = event_base_dispatch(base);
	dns_rig_close(&rig);
	event_base_free(base);
	return ret;
}

int main(int argc, char **argv)
{
	const char *domain = argc == 3 || argc == 4 ? argv[1] : "";
	struct names names;

	if (!domain[0] || strlen(domain) > 200)
		return 2;
	snprintf(names.tls, sizeof(names.tls), "_sips._tcp.%s", domain);
	snprintf(names.tcp, sizeof(names.tcp), "_sip._tcp.%s", domain);
	snprintf(names.udp, sizeof(names.udp), "_sip._udp.%s", domain);
	snprintf(names.host, sizeof(names.host), "proxy.%s", domain);
	const struct zone_record zone[] = {
		{ZONE_NAPTR, domain, names.tls, 60, 10, 0, 0, "SIPS+D2T"},
		{ZONE_NAPTR, domain, names.tcp, 60, 20, 0, 0, "SIP+D2T"},
		{ZONE_NAPTR, domain, names.udp, 60, 30, 0, 0, "SIP+D2U"},
		{ZONE_SRV, names.tls, names.host, 60, 0, 0, 5061, NULL},
		{ZONE_SRV, names.tcp, names.host, 60, 0, 0, 5060, NULL},
		{ZONE_SRV, names.udp, names.host, 60, 0, 0, 5060, NULL},
		{ZONE_A, names.host, argv[2], 60, 0, 0, 0, NULL},
	};

	return serve(argc == 4 ? argv[3] : "127.0.0.1", zone, sizeof(zone) / sizeof(zone[0]));
}
