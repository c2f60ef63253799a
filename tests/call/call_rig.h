/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A controller in this process: stack, registrar, location, store and calls on loopback, with a
 * relay that only writes down what it is told. Who sends from 127.0.0.2 (or ::1) is a trunk.
 */
#ifndef SEGUE_TESTS_CALL_RIG_H
#define SEGUE_TESTS_CALL_RIG_H

#include "stack_rig.h"

#include "call/call.h"
#include "fake_media.h"

#define TRUNK "127.0.0.2"

struct call_rig {
	struct rig rig; /* loop, stack, listeners: what peers hang from */
	struct media media;
	struct config config;
	struct config_trunk trunk[2];
	char *domain[1];
	char directory[64];
	struct store *store;
	struct location *location;
	struct registrar *registrar;
	struct calls *calls;
};

void call_rig_open(struct call_rig *rig);
void call_rig_close(struct call_rig *rig);
/* As after kill -9: everything but the store's file and the relay is new. */
void call_rig_restart(struct call_rig *rig);
/* Turns until it is true. */
#define call_rig_until(call_rig, condition)                                                        \
	do {                                                                                       \
		uint64_t until_ms = wheel_now_ms() + RIG_PATIENCE_MS;                              \
		while (!(condition)) {                                                             \
			if (wheel_now_ms() > until_ms)                                             \
				fail_msg("waited in vain for " #condition);                        \
			rig_turn(&(call_rig)->rig);                                                \
		}                                                                                  \
	} while (0)
/* Nothing is left: no call, no stream, no reserved port, no dialog, and every transaction ends; the
 * time that this takes is skipped, for the parties are silent. */
void call_rig_expect_empty(struct call_rig *rig);
/* The last CDR's columns as text "status reason"; static. */
const char *call_rig_cdr(struct call_rig *rig);
/* ... and its details; the caller's reference. */
json_t *call_rig_cdr_details(struct call_rig *rig);

#endif
