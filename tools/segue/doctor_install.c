/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks of what segued's configuration wants of this machine. */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include "doctor.h"

#define STORE_LEAST_MB 500u
#define MB 1000000u

static const char no_config[] = "no configuration is known";

static bool read_text(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "re");
	size_t length = file ? fread(text, 1, size - 1, file) : 0;

	if (file)
		fclose(file);
	text[length] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return file != NULL;
}

/* ---- ports ------------------------------------------------------------------------------------
 */

/* Is first..last within the list "30000-39999,8080" of the kernel's? */
static bool is_reserved(const char *list, unsigned first, unsigned last)
{
	while (*list) {
		unsigned from, to;
		int fields = sscanf(list, "%u-%u", &from, &to);

		if (fields == 1)
			to = from;
		if (fields >= 1 && from <= first && to >= last)
			return true;
		list += strcspn(list, ",");
		list += *list == ',';
	}
	return false;
}

void doctor_ports(struct doctor *doctor)
{
	unsigned first, last, low, high;
	char range[64], reserved[4096], cure[CURE_LEN];

	if (!doctor->config) {
		doctor_report(doctor, RESULT_OK, NULL, NULL, "%s", no_config);
		return;
	}
	first = (unsigned)json_integer_value(json_object_get(doctor->config, "first_port"));
	last = (unsigned)json_integer_value(json_object_get(doctor->config, "last_port"));
	if (!read_text("/proc/sys/net/ipv4/ip_local_port_range", range, sizeof(range)) ||
	    sscanf(range, "%u %u", &low, &high) != 2 ||
	    !read_text("/proc/sys/net/ipv4/ip_local_reserved_ports", reserved, sizeof(reserved))) {
		doctor_report(doctor, RESULT_WARNING, NULL, NULL,
			      "the kernel does not show which ports it gives to others");
		return;
	}
	/* The kernel takes no list that begins with a comma. */
	snprintf(cure, sizeof(cure), "sysctl -w net.ipv4.ip_local_reserved_ports=%s%u-%u",
		 *reserved ? "$(sysctl -n net.ipv4.ip_local_reserved_ports)," : "", first, last);
	if (first > high || last < low || is_reserved(reserved, first, last))
		doctor_report(doctor, RESULT_OK, NULL, NULL,
			      "%u-%u are given to no other program by chance", first, last);
	else
		doctor_report(
			doctor, RESULT_WARNING, NULL, cure,
			"media ports %u-%u overlap those that the kernel gives to any program "
			"(%u-%u): what comes to such a port is taken from it",
			first, last, low, high);
}

/* ---- addresses and routes ---------------------------------------------------------------------
 */

/* The NIC that has the address, or "". */
static void nic_of(const char *address, char name[IF_NAMESIZE])
{
	struct ifaddrs *list, *at;

	name[0] = '\0';
	if (getifaddrs(&list) < 0)
		return;
	for (at = list; at; at = at->ifa_next) {
		char text[INET6_ADDRSTRLEN] = "";

		if (at->ifa_addr && at->ifa_addr->sa_family == AF_INET)
			inet_ntop(AF_INET, &((struct sockaddr_in *)(void *)at->ifa_addr)->sin_addr,
				  text, sizeof(text));
		else if (at->ifa_addr && at->ifa_addr->sa_family == AF_INET6)
			inet_ntop(AF_INET6,
				  &((struct sockaddr_in6 *)(void *)at->ifa_addr)->sin6_addr, text,
				  sizeof(text));
		if (*text && !strcmp(text, address))
			snprintf(name, IF_NAMESIZE, "%s", at->ifa_name);
	}
	freeifaddrs(list);
}

static void look_at_address(struct doctor *doctor, const char *nic, const char *address)
{
	char has[IF_NAMESIZE], cure[CURE_LEN];

	nic_of(address, has);
	snprintf(cure, sizeof(cure), "ip addr add %s/%s dev %s", address,
		 strchr(address, ':') ? "64" : "24", nic);
	if (!strcmp(has, nic))
		doctor_report(doctor, RESULT_OK, nic, NULL, "has %s", address);
	else if (!if_nametoindex(nic))
		doctor_report(doctor, RESULT_PROBLEM, nic, "ip link (and media.interfaces)",
			      "there is no such NIC: %s cannot be used for media", address);
	else
		doctor_report(doctor, RESULT_PROBLEM, nic, cure,
			      "%s is %s%s: media cannot be sent from it", address,
			      *has ? "on " : "on no NIC", has);
}

