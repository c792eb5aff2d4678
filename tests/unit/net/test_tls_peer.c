/* Our stream against peers that do what no good peer does: each octet of the other side is made here by hand. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "net/stream.h"
#include "tests/support/credential.h"
#include "tests/support/unit.h"

#define LONG_US (INT64_C(30) * CLOCK_US_PER_SECOND)
enum { STEP_US = 1000, ROOM = 64 << 10, TICKET = 3000, FRAGMENT = 1024 };

/* The peer: a server of OpenSSL between two memories; what goes over the wire is the test's business. */
struct peer {
	int listening, fd;
	SSL_CTX *context;
	SSL *ssl;
	BIO *in, *out;
};

/* Our side. */
struct side {
	struct tls_context *context;
	struct stream *stream;
	struct buf input, trouble;
	size_t writables;
	bool is_connected, is_secured, is_closed, had_deadline;
	int errno_value;
};

struct fixture {
	struct loop *loop;
	struct credential authority, server;
	struct peer peer;
	struct side side;
};

static void on_connected(void *owner)
{
	struct side *side = owner;
	side->is_connected = true;
	ck_assert(stream_start_tls(side->stream, side->context, VIEW_LIT("mx.test")) == ERR_OK);
}

static void on_input(void *owner, struct view bytes)
{
	struct side *side = owner;
	buf_add(&side->input, bytes);
}

static void on_writable(void *owner)
{
	struct side *side = owner;
	side->writables++;
}

static void on_deadline(void *owner)
{
	struct side *side = owner;
	side->had_deadline = true;
}

static void on_closed(void *owner, int errno_value)
{
	struct side *side = owner;
	side->is_closed = true;
	side->errno_value = errno_value;
	buf_add(&side->trouble, stream_trouble(side->stream));
	stream_done(side->stream);
	side->stream = NULL;
}

static void on_secured(void *owner)
{
	struct side *side = owner;
	side->is_secured = true;
}

static const struct stream_handlers handlers = {
	.on_connected = on_connected,
	.on_input = on_input,
	.on_writable = on_writable,
	.on_deadline = on_deadline,
	.on_closed = on_closed,
	.on_secured = on_secured,
};

static void peer_hang_up(struct peer *peer)
{
	if (peer->fd >= 0)
		close(peer->fd);
	peer->fd = -1;
}

/* Ready for a connection, of which it knows nothing yet. */
static void peer_begin(struct peer *peer)
{
	SSL_free(peer->ssl);
	peer->ssl = SSL_new(peer->context);
	peer->in = BIO_new(BIO_s_mem());
	peer->out = BIO_new(BIO_s_mem());
	SSL_set_bio(peer->ssl, peer->in, peer->out);
	SSL_set_accept_state(peer->ssl);
}

static void peer_open(struct peer *peer, const struct credential *credential)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	peer->listening = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert(bind(peer->listening, (struct sockaddr *)&address, sizeof(address)) == 0);
	ck_assert(listen(peer->listening, 1) == 0);
	peer->fd = -1;
	peer->context = SSL_CTX_new(TLS_server_method());
	ck_assert(SSL_CTX_use_certificate(peer->context, credential->certificate) == 1);
	ck_assert(SSL_CTX_use_PrivateKey(peer->context, credential->key) == 1);
	SSL_CTX_set_num_tickets(peer->context, 0);
	peer_begin(peer);
}

static void fixture_open(struct fixture *fixture)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF file = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF key = buf_with_ceiling(LIMIT_WHY);
	struct buf folder = folder_new();
	memset(fixture, 0, sizeof(*fixture));
	ck_assert(loop_new(&fixture->loop) == ERR_OK);
	fixture->authority =
	    credential_new(&(struct credential_plan){ .common_name = "Test Root", .is_authority = true });
	fixture->server = credential_new(&(struct credential_plan){
	    .issuer = &fixture->authority, .common_name = "mx", .alternative_names = "DNS:mx.test" });
	credential_write(&fixture->authority, &folder, "root", &file, &key);
	ck_assert(tls_client_new(&(struct tls_client_options){ .ca_file = buf_text(&file) }, &fixture->side.context,
				 &why) == ERR_OK);
	folder_done(&folder);
	fixture->side.input = buf_with_ceiling(ROOM);
	fixture->side.trouble = buf_with_ceiling(LIMIT_WHY);
	peer_open(&fixture->peer, &fixture->server);
}

