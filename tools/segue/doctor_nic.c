/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks of the NICs: what runs on them, how, and what stands in the way of XDP there. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "doctor.h"
#include "nic_facts.h"

/* One page holds head room, frame and skb_shared_info in native mode: more needs fragments. */
#define NATIVE_MTU_MAX 3498u

/* Drivers with native XDP (Linux 5.18), where generic mode is a choice and not a need. */
static const char *const native_drivers[] = {
	"veth", "virtio_net",	 "ice",	      "ixgbe",	 "ixgbevf", "i40e",  "igb",
	"igc",	"mlx4_en",	 "mlx5_core", "bnxt_en", "ena",	    "nfp",   "qede",
	"sfc",	"mvneta",	 "mvpp2",     "stmmac",	 "st_gmac", "nicvf", "hv_netvsc",
	"tun",	"fsl_dpaa2_eth", "fsl_enetc", "ti-cpsw", "netsec",  "vif",   NULL,
};

/* Drivers whose ndo_xdp_xmit sends nothing unless a native program is on the NIC itself. */
static const char *const needs_own_program[] = {
	"ice", "ixgbe", "i40e", "virtio_net", "mlx5_core", "igb", "bnxt_en", "ena", NULL,
};

/* Drivers that send what a CPU redirects on that CPU's own queue, and drop it where there is none.
 */
static const char *const needs_queue_of_cpu[] = {"i40e", "mlx5_core", NULL};

static bool is_in(const char *const *list, const char *name)
{
	for (; *list; list++) {
		if (strcmp(*list, name) == 0)
			return true;
	}
	return false;
}

void doctor_nics(struct doctor *doctor)
{
	char cure[CURE_LEN];

	if (!doctor->nic_count)
		doctor_report(doctor, RESULT_PROBLEM, NULL, "segue interface attach NIC",
			      "no NIC of this network namespace runs the program");
	for (size_t i = 0; i < doctor->nic_count; i++) {
		const struct sg_interface *nic = &doctor->nic[i];

		snprintf(cure, sizeof(cure), "ip link set dev %s up", nic->name);
		if (nic->up)
			doctor_report(doctor, RESULT_OK, nic->name, NULL, "up");
		else
			doctor_report(doctor, RESULT_PROBLEM, nic->name, cure, "the link is down");
	}
}

static uint32_t link_holding(uint32_t ifindex, uint32_t prog_id)
{
	uint32_t id = 0;

	while (bpf_link_get_next_id(id, &id) == 0) {
		struct bpf_link_info info = {0};
		uint32_t size = sizeof(info);
		int fd = bpf_link_get_fd_by_id(id);
		bool it;

		if (fd < 0)
			continue;
		/* The same ifindex may exist in another namespace: the program tells them apart. */
		it = bpf_obj_get_info_by_fd(fd, &info, &size) == 0 &&
		     info.type == BPF_LINK_TYPE_XDP && info.xdp.ifindex == ifindex &&
		     info.prog_id == prog_id;
		close(fd);
		if (it)
			return id;
	}
	return 0;
}

static void check_program(struct doctor *doctor, const struct sg_interface *nic)
{
	char cure[CURE_LEN];
	uint32_t link = nic->prog_id ? link_holding(nic->ifindex, nic->prog_id) : 0;

	snprintf(cure, sizeof(cure), "segue interface attach %s%s", nic->name,
		 nic->prog_id ? " --force" : "");
	if (!nic->prog_id)
		doctor_report(doctor, RESULT_PROBLEM, nic->name, cure,
			      "has a NIC slot, but no XDP program: media that arrives here goes to "
			      "the stack");
	else if (!nic->ours)
		doctor_report(doctor, RESULT_PROBLEM, nic->name, cure,
			      "somebody else's XDP program runs here: %s (id %u)%s",
			      *nic->prog_name ? nic->prog_name : "without a name", nic->prog_id,
			      strcmp(nic->prog_name, "xdp_dispatcher") == 0
				      ? ", the dispatcher of libxdp"
				      : "");
	else
		doctor_report(doctor, RESULT_OK, nic->name, NULL, "our program, id %u",
			      nic->prog_id);
	snprintf(cure, sizeof(cure), "bpftool link detach id %u", link);
	if (link)
		doctor_report(doctor, RESULT_WARNING, nic->name, cure,
			      "a bpf_link holds the program: `ip link` can neither replace nor "
			      "remove it");
}

void doctor_programs(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->nic_count; i++)
		check_program(doctor, &doctor->nic[i]);
}

static bool is_our_nic(const struct doctor *doctor, uint32_t ifindex)
{
	for (size_t i = 0; i < doctor->nic_count; i++) {
		if (doctor->nic[i].ifindex == ifindex)
			return true;
	}
	return false;
}

