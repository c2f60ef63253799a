/* SPDX-License-Identifier: BSD-2-Clause */
/* All that takes root, before segued runs as its own user. */
#ifndef SEGUE_OPS_PREPARE_H
#define SEGUE_OPS_PREPARE_H

#include "ops/privileges.h"

/*
 * Makes the maps, attaches the configured interfaces, gives the pins to the user (its group may
 * read them), and makes the directories of the store and of the control socket where they are
 * missing. Done twice it changes nothing more, and running calls notice nothing.
 */
int prepare(const char *config_file, const struct privileges_user *user, struct error *err);
/*
 * Whether this version could take over what runs: the configuration, the form of the store and its
 * journal, the layout of the maps. Changes nothing.
 */
int prepare_check(const char *config_file, struct error *err);
/* store_keep_records() of the configured store. */
int keep_records(const char *config_file, const char *to, struct error *err);

#endif
