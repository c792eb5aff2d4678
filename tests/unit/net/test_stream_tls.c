/* TLS between two streams of ours; tests/unit/net/test_tls_peer.c has the peers that misbehave. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "net/listener.h"
#include "net/stream.h"
#include "net/tls_private.h"
#include "tests/support/credential.h"
#include "tests/support/unit.h"

#define LONG_US (INT64_C(30) * CLOCK_US_PER_SECOND)
enum { RECORD = 16 << 10, MUCH = 10 << 20 };

/* One side of a connection. */
struct side {
	struct stream *stream;
	struct tls_context *context; /* NULL: clear text */
	const char *name;            /* that a client expects */
	struct buf input, trouble;
	size_t to_write, written;
	size_t reads, writables;
	bool is_connected, is_secured, is_closed, had_deadline, pauses_itself;
	int errno_value;
};

struct fixture {
	struct buf folder;
	struct loop *loop;
	struct listener *listener;
	struct credential authority, server;
	struct tls_context *client_context, *server_context;
	struct side here, there; /* the client's and the server's */
};

static char content[MUCH];

static void write_more(struct side *side)
{
	side->written += stream_write(side->stream, view_from(content + side->written, side->to_write - side->written));
}

static void on_connected(void *owner)
{
	struct side *side = owner;
	side->is_connected = true;
	if (side->context != NULL)
		ck_assert(stream_start_tls(side->stream, side->context, view_of(side->name)) == ERR_OK);
}

static void on_input(void *owner, struct view bytes)
{
	struct side *side = owner;
	ck_assert(bytes.len > 0);
	side->reads++;
	buf_add(&side->input, bytes);
	if (side->pauses_itself)
		stream_pause_input(side->stream, true);
}

static void on_writable(void *owner)
{
	struct side *side = owner;
	side->writables++;
	ck_assert_msg(side->written < side->to_write, "nobody waits for it");
	write_more(side);
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
	ck_assert(!side->is_secured && stream_is_secure(side->stream));
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

static void on_accept(void *owner, struct stream *stream)
{
	struct fixture *fixture = owner;
	fixture->there.stream = stream;
	stream_start(stream, &handlers, &fixture->there);
	if (fixture->there.context != NULL)
		ck_assert(stream_start_tls(stream, fixture->there.context, VIEW_LIT("")) == ERR_OK);
}

static struct tls_context *new_client(struct fixture *fixture, const struct credential *authority, const char *file)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF certificate = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF key = buf_with_ceiling(LIMIT_WHY);
	struct tls_context *context;
	credential_write(authority, &fixture->folder, file, &certificate, &key);
	ck_assert(tls_client_new(&(struct tls_client_options){ .ca_file = buf_text(&certificate) }, &context, &why) ==
		  ERR_OK);
	return context;
}

static struct tls_context *new_server(struct fixture *fixture, const struct credential *credential, const char *file)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF certificate = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF key = buf_with_ceiling(LIMIT_WHY);
	struct tls_context *context;
	credential_write(credential, &fixture->folder, file, &certificate, &key);
	ck_assert(tls_server_new(&(struct tls_server_options){ .certificate_file = buf_text(&certificate),
							       .key_file = buf_text(&key) },
				 &context, &why) == ERR_OK);
	return context;
}

/* A client that trusts the authority, and a server with a certificate of it for mx.test. Not connected yet. */
static void fixture_open(struct fixture *fixture)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	memset(fixture, 0, sizeof(*fixture));
	for (size_t i = 0; i < sizeof(content); i++)
		content[i] = (char)(i * 31 >> 3);
	fixture->folder = folder_new();
	ck_assert(loop_new(&fixture->loop) == ERR_OK);
	ck_assert(listener_open(fixture->loop, view_of("127.0.0.1:0"), on_accept, fixture, &fixture->listener, &why) ==
		  ERR_OK);
	fixture->authority =
	    credential_new(&(struct credential_plan){ .common_name = "Test Root", .is_authority = true });
	fixture->server = credential_new(&(struct credential_plan){
	    .issuer = &fixture->authority, .common_name = "mx", .alternative_names = "DNS:mx.test,IP:127.0.0.1" });
	fixture->client_context = new_client(fixture, &fixture->authority, "root");
	fixture->server_context = new_server(fixture, &fixture->server, "mx");
}