static void program_name(uint32_t id, char *out, size_t size)
{
	struct bpf_prog_info info = {0};
	uint32_t length = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &length) < 0 || !info.name[0])
		snprintf(out, size, "program");
	else
		snprintf(out, size, "%s", info.name);
	if (fd >= 0)
		close(fd);
}

static bool check_foreign(struct doctor *doctor, uint32_t ifindex)
{
	struct nic_facts facts;
	char name[BPF_OBJ_NAME_LEN], cure[CURE_LEN];
	uint32_t id, link;

	if (is_our_nic(doctor, ifindex) || nic_facts_read(ifindex, &facts) < 0)
		return false;
	id = facts.native_id ? facts.native_id : facts.generic_id;
	if (!id)
		return false;
	program_name(id, name, sizeof(name));
	link = link_holding(ifindex, id);
	if (link)
		snprintf(cure, sizeof(cure), "bpftool link detach id %u, if it is not wanted",
			 link);
	else
		snprintf(cure, sizeof(cure), "ip link set dev %s %s off, if it is not wanted",
			 facts.name, facts.native_id ? "xdpdrv" : "xdpgeneric");
	doctor_report(doctor, RESULT_WARNING, facts.name, cure,
		      "XDP program %s (id %u%s) runs here and is not ours: media that arrives here "
		      "is not relayed",
		      name, id, link ? ", held by a bpf_link" : "");
	return true;
}

void doctor_foreign_programs(struct doctor *doctor)
{
	struct if_nameindex *names = if_nameindex();
	bool found = false;

	for (struct if_nameindex *n = names; n && n->if_index; n++)
		found |= check_foreign(doctor, n->if_index);
	if (names)
		if_freenameindex(names);
	if (!found)
		doctor_report(doctor, RESULT_OK, NULL, NULL,
			      "no NIC of this network namespace runs somebody else's program "
			      "beside ours");
}

void doctor_mode(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->nic_count; i++) {
		const struct sg_interface *nic = &doctor->nic[i];
		char cure[CURE_LEN];

		snprintf(cure, sizeof(cure),
			 "segue interface detach %s --force; segue interface attach %s --mode "
			 "native",
			 nic->name, nic->name);
		if (!nic->prog_id)
			continue;
		if (nic->mode == SG_ATTACH_NATIVE)
			doctor_report(doctor, RESULT_OK, nic->name, NULL, "native");
		else if (is_in(native_drivers, nic->driver))
			doctor_report(doctor, RESULT_WARNING, nic->name, cure,
				      "generic mode, although driver %s has native XDP: several "
				      "times slower",
				      nic->driver);
		else
			doctor_report(doctor, RESULT_OK, nic->name, NULL,
				      "generic: driver %s is not known for native XDP",
				      *nic->driver ? nic->driver : "(unknown)");
	}
}

static bool some_native(const struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->nic_count; i++) {
		if (doctor->nic[i].prog_id && doctor->nic[i].mode == SG_ATTACH_NATIVE)
			return true;
	}
	return false;
}

/* A redirect towards such a NIC is dropped in the driver, without an error anywhere. */
void doctor_redirect(struct doctor *doctor)
{
	bool native = some_native(doctor);

	for (size_t i = 0; i < doctor->nic_count; i++) {
		const struct sg_interface *nic = &doctor->nic[i];
		bool own = nic->prog_id && nic->mode == SG_ATTACH_NATIVE;
		char cure[CURE_LEN];

		snprintf(cure, sizeof(cure), "segue interface attach %s --mode native", nic->name);
		if (own || !native || !is_in(needs_own_program, nic->driver))
			doctor_report(doctor, RESULT_OK, nic->name, NULL,
				      "nothing known against redirects towards it");
		else
			doctor_report(doctor, RESULT_PROBLEM, nic->name, cure,
				      "driver %s sends redirected packets only while a native "
				      "program is on the NIC itself: they vanish",
				      nic->driver);
	}
}

void doctor_generic_copies(struct doctor *doctor)
{
	const char *generic = NULL;

	for (size_t i = 0; i < doctor->nic_count; i++) {
		if (doctor->nic[i].prog_id && doctor->nic[i].mode == SG_ATTACH_GENERIC)
			generic = doctor->nic[i].name;
	}
	if (generic && doctor->meta.generic_clone == SG_GENERIC_CLONE_SHARED)
		doctor_report(
			doctor, RESULT_WARNING, generic,
			"segue interface attach NIC --mode native, or a newer kernel",
			"copies of a packet share their bytes in generic mode on this kernel: "
			"a second path is refused");
	else
		doctor_report(doctor, RESULT_OK, NULL, NULL, "no NIC is concerned");
}

