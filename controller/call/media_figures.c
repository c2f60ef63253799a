// SPDX-License-Identifier: BSD-2-Clause
#include "call/media_internal.h"

int media_figures(struct media *media, struct media_figures *out)
{
	int ret = sg_drop_read(media->relay, out->ended);
	int interfaces;

	if (ret < 0)
		return ret;
	out->streams = sg_stream_count(media->relay);
	out->capacity = media->capacity;
	out->ports_free = media_ports_free(media);
	interfaces = sg_interface_list(media->relay, out->interface, SG_NICS);
	if (interfaces < 0)
		return interfaces;
	out->interfaces = interfaces < (int)SG_NICS ? (size_t)interfaces : SG_NICS;
	return 0;
}
