/* SPDX-License-Identifier: BSD-2-Clause */
/* What the checks of `segue doctor` share. Each check reports at least one finding. */
#ifndef SEGUE_TOOL_DOCTOR_H
#define SEGUE_TOOL_DOCTOR_H

#include "cli.h"

enum result { RESULT_OK, RESULT_WARNING, RESULT_PROBLEM, RESULTS };

struct doctor {
	struct cli *cli;
	const char *pin_dir;
	struct sg_relay *relay; /* NULL: the maps could not be opened */
	int open_rc;
	struct sg_error open_error;
	struct sg_meta meta;
	struct sg_interface *nic; /* with our program or a slot */
	size_t nic_count;
	json_t *config; /* what `segued --check --json` said of a good one; NULL: there is none */
	const char *check; /* the running one */
	json_t *findings;
	unsigned count[RESULTS];
};

struct doctor_args {
	const char *config;
};

#define CURE_LEN 200

/*
 * One finding. `subject` is what it is about ("eth0"; NULL: the machine), `cure` a command to type
 * (NULL: nothing to do), the format the reason.
 */
__attribute__((format(printf, 5, 6))) void doctor_report(struct doctor *doctor, enum result result,
							 const char *subject, const char *cure,
							 const char *reason, ...);

typedef void doctor_check_fn(struct doctor *doctor);

/* doctor_host.c */
doctor_check_fn doctor_kernel, doctor_jit, doctor_memlock, doctor_rights, doctor_bpffs,
	doctor_mount_namespace, doctor_maps, doctor_other_pins;
/* doctor_config.c: the configuration, which the ones below need; segued itself */
doctor_check_fn doctor_config, doctor_segued;
/* doctor_install.c: what the configuration wants of the machine */
doctor_check_fn doctor_ports, doctor_addresses, doctor_rp_filter, doctor_clock, doctor_store;
/* doctor_names.c */
doctor_check_fn doctor_dns, doctor_certificates;
/* doctor_nic.c: the maps are open */
doctor_check_fn doctor_nics, doctor_programs, doctor_foreign_programs, doctor_mode, doctor_redirect,
	doctor_generic_copies, doctor_offloads, doctor_queues, doctor_mtu;
/* doctor_veth.c */
doctor_check_fn doctor_veth;
/* doctor_media.c */
doctor_check_fn doctor_nexthops, doctor_streams, doctor_drops;

/* Does a next hop in use leave through this NIC with a VLAN tag? */
bool doctor_uses_vlan(struct doctor *doctor, uint32_t ifindex);

#endif