static void side_reset(struct side *side, struct tls_context *context, const char *name)
{
	stream_done(side->stream);
	buf_done(&side->input);
	buf_done(&side->trouble);
	*side = (struct side){
		.context = context,
		.name = name,
		.input = buf_with_ceiling(MUCH),
		.trouble = buf_with_ceiling(LIMIT_WHY),
	};
}

static void call(struct fixture *fixture, const char *name)
{
	side_reset(&fixture->here, fixture->client_context, name);
	side_reset(&fixture->there, fixture->server_context, NULL);
	ck_assert(stream_connect(fixture->loop, listener_endpoint(fixture->listener, 0), LONG_US, &handlers,
				 &fixture->here, &fixture->here.stream) == ERR_OK);
}

/* Calls, and waits until both sides are secured. */
static void call_and_secure(struct fixture *fixture)
{
	call(fixture, "mx.test");
	while (!fixture->here.is_secured || !fixture->there.is_secured) {
		ck_assert_msg(!fixture->here.is_closed, "%s", buf_text(&fixture->here.trouble));
		loop_run_once(fixture->loop, LONG_US);
	}
}

static void fixture_close(struct fixture *fixture)
{
	side_reset(&fixture->here, NULL, NULL);
	side_reset(&fixture->there, NULL, NULL);
	tls_context_done(fixture->client_context);
	tls_context_done(fixture->server_context);
	credential_done(&fixture->authority);
	credential_done(&fixture->server);
	listener_done(fixture->listener);
	loop_done(fixture->loop);
	folder_done(&fixture->folder);
}

static void say(struct side *side, const char *text)
{
	ck_assert_uint_eq(stream_write(side->stream, view_of(text)), strlen(text));
}

START_TEST(a_word_each_way)
	{
		struct fixture fixture;
		fixture_open(&fixture);
		call_and_secure(&fixture);
		ck_view_eq(stream_tls_version(fixture.here.stream), "TLSv1.3");
		say(&fixture.there, "220 hello");
		say(&fixture.here, "EHLO");
		while (fixture.here.input.len < 9 || fixture.there.input.len < 4)
			loop_run_once(fixture.loop, LONG_US);
		ck_view_eq(buf_view(&fixture.here.input), "220 hello");
		ck_view_eq(buf_view(&fixture.there.input), "EHLO");
		ck_assert_uint_eq(stream_trouble(fixture.here.stream).len, 0);
		fixture_close(&fixture);
	}
END_TEST

START_TEST(much_both_ways_at_once)
	{
		struct fixture fixture;
		fixture_open(&fixture);
		call_and_secure(&fixture);
		fixture.here.to_write = fixture.there.to_write = MUCH;
		write_more(&fixture.here);
		write_more(&fixture.there);
		while (fixture.here.input.len < MUCH || fixture.there.input.len < MUCH)
			loop_run_once(fixture.loop, LONG_US);
		ck_assert_uint_eq(fixture.here.written, MUCH);
		ck_assert_uint_eq(fixture.there.written, MUCH);
		ck_assert(memcmp(fixture.here.input.data, content, MUCH) == 0);
		ck_assert(memcmp(fixture.there.input.data, content, MUCH) == 0);
		ck_assert_msg(fixture.here.writables > 0, "the kernel cannot hold all");
		fixture_close(&fixture);
	}
END_TEST

