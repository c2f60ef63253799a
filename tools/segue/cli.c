/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli.h"

void *cli_alloc(size_t size)
{
	void *memory = calloc(1, size ? size : 1);

	if (!memory) {
		fputs("segue: out of memory\n", stderr);
		exit(EXIT_FAILED);
	}
	return memory;
}

int cli_try_open(struct cli *cli, unsigned flags, uint32_t capacity, struct sg_error *err)
{
	const struct sg_relay_options options = {
		.pin_dir = cli->globals.pin_dir,
		.capacity = capacity,
		.flags = flags,
	};

	err->text[0] = 0;
	return sg_relay_open(&cli->relay, &options, err);
}

int cli_open(struct cli *cli, unsigned flags, uint32_t capacity)
{
	struct sg_error err;
	int rc = cli_try_open(cli, flags, capacity, &err);

	if (rc == 0)
		return EXIT_OK;
	cli->relay = NULL;
	if (rc == -ENOENT)
		return output_error(&cli->out, EXIT_FAILED,
				    "no NIC is attached, so there are no maps in %s: "
				    "`segue interface attach NIC` makes them",
				    cli->globals.pin_dir ? cli->globals.pin_dir
							 : SG_PIN_DIR_DEFAULT);
	return output_error(&cli->out, EXIT_FAILED, "%s", *err.text ? err.text : strerror(-rc));
}

int cli_refused(const struct cli *cli, int rc, const struct sg_error *err)
{
	enum exit_code code = EXIT_FAILED;

	if (rc == -EINVAL)
		code = EXIT_USAGE;
	else if (rc == -ENOENT)
		code = EXIT_NOT_FOUND;
	return output_error(&cli->out, code, "%s", *err->text ? err->text : strerror(-rc));
}

int cli_find_stream(const struct cli *cli, const char *name, uint32_t *stream)
{
	int rc = sg_stream_find(cli->relay, name, stream);

	if (rc >= 0)
		return EXIT_OK;
	if (rc == -ENOENT)
		return output_error(&cli->out, EXIT_NOT_FOUND,
				    "no stream is named '%s': `segue stream list` shows them",
				    name);
	return output_error(&cli->out, EXIT_FAILED, "stream '%s': %s", name, strerror(-rc));
}

int cli_stream_info(const struct cli *cli, const char *name, struct sg_stream_info *info)
{
	uint32_t stream;
	int code = cli_find_stream(cli, name, &stream);

	if (code == EXIT_OK && sg_stream_info(cli->relay, stream, info) < 0)
		return output_error(&cli->out, EXIT_NOT_FOUND,
				    "stream '%s' was removed a moment ago", name);
	return code;
}

int cli_usage_error(const struct cli *cli, const char *format, ...)
{
	char text[400];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return output_error(&cli->out, EXIT_USAGE, "%s (segue %s%s%s --help)", text,
			    cli->object ? cli->object->name : "",
			    cli->command && cli->command->name ? " " : "",
			    cli->command && cli->command->name ? cli->command->name : "");
}

void cli_stream_name(struct cli *cli, uint32_t stream, char out[SG_NAME_LEN])
{
	struct sg_stream_info info;

	out[0] = 0;
	if (sg_stream_info(cli->relay, stream, &info) == 0)
		memcpy(out, info.name, SG_NAME_LEN);
}

static sigset_t stop_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	return set;
}

void cli_hold_signals(void)
{
	sigset_t set = stop_signals();

	sigprocmask(SIG_BLOCK, &set, NULL);
}

bool cli_stop_requested(unsigned ms)
{
	sigset_t set = stop_signals();
	uint64_t end = cli_now_ns() + ms * 1000000ull;

	for (;;) {
		uint64_t now = cli_now_ns();
		uint64_t left = now < end ? end - now : 0;
		struct timespec timeout = {.tv_sec = (time_t)(left / 1000000000u),
					   .tv_nsec = (long)(left % 1000000000u)};

		if (sigtimedwait(&set, NULL, &timeout) > 0)
			return true;
		if (errno != EINTR)
			return false;
	}
}

uint64_t cli_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

json_t *cli_since_ms(uint64_t then_ns)
{
	uint64_t now = cli_now_ns();

	if (!then_ns)
		return json_null();
	return json_integer(now > then_ns ? (json_int_t)((now - then_ns) / 1000000u) : 0);
}
