// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory runs out at each allocation in turn while messages are read and dialogs live: it is said,
 * nothing leaks (the sanitizer build sees to that) and nothing is half done.
 */
#include <errno.h>

#include "sip/dialog.h"
#include "sip/digest.h"
#include "wire.h"

/* The linker puts these between the code and the library (--wrap). */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static size_t countdown; /* 0: nothing fails; 1: the next one does */
static bool struck;

static bool fails(void)
{
	if (!countdown || --countdown)
		return false;
	struck = true;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

static const char invite[] =
	"INVITE sip:us@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bKa\r\n"
	"From: \"Alice\" <sip:alice@example.net>;tag=alice\r\nTo: <sip:bob@example.net>\r\n"
	"Call-ID: call\r\nCSeq: 7 INVITE\r\nContact: <sip:alice@192.0.2.9:5070>\r\n"
	"Record-Route: <sip:p2;lr>, <sip:p1;lr>\r\n\r\n";
static const char ringing[] =
	"SIP/2.0 180 Ringing\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKb\r\n"
	"From: <sip:us@example.net>;tag=ours\r\nTo: <sip:bob@example.net>;tag=bob\r\n"
	"Call-ID: out\r\nCSeq: 1 INVITE\r\nContact: <sip:bob@192.0.2.9>\r\n"
	"Record-Route: <sip:p1;lr>\r\n\r\n";

static int parse(struct sip_message **out, struct str text)
{
	const struct sip_flow flow = wire_flow();
	struct sip_verdict verdict;

	return sip_message_parse(out, &flow, text, &verdict);
}

/* The asked side: request, dialog, answer, journal and back. */
static int be_asked(struct sip_dialogs *dialogs)
{
	struct sip_message *m = NULL;
	struct sip_dialog *dialog = NULL, *back = NULL;
	struct buf out = BUF_EMPTY;
	int ret = parse(&m, (struct str){invite, sizeof(invite) - 1});

	if (!ret)
		ret = sip_dialog_accept(&dialog, dialogs, m, STR("ours"));
	if (!ret)
		ret = sip_dialog_refresh(dialog, m);
	if (!ret) {
		sip_write_response(&out, m, 200, NULL, STR("ours"), true);
		sip_dialog_write(dialog, &out, STR("BYE"), 0);
		ret = buf_error(&out);
	}
	if (!ret) {
		buf_reset(&out);
		sip_dialog_save(dialog, &out);
		ret = buf_error(&out);
	}
	if (!ret)
		ret = sip_dialog_restore(&back, dialogs, buf_str(&out));
	sip_dialog_free(back);
	sip_dialog_free(dialog);
	sip_message_unref(m);
	buf_free(&out);
	return ret;
}

/* The asking side: dialog, response, a fork. */
static int ask(struct sip_dialogs *dialogs)
{
	struct sip_message *m = NULL;
	struct sip_dialog *dialog = NULL, *fork = NULL;
	int ret = sip_dialog_create(&dialog, dialogs, STR("out"), STR("ours"), STR("<sip:us@x>"),
				    STR("<sip:bob@x>"), STR("sip:bob@x"));

	if (!ret)
		ret = parse(&m, (struct str){ringing, sizeof(ringing) - 1});
	if (!ret) {
		ret = sip_dialog_learn(dialog, m);
		/* All of the response or nothing of it. */
		assert_string_equal(dialog->remote_tag, ret ? "" : "bob");
		assert_string_equal(dialog->target, ret ? "sip:bob@x" : "sip:bob@192.0.2.9");
		assert_string_equal(dialog->routes, ret ? "" : "<sip:p1;lr>");
	}
	if (!ret)
		ret = sip_dialog_fork(&fork, dialog, m);
	sip_dialog_free(fork);
	sip_dialog_free(dialog);
	sip_message_unref(m);
	return ret;
}

static int authenticate(void)
{
	char realm[] = "example.net";
	const struct digest_config config = {.realm = realm};
	struct digest *digest = NULL;
	struct buf out = BUF_EMPTY;
	int ret = digest_alloc(&digest, &config, NULL);

	if (!ret) {
		digest_challenge(digest, &out, false, true);
		ret = buf_error(&out);
	}
	buf_free(&out);
	digest_free(digest);
	return ret;
}

static int everything(void)
{
	struct sip_dialogs *dialogs = NULL;
	int ret = sip_dialogs_alloc(&dialogs);

	if (!ret)
		ret = be_asked(dialogs);
	if (!ret)
		ret = ask(dialogs);
	if (!ret)
		ret = authenticate();
	if (dialogs)
		assert_int_equal(sip_dialogs_count(dialogs), 0);
	sip_dialogs_free(dialogs);
	return ret;
}

static void each_allocation_may_fail(void **state)
{
	size_t n = 0;
	int ret;

	(void)state;
	do {
		struck = false;
		countdown = ++n;
		ret = everything();
		countdown = 0;
		assert_int_equal(ret, struck ? -ENOMEM : 0);
	} while (struck);
	print_message("%zu allocations failed, one at a time\n", n - 1);
	assert_true(n > 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
