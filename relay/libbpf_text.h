/* SPDX-License-Identifier: BSD-2-Clause */
/* What libbpf has to say, for our own error texts. */
#ifndef SG_RELAY_LIBBPF_TEXT_H
#define SG_RELAY_LIBBPF_TEXT_H

/* What libbpf said, its first sentence, without decoration. */
struct sg_libbpf_text {
	char text[200];
};

/* From here to sg_libbpf_text_end() this thread's libbpf messages go into `text`, not to stderr. */
void sg_libbpf_text_begin(struct sg_libbpf_text *text);
void sg_libbpf_text_end(void);

#endif
