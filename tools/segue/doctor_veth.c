/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks of veth NICs, whose other end decides whether a redirected packet arrives. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "doctor.h"
#include "nic_facts.h"

static void unseen_peer(struct doctor *doctor, const struct nic_facts *nic, int rc)
{
	char subject[48];

	snprintf(subject, sizeof(subject), "%s's peer", nic->name);
	doctor_report(doctor, RESULT_WARNING, subject,
		      "there, in its namespace: ethtool -K PEER gro on tx off",
		      "it is in a network namespace that cannot be seen from here (%s): without "
		      "GRO or an XDP program there, packets redirected to it vanish",
		      rc == -EPERM ? "no right" : "neither in /run/netns nor a process's");
}

/* A command that works where the peer is. */
__attribute__((format(printf, 3, 4))) static void
write_cure(const struct nic_facts *peer, char cure[CURE_LEN], const char *format, ...)
{
	size_t used = 0;
	va_list args;

	cure[0] = 0;
	if (*peer->namespace)
		used = (size_t)snprintf(cure, CURE_LEN, "nsenter --net=%s ", peer->namespace);
	va_start(args, format);
	vsnprintf(cure + used, CURE_LEN - used, format, args);
	va_end(args);
}

/*
 * veth_xdp_xmit() delivers only where the receiving end polls: with an XDP program or with GRO. GRO
 * that was switched on before both ends were up does not count, so the cure switches it again.
 */
static void check_receives(struct doctor *doctor, const char *subject, const struct nic_facts *peer,
			   bool native)
{
	char cure[CURE_LEN];

	write_cure(peer, cure, "sh -c 'ethtool -K %s gro off; ethtool -K %s gro on'", peer->name,
		   peer->name);
	if (peer->native_id || peer->gro)
		doctor_report(doctor, RESULT_OK, subject, NULL, "takes redirected packets: %s",
			      peer->native_id ? "it has an XDP program" : "GRO is on");
	else if (native)
		doctor_report(doctor, RESULT_PROBLEM, subject, cure,
			      "neither GRO nor a native XDP program: packets redirected to it "
			      "vanish without an error");
	else
		doctor_report(doctor, RESULT_OK, subject, NULL,
			      "no NIC is native, so nothing is redirected in the driver");
}

static void check_sends(struct doctor *doctor, const char *subject, const struct nic_facts *peer,
			bool vlan)
{
	char cure[CURE_LEN];

	write_cure(peer, cure, "ethtool -K %s tx off", peer->name);
	if (peer->tx_checksum)
		doctor_report(
			doctor, RESULT_WARNING, subject, cure,
			"tx checksum offload: what sockets there send has no UDP checksum yet, "
			"and leaves the relay with a wrong one");
	write_cure(peer, cure, "ethtool -K %s txvlan off", peer->name);
	if (vlan && peer->tx_vlan)
		doctor_report(doctor, RESULT_PROBLEM, subject, cure,
			      "tx VLAN offload keeps the tag beside the packet: XDP sees it "
			      "untagged");
}

static bool any_native(const struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->nic_count; i++) {
		if (doctor->nic[i].prog_id && doctor->nic[i].mode == SG_ATTACH_NATIVE)
			return true;
	}
	return false;
}

static void check_peer(struct doctor *doctor, const struct nic_facts *nic)
{
	struct nic_facts peer;
	char subject[64], cure[CURE_LEN];
	int rc = nic_facts_read_peer(nic, &peer);

	if (rc < 0) {
		unseen_peer(doctor, nic, rc);
		return;
	}
	snprintf(subject, sizeof(subject), "%s's peer %s%s", nic->name, peer.name,
		 *peer.namespace ? " (another namespace)" : "");
	write_cure(&peer, cure, "ip link set dev %s up", peer.name);
	if (!peer.up)
		doctor_report(doctor, RESULT_PROBLEM, subject, cure, "the link is down there");
	check_receives(doctor, subject, &peer, any_native(doctor));
	check_sends(doctor, subject, &peer, doctor_uses_vlan(doctor, nic->ifindex));
}

void doctor_veth(struct doctor *doctor)
{
	bool found = false;

	for (size_t i = 0; i < doctor->nic_count; i++) {
		struct nic_facts facts;

		if (nic_facts_read(doctor->nic[i].ifindex, &facts) < 0 ||
		    strcmp(facts.kind, "veth") != 0)
			continue;
		found = true;
		check_peer(doctor, &facts);
	}
	if (!found)
		doctor_report(doctor, RESULT_OK, NULL, NULL, "no NIC of ours is a veth");
}