static void fixture_close(struct fixture *fixture)
{
	stream_done(fixture->side.stream);
	tls_context_done(fixture->side.context);
	buf_done(&fixture->side.input);
	buf_done(&fixture->side.trouble);
	peer_hang_up(&fixture->peer);
	close(fixture->peer.listening);
	SSL_free(fixture->peer.ssl);
	SSL_CTX_free(fixture->peer.context);
	credential_done(&fixture->authority);
	credential_done(&fixture->server);
	loop_done(fixture->loop);
}

/* TCP stands, and our side has begun its handshake. */
static void connect_both(struct fixture *fixture)
{
	struct endpoint endpoint = { 0 };
	socklen_t size = sizeof(endpoint.address);
	ck_assert(getsockname(fixture->peer.listening, &endpoint.address.any, &size) == 0);
	ck_assert(stream_connect(fixture->loop, &endpoint, LONG_US, &handlers, &fixture->side, &fixture->side.stream) ==
		  ERR_OK);
	fixture->peer.fd = accept(fixture->peer.listening, NULL, NULL);
	ck_assert(fcntl(fixture->peer.fd, F_SETFL, O_NONBLOCK) == 0);
	while (!fixture->side.is_connected)
		loop_run_once(fixture->loop, LONG_US);
}

static void send_raw(struct peer *peer, const void *data, size_t len)
{
	ck_assert(send(peer->fd, data, len, MSG_NOSIGNAL) == (ssize_t)len);
}

/* What came over the wire goes to OpenSSL; true when there was something. */
static bool receive(struct peer *peer)
{
	char room[ROOM];
	ssize_t count = recv(peer->fd, room, sizeof(room), 0);
	return count > 0 && BIO_write(peer->in, room, (int)count) == (int)count;
}

/* What OpenSSL made goes over the wire. */
static void send_made(struct peer *peer)
{
	char room[ROOM];
	int count = BIO_read(peer->out, room, sizeof(room));
	if (count > 0)
		send_raw(peer, room, (size_t)count);
}

static void turn(struct fixture *fixture)
{
	loop_run_once(fixture->loop, STEP_US);
}

/* Plays until our side is secured or has given up. */
static void shake(struct fixture *fixture)
{
	connect_both(fixture);
	while (!fixture->side.is_closed && !(fixture->side.is_secured && SSL_is_init_finished(fixture->peer.ssl))) {
		receive(&fixture->peer);
		SSL_do_handshake(fixture->peer.ssl);
		send_made(&fixture->peer);
		turn(fixture);
	}
}

static void wait_for_the_end(struct fixture *fixture)
{
	while (!fixture->side.is_closed)
		turn(fixture);
}

/* Both sides are ready for another one. */
static void end_connection(struct fixture *fixture)
{
	struct side *side = &fixture->side;
	stream_done(side->stream);
	side->stream = NULL;
	side->is_connected = side->is_secured = side->is_closed = false;
	peer_hang_up(&fixture->peer);
	peer_begin(&fixture->peer);
}

START_TEST(old_versions_are_refused)
	{
		struct fixture fixture;
		fixture_open(&fixture);
		ck_assert(SSL_set_max_proto_version(fixture.peer.ssl, TLS1_1_VERSION) == 1);
		ck_assert(SSL_set_min_proto_version(fixture.peer.ssl, TLS1_VERSION) == 1);
		SSL_set_security_level(fixture.peer.ssl, 0);
		ck_assert(SSL_set_cipher_list(fixture.peer.ssl, "ALL:@SECLEVEL=0") == 1);
		shake(&fixture);
		ck_assert(!fixture.side.is_secured);
		ck_assert_int_eq(fixture.side.errno_value, EPROTO);
		ck_view_eq(buf_view(&fixture.side.trouble),
			   "the peer accepts no TLS version that we speak (1.2 and later)");
		fixture_close(&fixture);
	}
