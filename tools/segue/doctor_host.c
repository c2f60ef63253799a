/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks of the machine: kernel, rights, the file system of the pins, the maps' layout. */
#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "doctor.h"

#define KERNEL_MAJOR 5u
#define KERNEL_MINOR 18u

void doctor_kernel(struct doctor *doctor)
{
	struct utsname name;
	unsigned major = 0, minor = 0;

	if (uname(&name) < 0 || sscanf(name.release, "%u.%u", &major, &minor) != 2)
		doctor_report(doctor, RESULT_WARNING, NULL, NULL,
			      "the kernel does not say its version");
	else if (major < KERNEL_MAJOR || (major == KERNEL_MAJOR && minor < KERNEL_MINOR))
		doctor_report(doctor, RESULT_PROBLEM, NULL, "apt install linux-image-amd64",
			      "Linux %s is older than %u.%u: copies and their egress program "
			      "are not supported",
			      name.release, KERNEL_MAJOR, KERNEL_MINOR);
	else
		doctor_report(doctor, RESULT_OK, NULL, NULL, "Linux %s", name.release);
	if (access("/sys/kernel/btf/vmlinux", R_OK) == 0)
		doctor_report(doctor, RESULT_OK, NULL, NULL, "the kernel has BTF");
	else
		doctor_report(doctor, RESULT_WARNING, NULL, "mount -t sysfs sysfs /sys",
			      "/sys/kernel/btf/vmlinux: %s; without it the programs may not load",
			      strerror(errno));
}

static bool read_line(const char *path, char *line, int size)
{
	FILE *file = fopen(path, "re");
	bool good = file && fgets(line, size, file);

	if (file)
		fclose(file);
	if (good)
		line[strcspn(line, "\n")] = 0;
	return good;
}

void doctor_jit(struct doctor *doctor)
{
	char value[16];

	if (!read_line("/proc/sys/net/core/bpf_jit_enable", value, sizeof(value)))
		doctor_report(doctor, RESULT_OK, NULL, NULL,
			      "not shown in this network namespace; the first one decides");
	else if (strcmp(value, "0") == 0)
		doctor_report(doctor, RESULT_WARNING, NULL, "sysctl -w net.core.bpf_jit_enable=1",
			      "the BPF compiler is off: programs are interpreted, many times "
			      "slower");
	else
		doctor_report(doctor, RESULT_OK, NULL, NULL, "the BPF compiler is on");
}

/* Since 5.11 maps are charged to the memory cgroup; RLIMIT_MEMLOCK no longer counts. */
void doctor_memlock(struct doctor *doctor)
{
	char group[256], path[320], limit[32];
	const char *own;

	if (!read_line("/proc/self/cgroup", group, sizeof(group)) || !(own = strstr(group, "::"))) {
		doctor_report(doctor, RESULT_OK, NULL, NULL, "no memory cgroup limits the maps");
		return;
	}
	snprintf(path, sizeof(path), "/sys/fs/cgroup%s/memory.max", own + 2);
	if (!read_line(path, limit, sizeof(limit)) || strcmp(limit, "max") == 0)
		doctor_report(doctor, RESULT_OK, NULL, NULL,
			      "maps are charged to the memory cgroup, which has no limit here");
	else
		doctor_report(doctor, RESULT_WARNING, NULL, "systemctl edit UNIT (MemoryMax=)",
			      "maps made from here count against this cgroup's limit of %s bytes; "
			      "`segue map list` shows what they need",
			      limit);
}

static bool effective_capabilities(uint64_t *out)
{
	FILE *status = fopen("/proc/self/status", "re");
	char line[256];
	bool found = false;

	while (status && !found && fgets(line, sizeof(line), status))
		found = sscanf(line, "CapEff: %" SCNx64, out) == 1;
	if (status)
		fclose(status);
	return found;
}

void doctor_rights(struct doctor *doctor)
{
	const uint64_t wanted = 1ull << CAP_BPF | 1ull << CAP_NET_ADMIN;
	const uint64_t all = 1ull << CAP_SYS_ADMIN | 1ull << CAP_NET_ADMIN;
	uint64_t have = 0;

	if (!effective_capabilities(&have))
		doctor_report(doctor, RESULT_WARNING, NULL, NULL,
			      "/proc/self/status does not say which capabilities we have");
	else if ((have & wanted) == wanted || (have & all) == all)
		doctor_report(doctor, RESULT_OK, NULL, NULL, "CAP_BPF and CAP_NET_ADMIN");
	else
		doctor_report(doctor, RESULT_WARNING, NULL, "sudo segue doctor",
			      "CAP_BPF or CAP_NET_ADMIN is missing: nothing can be changed, and "
			      "some checks see less");
}

/* The nearest folder above `path`, or itself, that exists. */
static void existing_ancestor(const char *path, char *out, size_t size)
{
	struct stat st;

	snprintf(out, size, "%s", path);
	while (stat(out, &st) < 0) {
		char *slash = strrchr(out, '/');

		if (!slash || slash == out) {
			snprintf(out, size, "/");
			return;
		}
		*slash = 0;
	}
}

static bool is_bpffs(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == BPF_FS_MAGIC;
}

void doctor_bpffs(struct doctor *doctor)
{
	char folder[300], cure[CURE_LEN];

	existing_ancestor(doctor->pin_dir, folder, sizeof(folder));
	if (is_bpffs(folder)) {
		doctor_report(doctor, RESULT_OK, doctor->pin_dir, NULL, "on a bpf file system");
		return;
	}
	snprintf(cure, sizeof(cure), "mount -t bpf bpf %.150s",
		 strncmp(doctor->pin_dir, "/sys/fs/bpf", 11) == 0 ? "/sys/fs/bpf" : folder);
	doctor_report(doctor, RESULT_PROBLEM, doctor->pin_dir, cure,
		      "%s is not a bpf file system: nothing can be pinned. `ip netns exec` hides "
		      "it; `nsenter --net=/run/netns/NAME` does not",
		      folder);
}

