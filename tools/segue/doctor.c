/* SPDX-License-Identifier: BSD-2-Clause */
/* segue doctor: a table of checks, each says what it found, why, and what to type. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "interface.h"

static const struct {
	const char *name;
	doctor_check_fn *run;
	bool needs_maps;
} checks[] = {
	{"kernel", doctor_kernel, false},
	{"jit", doctor_jit, false},
	{"memlock", doctor_memlock, false},
	{"rights", doctor_rights, false},
	{"bpffs", doctor_bpffs, false},
	{"mount-namespace", doctor_mount_namespace, false},
	{"maps", doctor_maps, false},
	{"other-pins", doctor_other_pins, false},
	{"foreign-programs", doctor_foreign_programs, false},
	{"config", doctor_config, false},
	{"segued", doctor_segued, false},
	{"ports", doctor_ports, false},
	{"addresses", doctor_addresses, false},
	{"rp-filter", doctor_rp_filter, false},
	{"dns", doctor_dns, false},
	{"certificates", doctor_certificates, false},
	{"clock", doctor_clock, false},
	{"store", doctor_store, false},
	{"nics", doctor_nics, true},
	{"programs", doctor_programs, true},
	{"mode", doctor_mode, true},
	{"redirect", doctor_redirect, true},
	{"generic-copies", doctor_generic_copies, true},
	{"veth", doctor_veth, true},
	{"offloads", doctor_offloads, true},
	{"queues", doctor_queues, true},
	{"mtu", doctor_mtu, true},
	{"next-hops", doctor_nexthops, true},
	{"streams", doctor_streams, true},
	{"drops", doctor_drops, true},
};

static const char *const result_name[RESULTS] = {"ok", "warning", "problem"};

void doctor_report(struct doctor *doctor, enum result result, const char *subject, const char *cure,
		   const char *reason, ...)
{
	char text[400];
	va_list args;

	va_start(args, reason);
	vsnprintf(text, sizeof(text), reason, args);
	va_end(args);
	doctor->count[result]++;
	json_array_append_new(doctor->findings,
			      json_pack("{s:s, s:o, s:s, s:o, s:o}", "check", doctor->check,
					"subject", output_optional(subject), "result",
					result_name[result], "reason", output_string(text), "cure",
					output_optional(cure)));
}

static void open_maps(struct doctor *doctor)
{
	struct cli *cli = doctor->cli;

	doctor->open_rc = cli_try_open(cli, SG_OPEN_READ_ONLY, 0, &doctor->open_error);
	if (doctor->open_rc < 0) {
		cli->relay = NULL; /* main.c closes what is there */
		return;
	}
	doctor->relay = cli->relay;
	sg_relay_meta(doctor->relay, &doctor->meta);
	doctor->nic_count = interface_read(doctor->relay, &doctor->nic);
}

static void print_finding(const struct output *out, const json_t *finding)
{
	const char *subject = json_string_value(json_object_get(finding, "subject"));
	const char *cure = json_string_value(json_object_get(finding, "cure"));
	const char *result = json_string_value(json_object_get(finding, "result"));
	const char *colour = "";

	if (out->colour)
		colour = *result == 'o' ? "\033[32m" : *result == 'w' ? "\033[33m" : "\033[1;31m";
	printf("%s%-8s%s %s: %s%s%s\n", colour, result, *colour ? "\033[0m" : "",
	       json_string_value(json_object_get(finding, "check")), subject ? subject : "",
	       subject ? ": " : "", json_string_value(json_object_get(finding, "reason")));
	if (cure)
		printf("         cure: %s\n", cure);
}

static void doctor_text(const struct output *out, const json_t *data)
{
	const json_t *finding;
	size_t i;

	json_array_foreach(json_object_get(data, "findings"), i, finding)
	{
		print_finding(out, finding);
	}
	printf("problems: %" JSON_INTEGER_FORMAT ", warnings: %" JSON_INTEGER_FORMAT "\n",
	       json_integer_value(json_object_get(data, "problems")),
	       json_integer_value(json_object_get(data, "warnings")));
}

static int doctor_run(struct cli *cli)
{
	struct doctor doctor = {
		.cli = cli,
		.pin_dir = cli->globals.pin_dir ? cli->globals.pin_dir : SG_PIN_DIR_DEFAULT,
		.findings = json_array(),
	};

	open_maps(&doctor);
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		doctor.check = checks[i].name;
		if (doctor.relay || !checks[i].needs_maps)
			checks[i].run(&doctor);
	}
	free(doctor.nic);
	json_decref(doctor.config);
	output_data(&cli->out,
		    json_pack("{s:i, s:i, s:o}", "problems", (int)doctor.count[RESULT_PROBLEM],
			      "warnings", (int)doctor.count[RESULT_WARNING], "findings",
			      doctor.findings),
		    doctor_text);
	return doctor.count[RESULT_PROBLEM] ? EXIT_FAILED : EXIT_OK;
}

static const struct option doctor_options[] = {
	{"config", 0, "FILE", option_text, offsetof(struct doctor_args, config), NULL,
	 "segued's configuration (that of the segued that answers, else its own)"},
	OPTIONS_END,
};

static const struct command commands[] = {
	{
		.name = NULL,
		.operands = "",
		.help = "Looks at the whole installation: why it attaches but nothing arrives, "
			"what "
			"segued will miss, what is about to fail; says what to type.",
		OPTIONS(doctor_options, struct doctor_args),
		.run = doctor_run,
		.repeats = true,
	},
};

const struct object doctor_object = {
	.name = "doctor",
	.help = "finds what is wrong and names the cure",
	OBJECT_COMMANDS(commands),
};
