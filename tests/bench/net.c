// SPDX-License-Identifier: BSD-2-Clause
#include "net.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

void die(const char *format, ...)
{
	va_list args;

	fputs("bench: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

void netns_enter(int netns)
{
	if (setns(netns, CLONE_NEWNET))
		die("setns: %s (root is needed)", strerror(errno));
}

int netns_new(void)
{
	int before = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int made;

	if (before < 0 || unshare(CLONE_NEWNET))
		die("no new network namespace: %s (root is needed)", strerror(errno));
	made = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (made < 0)
		die("/proc/self/ns/net: %s", strerror(errno));
	netns_shell(made, "ip link set lo up");
	netns_enter(before);
	close(before);
	return made;
}

/* In the child between fork and exec. */
static void child_in(int netns, const char *log, int cpu)
{
	int fd = log ? open(log, O_WRONLY | O_CREAT | O_TRUNC, 0644) : -1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (netns >= 0 && setns(netns, CLONE_NEWNET))
		_exit(126);
	if (fd >= 0) {
		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
	}
	if (cpu >= 0)
		pin_to_cpu(0, cpu);
}

pid_t netns_spawn(int netns, const char *log, char *const argv[], int cpu)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid == 0) {
		child_in(netns, log, cpu);
		execvp(argv[0], argv);
		fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	return pid;
}

void netns_shell(int netns, const char *format, ...)
{
	char command[4096];
	char *argv[] = {(char *)"sh", (char *)"-ec", command, NULL};
	va_list args;
	int status;
	pid_t pid;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	pid = netns_spawn(netns, NULL, argv, -1);
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status))
		die("failed: %s", command);
}

void spawn_end(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

void private_bpffs(void)
{
	if (unshare(CLONE_NEWNS) || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		die("no private mount namespace: %s (root is needed)", strerror(errno));
	if (mount("bpf", "/sys/fs/bpf", "bpf", 0, "mode=0700"))
		die("no bpffs on /sys/fs/bpf: %s", strerror(errno));
}

void pin_to_cpu(pid_t pid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	if (sched_setaffinity(pid, sizeof(set), &set))
		die("cannot stay on CPU %d: %s", cpu, strerror(errno));
}

void set_priority(pid_t tid, int priority)
{
	struct sched_param parameter = {.sched_priority = priority};

	if (sched_setscheduler(tid, SCHED_FIFO, &parameter))
		die("no real-time priority: %s (root is needed)", strerror(errno));
}
