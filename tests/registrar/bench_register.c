/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * REGISTERs a second on one core, in this process: each is parsed, checked (digest), binds or
 * refreshes, and is answered through a transaction of the real stack to a socket on the loopback.
 * Two figures: with the stack around it, and the registrar alone. Prints one line of JSON.
 */
#include <errno.h>

#include "phone.h"

#define USERS 1000u
#define ROUNDS 20u

static uint64_t cpu_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Time in registrar_receive alone. */
static uint64_t inside;

static void timed_request(void *context, struct sip_server_tx *tx, struct sip_message *request)
{
	uint64_t begin = cpu_ns(CLOCK_THREAD_CPUTIME_ID);

	server_request(context, tx, request);
	inside += cpu_ns(CLOCK_THREAD_CPUTIME_ID) - begin;
}

static void add_users(struct server *s)
{
	char aor[64];
	struct error err;

	for (unsigned i = 0; i < USERS; i++) {
		snprintf(aor, sizeof(aor), "user%u@example.net", i);
		if (registrar_subscriber_add(s->registrar, str_of(aor), STR("secret"), true, &err))
			fail_msg("%s", err.text);
	}
}

/* All requests are written before the clock starts; each round uses the next nonce count. */
static void write_round(struct phone *p, struct buf out[USERS])
{
	for (unsigned i = 0; i < USERS; i++) {
		snprintf(p->user, sizeof(p->user), "user%u", i);
		snprintf(p->to, sizeof(p->to), "user%u@example.net", i);
		snprintf(p->call_id, sizeof(p->call_id), "call-%u", i);
		buf_reset(&out[i]);
		phone_write(p, &out[i],
			    "Contact: <sip:u@127.0.0.1:6000>;q=0.5\r\n"
			    "Expires: 600\r\nAllow: INVITE, ACK, CANCEL, BYE\r\n");
	}
}

/* Returns how many were answered 200. */
static unsigned run_round(struct phone *p, struct buf out[USERS])
{
	unsigned good = 0;
	char text[4096];

	for (unsigned i = 0; i < USERS; i++) {
		if (send(p->fd, out[i].data, out[i].len, 0) < 0)
			fail_msg("send: %s", strerror(errno));
		if (i % 16 != 15 && i + 1 != USERS)
			continue;
		event_base_loop(p->server->w.base, EVLOOP_NONBLOCK);
		while (recv(p->fd, text, sizeof(text), MSG_DONTWAIT) > 0)
			good += !memcmp(text + 8, "200", 3);
	}
	return good;
}

static void phone_algorithm(struct phone *p, const char *unwanted)
{
	char *line;

	phone_send(p, "");
	/* digest_answer() takes the first that it knows: hide the other one's header. */
	line = strstr(p->text, unwanted);
	while (line && line[-1] != '\n')
		line--;
	if (line)
		line[0] = 'X';
	phone_learn(p);
}

static void measure(struct server *s, const char *name, const char *unwanted, uint32_t first)
{
	static struct buf out[USERS];
	struct phone *p = phone_new(s, "user0", "secret", "127.0.0.1", false);
	uint64_t process = 0, thread = 0;
	unsigned good = 0;

	p->branch = p->cseq = first; /* behind those of an earlier run */
	phone_algorithm(p, unwanted);
	inside = 0;
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t begin[2];

		write_round(p, out);
		begin[0] = cpu_ns(CLOCK_PROCESS_CPUTIME_ID);
		begin[1] = cpu_ns(CLOCK_THREAD_CPUTIME_ID);
		good += run_round(p, out);
		process += cpu_ns(CLOCK_PROCESS_CPUTIME_ID) - begin[0];
		thread += cpu_ns(CLOCK_THREAD_CPUTIME_ID) - begin[1];
	}
	if (good != ROUNDS * USERS)
		fail_msg("%u of %u registered", good, ROUNDS * USERS);
	printf("\"%s\": {\"per_s\": %.0f, \"us_stack_and_client\": %.1f, \"us_registrar\": %.1f, "
	       "\"us_store_thread\": %.1f}",
	       name, good / ((double)thread / 1e9), (double)thread / 1e3 / good,
	       (double)inside / 1e3 / good, (double)(process - thread) / 1e3 / good);
	for (unsigned i = 0; i < USERS; i++)
		buf_free(&out[i]);
	phone_free(p);
}

int main(void)
{
	static const struct sip_stack_handlers handlers = {
		.request = timed_request, .ack = server_ignore, .stray = server_ignore};
	struct server *s;
	void *state;

	server_setup(&state);
	s = state;
	s->handlers = &handlers;
	server_restart(s);
	add_users(s);
	printf("{");
	measure(s, "sha256", "algorithm=MD5", 0);
	printf(", ");
	measure(s, "md5", "algorithm=SHA-256", 1000000);
	printf("}\n");
	server_teardown(&state);
	return 0;
}
