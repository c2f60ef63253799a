/* SPDX-License-Identifier: BSD-2-Clause */
/* The store on SQLite: what was put is there after a restart, and the faults that disks have. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "world.h"

static void rows_outlive_the_process(void **state)
{
	struct world *w = *state;
	struct world_rows rows;

	world_open(w);
	assert_int_equal(store_put(w->store, "binding", STR("alice@example.net"), STR("here")), 0);
	assert_int_equal(store_put(w->store, "binding", STR("bob@example.net"), STR("there")), 0);
	assert_int_equal(store_put(w->store, "secret", STR("digest"), STR("0123")), 0);
	world_reopen(w);
	assert_string_equal(world_read(w, &rows, "binding"),
			    "alice@example.net=here;bob@example.net=there;");
	assert_string_equal(world_read(w, &rows, "secret"), "digest=0123;");
	store_delete(w->store, "binding", STR("alice@example.net"));
	store_put(w->store, "binding", STR("bob@example.net"), STR("moved"));
	world_reopen(w);
	assert_string_equal(world_read(w, &rows, "binding"), "bob@example.net=moved;");
}

static void flush_makes_writes_readable(void **state)
{
	struct world *w = *state;
	struct world_rows rows;

	world_open(w);
	assert_int_equal(store_flush(w->store), 0); /* nothing to do */
	for (unsigned i = 0; i < 50; i++) {
		char value[16];

		snprintf(value, sizeof(value), "c=%u;", i);
		store_put(w->store, "call", STR("c"), (struct str){value + 2, strlen(value) - 3});
		assert_int_equal(store_flush(w->store), 0);
		assert_string_equal(world_read(w, &rows, "call"), value);
	}
}

static void values_are_any_bytes(void **state)
{
	struct world *w = *state;
	struct world_rows rows;
	static const char value[] = "a\0b'\"\xff\n;", key[] = "k\0k";

	world_open(w);
	store_put(w->store, "call", (struct str){key, 3}, (struct str){value, sizeof(value) - 1});
	store_put(w->store, "call", STR("empty"), STR_NONE);
	store_flush(w->store);
	world_read(w, &rows, "call");
	assert_int_equal(rows.count, 2);
}

static int same_bytes(void *context, struct str key, struct str value)
{
	*(bool *)context = str_eq(key, STR("k\0k")) && str_eq(value, STR("a\0b'\"\xff\n;"));
	return 0;
}

static void bytes_come_back_as_they_were(void **state)
{
	struct world *w = *state;
	struct error err;
	bool same = false;

	world_open(w);
	store_put(w->store, "call", STR("k\0k"), STR("a\0b'\"\xff\n;"));
	store_flush(w->store);
	assert_int_equal(store_each(w->store, "call", same_bytes, &same, &err), 0);
	assert_true(same);
}

static void visitor_may_end_early(void **state)
{
	struct world *w = *state;
	struct world_rows rows = {.most = 1};
	struct error err;

	world_open(w);
	store_put(w->store, "call", STR("a"), STR("1"));
	store_put(w->store, "call", STR("b"), STR("1"));
	store_flush(w->store);
	assert_int_equal(store_each(w->store, "call", world_row, &rows, &err), 0);
	assert_int_equal(rows.count, 1);
}

static void unknown_tables_and_engines_are_refused(void **state)
{
	struct world *w = *state;
	struct world_rows rows;
	struct store *store;
	struct error err;

	world_open(w);
	assert_int_equal(store_put(w->store, "cdr", STR("a"), STR("b")), -EINVAL);
	assert_int_equal(store_delete(w->store, "x", STR("a")), -EINVAL);
	assert_int_equal(store_each(w->store, "x", world_row, &rows, &err), -EINVAL);
	assert_int_equal(store_open(&store, "oracle:/x", w->log, &err), -EINVAL);
	assert_non_null(strstr(err.text, "oracle"));
	assert_int_equal(store_open(&store, "sqlite:", w->log, &err), -EINVAL);
	assert_int_equal(store_open(&store, "", w->log, &err), -EINVAL);
}

