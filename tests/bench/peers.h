/* SPDX-License-Identifier: BSD-2-Clause */
/* The relays that we compare with, each in a lane of its own. */
#ifndef SG_BENCH_PEERS_H
#define SG_BENCH_PEERS_H

#include <sys/types.h>

#include "generator.h"
#include "lane.h"

/* nftables: destination and source translated by a map each, through conntrack; no flowtable. */
void peer_nft(const struct lane *lane, uint32_t flows);
/* Two copies by tc and bpf_clone_redirect; `program`: "tc_clone" or "tc_forward". */
void peer_tc(const struct lane *lane, const char *object_dir, const char *program);
/* mmsg_relay for the plan's first flows; its process. */
pid_t peer_mmsg(const struct lane *lane, const char *program, uint32_t flows, const char *log);
/*
 * rtpengine's daemon in user space on one thread, a call for each flow of `all`; the flows of `all`
 * and of `some`, which are among them, are led to the ports that it chose.
 */
pid_t peer_rtpengine(const struct lane *lane, struct generator *generator,
		     const struct flow_set *all, const struct flow_set *some, const char *log);
/* All threads of a peer to one CPU, at a real-time priority. */
void peer_pin(pid_t pid, int cpu, int priority);
/* CPU time of a peer, user and system, in nanoseconds. */
uint64_t peer_cpu_ns(pid_t pid);

#endif
