/* SPDX-License-Identifier: BSD-2-Clause */
/* CDRs: their lines of JSON, files that are set aside, moved or full, pruning, reading. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>

#include "store/lines.h"
#include "world.h"

#define DAY_NS UINT64_C(86400000000000)

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void add(struct world *w, const char *id, uint64_t ended_ns, struct str details)
{
	const struct store_cdr cdr = {
		.call_id = str_of(id),
		.caller = STR("sip:a@example.net"),
		.callee = STR("sip:b@example.net"),
		.started_ns = 1000000,
		.ended_ns = ended_ns,
		.reason = STR("BYE"),
		.status = 200,
		.details = details,
	};

	assert_int_equal(store_add_cdr(w->store, &cdr), 0);
}

static void add_numbered(struct world *w, unsigned first, unsigned count, uint64_t ended_ns)
{
	char id[32];

	for (unsigned i = first; i < first + count; i++) {
		snprintf(id, sizeof(id), "call%04u", i);
		add(w, id, ended_ns, STR_NONE);
	}
}

static void copy_to(struct world *w, char *file, size_t room, const char *where, uint64_t most)
{
	struct error err;

	snprintf(file, room, "%s/%s", w->directory, where);
	world_open(w);
	if (store_copy_cdrs(w->store, file, most, &err))
		fail_msg("%s", err.text);
}

/* How often each of the ids is in the files of that pattern; every line must be whole. */
static unsigned count_lines(const char *pattern, unsigned *seen, unsigned ids, unsigned *files)
{
	unsigned lines = 0, id;
	char line[1024];
	glob_t found;

	*files = 0;
	memset(seen, 0, ids * sizeof(*seen));
	if (glob(pattern, 0, NULL, &found))
		return 0;
	for (size_t i = 0; i < found.gl_pathc; i++, ++*files) {
		FILE *file = fopen(found.gl_pathv[i], "r");

		assert_non_null(file);
		while (fgets(line, sizeof(line), file)) {
			assert_int_equal(sscanf(line, "{\"id\":\"call%u\"", &id), 1);
			assert_string_equal(line + strlen(line) - 4, "{}}\n");
			assert_true(id < ids);
			seen[id]++;
			lines++;
		}
		fclose(file);
	}
	globfree(&found);
	return lines;
}

static void text_of_the_network_is_json(void **state)
{
	const struct store_cdr cdr = {
		.call_id = STR("id"),
		.caller = STR("a\"b\\c\n\x01<\x7f"),
		.callee = STR("\xc3\xa9 \xf0\x9f\x98\x80 \xff \xc3 \xe0\x80\x80 \xed\xa0\x80"),
		.started_ns = 1764128451120331999,
		.ended_ns = 1764128451120332000,
		.reason = STR("486 Busy Here"),
		.status = 486,
		.handovers = 2,
		.details = STR("{\"streams\":[]}"),
	};
	struct buf out = BUF_EMPTY;

	(void)state;
	lines_format(&out, &cdr);
	buf_add_char(&out, '\0');
	assert_int_equal(buf_error(&out), 0);
	assert_string_equal(
		out.data,
		"{\"id\":\"id\",\"caller\":\"a\\\"b\\\\c\\u000a\\u0001<\x7f\","
		"\"callee\":\"\xc3\xa9 \xf0\x9f\x98\x80 ? ? ??? ???\","
		"\"started_us\":1764128451120331,\"answered_us\":null,"
		"\"ended_us\":1764128451120332,\"status\":486,\"reason\":\"486 Busy Here\","
		"\"handovers\":2,\"details\":{\"streams\":[]}}");
	buf_free(&out);
}

