// SPDX-License-Identifier: BSD-2-Clause
#include "base/journal.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define ENTRY_MAX 4096u /* a line of the log has at most 1 kB */

struct entry {
	char text[ENTRY_MAX];
	size_t length;
	bool full;
};

bool journal_has_stderr(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t device, inode;
	struct stat status;

	if (!stream || sscanf(stream, "%" SCNuMAX ":%" SCNuMAX, &device, &inode) != 2)
		return false;
	return !fstat(STDERR_FILENO, &status) && status.st_dev == device && status.st_ino == inode;
}

int journal_open(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd;

	if (!path)
		path = JOURNAL_SOCKET;
	if (strlen(path) >= sizeof(at.sun_path))
		return -ENAMETOOLONG;
	memcpy(at.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&at, sizeof(at))) {
		int error = -errno;

		close(fd);
		return error;
	}
	return fd;
}

static void put(struct entry *entry, const void *bytes, size_t length)
{
	if (length > sizeof(entry->text) - entry->length) {
		entry->full = true;
		return;
	}
	memcpy(entry->text + entry->length, bytes, length);
	entry->length += length;
}

/* NAME=VALUE, or where the value has line ends NAME, its length in 64 bits, and itself. */
static void put_field(struct entry *entry, const struct journal_field *field)
{
	size_t length = strlen(field->value);
	uint64_t binary = htole64(length);

	put(entry, field->name, strlen(field->name));
	if (strchr(field->value, '\n')) {
		put(entry, "\n", 1);
		put(entry, &binary, sizeof(binary));
	} else {
		put(entry, "=", 1);
	}
	put(entry, field->value, length);
	put(entry, "\n", 1);
}

int journal_send(int fd, const struct journal_field *fields, size_t count)
{
	struct entry entry = {.length = 0};

	for (size_t i = 0; i < count; i++) {
		if (fields[i].value)
			put_field(&entry, &fields[i]);
	}
	if (entry.full)
		return -EMSGSIZE;
	return send(fd, entry.text, entry.length, MSG_NOSIGNAL) < 0 ? -errno : 0;
}