/* What decides between "not sent" and "in doubt". */
START_TEST(what_was_taken_arrives_and_nothing_else)
	{
		struct fixture fixture;
		fixture_open(&fixture);
		call_and_secure(&fixture);
		stream_pause_input(fixture.there.stream, true);
		size_t taken = stream_write(fixture.here.stream, view_from(content, MUCH));
		ck_assert(taken > 0 && taken < MUCH);
		ck_assert_msg(taken % RECORD == 0, "octets are taken by the record");
		ck_assert_msg(stream_write(fixture.here.stream, view_from(content, MUCH)) == 0, "a record waits");
		/* The stream sends the rest of that record by itself, and the owner nothing more. */
		fixture.here.to_write = fixture.here.written = taken;
		fixture.here.written--; /* it asked for on_writable */
		stream_pause_input(fixture.there.stream, false);
		while (fixture.there.input.len < taken + 1 || fixture.here.writables == 0)
			loop_run_once(fixture.loop, LONG_US);
		for (size_t i = 0; i < 10; i++)
			loop_run_once(fixture.loop, 2000);
		ck_assert_uint_eq(fixture.there.input.len, taken + 1);
		ck_assert_uint_eq(fixture.here.writables, 1);
		ck_assert(memcmp(fixture.there.input.data, content, taken) == 0);
		fixture_close(&fixture);
	}
END_TEST

START_TEST(the_end_waits_for_what_was_taken)
	{
		struct fixture fixture;
		fixture_open(&fixture);
		call_and_secure(&fixture);
		stream_pause_input(fixture.there.stream, true);
		size_t taken = stream_write(fixture.here.stream, view_from(content, MUCH));
		stream_shut(fixture.here.stream);
		stream_pause_input(fixture.there.stream, false);
		while (!fixture.there.is_closed)
			loop_run_once(fixture.loop, LONG_US);
		ck_assert_uint_eq(fixture.there.input.len, taken);
		ck_assert_int_eq(fixture.there.errno_value, 0);
		fixture_close(&fixture);
	}
END_TEST

START_TEST(a_side_that_shut_still_reads)
	{
		struct fixture fixture;
		fixture_open(&fixture);
		call_and_secure(&fixture);
		say(&fixture.there, "221 bye");
		stream_shut(fixture.here.stream);
		while (!fixture.there.is_closed || !fixture.here.is_closed)
			loop_run_once(fixture.loop, LONG_US);
		ck_view_eq(buf_view(&fixture.here.input), "221 bye");
		ck_assert_int_eq(fixture.here.errno_value, 0);
		ck_assert_int_eq(fixture.there.errno_value, 0);
		fixture_close(&fixture);
	}
END_TEST

START_TEST(nothing_is_written_after_the_end)
	{
		struct fixture fixture;
		fixture_open(&fixture);
		call_and_secure(&fixture);
		stream_shut(fixture.here.stream);
		ck_assert_uint_eq(stream_write(fixture.here.stream, VIEW_LIT("x")), 0);
		while (!fixture.there.is_closed || !fixture.here.is_closed)
			loop_run_once(fixture.loop, LONG_US);
		ck_assert_int_eq(fixture.here.errno_value, EPIPE);
		ck_assert_uint_eq(fixture.there.reads, 0);
		fixture_close(&fixture);
	}
END_TEST

START_TEST(done_says_goodbye)
	{
		struct fixture fixture;
		fixture_open(&fixture);
		call_and_secure(&fixture);
		say(&fixture.here, "QUIT");
		stream_done(fixture.here.stream);
		fixture.here.stream = NULL;
		while (!fixture.there.is_closed)
			loop_run_once(fixture.loop, LONG_US);
		ck_view_eq(buf_view(&fixture.there.input), "QUIT");
		ck_assert_int_eq(fixture.there.errno_value, 0);
		fixture_close(&fixture);
	}
END_TEST

/* Seven records that come with one look at the socket, and of the last of which only a part fits into one read: nothing
 * but the stream knows about the rest. */
static void send_odd_records(struct fixture *fixture)
{
	enum { RECORDS = 7, ODD = 10000 };
	stream_pause_input(fixture->here.stream, true);
	for (size_t i = 0; i < RECORDS; i++)
		fixture->there.written +=
		    stream_write(fixture->there.stream, view_from(content + fixture->there.written, ODD));
	ck_assert_uint_eq(fixture->there.written, RECORDS * ODD);
	stream_pause_input(fixture->here.stream, false);
}

START_TEST(what_was_decrypted_is_read_to_its_end)
	{
		struct fixture fixture;
		fixture_open(&fixture);
		call_and_secure(&fixture);
		send_odd_records(&fixture);
		while (fixture.here.input.len < fixture.there.written)
			loop_run_once(fixture.loop, LONG_US);
		ck_assert(fixture.here.reads > 1);
		ck_assert(memcmp(fixture.here.input.data, content, fixture.there.written) == 0);
		fixture_close(&fixture);
	}