static void a_large_file_is_set_aside(void **state)
{
	struct world *w = *state;
	unsigned seen[60], files;
	char file[128], pattern[140];

	copy_to(w, file, sizeof(file), "cdr.jsonl", 1000);
	for (unsigned i = 0; i < 60; i += 5) { /* within one second: names must differ */
		add_numbered(w, i, 5, now_ns());
		assert_int_equal(store_flush(w->store), 0);
	}
	snprintf(pattern, sizeof(pattern), "%s*", file);
	assert_int_equal(count_lines(pattern, seen, 60, &files), 60);
	for (unsigned i = 0; i < 60; i++)
		assert_int_equal(seen[i], 1);
	assert_true(files >= 5 && files <= 12);
}

static void a_file_that_was_moved_is_begun_anew(void **state)
{
	struct world *w = *state;
	struct store_stats stats;
	unsigned seen[20], files;
	char file[128], moved[140];

	copy_to(w, file, sizeof(file), "cdr.jsonl", 0);
	add_numbered(w, 0, 5, now_ns());
	assert_int_equal(store_flush(w->store), 0);
	snprintf(moved, sizeof(moved), "%s.1", file);
	assert_int_equal(rename(file, moved), 0);
	add_numbered(w, 5, 7, now_ns());
	assert_int_equal(store_flush(w->store), 0);
	assert_int_equal(count_lines(moved, seen, 20, &files), 5);
	assert_int_equal(count_lines(file, seen, 20, &files), 7);
	assert_int_equal(seen[4] + seen[12], 0);
	store_stats(w->store, &stats);
	assert_int_equal(stats.lines_written, 12);
	/* After a restart it goes on behind them. */
	store_close(w->store);
	w->store = NULL;
	copy_to(w, file, sizeof(file), "cdr.jsonl", 0);
	add_numbered(w, 12, 1, now_ns());
	assert_int_equal(store_flush(w->store), 0);
	assert_int_equal(count_lines(file, seen, 20, &files), 8);
}

/* As if it had been killed between the store and the file. */
static void add_to_store_only(struct world *w, unsigned first, unsigned count)
{
	store_close(w->store);
	w->store = NULL;
	world_open(w);
	add_numbered(w, first, count, now_ns());
	store_close(w->store);
	w->store = NULL;
}

static void what_a_crash_kept_from_the_file_is_made_up_for(void **state)
{
	struct world *w = *state;
	unsigned seen[20], files;
	char file[128], moved[140];
	struct world_log l;
	FILE *half;

	copy_to(w, file, sizeof(file), "cdr.jsonl", 0);
	add_numbered(w, 0, 3, now_ns());
	add_to_store_only(w, 3, 7);
	world_log_begin(&l);
	copy_to(w, file, sizeof(file), "cdr.jsonl", 0);
	assert_int_equal(world_log_count(&l, ": 7 records that the last end of segued"), 1);
	assert_int_equal(count_lines(file, seen, 20, &files), 10);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(seen[i], 1);
	/* Half a line, then its whole. */
	add_to_store_only(w, 10, 1);
	half = fopen(file, "a");
	assert_non_null(half);
	fputs("{\"id\":\"call0010\",\"caller\":\"sip:a@e", half);
	fclose(half);
	copy_to(w, file, sizeof(file), "cdr.jsonl", 0);
	assert_int_equal(world_log_count(&l, "half a line at its end was taken back"), 1);
	assert_int_equal(count_lines(file, seen, 20, &files), 11);
	assert_int_equal(seen[10], 1);
	/* The file was moved away before. */
	snprintf(moved, sizeof(moved), "%s.1", file);
	assert_int_equal(rename(file, moved), 0);
	add_to_store_only(w, 11, 2);
	copy_to(w, file, sizeof(file), "cdr.jsonl", 0);
	assert_int_equal(count_lines(file, seen, 20, &files), 2);
	assert_int_equal(seen[11] + seen[12], 2);
	assert_int_equal(world_log_count(&l, "had kept from it were written"), 3);
	world_log_end(&l);
}

