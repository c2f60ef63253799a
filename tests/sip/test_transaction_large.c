// SPDX-License-Identifier: BSD-2-Clause
/* Requests too long for a datagram (RFC 3261 18.1.1): by TCP, and by UDP to who takes none. */
#include "stack_rig.h"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define MOST 1300

static struct rig rig;
/* The two doors of one address and port. */
static struct peer udp, tcp;

static void open_rig(unsigned datagram_max)
{
	const struct sip_stack_config config = {.datagram_max = datagram_max, .t1_ms = 500};

	rig_open(&rig, &config);
	rig_listen(&rig, SIP_TCP, "127.0.0.1", NULL);
}

static int set_up(void **state)
{
	(void)state;
	open_rig(MOST);
	peer_udp(&udp, &rig, "127.0.0.1");
	tcp = (struct peer){.rig = &rig, .fd = -1, .acceptor = -1};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	peer_close(&udp);
	peer_close(&tcp);
	rig_close(&rig);
	return 0;
}

/* Takes connections where `udp` takes datagrams. */
static void open_tcp(int backlog)
{
	struct sockaddr_storage storage;
	socklen_t length = netaddr_to_sockaddr(&udp.at, &storage);

	tcp.at = udp.at;
	tcp.acceptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(tcp.acceptor >= 0);
	assert_int_equal(bind(tcp.acceptor, (struct sockaddr *)&storage, length), 0);
	assert_int_equal(listen(tcp.acceptor, backlog), 0);
}

/* A request with that much of a body; to the flow where there is one, else to where `udp` is. */
static struct sip_client_tx *send_long(enum sip_method method, size_t body,
				       const struct sip_flow *flow)
{
	struct buf text = BUF_EMPTY;
	char uri[64], call_id[SIP_TOKEN_LEN], *filler = malloc(body + 1);
	struct sip_outgoing outgoing = {.method = method,
					.contact = true,
					.contact_user = STR("us"),
					.flow = flow,
					.uri = {uri, 0}};
	struct sip_client_tx *tx;

	assert_non_null(filler);
	memset(filler, 'x', body);
	outgoing.uri.n = (size_t)snprintf(uri, sizeof(uri), "sip:127.0.0.1:%u", udp.at.port);
	sip_token(rig.stack, call_id);
	sip_write_request_line(&text, sip_method_name(method), STR("sip:bob@example.net"));
	sip_write_header(&text, "Max-Forwards", STR("70"));
	sip_write_header(&text, "From", STR("<sip:us@example.net>;tag=f1"));
	sip_write_header(&text, "To", STR("<sip:bob@example.net>"));
	sip_write_header(&text, "Call-ID", str_of(call_id));
	buf_addf(&text, "CSeq: 1 %s\r\n", sip_method_name(method).p);
	sip_write_body(&text, STR("text/plain"), (struct str){filler, body});
	outgoing.text = buf_str(&text);
	assert_int_equal(sip_client_send(rig.stack, &outgoing, &rig_client, &rig, &tx), 0);
	buf_free(&text);
	free(filler);
	return tx;
}

static void answer(struct peer *peer, int status)
{
	char text[4096];

	answer_to(text, sizeof(text), peer->text, status, "t");
	peer_send(peer, peer == &udp ? &rig.at[SIP_UDP] : NULL, "%s", text);
}

static void assert_by(const struct peer *peer, const char *proto)
{
	char via[32];

	snprintf(via, sizeof(via), "SIP/2.0/%s 127.0.0.1:", proto);
	assert_memory_equal(header_of(peer->text, "Via"), via, strlen(via));
	assert_int_equal(strstr(header_of(peer->text, "Contact"), ";transport=tcp") != NULL,
			 !strcmp(proto, "TCP"));
	assert_null(strstr(strstr(peer->text, "\r\nVia:") + 2, "\r\nVia:"));
}