END_TEST

START_TEST(pause_holds_back_what_was_decrypted)
	{
		struct fixture fixture;
		fixture_open(&fixture);
		call_and_secure(&fixture);
		fixture.here.pauses_itself = true;
		send_odd_records(&fixture);
		while (fixture.here.reads == 0)
			loop_run_once(fixture.loop, LONG_US);
		for (size_t i = 0; i < 10; i++)
			loop_run_once(fixture.loop, 2000);
		ck_assert_uint_eq(fixture.here.reads, 1);
		ck_assert(fixture.here.input.len < fixture.there.written);
		for (size_t reads = 1; fixture.here.input.len < fixture.there.written; reads = fixture.here.reads) {
			stream_pause_input(fixture.here.stream, false);
			while (fixture.here.reads == reads)
				loop_run_once(fixture.loop, LONG_US);
		}
		ck_assert(memcmp(fixture.here.input.data, content, fixture.there.written) == 0);
		fixture_close(&fixture);
	}
END_TEST

START_TEST(a_handshake_does_not_wait_for_a_paused_owner)
	{
		struct fixture fixture;
		fixture_open(&fixture);
		call(&fixture, "mx.test");
		while (!fixture.here.is_connected || fixture.there.stream == NULL)
			loop_run_once(fixture.loop, LONG_US);
		stream_pause_input(fixture.here.stream, true);
		ck_assert_uint_eq(stream_write(fixture.here.stream, VIEW_LIT("too early")), 0);
		while (!fixture.here.is_secured || !fixture.there.is_secured)
			loop_run_once(fixture.loop, LONG_US);
		say(&fixture.there, "220 hello");
		for (size_t i = 0; i < 10; i++)
			loop_run_once(fixture.loop, 2000);
		ck_assert_uint_eq(fixture.here.reads, 0);
		stream_pause_input(fixture.here.stream, false);
		while (fixture.here.reads == 0)
			loop_run_once(fixture.loop, LONG_US);
		ck_assert_uint_eq(fixture.there.reads, 0);
		fixture_close(&fixture);
	}
END_TEST

START_TEST(a_session_is_taken_up_again)
	{
		struct fixture fixture;
		const SSL_SESSION *last_session = NULL;
		int64_t proven_us = 0;
		fixture_open(&fixture);
		for (size_t i = 0; i < 3; i++) {
			call_and_secure(&fixture);
			ck_assert(stream_tls_is_resumed(fixture.here.stream) == (i > 0));
			/* The session of TLS 1.3 comes after the handshake. */
			say(&fixture.there, "220");
			while (fixture.here.reads == 0)
				loop_run_once(fixture.loop, LONG_US);
			const struct tls_kept *kept = &fixture.client_context->kept[0];
			ck_assert_msg(kept->session != last_session, "each connection leaves a new one");
			ck_assert_msg(i == 0 || kept->proven_us == proven_us, "that proves no more than the first did");
			last_session = kept->session;
			proven_us = kept->proven_us;
		}
		/* Kept by name: it proves nothing about another one. */
		call(&fixture, "127.0.0.1");
		while (!fixture.here.is_secured)
			loop_run_once(fixture.loop, LONG_US);
		ck_assert(!stream_tls_is_resumed(fixture.here.stream));
		call(&fixture, "other.test");
		while (!fixture.here.is_closed)
			loop_run_once(fixture.loop, LONG_US);
		fixture_close(&fixture);
	}
END_TEST

START_TEST(a_context_outlives_its_owner_for_the_streams)
	{
		struct fixture fixture;
		fixture_open(&fixture);
		call_and_secure(&fixture);
		tls_context_done(fixture.client_context);
		tls_context_done(fixture.server_context);
		fixture.client_context = fixture.server_context = NULL;
		say(&fixture.there, "220 hello");
		while (fixture.here.reads == 0)
			loop_run_once(fixture.loop, LONG_US);
		fixture_close(&fixture);
	}
END_TEST

