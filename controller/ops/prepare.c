// SPDX-License-Identifier: BSD-2-Clause
#include "ops/prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "call/media.h"
#include "config.h"

#define DIRECTORY_MODE 0750

/* Only one that we make is the user's: what is there has an owner, and may be anything. */
static int make_directory(const char *file, const struct privileges_user *user, struct error *err)
{
	const char *slash = strrchr(file, '/');
	char *directory;
	int ret = 0;

	if (!slash || slash == file)
		return 0;
	directory = str_dup(str_from(file, slash));
	if (!directory)
		return error_set(err, -ENOMEM, "out of memory");
	if (!mkdir(directory, DIRECTORY_MODE)) {
		if (lchown(directory, user->uid, user->gid))
			ret = error_set(err, -errno, "%s: %s", directory, strerror(errno));
	} else if (errno != EEXIST) {
		ret = error_set(err, -errno, "cannot make %s: %s", directory, strerror(errno));
	}
	free(directory);
	return ret;
}

static int prepare_all(const struct config *config, const struct privileges_user *user,
		       struct log *log, struct error *err)
{
	int ret = make_directory(config->store + strlen("sqlite:"), user, err);

	if (!ret && config->cdr_file)
		ret = make_directory(config->cdr_file, user, err);
	if (!ret)
		ret = make_directory(config->control, user, err);
	if (!ret)
		ret = media_prepare(config, log, user->uid, user->gid, err);
	return ret;
}

int prepare(const char *config_file, const struct privileges_user *user, struct error *err)
{
	struct config *config = NULL;
	struct log *log = NULL;
	int ret;

	if (geteuid())
		return error_set(err, -EPERM, "only root can make pins and attach programs");
	ret = config_load(&config, config_file, err);
	if (!ret)
		ret = log_open(&log, config->log_level);
	if (!ret)
		ret = prepare_all(config, user, log, err);
	if (log)
		log_close(log);
	config_free(config);
	return ret;
}
