// SPDX-License-Identifier: BSD-2-Clause
/*
 * machine.so, preloaded: another machine than the one that the test runs on. A test may not change
 * its kernel, and has no NIC but veths.
 *
 *   MACHINE_RELEASE      what uname says
 *   MACHINE_ROOT         a file below it stands for the one of that path
 *   MACHINE_NIC          this NIC has
 *   MACHINE_DRIVER         that driver,
 *   MACHINE_FLAGS          those ethtool flags (ETH_FLAG_...),
 *   MACHINE_QUEUES         HAS,MOST queues,
 *   MACHINE_FEATURE        that one feature, which is on
 */
#include <dlfcn.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>

static void *next(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

int uname(struct utsname *out)
{
	const char *release = getenv("MACHINE_RELEASE");
	int (*real)(struct utsname *) = (int (*)(struct utsname *))next("uname");
	int ret = real(out);

	if (release)
		snprintf(out->release, sizeof(out->release), "%s", release);
	return ret;
}

static FILE *open_as(const char *call, const char *path, const char *mode)
{
	FILE *(*real)(const char *, const char *) =
		(FILE * (*)(const char *, const char *)) next(call);
	const char *root = getenv("MACHINE_ROOT");
	char other[4096];

	snprintf(other, sizeof(other), "%s%s", root ? root : "", path);
	return real(root && access(other, F_OK) == 0 ? other : path, mode);
}

FILE *fopen(const char *path, const char *mode)
{
	return open_as("fopen", path, mode);
}

FILE *fopen64(const char *path, const char *mode)
{
	return open_as("fopen64", path, mode);
}

/* True: it was answered. */
static int answer(void *command)
{
	const char *driver = getenv("MACHINE_DRIVER"), *flags = getenv("MACHINE_FLAGS");
	const char *queues = getenv("MACHINE_QUEUES"), *feature = getenv("MACHINE_FEATURE");
	struct ethtool_drvinfo *info = command;
	struct ethtool_value *value = command;
	struct ethtool_channels *channels = command;
	struct ethtool_sset_info *set = command;
	struct ethtool_gstrings *strings = command;
	struct ethtool_gfeatures *features = command;

	switch (*(unsigned *)command) {
	case ETHTOOL_GDRVINFO:
		if (driver)
			snprintf(info->driver, sizeof(info->driver), "%s", driver);
		return driver != NULL;
	case ETHTOOL_GFLAGS:
		if (flags)
			value->data = (unsigned)strtoul(flags, NULL, 0);
		return flags != NULL;
	case ETHTOOL_GCHANNELS:
		return queues && sscanf(queues, "%u,%u", &channels->combined_count,
					&channels->max_combined) == 2;
	case ETHTOOL_GSSET_INFO:
		if (feature)
			set->data[0] = 40; /* the one is in the second word */
		return feature != NULL;
	case ETHTOOL_GSTRINGS:
		if (feature)
			snprintf((char *)strings->data + 37 * ETH_GSTRING_LEN, ETH_GSTRING_LEN,
				 "%s", feature);
		return feature != NULL;
	case ETHTOOL_GFEATURES:
		if (feature)
			features->features[1].active = 1u << 5;
		return feature != NULL;
	}
	return 0;
}

int ioctl(int fd, unsigned long request, ...)
{
	int (*real)(int, unsigned long, void *) =
		(int (*)(int, unsigned long, void *))next("ioctl");
	const char *nic = getenv("MACHINE_NIC");
	struct ifreq *asked;
	va_list args;

	va_start(args, request);
	asked = va_arg(args, struct ifreq *);
	va_end(args);
	if (request == SIOCETHTOOL && nic && !strcmp(asked->ifr_name, nic) &&
	    answer(asked->ifr_data))
		return 0;
	return real(fd, request, asked);
}