START_TEST(both_sides_derive_one_channel_binding)
	{
		struct fixture fixture;
		AUTO_BUF here = buf_with_ceiling(100);
		AUTO_BUF there = buf_with_ceiling(100);
		fixture_open(&fixture);
		call(&fixture, "mx.test");
		while (!fixture.here.is_connected)
			loop_run_once(fixture.loop, LONG_US);
		ck_assert(stream_channel_binding(fixture.here.stream, &here) == ERR_NOT_FOUND);
		call_and_secure(&fixture);
		ck_assert(stream_channel_binding(fixture.here.stream, &here) == ERR_OK);
		ck_assert(stream_channel_binding(fixture.there.stream, &there) == ERR_OK);
		ck_assert_uint_eq(here.len, 32);
		ck_assert(view_eq(buf_view(&here), buf_view(&there)));
		call_and_secure(&fixture);
		buf_reset(&there);
		ck_assert(stream_channel_binding(fixture.here.stream, &there) == ERR_OK);
		ck_assert_msg(!view_eq(buf_view(&here), buf_view(&there)), "another connection, another binding");
		fixture_close(&fixture);
	}
END_TEST

/* ---- who is refused ---- */

struct row {
	const char *label;
	const char *name; /* that the client expects */
	struct credential_plan plan;
	bool by_stranger; /* issued by an authority that the client does not know */
	bool by_itself;
	const char *trouble; /* "": accepted */
};

#define MX .common_name = "mx", .alternative_names = "DNS:mx.test"

static const struct row rows[] = {
	{ "the name", "mx.test", { MX }, false, false, "" },
	{ "in capitals", "MX.Test", { MX }, false, false, "" },
	{ "with a last dot", "mx.test.", { MX }, false, false, "" },
	{ "wildcard", "mx.a.test", { .common_name = "mx", .alternative_names = "DNS:*.a.test" }, false, false, "" },
	{ "address", "127.0.0.1", { .common_name = "mx", .alternative_names = "IP:127.0.0.1" }, false, false, "" },
	{ "address of IPv6", "::1", { .common_name = "mx", .alternative_names = "IP:::1" }, false, false, "" },
	{ "another name", "relay.test", { MX }, false, false, "the certificate is for mx.test, not relay.test" },
	{ "a host above", "test", { MX }, false, false, "the certificate is for mx.test, not test" },
	{ "several other names",
	  "relay.test",
	  { .common_name = "mx", .alternative_names = "DNS:a.test,IP:192.0.2.1,DNS:b.test,DNS:c.test,DNS:d.test" },
	  false,
	  false,
	  "the certificate is for a.test, address 192.0.2.1, b.test, c.test and others, not relay.test" },
	{ "wildcard two labels above",
	  "a.b.c.test",
	  { .common_name = "mx", .alternative_names = "DNS:*.c.test" },
	  false,
	  false,
	  "the certificate is for *.c.test, not a.b.c.test" },
	{ "half a wildcard",
	  "mx1.a.test",
	  { .common_name = "mx", .alternative_names = "DNS:mx*.a.test" },
	  false,
	  false,
	  "the certificate is for mx*.a.test, not mx1.a.test" },
	{ "another address",
	  "127.0.0.1",
	  { .common_name = "mx", .alternative_names = "IP:127.0.0.2" },
	  false,
	  false,
	  "the certificate is for address 127.0.0.2, not 127.0.0.1" },
	{ "an address is no name",
	  "127.0.0.1",
	  { .common_name = "127.0.0.1", .alternative_names = "DNS:127.0.0.1" },
	  false,
	  false,
	  "the certificate is for 127.0.0.1, not 127.0.0.1" },
	{ "only a common name",
	  "mx.test",
	  { .common_name = "mx.test" },
	  false,
	  false,
	  "the certificate is for no host (it has no subjectAltName), not mx.test" },
	{ "hostile name",
	  "mx.test",
	  { .common_name = "mx", .alternative_names = "DNS:a\033[2Jb.test" },
	  false,
	  false,
	  "the certificate is for a?[2Jb.test, not mx.test" },
	{ "expired",
	  "mx.test",
	  { MX, .from_days = -20000, .until_days = -1000 },
	  false,
	  false,
	  "the certificate has expired on 2" },
	{ "not yet",
	  "mx.test",
	  { MX, .from_days = 10, .until_days = 20 },
	  false,
	  false,
	  "the certificate is not valid before 2" },
	{ "unknown authority",
	  "mx.test",
	  { MX },
	  true,
	  false,
	  "the certificate was issued by CN=Stranger, which is no authority that is trusted here" },
	{ "by itself",
	  "mx.test",
	  { MX },
	  false,
	  true,
	  "the certificate is signed by itself (CN=mx) and not trusted here" },
};

