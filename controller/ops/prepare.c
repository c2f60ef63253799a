// SPDX-License-Identifier: BSD-2-Clause
#include "ops/prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "call/call.h"
#include "call/media.h"
#include "store/offline.h"

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

/*
 * A segued that root ran by hand left files that the user could not write. The directory is the
 * user's, who might have put anything there: no links are followed, and no file is given away that
 * has another name elsewhere.
 */
static int give_file(const char *file, const char *suffix, const struct privileges_user *user,
		     struct error *err)
{
	struct buf name = BUF_EMPTY;
	struct stat st;
	int fd, ret;

	buf_addf(&name, "%s%s", file, suffix);
	ret = buf_error(&name);
	if (ret)
		return error_set(err, ret, "out of memory");
	fd = open(name.data, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_nlink == 1 && !st.st_uid &&
	    fchownat(fd, "", user->uid, user->gid, AT_EMPTY_PATH))
		ret = error_set(err, -errno, "%s is root's, and cannot be given to the user: %s",
				name.data, strerror(errno));
	if (fd >= 0)
		close(fd);
	buf_free(&name);
	return ret;
}

static int give_files(const struct config *config, const struct privileges_user *user,
		      struct error *err)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	const char *store = config->store + strlen("sqlite:");
	int ret = config->cdr_file ? give_file(config->cdr_file, "", user, err) : 0;

	for (size_t i = 0; !ret && i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		ret = give_file(store, suffixes[i], user, err);
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
		ret = give_files(config, user, err);
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

int prepare_check(const char *config_file, struct error *err)
{
	struct config *config = NULL;
	int ret;

	if (geteuid())
		return error_set(err, -EPERM, "only root may see all that is looked at");
	ret = config_load(&config, config_file, err);
	if (!ret)
		ret = calls_check(config->store, err);
	if (!ret)
		ret = media_check(err);
	config_free(config);
	return ret;
}

int keep_records(const char *config_file, const char *to, struct error *err)
{
	struct config *config = NULL;
	int ret = config_load(&config, config_file, err);

	if (!ret)
		ret = store_keep_records(config->store, to, err);
	config_free(config);
	return ret;
}
