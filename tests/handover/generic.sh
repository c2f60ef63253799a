#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# families.sh without XDP in the driver.
HANDOVER_MODE=generic exec "$(dirname "$0")/families.sh"
