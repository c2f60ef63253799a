/* SPDX-License-Identifier: BSD-2-Clause */
/* Figures for Prometheus, and whether we are well. */
#ifndef SEGUE_OPS_METRICS_H
#define SEGUE_OPS_METRICS_H

#include "ops/http.h"

/* "/metrics" and "/health", for http_alloc(); their `rooms` is a struct rooms. */
extern const struct http_page metrics_pages[];

#endif
