// SPDX-License-Identifier: BSD-2-Clause
#include "object.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/libbpf.h>

#include "net.h"

struct bpf_object *object_load(const char *dir, const char *name)
{
	struct bpf_object *object;
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	object = bpf_object__open(path);
	if (!object || bpf_object__load(object))
		die("%s does not load: %s", path, strerror(errno));
	return object;
}

int object_program(struct bpf_object *object, const char *name)
{
	struct bpf_program *program = bpf_object__find_program_by_name(object, name);

	if (!program)
		die("%s has no program %s", bpf_object__name(object), name);
	return bpf_program__fd(program);
}

int object_map(struct bpf_object *object, const char *name)
{
	int fd = bpf_object__find_map_fd_by_name(object, name);

	if (fd < 0)
		die("%s has no map %s", bpf_object__name(object), name);
	return fd;
}

void *object_memory(struct bpf_object *object, const char *map, size_t size)
{
	void *memory =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, object_map(object, map), 0);

	if (memory == MAP_FAILED)
		die("map %s of %s: %s", map, bpf_object__name(object), strerror(errno));
	return memory;
}
