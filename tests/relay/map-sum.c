// SPDX-License-Identifier: BSD-2-Clause
/*
 * map-sum DIRECTORY: for every pinned map a line with its name and a hash of everything that it
 * holds, so that "changed nothing" can be tested byte by byte. Left out: sg_meta.epoch and .dirty,
 * which a writer that did nothing moves too, and what a free next-hop entry was before.
 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <segue/abi.h>

#define BATCH 4096u

static uint64_t hash(uint64_t sum, const void *data, size_t size)
{
	const uint8_t *byte = data;

	for (size_t i = 0; i < size; i++)
		sum = (sum ^ byte[i]) * 0x100000001b3ull;
	return sum;
}

static void mask(const char *name, void *value)
{
	if (!strncmp(name, "sg_meta", 7)) {
		((struct sg_meta *)value)->epoch = 0;
		((struct sg_meta *)value)->dirty = 0;
	}
	if (!strncmp(name, "sg_nexthop", 10) && !((struct sg_nexthop *)value)->used)
		memset(value, 0, sizeof(struct sg_nexthop));
}

/* Zeroes do not count, so that it goes fast. `value` may be changed. */
static void sum_value(const char *name, uint32_t key, void *value, size_t size, uint64_t *sum)
{
	static const uint8_t zero[4096];

	mask(name, value);
	if (size > sizeof(zero) || memcmp(value, zero, size) != 0)
		*sum = hash(hash(*sum, &key, sizeof(key)), value, size);
}

/* Arrays that can be mapped. */
static int sum_mapped(int fd, const struct bpf_map_info *info, uint64_t *sum)
{
	size_t stride = (info->value_size + 7u) & ~7ul;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = (stride * info->max_entries + page - 1) & ~(page - 1);
	const uint8_t *values = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	uint8_t *value = malloc(stride);

	if (values == MAP_FAILED || !value)
		return -errno;
	for (uint32_t key = 0; key < info->max_entries; key++) {
		memcpy(value, values + key * stride, stride);
		sum_value(info->name, key, value, info->value_size, sum);
	}
	free(value);
	munmap((void *)values, size);
	return 0;
}

/* Other arrays, and arrays of maps (then the maps' ids). */
static int sum_batches(int fd, const struct bpf_map_info *info, uint64_t *sum)
{
	size_t size = info->value_size;
	uint8_t *value = calloc(BATCH, size);
	uint32_t *key = calloc(BATCH, sizeof(*key));
	uint32_t batch = 0, count = BATCH;
	int ret = value && key ? 0 : -ENOMEM;
	void *in = NULL;

	while (!ret) {
		int rc = bpf_map_lookup_batch(fd, in, &batch, key, value, &count, NULL);

		if (rc && rc != -ENOENT)
			ret = rc;
		for (uint32_t i = 0; !ret && i < count; i++)
			sum_value(info->name, key[i], value + i * size, size, sum);
		if (rc)
			break;
		in = &batch;
		count = BATCH;
	}
	free(value);
	free(key);
	return ret;
}

/* Per-CPU arrays: one by one. */
static int sum_each(int fd, const struct bpf_map_info *info, size_t size, uint64_t *sum)
{
	uint8_t *value = calloc(1, size);

	if (!value)
		return -ENOMEM;
	for (uint32_t key = 0; key < info->max_entries; key++) {
		if (!bpf_map_lookup_elem(fd, &key, value))
			*sum = hash(hash(*sum, &key, sizeof(key)), value, size);
	}
	free(value);
	return 0;
}

/* Hashes and tries: by key, in the order that the kernel has them in. */
static int sum_keys(int fd, const struct bpf_map_info *info, uint64_t *sum)
{
	uint8_t *key = calloc(2, info->key_size), *next = key ? key + info->key_size : NULL;
	uint8_t *value = calloc(1, info->value_size);
	int ret = key && value ? 0 : -ENOMEM;
	void *before = NULL;

	while (!ret && !bpf_map_get_next_key(fd, before, next)) {
		memcpy(key, next, info->key_size);
		before = key;
		if (!bpf_map_lookup_elem(fd, key, value))
			*sum = hash(hash(*sum, key, info->key_size), value, info->value_size);
	}
	free(value);
	free(key);
	return ret;
}

static bool has_keys(const struct bpf_map_info *info)
{
	return info->type == BPF_MAP_TYPE_HASH || info->type == BPF_MAP_TYPE_LRU_HASH ||
	       info->type == BPF_MAP_TYPE_LPM_TRIE;
}

/* Programs and rings, and who reads them, have no contents to sum. */
static bool has_contents(int fd, struct bpf_map_info *info)
{
	uint32_t length = sizeof(*info);
	char link[64], target[64];
	ssize_t size;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	size = readlink(link, target, sizeof(target) - 1);
	target[size < 0 ? 0 : size] = '\0';
	return !strcmp(target, "anon_inode:bpf-map") &&
	       !bpf_obj_get_info_by_fd(fd, info, &length) && info->type != BPF_MAP_TYPE_RINGBUF &&
	       info->type != BPF_MAP_TYPE_PERF_EVENT_ARRAY;
}

static int sum_map(const char *path)
{
	int fd = bpf_obj_get(path);
	struct bpf_map_info info = {0};
	uint64_t sum = 0xcbf29ce484222325ull;
	int cpus = libbpf_num_possible_cpus();
	int ret = 0;

	if (fd < 0)
		return fd;
	if (!has_contents(fd, &info)) {
		close(fd);
		return 0;
	}
	if (info.map_flags & BPF_F_MMAPABLE)
		ret = sum_mapped(fd, &info, &sum);
	else if (info.type == BPF_MAP_TYPE_PERCPU_ARRAY)
		ret = sum_each(fd, &info, (size_t)cpus * ((info.value_size + 7u) & ~7u), &sum);
	else if (has_keys(&info))
		ret = sum_keys(fd, &info, &sum);
	else
		ret = sum_batches(fd, &info, &sum);
	printf("%s %016llx\n", info.name, (unsigned long long)sum);
	close(fd);
	return ret;
}

int main(int argc, char **argv)
{
	struct dirent **entry;
	char path[512];
	int count, ret = 0;

	if (argc != 2 || (count = scandir(argv[1], &entry, NULL, alphasort)) < 0) {
		fprintf(stderr, "usage: map-sum DIRECTORY\n");
		return 2;
	}
	for (int i = 0; i < count && !ret; i++) {
		if (entry[i]->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", argv[1], entry[i]->d_name);
		ret = sum_map(path);
		if (ret)
			fprintf(stderr, "map-sum: %s: %s\n", path, strerror(-ret));
	}
	return ret ? 1 : 0;
}