START_TEST(certificates)
	{
		struct fixture fixture;
		fixture_open(&fixture);
		struct credential stranger =
		    credential_new(&(struct credential_plan){ .common_name = "Stranger", .is_authority = true });
		const struct row *row = &rows[_i];
		struct credential_plan plan = row->plan;
		plan.issuer = row->by_itself ? NULL : row->by_stranger ? &stranger : &fixture.authority;
		struct credential server = credential_new(&plan);
		tls_context_done(fixture.server_context);
		fixture.server_context = new_server(&fixture, &server, "row");
		call(&fixture, row->name);
		while (!fixture.here.is_closed && !fixture.here.is_secured)
			loop_run_once(fixture.loop, LONG_US);
		struct view trouble = buf_view(&fixture.here.trouble);
		ck_assert_msg(view_starts(trouble, view_of(row->trouble)) &&
				  (trouble.len > 0) == (row->trouble[0] != '\0'),
			      "%s: %s", row->label, buf_text(&fixture.here.trouble));
		ck_row(row->label, fixture.here.is_secured == (trouble.len == 0));
		ck_row(row->label, fixture.here.errno_value == (trouble.len == 0 ? 0 : EPROTO));
		/* The server was told, and nobody read a word. */
		while (trouble.len > 0 && !fixture.there.is_closed)
			loop_run_once(fixture.loop, LONG_US);
		ck_row(row->label, trouble.len == 0 || fixture.there.trouble.len > 0);
		ck_row(row->label, fixture.here.reads == 0 && fixture.there.reads == 0);
		credential_done(&stranger);
		credential_done(&server);
		fixture_close(&fixture);
	}
END_TEST

START_TEST(names_that_are_none)
	{
		static const char *const names[] = { "", ".", "mx\n.test", "mx \xc3\xa4.test" };
		struct fixture fixture;
		fixture_open(&fixture);
		struct tls_context *context = fixture.client_context;
		fixture.client_context = NULL;
		call(&fixture, NULL);
		struct stream *stream = fixture.here.stream;
		ck_assert_msg(stream_start_tls(stream, context, VIEW_LIT("mx.test")) == ERR_REFUSED, "not connected");
		while (!fixture.here.is_connected)
			loop_run_once(fixture.loop, LONG_US);
		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			ck_row(names[i], stream_start_tls(stream, context, view_of(names[i])) == ERR_INVALID);
		ck_assert(stream_start_tls(stream, context, VIEW_LIT("mx.test")) == ERR_OK);
		ck_assert_msg(stream_start_tls(stream, context, VIEW_LIT("mx.test")) == ERR_REFUSED, "twice");
		tls_context_done(context);
		fixture_close(&fixture);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = {
		a_word_each_way,
		much_both_ways_at_once,
		what_was_taken_arrives_and_nothing_else,
		the_end_waits_for_what_was_taken,
		a_side_that_shut_still_reads,
		nothing_is_written_after_the_end,
		done_says_goodbye,
		what_was_decrypted_is_read_to_its_end,
		pause_holds_back_what_was_decrypted,
		a_handshake_does_not_wait_for_a_paused_owner,
		a_session_is_taken_up_again,
		a_context_outlives_its_owner_for_the_streams,
		both_sides_derive_one_channel_binding,
		names_that_are_none,
	};
	Suite *suite = suite_of("stream_tls", tests, ARRAY_LEN(tests));
	TCase *tcase = tcase_create("certificates");
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, certificates, 0, (int)ARRAY_LEN(rows));
	suite_add_tcase(suite, tcase);
	return suite;
}
