/* SPDX-License-Identifier: BSD-2-Clause */
/* A store as a file, while a segued has it open or none does: nothing of it is changed. */
#ifndef SEGUE_STORE_OFFLINE_H
#define SEGUE_STORE_OFFLINE_H

#include "store/store.h"

#define STORE_SCHEMA_VERSION 1u /* PRAGMA user_version: raised when tables change their shape */

/* As store_each(), of the URL's file. No file: 0, and no rows. -EPROTO: of a later version. */
int store_look(const char *url, const char *table, store_row_fn *fn, void *context,
	       struct error *err);
/*
 * Makes the file `to`, of the store's owner, with its CDRs and nothing else; what was there of that
 * name goes. -EBADMSG: not all of them can be read; there is no file then.
 */
int store_keep_records(const char *url, const char *to, struct error *err);

#endif