static void a_long_one_goes_by_tcp(void **state)
{
	struct sip_client_tx *tx;

	(void)state;
	open_tcp(8);
	tx = send_long(SIP_INVITE, 3000, NULL);
	peer_accept(&tcp);
	peer_expect(&tcp, "INVITE ");
	assert_by(&tcp, "TCP");
	answer(&tcp, 180);
	rig_wait(&rig, &rig.responses, 1);
	/* What belongs to it goes the same way. */
	sip_client_tx_cancel(tx, STR_NONE);
	peer_expect(&tcp, "CANCEL ");
	answer(&tcp, 200);
	rig_run_ms(&rig, 20);
	assert_int_equal(rig.failures, 0);
	assert_int_equal(peer_drain(&udp, ""), 0);
}

static void a_refusal_is_acked_there(void **state)
{
	(void)state;
	open_tcp(8);
	send_long(SIP_INVITE, 3000, NULL);
	peer_accept(&tcp);
	peer_expect(&tcp, "INVITE ");
	answer(&tcp, 486);
	peer_expect(&tcp, "ACK ");
	rig_wait(&rig, &rig.responses, 1);
	assert_int_equal(rig.status[0], 486);
	assert_int_equal(peer_drain(&udp, ""), 0);
}

static void the_limit_is_the_whole_request(void **state)
{
	size_t body = 500;

	(void)state;
	open_tcp(8);
	send_long(SIP_MESSAGE, body, NULL);
	peer_expect(&udp, "MESSAGE ");
	assert_by(&udp, "UDP");
	while (udp.len < MOST) { /* Content-Length may get a digit more */
		answer(&udp, 200);
		body += MOST - udp.len > 1 ? MOST - udp.len - 1 : 1;
		send_long(SIP_MESSAGE, body, NULL);
		peer_expect(&udp, "MESSAGE ");
	}
	assert_int_equal(udp.len, MOST);
	answer(&udp, 200);
	send_long(SIP_MESSAGE, body + 1, NULL);
	peer_accept(&tcp);
	peer_expect(&tcp, "MESSAGE ");
	answer(&tcp, 200);
	rig_wait_idle(&rig);
	assert_int_equal(rig.failures, 0);
}

static void who_refuses_gets_the_datagram(void **state)
{
	(void)state;
	send_long(SIP_INVITE, 3000, NULL);
	peer_expect(&udp, "INVITE ");
	assert_by(&udp, "UDP");
	answer(&udp, 486);
	rig_wait(&rig, &rig.responses, 1);
	/* It is not asked again for a while, even if it would take one by now. */
	open_tcp(8);
	send_long(SIP_MESSAGE, 3000, NULL);
	peer_expect(&udp, "MESSAGE ");
	answer(&udp, 200);
	rig_wait(&rig, &rig.responses, 2);
	assert_int_equal(rig.failures, 0);
}

/* A firewall answers nothing at all: a listener whose queue is full neither. */
static void who_is_silent_gets_the_datagram(void **state)
{
	const struct sip_transport_limits limits = {.connect_ms = 200};
	struct sockaddr_storage storage;
	socklen_t length;
	int filler[4];

	(void)state;
	sip_transport_limit(sip_stack_transport(rig.stack), &limits);
	open_tcp(0);
	length = netaddr_to_sockaddr(&tcp.at, &storage);
	for (size_t i = 0; i < 4; i++) {
		filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		connect(filler[i], (struct sockaddr *)&storage, length);
	}
	send_long(SIP_MESSAGE, 3000, NULL);
	assert_int_equal(peer_drain(&udp, ""), 0);
	peer_expect(&udp, "MESSAGE ");
	assert_by(&udp, "UDP");
	answer(&udp, 200);
	rig_wait(&rig, &rig.responses, 1);
	assert_int_equal(rig.failures, 0);
	for (size_t i = 0; i < 4; i++)
		close(filler[i]);
}

