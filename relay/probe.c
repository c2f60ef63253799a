/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Do copies of a packet in generic mode have bytes of their own? Kernel versions do not tell (the
 * fix was backported), so it is tried: in a child process with a network namespace of its own, that
 * ends with the child.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <libmnl/libmnl.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>

#include "libbpf_text.h"
#include "object.h"

#define PROBE_ETHERTYPE 0x88B5 /* as in bpf/probe.bpf.c */
#define PROBE_NS 2000000000ull
#define PROBE_TRIES 5
#define COPY_WAIT_MS 200
#define RELAY_END "probe0"
#define PARTY_END "probe1"

/* What the child found; its pipe carries exactly one. */
struct finding {
	int error;
	uint32_t clone; /* enum sg_generic_clone */
	struct sg_error text;
};

/* ---- a veth pair ---------------------------------------------------------------------------- */

static void put_veth(struct nlmsghdr *header)
{
	struct nlattr *info, *data, *peer;

	mnl_attr_put_strz(header, IFLA_IFNAME, RELAY_END);
	info = mnl_attr_nest_start(header, IFLA_LINKINFO);
	mnl_attr_put_strz(header, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(header, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(header, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(header, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(header, IFLA_IFNAME, PARTY_END);
	mnl_attr_nest_end(header, peer);
	mnl_attr_nest_end(header, data);
	mnl_attr_nest_end(header, info);
}

static int request_veth(struct mnl_socket *netlink)
{
	_Alignas(struct nlmsghdr) char buffer[1024] = {0};
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	ssize_t got;

	header->nlmsg_type = RTM_NEWLINK;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
	mnl_nlmsg_put_extra_header(header, sizeof(struct ifinfomsg));
	put_veth(header);
	if (mnl_socket_sendto(netlink, header, header->nlmsg_len) < 0)
		return -errno;
	got = mnl_socket_recvfrom(netlink, buffer, sizeof(buffer));
	if (got < 0 || mnl_cb_run(buffer, (size_t)got, 0, 0, NULL, NULL) < 0)
		return -errno;
	return 0;
}

static int make_veth(void)
{
	struct mnl_socket *netlink = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	int error;

	if (!netlink)
		return -errno;
	error = mnl_socket_bind(netlink, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno
								    : request_veth(netlink);
	mnl_socket_close(netlink);
	return error;
}

static int bring_up(int socket_fd, const char *name)
{
	struct ifreq request = {0};

	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	if (ioctl(socket_fd, SIOCGIFFLAGS, &request) < 0)
		return -errno;
	request.ifr_flags |= IFF_UP;
	return ioctl(socket_fd, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
}

static int make_pair(void)
{
	int error = make_veth();
	int fd;

	if (error)
		return error;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	error = bring_up(fd, RELAY_END);
	if (!error)
		error = bring_up(fd, PARTY_END);
	close(fd);
	return error;
}

/* ---- the programs --------------------------------------------------------------------------- */

static int program_fd(struct bpf_object *object, const char *name)
{
	struct bpf_program *program = bpf_object__find_program_by_name(object, name);

	return program ? bpf_program__fd(program) : -ENOENT;
}

static int attach(struct bpf_object *object)
{
	static const char *const egress[] = {"probe_first", "probe_second"};
	int devices = bpf_object__find_map_fd_by_name(object, "probe_devices");
	unsigned ifindex = if_nametoindex(RELAY_END);

	for (uint32_t i = 0; i < 2; i++) {
		struct bpf_devmap_val value = {
			.ifindex = ifindex,
			.bpf_prog.fd = program_fd(object, egress[i]),
		};

		if (bpf_map_update_elem(devices, &i, &value, BPF_ANY) < 0)
			return -errno;
	}
	return bpf_xdp_attach((int)ifindex, program_fd(object, "probe_copy"), XDP_FLAGS_SKB_MODE,
			      NULL);
}

/* The object stays loaded: it ends with the child. */
static int load_and_attach(const struct sg_relay *relay, struct sg_error *err)
{
	struct bpf_object *object = sg_object_open(relay, "probe.bpf.o", err);
	struct sg_libbpf_text why;
	int error;

	if (!object)
		return -errno;
	sg_libbpf_text_begin(&why);
	error = bpf_object__load(object);
	if (!error)
		error = attach(object);
	sg_libbpf_text_end();
	if (error)
		return sg_fail(err, error, "the probe's programs: %s: %s", strerror(-error),
			       why.text);
	return 0;
}

/* ---- the experiment ------------------------------------------------------------------------- */

static int open_party(void)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(PROBE_ETHERTYPE),
		.sll_ifindex = (int)if_nametoindex(PARTY_END),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		int error = -errno;

		close(fd);
		return error;
	}
	return fd;
}

/* The mark of the next copy, or -1 if none comes. */
static int next_mark(int fd)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	uint8_t frame[ETH_ZLEN];

	if (poll(&ready, 1, COPY_WAIT_MS) <= 0)
		return -1;
	return recv(fd, frame, sizeof(frame), 0) > ETH_HLEN ? frame[ETH_HLEN] : -1;
}

static uint32_t try_once(int fd)
{
	uint8_t frame[ETH_ZLEN] = {0xff,
				   0xff,
				   0xff,
				   0xff,
				   0xff,
				   0xff,
				   2,
				   0,
				   0,
				   0,
				   0,
				   1,
				   PROBE_ETHERTYPE >> 8,
				   PROBE_ETHERTYPE & 0xff};
	int first, second;

	if (send(fd, frame, sizeof(frame), 0) < 0)
		return SG_GENERIC_CLONE_UNKNOWN;
	first = next_mark(fd);
	second = next_mark(fd);
	if (first < 1 || second < 1)
		return SG_GENERIC_CLONE_UNKNOWN;
	return first != second ? SG_GENERIC_CLONE_PRIVATE : SG_GENERIC_CLONE_SHARED;
}

static int experiment(const struct sg_relay *relay, struct finding *finding)
{
	struct sg_error *err = &finding->text;
	int error, fd;

	if (unshare(CLONE_NEWNET) < 0)
		return sg_fail(err, -errno, "a network namespace for the probe: %s",
			       strerror(errno));
	error = make_pair();
	if (error)
		return sg_fail(err, error, "a veth pair for the probe: %s", strerror(-error));
	error = load_and_attach(relay, err);
	if (error)
		return error;
	fd = open_party();
	if (fd < 0)
		return sg_fail(err, fd, "a packet socket for the probe: %s", strerror(-fd));
	/* The first frames may be lost while the links come up. */
	for (int i = 0; i < PROBE_TRIES && finding->clone == SG_GENERIC_CLONE_UNKNOWN; i++)
		finding->clone = try_once(fd);
	if (finding->clone == SG_GENERIC_CLONE_UNKNOWN)
		return sg_fail(err, -EIO, "the probe's copies did not arrive");
	return 0;
}

static void run_child(const struct sg_relay *relay, int pipe_fd)
{
	struct finding finding = {0};
	ssize_t wrote;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	finding.error = experiment(relay, &finding);
	wrote = write(pipe_fd, &finding, sizeof(finding));
	_exit(wrote == (ssize_t)sizeof(finding) ? 0 : 1);
}

/* ---- the parent ----------------------------------------------------------------------------- */

static int read_finding(int fd, struct finding *finding, struct sg_error *err)
{
	uint64_t deadline = sg_now_ns() + PROBE_NS;

	for (;;) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		uint64_t now = sg_now_ns();
		int left = now < deadline ? (int)((deadline - now) / 1000000) : 0;
		int polled = poll(&ready, 1, left);

		if (polled < 0 && errno == EINTR)
			continue;
		if (polled <= 0)
			return sg_fail(err, -ETIMEDOUT, "the probe of generic mode took over 2 s");
		if (read(fd, finding, sizeof(*finding)) != (ssize_t)sizeof(*finding))
			return sg_fail(err, -EIO, "the probe of generic mode died");
		return 0;
	}
}

static void end_child(pid_t child)
{
	kill(child, SIGKILL);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
}

static int run_probe(const struct sg_relay *relay, struct finding *finding, struct sg_error *err)
{
	int ends[2], error;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return sg_fail(err, -errno, "a pipe for the probe: %s", strerror(errno));
	child = fork();
	if (child == 0)
		run_child(relay, ends[1]);
	close(ends[1]);
	error = child < 0 ? sg_fail(err, -errno, "a process for the probe: %s", strerror(errno))
			  : read_finding(ends[0], finding, err);
	if (child > 0)
		end_child(child);
	close(ends[0]);
	return error;
}

int sg_probe_generic_clone(struct sg_relay *relay, struct sg_error *err)
{
	struct finding finding = {0};
	int error = run_probe(relay, &finding, err);

	if (error)
		return error;
	if (finding.error)
		return sg_fail(err, finding.error, "can copies be made in generic mode? %s",
			       finding.text.text);
	__atomic_store_n(&relay->meta->generic_clone, finding.clone, __ATOMIC_RELAXED);
	return 0;
}
