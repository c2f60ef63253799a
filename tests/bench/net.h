/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Namespaces without names: they and all in them vanish with the process that holds them, even when
 * it is killed. Failures here end the bench with a sentence on standard error.
 */
#ifndef SG_BENCH_NET_H
#define SG_BENCH_NET_H

#include <stdbool.h>
#include <sys/types.h>

__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...);

/* A new network namespace, loopback up; the caller stays where it was. Returns a descriptor. */
int netns_new(void);
/* Moves the calling thread. */
void netns_enter(int netns);
/* Runs a shell command in a namespace; dies with its output's end if it fails. */
__attribute__((format(printf, 2, 3))) void netns_shell(int netns, const char *format, ...);
/* Starts argv in a namespace, standard output and error to `log`; it is killed when we end. */
pid_t netns_spawn(int netns, const char *log, char *const argv[], int cpu);
/* Kills and reaps. */
void spawn_end(pid_t pid);
/* A mount namespace of our own with a fresh bpffs on /sys/fs/bpf. */
void private_bpffs(void);
void pin_to_cpu(pid_t pid, int cpu);
/* Real-time priority (SCHED_FIFO) of a thread, 0: the caller's. */
void set_priority(pid_t tid, int priority);

#endif