/* Nothing is missing, or nobody can know what is. */
static void only_what_is_missing_is_made_up_for(void **state)
{
	struct world *w = *state;
	unsigned seen[20], files;
	char file[128];
	struct world_log l;

	world_open(w);
	add_to_store_only(w, 0, 5);
	world_log_begin(&l);
	copy_to(w, file, sizeof(file), "cdr.jsonl", 0); /* a file that begins now */
	assert_int_equal(count_lines(file, seen, 20, &files), 0);
	add_numbered(w, 5, 5, now_ns());
	store_close(w->store);
	w->store = NULL;
	copy_to(w, file, sizeof(file), "cdr.jsonl", 0);
	assert_int_equal(count_lines(file, seen, 20, &files), 5);
	assert_int_equal(world_log_count(&l, "cdr file"), 0);
	store_close(w->store);
	w->store = NULL;
	assert_int_equal(unlink(w->file), 0); /* another store */
	world_open(w);
	add_to_store_only(w, 10, 5);
	copy_to(w, file, sizeof(file), "cdr.jsonl", 0);
	assert_int_equal(count_lines(file, seen, 20, &files), 5);
	assert_int_equal(world_log_count(&l, "what it lacks is not known"), 1);
	world_log_end(&l);
}

static void a_file_that_cannot_be_is_refused(void **state)
{
	struct world *w = *state;
	struct error err;

	world_open(w);
	assert_int_equal(store_copy_cdrs(w->store, "/nowhere/cdr.jsonl", 0, &err), -ENOENT);
	assert_non_null(strstr(err.text, "cdr file /nowhere/cdr.jsonl: No such file"));
}

static bool mount_small(const char *directory)
{
	return !mkdir(directory, 0700) && !unshare(CLONE_NEWNS) &&
	       !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	       !mount("small", directory, "tmpfs", 0, "size=64k");
}

