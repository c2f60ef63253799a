// SPDX-License-Identifier: BSD-2-Clause
#include "peers.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "net.h"
#include "ng.h"
#include "object.h"

#define NG_PORT 2223

static void print_address(FILE *out, uint32_t address)
{
	fprintf(out, "%u.%u.%u.%u", address >> 24, address >> 16 & 255, address >> 8 & 255,
		address & 255);
}

/* One element of a map: there's the relay's or the party's endpoint of flow f. */
static void print_element(FILE *out, uint32_t f, uint32_t own, bool to_party)
{
	uint32_t port = BENCH_RELAY_PORT + 2 * (f % BENCH_STREAMS_PER_ADDRESS);

	own += f / BENCH_STREAMS_PER_ADDRESS;
	print_address(out, to_party ? own : 0x0a200000u + f);
	fprintf(out, " . %u : ", to_party ? port : BENCH_PARTY_PORT);
	print_address(out, to_party ? 0x0a200000u + f : own);
	fprintf(out, " . %u,\n", to_party ? BENCH_PARTY_PORT : port);
}

static void print_map(FILE *out, const char *name, uint32_t flows, uint32_t own, bool to_party)
{
	fprintf(out,
		"map %s { type ipv4_addr . inet_service : ipv4_addr . inet_service\nelements = {\n",
		name);
	for (uint32_t f = 0; f < flows; f++)
		print_element(out, f, own, to_party);
	fprintf(out, "} }\n");
}

void peer_nft(const struct lane *lane, uint32_t flows)
{
	char path[] = "/tmp/segue-bench-nft-XXXXXX";
	int fd = mkstemp(path);
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w");

	if (!out)
		die("%s: %s", path, strerror(errno));
	fprintf(out, "table ip bench {\n");
	print_map(out, "parties", flows, 0x0a000101u, true);
	print_map(out, "own", flows, 0x0a000201u, false);
	fprintf(out, "chain before { type nat hook prerouting priority dstnat;\n"
		     "dnat ip to ip daddr . udp dport map @parties\n}\n"
		     "chain after { type nat hook postrouting priority srcnat;\n"
		     "snat ip to ip daddr . udp dport map @own\n}\n}\n");
	fclose(out);
	netns_shell(lane->netns, "trap 'rm -f %s' EXIT; nft -f %s", path, path);
}

void peer_tc(const struct lane *lane, const char *object_dir, const char *program)
{
	struct {
		uint32_t out_ifindex;
		uint8_t macs[12];
	} * to;
	struct bpf_object *object = object_load(object_dir, "tc_clone.bpf.o");
	static const uint8_t macs[12] = {2, 0x5e, 0, 0, 2, 0xfe, 2, 0x5e, 0, 0, 2, 1};

	to = object_memory(object, ".bss", (size_t)getpagesize());
	to->out_ifindex = lane->out_ifindex;
	memcpy(to->macs, macs, sizeof(macs));
	lane_set_in_tc(lane, object_program(object, program));
}

/* Waits until a line of the log starts with `text`. */
static void await_line(pid_t pid, const char *log, const char *text)
{
	char line[256];

	for (int i = 0; i < 100; i++) {
		FILE *in = fopen(log, "r");

		while (in && fgets(line, sizeof(line), in)) {
			if (strncmp(line, text, strlen(text)))
				continue;
			fclose(in);
			return;
		}
		if (in)
			fclose(in);
		usleep(50000);
	}
	spawn_end(pid);
	die("process %d did not get ready, see %s", (int)pid, log);
}

pid_t peer_mmsg(const struct lane *lane, const char *program, uint32_t flows, const char *log)
{
	char count[16];
	char *argv[] = {(char *)program, count, NULL};
	pid_t pid;

	snprintf(count, sizeof(count), "%u", flows);
	pid = netns_spawn(lane->netns, log, argv, -1);
	await_line(pid, log, "ready");
	return pid;
}

static pid_t start_rtpengine(const struct lane *lane, const char *log)
{
	char *argv[] = {(char *)"rtpengine",
			(char *)"--foreground",
			(char *)"--log-stderr",
			(char *)"--log-level=3",
			(char *)"--table=-1",
			(char *)"--config-file=none",
			(char *)"--interface=a/10.0.1.1",
			(char *)"--interface=b/10.0.2.1",
			(char *)"--listen-ng=127.0.0.1:2223",
			(char *)"--port-min=10000",
			(char *)"--port-max=59999",
			(char *)"--num-threads=1",
			NULL};

	return netns_spawn(lane->netns, log, argv, -1);
}

struct call {
	uint32_t address;
	uint16_t port;
};

static struct call *place_calls(uint32_t count, const char *log)
{
	struct call *calls = calloc(count, sizeof(*calls));
	struct ng ng;
	int tries = 0;

	if (!calls)
		die("no memory");
	while (ng_open(&ng, NG_PORT)) {
		if (++tries == 50)
			die("rtpengine does not answer, see %s", log);
		usleep(100000);
	}
	for (uint32_t i = 0; i < count; i++)
		ng_call(&ng, i, &calls[i].address, &calls[i].port);
	ng_close(&ng);
	return calls;
}

static void lead_flows(struct generator *generator, const struct flow_set *set,
		       const struct call *calls)
{
	for (uint32_t i = set->first; i < set->first + set->count; i++) {
		struct bench_flow *flow = &generator->flows[i];
		const struct call *call = &calls[ntohl(flow->saddr) - 0x0a100000u];

		flow->daddr = call->address;
		flow->dport = call->port;
	}
}

pid_t peer_rtpengine(const struct lane *lane, struct generator *generator,
		     const struct flow_set *all, const struct flow_set *some, const char *log)
{
	int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	pid_t pid = start_rtpengine(lane, log);
	struct call *calls;

	netns_enter(lane->netns);
	calls = place_calls(all->count, log);
	netns_enter(here);
	close(here);
	lead_flows(generator, all, calls);
	lead_flows(generator, some, calls);
	free(calls);
	return pid;
}

void peer_pin(pid_t pid, int cpu, int priority)
{
	char path[64];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	if (!dir)
		die("process %d has ended", (int)pid);
	while ((entry = readdir(dir))) {
		pid_t tid = (pid_t)atoi(entry->d_name);

		if (!tid)
			continue;
		pin_to_cpu(tid, cpu);
		set_priority(tid, priority);
	}
	closedir(dir);
}

uint64_t peer_cpu_ns(pid_t pid)
{
	unsigned long long user = 0, system = 0;
	char path[64];
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	in = fopen(path, "r");
	if (!in || fscanf(in, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu",
			  &user, &system) != 2)
		die("%s cannot be read", path);
	fclose(in);
	return (user + system) * 1000000000ull / (unsigned long long)sysconf(_SC_CLK_TCK);
}