/* The layout version ends a name, so that pins of another version are seen too. */
static size_t count_pins(const char *root, const char *folder)
{
	char pattern[600];
	glob_t found;
	size_t count = 0;

	snprintf(pattern, sizeof(pattern), "%.255s%.255s/sg_*", root, folder);
	if (glob(pattern, 0, NULL, &found) == 0)
		count = found.gl_pathc;
	globfree(&found);
	return count;
}

static bool same_device(const char *a, const char *b)
{
	struct stat sa, sb;

	return stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_dev == sb.st_dev;
}

static void private_bpffs(struct doctor *doctor)
{
	static const char cure[] = "nsenter --mount=/proc/1/ns/mnt segue ...";
	size_t there = count_pins("/proc/1/root", doctor->pin_dir);

	if (there && doctor->open_rc == -ENOENT)
		doctor_report(doctor, RESULT_PROBLEM, doctor->pin_dir, cure,
			      "this mount namespace has a bpf file system of its own, without "
			      "pins; process 1 sees %zu pins of ours",
			      there);
	else
		doctor_report(doctor, RESULT_WARNING, doctor->pin_dir, cure,
			      "this mount namespace has a bpf file system of its own: other "
			      "processes do not see these pins");
}

void doctor_mount_namespace(struct doctor *doctor)
{
	char folder[300], outside[400], ours[64] = "", first[64] = "";
	ssize_t length = readlink("/proc/1/ns/mnt", first, sizeof(first) - 1);

	if (length < 0 || readlink("/proc/self/ns/mnt", ours, sizeof(ours) - 1) < 0) {
		doctor_report(doctor, RESULT_WARNING, NULL, geteuid() ? "sudo segue doctor" : NULL,
			      "cannot tell whether this is the mount namespace of process 1: %s",
			      strerror(errno));
		return;
	}
	existing_ancestor(doctor->pin_dir, folder, sizeof(folder));
	snprintf(outside, sizeof(outside), "/proc/1/root%s", folder);
	if (strcmp(ours, first) == 0)
		doctor_report(doctor, RESULT_OK, NULL, NULL, "that of process 1");
	else if (same_device(folder, outside))
		doctor_report(doctor, RESULT_OK, NULL, NULL,
			      "not that of process 1, but with the same %s", folder);
	else
		private_bpffs(doctor);
}

void doctor_maps(struct doctor *doctor)
{
	const char *why = doctor->open_error.text;

	if (doctor->open_rc == 0)
		doctor_report(doctor, RESULT_OK, doctor->pin_dir, NULL,
			      "layout %s, ABI %u, %u streams at most, %zu open", SG_MAP_VERSION,
			      doctor->meta.abi, doctor->meta.capacity,
			      sg_stream_count(doctor->relay));
	else if (doctor->open_rc == -ENOENT)
		doctor_report(doctor, RESULT_PROBLEM, doctor->pin_dir, "segue interface attach NIC",
			      "there are no maps: no NIC is attached");
	else if (doctor->open_rc == -EPROTO)
		doctor_report(doctor, RESULT_PROBLEM, doctor->pin_dir,
			      "take the programs off with the version that made them (`segue "
			      "interface detach --all --force`), then attach again",
			      "wrong layout: %s", why);
	else if (doctor->open_rc == -EPERM || doctor->open_rc == -EACCES)
		doctor_report(doctor, RESULT_PROBLEM, doctor->pin_dir, "sudo segue doctor",
			      "no right to open the maps: %s", why);
	else
		doctor_report(doctor, RESULT_PROBLEM, doctor->pin_dir, NULL,
			      "the maps cannot be opened: %s",
			      *why ? why : strerror(-doctor->open_rc));
}

/*
 * `ip link` pins under tc/globals and makes xdp a link to tc. Where another tool made xdp a real
 * folder, or an older version left its pins, two sets of maps lie side by side.
 */
void doctor_other_pins(struct doctor *doctor)
{
	static const char other[] = "/sys/fs/bpf/tc/globals";
	char pattern[300], cure[CURE_LEN];
	struct stat ours, theirs;
	size_t all, current = 0;
	glob_t found;

	if (stat(doctor->pin_dir, &ours) == 0 && stat(other, &theirs) == 0 &&
	    ours.st_ino != theirs.st_ino && count_pins("", other)) {
		doctor_report(doctor, RESULT_PROBLEM, other, "rm /sys/fs/bpf/tc/globals/sg_*",
			      "a second set of maps: a program attached with `ip link` may use "
			      "it instead of %s",
			      doctor->pin_dir);
		return;
	}
	snprintf(pattern, sizeof(pattern), "%.255s/sg_*_" SG_MAP_VERSION, doctor->pin_dir);
	if (glob(pattern, 0, NULL, &found) == 0)
		current = found.gl_pathc;
	globfree(&found);
	all = count_pins("", doctor->pin_dir);
	snprintf(cure, sizeof(cure), "ls %.150s", doctor->pin_dir);
	if (all > current)
		doctor_report(doctor, RESULT_WARNING, doctor->pin_dir, cure,
			      "%zu pins of another layout than " SG_MAP_VERSION, all - current);
	else
		doctor_report(doctor, RESULT_OK, NULL, NULL, "no second set of maps");
}