/* Whatever is free: also what is less than a block of the ballast. */
static void fill(const char *file)
{
	static char block[4096];
	int fd = open(file, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	while (write(fd, block, sizeof(block)) > 0)
		continue;
	close(fd);
}

static void wait_for_lines(struct world *w, uint64_t written)
{
	struct store_stats stats;

	for (unsigned tries = 0; tries < 500; tries++, usleep(20000)) {
		store_stats(w->store, &stats);
		if (stats.lines_written == written && !stats.lines_waiting)
			return;
	}
	fail_msg("%llu lines are written, %zu wait", (unsigned long long)stats.lines_written,
		 stats.lines_waiting);
}

/* Of 18 MB 16 may wait; each of those lines is counted as one or the other. */
static void what_has_no_room_is_counted(struct world *w, struct world_log *l, unsigned waiting)
{
	static char large[200000];
	struct store_stats stats;

	memset(large, ' ', sizeof(large));
	large[0] = '{';
	large[sizeof(large) - 1] = '}';
	for (unsigned i = 0; i < 90; i++) {
		add(w, "large", now_ns(), (struct str){large, sizeof(large)});
		assert_int_equal(store_flush(w->store), 0);
	}
	store_stats(w->store, &stats);
	assert_true(stats.lines_lost > 0);
	assert_int_equal(stats.lines_lost + stats.lines_waiting, 90 + waiting);
	assert_int_equal(world_log_count(l, "no room for more lines"), 1);
}

static void a_full_disk_makes_lines_wait(void **state)
{
	struct world *w = *state;
	struct store_stats stats;
	unsigned seen[600], files;
	char small[100], file[128], ballast[128];
	struct world_log l;

	snprintf(small, sizeof(small), "%s/small", w->directory);
	if (!mount_small(small)) {
		print_message("# needs the right to mount\n");
		skip();
	}
	copy_to(w, file, sizeof(file), "small/cdr.jsonl", 0);
	snprintf(ballast, sizeof(ballast), "%s/ballast", small);
	add_numbered(w, 0, 10, now_ns());
	assert_int_equal(store_flush(w->store), 0);
	fill(ballast);
	world_log_begin(&l);
	add_numbered(w, 10, 200, now_ns()); /* more than the rest of the file's page */
	assert_int_equal(store_flush(w->store), 0);
	assert_int_equal(count_lines(file, seen, 600, &files), 10);
	store_stats(w->store, &stats);
	assert_int_equal(stats.lines_waiting, 200);
	assert_true(stats.healthy); /* the store has them */
	unlink(ballast);
	wait_for_lines(w, 210);
	assert_int_equal(count_lines(file, seen, 600, &files), 210);
	assert_int_equal(seen[0] + seen[10] + seen[209], 3);
	assert_int_equal(world_log_count(&l, "cannot be written: No space left"), 1);
	assert_int_equal(world_log_count(&l, "is written again; 0 lines were lost"), 1);
	fill(ballast);
	add_numbered(w, 210, 100, now_ns());
	assert_int_equal(store_flush(w->store), 0);
	what_has_no_room_is_counted(w, &l, 100);
	store_close(w->store);
	w->store = NULL;
	assert_int_equal(world_log_count(&l, "lines that it did not take"), 1);
	world_log_end(&l);
	assert_int_equal(umount(small), 0);
}

/* ---- the table ------------------------------------------------------------------------------- */

struct found {
	char first[32], last[32];
	unsigned count;
};

static int note(void *context, const struct store_cdr *cdr)
{
	struct found *found = context;
	char *to = found->count++ ? found->last : found->first;

	snprintf(to, sizeof(found->last), "%.*s", STR_ARG(cdr->call_id));
	return 0;
}

static struct found find(struct world *w, const char *id, size_t most)
{
	struct found found = {0};
	struct error err;

	if (store_cdrs(w->store, str_of(id), most, note, &found, &err))
		fail_msg("%s", err.text);
	return found;
}

static void the_newest_come_first(void **state)
{
	struct world *w = *state;
	struct found found;

	world_open(w);
	assert_int_equal(find(w, "", 10).count, 0);
	add_numbered(w, 0, 100, now_ns());
	assert_int_equal(store_flush(w->store), 0);
	found = find(w, "", 10);
	assert_int_equal(found.count, 10);
	assert_string_equal(found.first, "call0099");
	assert_string_equal(found.last, "call0090");
	found = find(w, "call0007", 1);
	assert_int_equal(found.count, 1);
	assert_string_equal(found.first, "call0007");
	assert_int_equal(find(w, "call0100", 1).count, 0);
}

static void old_ones_are_removed(void **state)
{
	struct world *w = *state;
	unsigned tries = 0;

	world_open(w);
	add_numbered(w, 0, 4500, now_ns() - 3 * DAY_NS);
	add_numbered(w, 5000, 20, now_ns() - DAY_NS);
	assert_int_equal(store_flush(w->store), 0);
	assert_int_equal(find(w, "", 10000).count, 4520);
	store_keep_cdrs(w->store, 2);
	while (find(w, "", 10000).count != 20 && tries++ < 500)
		usleep(20000);
	assert_int_equal(find(w, "", 10000).count, 20);
	assert_string_equal(find(w, "", 100).last, "call5000");
	/* Writing goes on. */
	add_numbered(w, 6000, 1, now_ns());
	assert_int_equal(store_flush(w->store), 0);
	assert_int_equal(find(w, "", 100).count, 21);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(text_of_the_network_is_json),
		TEST(a_large_file_is_set_aside),
		TEST(a_file_that_was_moved_is_begun_anew),
		TEST(what_a_crash_kept_from_the_file_is_made_up_for),
		TEST(only_what_is_missing_is_made_up_for),
		TEST(a_file_that_cannot_be_is_refused),
		TEST(the_newest_come_first),
		TEST(old_ones_are_removed),
		TEST(a_full_disk_makes_lines_wait), /* last: it changes this process's mounts */
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
