/* SPDX-License-Identifier: BSD-2-Clause */
/* The object files of the kernel programs: where they are, and opening them. */
#include <errno.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "libbpf_text.h"
#include "object.h"

struct bpf_object *sg_object_open(const struct sg_relay *relay, const char *name,
				  struct sg_error *err)
{
	char path[sizeof(relay->object_dir) + 32];
	struct sg_libbpf_text why;
	struct bpf_object *object;
	int error;

	snprintf(path, sizeof(path), "%s/%s", relay->object_dir, name);
	sg_libbpf_text_begin(&why);
	object = bpf_object__open_file(path, NULL);
	error = errno;
	sg_libbpf_text_end();
	if (!object)
		sg_fail(err, -error,
			"cannot open the kernel program %s: %s: install it, or set "
			"SEGUE_OBJECT_DIR to where it is",
			path, strerror(error));
	errno = error;
	return object;
}