END_TEST

START_TEST(version_1_2_is_good_but_binds_no_channel)
	{
		struct fixture fixture;
		AUTO_BUF binding = buf_with_ceiling(100);
		fixture_open(&fixture);
		ck_assert(SSL_set_max_proto_version(fixture.peer.ssl, TLS1_2_VERSION) == 1);
		shake(&fixture);
		ck_assert(fixture.side.is_secured);
		ck_view_eq(stream_tls_version(fixture.side.stream), "TLSv1.2");
		ck_assert(stream_channel_binding(fixture.side.stream, &binding) == ERR_NOT_FOUND);
		ck_assert_uint_eq(binding.len, 0);
		fixture_close(&fixture);
	}
END_TEST

START_TEST(clear_text_in_place_of_a_handshake)
	{
		static const char greeting[] = "220 mx.test ESMTP\r\n250 everything is accepted\r\n";
		struct fixture fixture;
		fixture_open(&fixture);
		connect_both(&fixture);
		send_raw(&fixture.peer, greeting, sizeof(greeting) - 1);
		wait_for_the_end(&fixture);
		ck_assert(!fixture.side.is_secured);
		ck_assert_int_eq(fixture.side.errno_value, EPROTO);
		ck_view_eq(buf_view(&fixture.side.trouble), "the peer does not speak TLS at this point");
		ck_assert_uint_eq(fixture.side.input.len, 0);
		fixture_close(&fixture);
	}
END_TEST

START_TEST(clear_text_after_the_handshake)
	{
		static const char reply[] = "250 2.0.0 accepted, trust me\r\n";
		struct fixture fixture;
		fixture_open(&fixture);
		shake(&fixture);
		send_raw(&fixture.peer, reply, sizeof(reply) - 1);
		wait_for_the_end(&fixture);
		ck_assert_int_eq(fixture.side.errno_value, EPROTO);
		ck_assert(fixture.side.trouble.len > 0);
		ck_assert_uint_eq(fixture.side.input.len, 0);
		fixture_close(&fixture);
	}
END_TEST

START_TEST(an_altered_record)
	{
		char room[ROOM];
		struct fixture fixture;
		fixture_open(&fixture);
		shake(&fixture);
		ck_assert(SSL_write(fixture.peer.ssl, "250 one", 7) == 7);
		send_made(&fixture.peer);
		ck_assert(SSL_write(fixture.peer.ssl, "250 two", 7) == 7);
		int count = BIO_read(fixture.peer.out, room, sizeof(room));
		room[count - 1] ^= 1;
		send_raw(&fixture.peer, room, (size_t)count);
		wait_for_the_end(&fixture);
		ck_assert_int_eq(fixture.side.errno_value, EPROTO);
		ck_assert_msg(view_find(buf_view(&fixture.side.trouble), VIEW_LIT("bad record mac")) != VIEW_NONE, "%s",
			      buf_text(&fixture.side.trouble));
		ck_view_eq(buf_view(&fixture.side.input), "250 one");
		fixture_close(&fixture);
	}
END_TEST

START_TEST(a_handshake_that_hangs)
	{
		struct fixture fixture;
		fixture_open(&fixture);
		connect_both(&fixture);
		stream_set_deadline(fixture.side.stream, 20000);
		while (!fixture.side.had_deadline)
			loop_run_once(fixture.loop, LONG_US);
		ck_assert(!fixture.side.is_secured && !fixture.side.is_closed);
		fixture_close(&fixture);
	}
END_TEST

