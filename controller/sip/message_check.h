/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SEGUE_SIP_MESSAGE_CHECK_H
#define SEGUE_SIP_MESSAGE_CHECK_H

#include "sip/screen.h"

/*
 * Fills the parts of the message from its lines and judges them. 0; -EBADMSG with a verdict;
 * -EINVAL: not SIP.
 */
int message_check(struct sip_message *message, const struct screen *screen,
		  struct sip_verdict *verdict);

#endif