bool doctor_uses_vlan(struct doctor *doctor, uint32_t ifindex)
{
	struct sg_nexthop_info info;
	uint32_t cursor = 0;

	while (sg_nexthop_next(doctor->relay, &cursor, &info)) {
		if (info.hop.ifindex == ifindex && info.hop.vlan)
			return true;
	}
	return false;
}

static void check_offloads(struct doctor *doctor, const struct nic_facts *nic)
{
	bool veth = strcmp(nic->kind, "veth") == 0;
	bool vlan = doctor_uses_vlan(doctor, nic->ifindex);
	char cure[CURE_LEN];

	if (nic->lro) {
		snprintf(cure, sizeof(cure), "ethtool -K %s lro off", nic->name);
		doctor_report(doctor, RESULT_PROBLEM, nic->name, cure,
			      "LRO merges packets before XDP sees them");
	}
	if (nic->gro_hw) {
		snprintf(cure, sizeof(cure), "ethtool -K %s rx-gro-hw off", nic->name);
		doctor_report(doctor, RESULT_WARNING, nic->name, cure,
			      "hardware GRO may merge packets before XDP sees them, and drivers "
			      "refuse native mode beside it");
	}
	/* A veth's tags are a matter of the sender's end: doctor_veth.c. */
	if (vlan && nic->rx_vlan && !veth) {
		snprintf(cure, sizeof(cure), "ethtool -K %s rxvlan off", nic->name);
		doctor_report(
			doctor, RESULT_PROBLEM, nic->name, cure,
			"the NIC strips VLAN tags, and next hops here are in a VLAN: XDP sees "
			"the packets untagged");
	}
	if (!nic->lro && !nic->gro_hw && !(vlan && nic->rx_vlan && !veth))
		doctor_report(doctor, RESULT_OK, nic->name, NULL, "none that stands in the way");
}

void doctor_offloads(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->nic_count; i++) {
		struct nic_facts facts;

		if (nic_facts_read(doctor->nic[i].ifindex, &facts) == 0)
			check_offloads(doctor, &facts);
	}
}

/* A veth takes any CPU's packets on any queue. */
static void check_queues(struct doctor *doctor, const struct nic_facts *nic)
{
	uint32_t cpus = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
	char cure[CURE_LEN];

	if (nic->queues_max >= cpus)
		snprintf(cure, sizeof(cure), "ethtool -L %s combined %u", nic->name, cpus);
	else
		snprintf(cure, sizeof(cure),
			 "interrupts of all NICs to the first %u CPUs "
			 "(/proc/irq/*/smp_affinity_list)",
			 nic->queues);
	if (!nic->queues || strcmp(nic->kind, "veth") == 0)
		doctor_report(doctor, RESULT_OK, nic->name, NULL,
			      "its driver has no queues that matter");
	else if (nic->queues >= cpus)
		doctor_report(doctor, RESULT_OK, nic->name, NULL, "%u for %u CPUs", nic->queues,
			      cpus);
	else if (is_in(needs_queue_of_cpu, nic->driver))
		doctor_report(doctor, RESULT_PROBLEM, nic->name, cure,
			      "%u for %u CPUs: driver %s drops what the other CPUs redirect to it",
			      nic->queues, cpus, nic->driver);
	else if (nic->queues_max > nic->queues)
		doctor_report(doctor, RESULT_WARNING, nic->name, cure,
			      "%u for %u CPUs: the others forward nothing that comes in here, and "
			      "have to share when they send",
			      nic->queues, cpus);
	else
		doctor_report(doctor, RESULT_OK, nic->name, NULL,
			      "%u for %u CPUs, and it cannot have more: they share", nic->queues,
			      cpus);
}

void doctor_queues(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->nic_count; i++) {
		struct nic_facts facts;

		if (nic_facts_read(doctor->nic[i].ifindex, &facts) == 0)
			check_queues(doctor, &facts);
	}
}

void doctor_mtu(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->nic_count; i++) {
		const struct sg_interface *nic = &doctor->nic[i];
		char cure[CURE_LEN];

		snprintf(cure, sizeof(cure), "ip link set dev %s mtu 1500", nic->name);
		if (nic->mtu <= NATIVE_MTU_MAX)
			doctor_report(doctor, RESULT_OK, nic->name, NULL, "%u", nic->mtu);
		else
			doctor_report(doctor, RESULT_WARNING, nic->name, cure,
				      "an MTU of %u needs fragments in native XDP (about %u fit); "
				      "drivers refuse it, and so generic mode remains",
				      nic->mtu, NATIVE_MTU_MAX);
	}
}