START_TEST(a_peer_that_leaves_during_the_handshake)
	{
		struct fixture fixture;
		fixture_open(&fixture);
		connect_both(&fixture);
		while (!receive(&fixture.peer))
			turn(&fixture);
		shutdown(fixture.peer.fd, SHUT_WR);
		wait_for_the_end(&fixture);
		ck_assert_int_eq(fixture.side.errno_value, EPROTO);
		ck_view_eq(buf_view(&fixture.side.trouble),
			   "the connection was lost during the TLS handshake: the peer closed it");
		fixture_close(&fixture);
	}
END_TEST

START_TEST(a_peer_that_resets_during_the_handshake)
	{
		struct linger at_once = { .l_onoff = 1 };
		struct fixture fixture;
		fixture_open(&fixture);
		connect_both(&fixture);
		ck_assert(setsockopt(fixture.peer.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) == 0);
		peer_hang_up(&fixture.peer);
		wait_for_the_end(&fixture);
		ck_assert(fixture.side.errno_value == ECONNRESET || fixture.side.errno_value == EPIPE);
		ck_assert(view_starts(buf_view(&fixture.side.trouble),
				      VIEW_LIT("the connection was lost during the TLS handshake")));
		fixture_close(&fixture);
	}
END_TEST

START_TEST(an_end_without_goodbye_is_an_end)
	{
		struct fixture fixture;
		fixture_open(&fixture);
		shake(&fixture);
		ck_assert(SSL_write(fixture.peer.ssl, "221 bye", 7) == 7);
		send_made(&fixture.peer);
		peer_hang_up(&fixture.peer);
		wait_for_the_end(&fixture);
		ck_view_eq(buf_view(&fixture.side.input), "221 bye");
		ck_assert_int_eq(fixture.side.errno_value, 0);
		ck_assert_uint_eq(fixture.side.trouble.len, 0);
		fixture_close(&fixture);
	}
END_TEST

START_TEST(what_was_said_before_a_failed_write_is_read)
	{
		struct fixture fixture;
		fixture_open(&fixture);
		shake(&fixture);
		ck_assert(SSL_write(fixture.peer.ssl, "421 bye", 7) == 7);
		send_made(&fixture.peer);
		peer_hang_up(&fixture.peer);
		/* The first write meets a closed socket, a later one fails; none of them may call back from within. */
		size_t taken = 0;
		for (size_t i = 0; i < 10; i++)
			taken += stream_write(fixture.side.stream, VIEW_LIT("x"));
		ck_assert(!fixture.side.is_closed && taken < 10);
		wait_for_the_end(&fixture);
		ck_assert(fixture.side.input.len == 7 || fixture.side.errno_value != 0);
		fixture_close(&fixture);
	}
END_TEST

START_TEST(goodbye_is_said)
	{
		char byte;
		struct fixture fixture;
		fixture_open(&fixture);
		shake(&fixture);
		stream_done(fixture.side.stream);
		fixture.side.stream = NULL;
		while (!receive(&fixture.peer))
			;
		ck_assert_int_eq(SSL_read(fixture.peer.ssl, &byte, 1), 0);
		ck_assert_int_eq(SSL_get_error(fixture.peer.ssl, 0), SSL_ERROR_ZERO_RETURN);
		fixture_close(&fixture);
	}
END_TEST

/* A session ticket so large that it comes in several records: while only some of them are here, OpenSSL encrypts
 * nothing. No octet may count as taken then, and the owner is told when it may go on. */