static bool has_default_route(void)
{
	char line[256];
	bool found = false;
	FILE *file = fopen("/proc/net/route", "re");
	unsigned long destination, mask;

	while (file && !found && fgets(line, sizeof(line), file))
		found = sscanf(line, "%*s %lx %*x %*x %*d %*d %*d %lx", &destination, &mask) == 2 &&
			!destination && !mask;
	if (file)
		fclose(file);
	file = fopen("/proc/net/ipv6_route", "re");
	while (file && !found && fgets(line, sizeof(line), file))
		found = !strncmp(line, "00000000000000000000000000000000 00 ", 36) &&
			!strstr(line, " lo\n");
	if (file)
		fclose(file);
	return found;
}

void doctor_addresses(struct doctor *doctor)
{
	const json_t *nic, *address;
	size_t i, j;

	if (!doctor->config) {
		doctor_report(doctor, RESULT_OK, NULL, NULL, "%s", no_config);
		return;
	}
	json_array_foreach(json_object_get(doctor->config, "interfaces"), i, nic)
	{
		json_array_foreach(json_object_get(nic, "addresses"), j, address)
		{
			look_at_address(doctor, json_string_value(json_object_get(nic, "name")),
					json_string_value(address));
		}
	}
	if (has_default_route())
		doctor_report(doctor, RESULT_OK, NULL, NULL, "there is a default route");
	else
		doctor_report(
			doctor, RESULT_WARNING, NULL, "ip route add default via GATEWAY",
			"there is no default route: parties elsewhere than on our own networks "
			"are not reached");
}

static int rp_filter_of(const char *nic)
{
	char path[128], text[16];

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%.32s/rp_filter", nic);
	return read_text(path, text, sizeof(text)) ? atoi(text) : 0;
}

/* Of one NIC alone every way back is the right one. */
void doctor_rp_filter(struct doctor *doctor)
{
	const json_t *interfaces = json_object_get(doctor->config, "interfaces"), *nic;
	bool all = rp_filter_of("all") == 1, found = false;
	char cure[CURE_LEN];
	size_t i;

	json_array_foreach(interfaces, i, nic)
	{
		const char *name = json_string_value(json_object_get(nic, "name"));
		/* The stricter of the two holds, and 2 is the larger number. */
		int own = rp_filter_of(name);

		if (json_array_size(interfaces) < 2 || !(own == 1 || (all && own == 0)))
			continue;
		found = true;
		snprintf(cure, sizeof(cure), "sysctl -w net.ipv4.conf.%s.rp_filter=2", name);
		doctor_report(doctor, RESULT_WARNING, name, cure,
			      "the strict filter of sources drops SIP of a party whose way back "
			      "leaves by another NIC, as one does that moves");
	}
	if (!found)
		doctor_report(doctor, RESULT_OK, NULL, NULL,
			      "no filter of sources stands in the way");
}

/* ---- clock and disk ---------------------------------------------------------------------------
 */

void doctor_clock(struct doctor *doctor)
{
	struct timex now = {.modes = 0};

	if (adjtimex(&now) >= 0 && !(now.status & STA_UNSYNC))
		doctor_report(doctor, RESULT_OK, NULL, NULL, "synchronised");
	else
		doctor_report(doctor, RESULT_WARNING, NULL, "apt install chrony",
			      "nothing keeps the clock right: times of CDRs and the life of "
			      "certificates depend on it");
}

void doctor_store(struct doctor *doctor)
{
	const char *store = json_string_value(json_object_get(doctor->config, "store"));
	char folder[300], cure[CURE_LEN], *slash;
	struct statvfs fs;
	uint64_t free_mb;

	if (!store || strncmp(store, "sqlite:", 7)) {
		doctor_report(doctor, RESULT_OK, NULL, NULL, "no store on a disk is known");
		return;
	}
	snprintf(folder, sizeof(folder), "%s", store + 7);
	slash = strrchr(folder, '/');
	if (slash && slash != folder)
		*slash = '\0';
	snprintf(cure, sizeof(cure), "mkdir -p %.80s && chown segue: %.80s", folder, folder);
	if (statvfs(folder, &fs) < 0) {
		doctor_report(doctor, RESULT_WARNING, folder, cure,
			      "%s: segued makes the last part of it, no more", strerror(errno));
		return;
	}
	free_mb = (uint64_t)fs.f_bavail * fs.f_frsize / MB;
	snprintf(cure, sizeof(cure), "df -h %.150s (and cdr.keep)", folder);
	if (fs.f_flag & ST_RDONLY)
		doctor_report(doctor, RESULT_PROBLEM, folder, "mount -o remount,rw MOUNTPOINT",
			      "is mounted read-only");
	else if (free_mb < STORE_LEAST_MB)
		doctor_report(doctor, RESULT_WARNING, folder, cure,
			      "%llu MB are free: CDRs are lost when none is",
			      (unsigned long long)free_mb);
	else
		doctor_report(doctor, RESULT_OK, folder, NULL, "%llu MB are free",
			      (unsigned long long)free_mb);
}