/* A server that is there and says 503 would say it by UDP, too. */
static void a_503_is_not_asked_for_twice(void **state)
{
	(void)state;
	open_tcp(8);
	send_long(SIP_MESSAGE, 3000, NULL);
	peer_accept(&tcp);
	peer_expect(&tcp, "MESSAGE ");
	answer(&tcp, 503);
	rig_wait(&rig, &rig.responses, 1);
	assert_int_equal(rig.status[0], 503);
	rig_wait_idle(&rig);
	assert_int_equal(peer_drain(&udp, ""), 0);
}

static void a_connection_that_ends_without_a_word_leads_to_the_datagram(void **state)
{
	(void)state;
	open_tcp(8);
	send_long(SIP_MESSAGE, 3000, NULL);
	peer_accept(&tcp);
	peer_close(&tcp);
	peer_expect(&udp, "MESSAGE ");
	answer(&udp, 200);
	rig_wait(&rig, &rig.responses, 1);
	assert_int_equal(rig.failures, 0);
}

static void a_given_flow_is_kept(void **state)
{
	const struct sip_flow flow = {.proto = SIP_UDP, .remote = udp.at};

	(void)state;
	open_tcp(8);
	send_long(SIP_MESSAGE, 3000, &flow);
	peer_expect(&udp, "MESSAGE ");
	answer(&udp, 200);
	rig_wait(&rig, &rig.responses, 1);
}

static void without_tcp_of_ours_it_is_a_datagram(void **state)
{
	(void)state;
	open_tcp(8);
	assert_int_equal(
		sip_transport_unlisten(sip_stack_transport(rig.stack), SIP_TCP, &rig.at[SIP_TCP]),
		0);
	send_long(SIP_MESSAGE, 3000, NULL);
	peer_expect(&udp, "MESSAGE ");
	assert_by(&udp, "UDP");
}

static void nothing_is_too_long_where_no_limit_is_wanted(void **state)
{
	(void)state;
	open_tcp(8);
	rig_close(&rig);
	open_rig(0);
	send_long(SIP_MESSAGE, 3000, NULL);
	peer_expect(&udp, "MESSAGE ");
}

/* In a network of its own, whose loopback has the least MTU of IPv6. */
static bool shrink_mtu(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_mtu = 1280};
	int fd;
	bool done;

	if (unshare(CLONE_NEWNET))
		return false;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	done = !ioctl(fd, SIOCSIFMTU, &request);
	request.ifr_flags = IFF_UP;
	done = !ioctl(fd, SIOCSIFFLAGS, &request) && done;
	close(fd);
	return done;
}

static void a_narrow_way_counts(void **state)
{
	if (!shrink_mtu()) {
		print_message("# no network namespace of its own: %s\n", strerror(errno));
		skip();
	}
	tear_down(state);
	set_up(state);
	open_tcp(8);
	send_long(SIP_MESSAGE, 600, NULL);
	peer_expect(&udp, "MESSAGE ");
	assert_true(udp.len < 1280 - 200);
	answer(&udp, 200);
	rig_wait(&rig, &rig.responses, 1);
	send_long(SIP_MESSAGE, 800, NULL);
	peer_accept(&tcp);
	peer_expect(&tcp, "MESSAGE ");
	assert_true(tcp.len > 1280 - 200 && tcp.len < MOST);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_long_one_goes_by_tcp),
		TEST(a_refusal_is_acked_there),
		TEST(the_limit_is_the_whole_request),
		TEST(who_refuses_gets_the_datagram),
		TEST(who_is_silent_gets_the_datagram),
		TEST(a_503_is_not_asked_for_twice),
		TEST(a_connection_that_ends_without_a_word_leads_to_the_datagram),
		TEST(a_given_flow_is_kept),
		TEST(without_tcp_of_ours_it_is_a_datagram),
		TEST(nothing_is_too_long_where_no_limit_is_wanted),
		TEST(a_narrow_way_counts),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("large requests", tests, NULL, NULL);
}