START_TEST(a_write_in_the_middle_of_a_message_of_the_protocol)
	{
		char room[ROOM];
		unsigned char ticket[TICKET] = { 0 };
		struct fixture fixture;
		fixture_open(&fixture);
		ck_assert(SSL_set_max_send_fragment(fixture.peer.ssl, FRAGMENT) == 1);
		shake(&fixture);
		ck_assert(SSL_SESSION_set1_ticket_appdata(SSL_get_session(fixture.peer.ssl), ticket, sizeof(ticket)) ==
			  1);
		ck_assert(SSL_new_session_ticket(fixture.peer.ssl) == 1);
		SSL_do_handshake(fixture.peer.ssl);
		int count = BIO_read(fixture.peer.out, room, sizeof(room));
		ck_assert_int_gt(count, TICKET);
		send_raw(&fixture.peer, room, FRAGMENT + 100);
		for (size_t i = 0; i < 10; i++)
			turn(&fixture);
		ck_assert_uint_eq(stream_write(fixture.side.stream, VIEW_LIT("MAIL")), 0);
		for (size_t i = 0; i < 10; i++)
			turn(&fixture);
		ck_assert_uint_eq(fixture.side.writables, 0);
		ck_assert_msg(!receive(&fixture.peer), "nothing has left");
		send_raw(&fixture.peer, room + FRAGMENT + 100, (size_t)count - FRAGMENT - 100);
		while (fixture.side.writables == 0)
			turn(&fixture);
		ck_assert_uint_eq(stream_write(fixture.side.stream, VIEW_LIT("MAIL")), 4);
		while (!receive(&fixture.peer))
			turn(&fixture);
		ck_assert_int_eq(SSL_read(fixture.peer.ssl, room, sizeof(room)), 4);
		ck_assert(memcmp(room, "MAIL", 4) == 0);
		fixture_close(&fixture);
	}
END_TEST

START_TEST(new_keys_in_between)
	{
		char room[ROOM];
		struct fixture fixture;
		fixture_open(&fixture);
		shake(&fixture);
		ck_assert(SSL_key_update(fixture.peer.ssl, SSL_KEY_UPDATE_REQUESTED) == 1);
		ck_assert(SSL_write(fixture.peer.ssl, "250", 3) == 3);
		send_made(&fixture.peer);
		while (fixture.side.input.len < 3)
			turn(&fixture);
		ck_assert_uint_eq(stream_write(fixture.side.stream, VIEW_LIT("RCPT")), 4);
		while (!receive(&fixture.peer))
			turn(&fixture);
		int count;
		while ((count = SSL_read(fixture.peer.ssl, room, sizeof(room))) <= 0) {
			receive(&fixture.peer);
			turn(&fixture);
		}
		ck_assert(count == 4 && memcmp(room, "RCPT", 4) == 0);
		fixture_close(&fixture);
	}
END_TEST

START_TEST(a_broken_handshake_with_an_old_session_is_not_repeated)
	{
		static const char greeting[] = "220 clear text\r\n";
		struct fixture fixture;
		fixture_open(&fixture);
		shake(&fixture);
		ck_assert(SSL_new_session_ticket(fixture.peer.ssl) == 1);
		SSL_do_handshake(fixture.peer.ssl);
		ck_assert(SSL_write(fixture.peer.ssl, "250", 3) == 3);
		send_made(&fixture.peer);
		while (fixture.side.input.len < 3)
			turn(&fixture);
		end_connection(&fixture);
		connect_both(&fixture);
		send_raw(&fixture.peer, greeting, sizeof(greeting) - 1);
		wait_for_the_end(&fixture);
		end_connection(&fixture);
		shake(&fixture);
		ck_assert(fixture.side.is_secured && !stream_tls_is_resumed(fixture.side.stream));
		fixture_close(&fixture);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = {
		old_versions_are_refused,
		version_1_2_is_good_but_binds_no_channel,
		clear_text_in_place_of_a_handshake,
		clear_text_after_the_handshake,
		an_altered_record,
		a_handshake_that_hangs,
		a_peer_that_leaves_during_the_handshake,
		a_peer_that_resets_during_the_handshake,
		an_end_without_goodbye_is_an_end,
		what_was_said_before_a_failed_write_is_read,
		goodbye_is_said,
		a_write_in_the_middle_of_a_message_of_the_protocol,
		new_keys_in_between,
		a_broken_handshake_with_an_old_session_is_not_repeated,
	};
	return suite_of("tls_peer", tests, ARRAY_LEN(tests));
}