static void cdr_has_its_columns(void **state)
{
	struct world *w = *state;
	const struct store_cdr cdr = {STR("id1"),
				      STR("alice@example.net"),
				      STR("bob@example.net"),
				      1,
				      2,
				      0x7fffffffffffffff,
				      STR("BYE"),
				      200,
				      3,
				      STR("{}")};
	sqlite3_stmt *row;
	sqlite3 *db;

	world_open(w);
	assert_int_equal(store_add_cdr(w->store, &cdr), 0);
	assert_int_equal(store_flush(w->store), 0);
	assert_int_equal(sqlite3_open(w->file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db,
					    "SELECT call_id || caller || callee || started_ns ||"
					    " answered_ns || ended_ns || reason || status ||"
					    " handovers || details FROM cdr",
					    -1, &row, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(row), SQLITE_ROW);
	assert_string_equal(sqlite3_column_text(row, 0),
			    "id1alice@example.netbob@example.net129223372036854775807BYE2003{}");
	sqlite3_finalize(row);
	sqlite3_close(db);
}

static void hashes_are_readable_by_the_owner_only(void **state)
{
	struct world *w = *state;
	char wal[128];
	struct stat st;

	world_open(w);
	store_put(w->store, "subscriber", STR("a"), STR("b"));
	store_flush(w->store);
	assert_int_equal(stat(w->file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	snprintf(wal, sizeof(wal), "%s-wal", w->file);
	assert_int_equal(stat(wal, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void statistics_count(void **state)
{
	struct world *w = *state;
	struct store_stats stats;

	world_open(w);
	store_put(w->store, "call", STR("a"), STR("1"));
	store_flush(w->store);
	store_put(w->store, "call", STR("b"), STR("1"));
	store_put(w->store, "call", STR("c"), STR("1"));
	store_flush(w->store);
	store_stats(w->store, &stats);
	assert_int_equal(stats.written, 3);
	assert_int_equal(stats.failed, 0);
	assert_int_equal(stats.lost, 0);
	assert_int_equal(stats.queued, 0);
	assert_true(stats.healthy);
}

/* ---- faults -----------------------------------------------------------------------------------
 */

static void missing_directory_is_named(void **state)
{
	struct world *w = *state;
	struct error err;
	char url[128];

	snprintf(url, sizeof(url), "sqlite:%s/no/such/segue.db", w->directory);
	assert_int_equal(store_open(&w->store, url, w->log, &err), -ENOENT);
	assert_non_null(strstr(err.text, url + strlen("sqlite:")));
	assert_non_null(strstr(err.text, "directory"));
}

static void directory_is_no_file(void **state)
{
	struct world *w = *state;
	struct error err;

	snprintf(w->url, sizeof(w->url), "sqlite:%s", w->directory);
	assert_int_equal(store_open(&w->store, w->url, w->log, &err), -EISDIR);
}

static void later_version_is_refused_and_left_alone(void **state)
{
	struct world *w = *state;
	struct error err;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(w->file, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db, "PRAGMA user_version = 2; CREATE TABLE x (y)", NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(store_open(&w->store, w->url, w->log, &err), -EPROTO);
	assert_non_null(strstr(err.text, "later version"));
}

static void locked_database_is_waited_for(void **state)
{
	struct world *w = *state;
	struct store_stats stats;
	struct world_rows rows;
	struct world_log l;
	sqlite3 *other;

	world_open(w);
	assert_int_equal(sqlite3_open(w->file, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	world_log_begin(&l);
	assert_int_equal(store_put(w->store, "call", STR("a"), STR("1")), 0);
	assert_int_equal(store_flush(w->store), -EIO);
	assert_int_equal(store_flush(w->store), -EIO);
	store_stats(w->store, &stats);
	assert_false(stats.healthy);
	assert_int_equal(stats.queued, 1);
	assert_true(stats.failed >= 2);
	assert_int_equal(store_put(w->store, "call", STR("b"), STR("2")), 0);
	assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(store_flush(w->store), 0);
	store_stats(w->store, &stats);
	assert_true(stats.healthy);
	assert_int_equal(stats.lost, 0);
	assert_int_equal(world_log_count(&l, "cannot be written"), 1);
	assert_int_equal(world_log_count(&l, "written again"), 1);
	world_log_end(&l);
	assert_string_equal(world_read(w, &rows, "call"), "a=1;b=2;");
	sqlite3_close(other);
}

/* Who closes while it cannot be written finds the call in the log. */
static void records_that_are_lost_are_in_the_log(void **state)
{
	struct world *w = *state;
	const struct store_cdr cdr = {.call_id = STR("call-7"),
				      .caller = STR("sip:alice@example.net"),
				      .callee = STR("sip:bob@example.net"),
				      .started_ns = 1000,
				      .ended_ns = 3000,
				      .status = 486,
				      .reason = STR("busy")};
	struct world_log l;
	sqlite3 *other;

	world_open(w);
	assert_int_equal(sqlite3_open(w->file, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	world_log_begin(&l);
	assert_int_equal(store_add_cdr(w->store, &cdr), 0);
	store_close(w->store);
	w->store = NULL;
	assert_int_equal(world_log_count(&l, "call-7: record lost: from sip:alice@example.net to "
					     "sip:bob@example.net, started 1000, answered 0, ended "
					     "3000 (ns), 486 busy"),
			 1);
	world_log_end(&l);
	sqlite3_close(other);
}

static void full_queue_loses_and_says_so_once(void **state)
{
	struct world *w = *state;
	struct store_stats stats;
	struct world_log l;
	unsigned refused = 0;
	sqlite3 *other;
	char key[16];

	world_open(w);
	assert_int_equal(sqlite3_open(w->file, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	world_log_begin(&l);
	for (unsigned i = 0; i < 150000; i++) {
		snprintf(key, sizeof(key), "%u", i);
		refused += store_put(w->store, "call", str_of(key), STR("1")) == -ENOBUFS;
	}
	assert_in_range(refused, 150000 - 2 * 65536, 150000 - 65536);
	assert_int_equal(world_log_count(&l, "are lost until"), 1);
	assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	while (store_flush(w->store))
		continue;
	world_log_end(&l);
	store_stats(w->store, &stats);
	assert_int_equal(stats.lost, refused);
	assert_int_equal(stats.written, 150000 - refused);
	sqlite3_close(other);
}

static void overwrite(const char *file, long from, size_t length)
{
	int fd = open(file, O_WRONLY);
	char noise[512];

	memset(noise, 0x5a, sizeof(noise));
	assert_true(fd >= 0);
	for (size_t done = 0; done < length; done += sizeof(noise))
		assert_int_equal(pwrite(fd, noise, sizeof(noise), from + (long)done),
				 sizeof(noise));
	close(fd);
}

static size_t set_aside(struct world *w)
{
	char pattern[128];
	glob_t found;
	size_t count = 0;

	snprintf(pattern, sizeof(pattern), "%s.damaged-*[0-9]", w->file);
	if (!glob(pattern, 0, NULL, &found)) {
		count = found.gl_pathc;
		globfree(&found);
	}
	return count;
}

static void file_that_is_no_database_is_set_aside(void **state)
{
	struct world *w = *state;
	struct world_rows rows;
	struct world_log l;

	world_open(w);
	store_close(w->store);
	w->store = NULL;
	overwrite(w->file, 0, 4096);
	world_log_begin(&l);
	world_open(w);
	assert_int_equal(world_log_count(&l, "damaged"), 1);
	world_log_end(&l);
	assert_int_equal(set_aside(w), 1);
	store_put(w->store, "call", STR("a"), STR("1"));
	assert_int_equal(store_flush(w->store), 0);
	assert_string_equal(world_read(w, &rows, "call"), "a=1;");
}

static void fill_bindings(struct world *w, unsigned count)
{
	char key[32];

	for (unsigned i = 0; i < count; i++) {
		snprintf(key, sizeof(key), "user%06u", i);
		store_put(w->store, "binding", str_of(key), STR("sip:user@192.0.2.1:5060"));
	}
	store_put(w->store, "subscriber", STR("alice@example.net"), STR("ha1"));
	assert_int_equal(store_flush(w->store), 0);
}

static void readable_rows_of_a_damaged_file_are_kept(void **state)
{
	struct world *w = *state;
	struct world_rows rows;
	struct stat st;

	world_open(w);
	fill_bindings(w, 3000);
	store_close(w->store);
	w->store = NULL;
	assert_int_equal(stat(w->file, &st), 0);
	overwrite(w->file, st.st_size / 2 & ~4095l, 4096);
	world_open(w);
	assert_int_equal(set_aside(w), 1);
	world_read(w, &rows, "binding");
	assert_in_range(rows.count, 1, 2999);
	assert_string_equal(world_read(w, &rows, "subscriber"), "alice@example.net=ha1;");
}

static void fill_cdrs(struct world *w, unsigned count)
{
	char id[16];

	for (unsigned i = 1; i <= count; i++) {
		struct store_cdr cdr = {
			.caller = STR("sip:alice@example.net"),
			.callee = STR("sip:bob@example.net"),
			.started_ns = i,
			.ended_ns = i + 1,
			.reason = STR("BYE from A"),
			.details = STR("{\"streams\":[{\"encoding\":\"PCMU\",\"paths\":[]}]}"),
		};

		snprintf(id, sizeof(id), "call%u", i);
		cdr.call_id = str_of(id);
		assert_int_equal(store_add_cdr(w->store, &cdr), 0);
	}
	assert_int_equal(store_flush(w->store), 0);
}

struct falling {
	unsigned count, last;
};

static int ids_fall(void *context, const struct store_cdr *cdr)
{
	struct falling *found = context;
	unsigned id = 0;

	assert_int_equal(sscanf(cdr->call_id.p, "call%u", &id), 1);
	assert_int_equal(cdr->started_ns, id);
	assert_true(id < found->last);
	found->last = id;
	found->count++;
	return 0;
}

static struct falling read_cdrs(struct world *w)
{
	struct falling found = {.last = 100000};
	struct error err;

	if (store_cdrs(w->store, STR_NONE, 2000, ids_fall, &found, &err))
		fail_msg("%s", err.text);
	return found;
}

/* Two pages of records in the middle; and a table that a start looks at. */
static void readable_records_of_a_damaged_file_are_kept(void **state)
{
	struct world *w = *state;
	struct falling found;
	struct world_log l;
	char line[128];

	world_open(w);
	fill_cdrs(w, 1000);
	store_close(w->store);
	w->store = NULL;
	overwrite(w->file, 4096, 4096);
	overwrite(w->file, 19L * 4096, 2 * 4096);
	world_log_begin(&l);
	world_open(w);
	assert_int_equal(set_aside(w), 1);
	found = read_cdrs(w);
	assert_in_range(found.count, 900, 990);
	assert_int_equal(found.last, 1);
	snprintf(line, sizeof(line), "; %u call records taken over, %u could not be read\n",
		 found.count, 1000 - found.count);
	assert_int_equal(world_log_count(&l, line), 1);
	world_log_end(&l);
}

/* The last page: how many were there nobody knows. */
static void damage_at_the_end_is_told(void **state)
{
	struct world *w = *state;
	struct world_log l;
	struct stat st;

	world_open(w);
	fill_cdrs(w, 1000);
	store_close(w->store);
	w->store = NULL;
	assert_int_equal(stat(w->file, &st), 0);
	overwrite(w->file, 1 * 4096, 4096);
	overwrite(w->file, st.st_size - 4096, 4096);
	world_log_begin(&l);
	world_open(w);
	assert_in_range(read_cdrs(w).count, 970, 999);
	assert_int_equal(world_log_count(&l, "; an unknown number behind them is lost, too"), 1);
	world_log_end(&l);
}

static void damage_while_running_is_survived(void **state)
{
	struct world *w = *state;
	struct store_stats stats;
	struct world_rows rows;
	struct world_log l;
	sqlite3 *other;

	world_open(w);
	fill_bindings(w, 3000);
	assert_int_equal(sqlite3_open(w->file, &other), SQLITE_OK);
	/* All into the main file, and the log empty, so that pages are read from the file. */
	assert_int_equal(sqlite3_exec(other, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "CREATE TABLE touched (x)", NULL, NULL, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(other);
	overwrite(w->file, 4096, 8 * 4096);
	world_log_begin(&l);
	store_put(w->store, "subscriber", STR("bob@example.net"), STR("ha1"));
	store_put(w->store, "binding", STR("user000100"), STR("new"));
	assert_int_equal(store_flush(w->store), 0);
	assert_int_equal(world_log_count(&l, "damaged"), 1);
	world_log_end(&l);
	assert_int_equal(set_aside(w), 1);
	store_stats(w->store, &stats);
	assert_true(stats.healthy);
	assert_non_null(strstr(world_read(w, &rows, "subscriber"), "bob@example.net=ha1;"));
	assert_non_null(strstr(world_read(w, &rows, "binding"), "user000100=new;"));
}

/* A disk of 1 MB that nobody else sees: a mount in a namespace of this process. */
static bool mount_small(const char *directory)
{
	return !unshare(CLONE_NEWNS) && !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	       !mount("small", directory, "tmpfs", 0, "size=1m");
}

static void ballast(const char *file, bool there)
{
	static char block[4096];
	int fd;

	if (!there) {
		unlink(file);
		return;
	}
	fd = open(file, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	while (write(fd, block, sizeof(block)) > 0)
		continue;
	close(fd);
}

/* Not even the files beside the database can be made then. */
static void a_start_on_a_full_disk_reads(struct world *w, const char *file)
{
	struct world_rows rows;
	struct world_log l;

	store_close(w->store);
	w->store = NULL;
	ballast(file, true);
	world_log_begin(&l);
	world_open(w);
	assert_int_equal(world_log_count(&l, "can only be read"), 1);
	assert_string_equal(world_read(w, &rows, "call"), "a=before;");
	store_put(w->store, "call", STR("b"), STR("after"));
	assert_int_equal(store_flush(w->store), -EIO);
	assert_string_equal(world_read(w, &rows, "call"), "a=before;");
	ballast(file, false);
	assert_int_equal(store_flush(w->store), 0);
	assert_int_equal(world_log_count(&l, "written again"), 1);
	world_log_end(&l);
	assert_string_equal(world_read(w, &rows, "call"), "a=before;b=after;");
}

static void full_disk_is_survived(void **state)
{
	struct world *w = *state;
	struct store_stats stats;
	struct world_rows rows;
	struct world_log l;
	char file[128];

	if (!mount_small(w->directory)) {
		print_message("# needs the right to mount\n");
		skip();
	}
	snprintf(file, sizeof(file), "%s/ballast", w->directory);
	world_open(w);
	store_put(w->store, "call", STR("a"), STR("before"));
	assert_int_equal(store_flush(w->store), 0);
	ballast(file, true);
	world_log_begin(&l);
	for (unsigned i = 0; i < 2000; i++) {
		char key[32];

		snprintf(key, sizeof(key), "%u", i);
		assert_int_equal(store_put(w->store, "binding", str_of(key), STR("value")), 0);
	}
	assert_int_equal(store_flush(w->store), -EIO);
	store_stats(w->store, &stats);
	assert_false(stats.healthy);
	assert_string_equal(world_read(w, &rows, "call"), "a=before;");
	ballast(file, false);
	assert_int_equal(store_flush(w->store), 0);
	assert_int_equal(world_log_count(&l, "cannot be written"), 1);
	assert_int_equal(world_log_count(&l, "written again"), 1);
	world_log_end(&l);
	world_read(w, &rows, "binding");
	assert_int_equal(rows.count, 2000);
	store_stats(w->store, &stats);
	assert_true(stats.healthy);
	assert_int_equal(stats.lost, 0);
	a_start_on_a_full_disk_reads(w, file);
	store_close(w->store);
	w->store = NULL;
	umount(w->directory);
}

static void killed_process_leaves_what_was_flushed(void **state)
{
	struct world *w = *state;
	struct world_rows rows;
	int status;
	pid_t pid = fork();

	if (!pid) {
		world_open(w);
		store_put(w->store, "call", STR("a"), STR("1"));
		store_flush(w->store);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	world_open(w);
	assert_string_equal(world_read(w, &rows, "call"), "a=1;");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rows_outlive_the_process),
		TEST(flush_makes_writes_readable),
		TEST(values_are_any_bytes),
		TEST(bytes_come_back_as_they_were),
		TEST(visitor_may_end_early),
		TEST(unknown_tables_and_engines_are_refused),
		TEST(cdr_has_its_columns),
		TEST(hashes_are_readable_by_the_owner_only),
		TEST(statistics_count),
		TEST(missing_directory_is_named),
		TEST(directory_is_no_file),
		TEST(later_version_is_refused_and_left_alone),
		TEST(locked_database_is_waited_for),
		TEST(records_that_are_lost_are_in_the_log),
		TEST(full_queue_loses_and_says_so_once),
		TEST(file_that_is_no_database_is_set_aside),
		TEST(readable_rows_of_a_damaged_file_are_kept),
		TEST(readable_records_of_a_damaged_file_are_kept),
		TEST(damage_at_the_end_is_told),
		TEST(damage_while_running_is_survived),
		TEST(killed_process_leaves_what_was_flushed),
		TEST(full_disk_is_survived), /* last: it changes this process's mounts */
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
