#include "bounced/gate.h"

#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "mail/verp.h"
#include "tests/support/unit.h"

enum { TODAY = 20779 };
static const int64_t now_us = TODAY * CLOCK_US_PER_DAY + CLOCK_US_PER_DAY / 2;

static const struct settings settings = { .bounce_domain = "bounce.test",
					  .bounce_prefix = "b",
					  .bounce_token_life = 30 * CLOCK_US_PER_DAY,
					  .bounce_inside_life = 365 * CLOCK_US_PER_DAY };

static struct keyring ring_of(unsigned char seed)
{
	struct keyring ring = { .newest = -1 };
	unsigned char bytes[KEYRING_KEY_SIZE];
	int id;
	memset(bytes, seed, sizeof(bytes));
	ck_assert_int_eq(keyring_add(&ring, VIEW_LIT("2026-11-22"), bytes, &id), ERR_OK);
	return ring;
}

static struct gate *gate_of(unsigned char seed)
{
	struct keyring ring = ring_of(seed);
	struct gate *gate = NULL;
	ck_assert_int_eq(gate_new(&settings, &ring, &gate), ERR_OK);
	return gate;
}

/* How a row's token is made. */
struct making {
	unsigned char seed; /* of the key; the gate's is 1 */
	enum token_purpose purpose;
	int age; /* days */
	const char *domain;
};

static void make_token(const struct making *making, struct buf *out)
{
	struct keyring ring = ring_of(making->seed);
	struct token_maker *maker = NULL;
	struct token token = {
		.purpose = making->purpose, .scope_id = 7, .subscriber_id = 42, .day = (uint16_t)(TODAY - making->age)
	};
	ck_assert_int_eq(token_maker_new(&ring, view_of(making->domain), &maker), ERR_OK);
	ck_assert_int_eq(token_sign(maker, &token, out), ERR_OK);
	token_maker_done(maker);
}

#define OURS(purpose_, age_)                                                                                           \
	{                                                                                                              \
		.seed = 1, .purpose = TOKEN_##purpose_, .age = (age_), .domain = "bounce.test"                         \
	}

struct row {
	const char *label;
	struct making making;
	const char *before, *after; /* the token stands between */
	enum gate_verdict verdict;
};

static const struct row token_rows[] = {
	{ "return path", OURS(RETURN_PATH, 0), "b+", "@bounce.test", GATE_RETURN_PATH },
	{ "domain in capitals", OURS(RETURN_PATH, 3), "b+", "@BOUNCE.Test", GATE_RETURN_PATH },
	{ "prefix in capitals", OURS(RETURN_PATH, 3), "B+", "@bounce.test", GATE_RETURN_PATH },
	{ "final dot of the domain", OURS(RETURN_PATH, 3), "b+", "@bounce.test.", GATE_RETURN_PATH },
	{ "last day", OURS(RETURN_PATH, 30), "b+", "@bounce.test", GATE_RETURN_PATH },
	{ "expired", OURS(RETURN_PATH, 32), "b+", "@bounce.test", GATE_EXPIRED },
	{ "from the future", OURS(RETURN_PATH, -3), "b+", "@bounce.test", GATE_EXPIRED },
	{ "another key", { 2, TOKEN_RETURN_PATH, 0, "bounce.test" }, "b+", "@bounce.test", GATE_FORGED },
	{ "made for another domain", { 1, TOKEN_RETURN_PATH, 0, "other.test" }, "b+", "@bounce.test", GATE_FORGED },
	{ "message token as return path", OURS(MESSAGE, 0), "b+", "@bounce.test", GATE_FORGED },
	{ "unsubscribe token as return path", OURS(UNSUBSCRIBE, 0), "b+", "@bounce.test", GATE_NO_SUCH },
	{ "another prefix", OURS(RETURN_PATH, 0), "c+", "@bounce.test", GATE_NO_SUCH },
	{ "no prefix", OURS(RETURN_PATH, 0), "", "@bounce.test", GATE_NO_SUCH },
	{ "something behind the token", OURS(RETURN_PATH, 0), "b+", "a@bounce.test", GATE_NO_SUCH },
	{ "another domain", OURS(RETURN_PATH, 0), "b+", "@example.org", GATE_FOREIGN },
	{ "domain below ours", OURS(RETURN_PATH, 0), "b+", "@x.bounce.test", GATE_FOREIGN },
	{ "unsubscribe", OURS(UNSUBSCRIBE, 0), "unsubscribe+", "@bounce.test", GATE_UNSUBSCRIBE },
	{ "unsubscribe in capitals", OURS(UNSUBSCRIBE, 0), "Unsubscribe+", "@bounce.test", GATE_UNSUBSCRIBE },
	{ "unsubscribe after a year", OURS(UNSUBSCRIBE, 400), "unsubscribe+", "@bounce.test", GATE_UNSUBSCRIBE },
	{ "unsubscribe too late", OURS(UNSUBSCRIBE, 402), "unsubscribe+", "@bounce.test", GATE_EXPIRED },
	{ "confirm token to unsubscribe", OURS(CONFIRM, 0), "unsubscribe+", "@bounce.test", GATE_FORGED },
	{ "return path to unsubscribe", OURS(RETURN_PATH, 0), "unsubscribe+", "@bounce.test", GATE_NO_SUCH },
};

static void write_address(const struct row *row, struct buf *address)
{
	AUTO_BUF token = buf_with_ceiling(LIMIT_TOKEN);
	make_token(&row->making, &token);
	buf_addf(address, "%s" VIEW_FMT "%s", row->before, VIEW_ARG(buf_view(&token)), row->after);
	ck_assert_int_eq(buf_err(address), ERR_OK);
}

START_TEST(tokens)
	{
		struct gate *gate = gate_of(1);
		for (size_t i = 0; i < ARRAY_LEN(token_rows); i++) {
			AUTO_BUF address = buf_with_ceiling(LIMIT_WHY);
			struct passage passage;
			write_address(&token_rows[i], &address);
			gate_ask(gate, buf_view(&address), false, now_us, &passage);
			ck_assert_msg(passage.verdict == token_rows[i].verdict, "%s: verdict %d, not %d",
				      token_rows[i].label, passage.verdict, token_rows[i].verdict);
			if (gate_lets_in(passage.verdict)) {
				ck_row(token_rows[i].label, passage.token.scope_id == 7);
				ck_row(token_rows[i].label, passage.token.subscriber_id == 42);
			}
		}
		gate_done(gate);
	}
END_TEST

START_TEST(every_altered_character_is_refused)
	{
		static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
		struct gate *gate = gate_of(1);
		AUTO_BUF address = buf_with_ceiling(LIMIT_WHY);
		write_address(&token_rows[0], &address);
		for (size_t at = 2; address.data[at] != '@'; at++) {
			char was = address.data[at];
			for (size_t c = 0; c < sizeof(alphabet) - 1; c++) {
				struct passage passage;
				address.data[at] = alphabet[c];
				gate_ask(gate, buf_view(&address), false, now_us, &passage);
				ck_assert_msg(gate_lets_in(passage.verdict) == (alphabet[c] == was), "at %zu: %c", at,
					      alphabet[c]);
			}
			address.data[at] = was;
		}
		gate_done(gate);
	}
END_TEST

struct address_row {
	const char *address;
	enum gate_verdict verdict;
};

static const struct address_row address_rows[] = {
	{ "postmaster", GATE_MAILBOX },
	{ "PostMaster", GATE_MAILBOX },
	{ "postmaster@bounce.test", GATE_MAILBOX },
	{ "POSTMASTER@BOUNCE.TEST", GATE_MAILBOX },
	{ "abuse@bounce.test", GATE_MAILBOX },
	{ "Abuse@bounce.test.", GATE_MAILBOX },
	{ "abuse", GATE_NO_SUCH },
	{ "postmaster@example.org", GATE_FOREIGN },
	{ "postmaster@", GATE_FOREIGN },
	{ "root@bounce.test", GATE_NO_SUCH },
	{ "b@bounce.test", GATE_NO_SUCH },
	{ "b+@bounce.test", GATE_NO_SUCH },
	{ "b+short@bounce.test", GATE_NO_SUCH },
	{ "unsubscribe@bounce.test", GATE_NO_SUCH },
	{ "reports@bounce.test", GATE_NO_SUCH },
	{ "", GATE_NO_SUCH },
	{ "@", GATE_FOREIGN },
	{ "@bounce.test", GATE_NO_SUCH },
	{ "user%example.org@bounce.test", GATE_NO_SUCH },
	{ "user@example.org@bounce.test", GATE_NO_SUCH },
};

START_TEST(other_addresses)
	{
		struct gate *gate = gate_of(1);
		for (size_t i = 0; i < ARRAY_LEN(address_rows); i++) {
			struct passage passage;
			gate_ask(gate, view_of(address_rows[i].address), false, now_us, &passage);
			ck_assert_msg(passage.verdict == address_rows[i].verdict, "\"%s\": verdict %d, not %d",
				      address_rows[i].address, passage.verdict, address_rows[i].verdict);
		}
		gate_done(gate);
	}
END_TEST

START_TEST(replies_and_counts)
	{
		struct gate *gate = gate_of(1);
		struct passage passage;
		for (int i = 0; i < GATE_VERDICT_COUNT; i++) {
			const struct gate_reply *reply = gate_reply((enum gate_verdict)i);
			unsigned expected = gate_lets_in((enum gate_verdict)i) ? 250 : 550;
			ck_assert_uint_eq(reply->code, expected);
			ck_assert_ptr_nonnull(reply->text);
			if (expected == 550)
				ck_assert_str_eq(reply->status, i == GATE_FOREIGN ? "5.7.1" : "5.1.1");
		}
		gate_ask(gate, VIEW_LIT("a@example.org"), false, now_us, &passage);
		gate_ask(gate, VIEW_LIT("b@example.org"), false, now_us, &passage);
		ck_assert_uint_eq(gate_count(gate, GATE_FOREIGN), 2);
		ck_assert_uint_eq(gate_count(gate, GATE_FORGED), 0);
		gate_done(gate);
	}
END_TEST

START_TEST(keys_can_change)
	{
		struct gate *gate = gate_of(2);
		struct keyring ring = ring_of(1);
		struct passage passage;
		AUTO_BUF address = buf_with_ceiling(LIMIT_WHY);
		write_address(&token_rows[0], &address);
		gate_ask(gate, buf_view(&address), false, now_us, &passage);
		ck_assert_int_eq(passage.verdict, GATE_FORGED);
		ck_assert_int_eq(gate_set_keys(gate, &ring), ERR_OK);
		gate_ask(gate, buf_view(&address), false, now_us, &passage);
		ck_assert_int_eq(passage.verdict, GATE_RETURN_PATH);
		gate_done(gate);
	}
END_TEST

static const struct row inside_rows[] = {
	{ "Message-ID's left side", OURS(MESSAGE, 100), "", "", GATE_RETURN_PATH },
	{ "Message-ID whole", OURS(MESSAGE, 100), "", "@example.test", GATE_RETURN_PATH },
	{ "return path", OURS(RETURN_PATH, 100), "b+", "@bounce.test", GATE_RETURN_PATH },
	{ "return path's token alone", OURS(RETURN_PATH, 100), "", "", GATE_RETURN_PATH },
	{ "last day", OURS(MESSAGE, 365), "", "", GATE_RETURN_PATH },
	{ "too old", OURS(MESSAGE, 367), "", "", GATE_EXPIRED },
	{ "another key", { 2, TOKEN_MESSAGE, 0, "bounce.test" }, "", "", GATE_FORGED },
	{ "unsubscribe token", OURS(UNSUBSCRIBE, 0), "", "", GATE_NO_SUCH },
};

START_TEST(tokens_inside_reports)
	{
		struct gate *gate = gate_of(1);
		for (size_t i = 0; i < ARRAY_LEN(inside_rows); i++) {
			AUTO_BUF text = buf_with_ceiling(LIMIT_WHY);
			struct token token;
			write_address(&inside_rows[i], &text);
			bool known = gate_identify(gate, buf_view(&text), now_us, &token);
			ck_row(inside_rows[i].label, known == (inside_rows[i].verdict == GATE_RETURN_PATH));
			ck_row(inside_rows[i].label, !known || token.subscriber_id == 42);
		}
		gate_done(gate);
	}
END_TEST

/* ---- report addresses ---- */

struct report_row {
	const char *address;
	enum gate_verdict verdict, to_others;
};

static const struct report_row report_rows[] = {
	{ "fbl@bounce.test", GATE_REPORTS, GATE_NO_SUCH },
	{ "FBL@Bounce.Test", GATE_REPORTS, GATE_NO_SUCH },
	{ "x@relay.example", GATE_REPORTS, GATE_FOREIGN },
	{ "fbl@relay.example", GATE_FOREIGN, GATE_FOREIGN },
	{ "x", GATE_NO_SUCH, GATE_NO_SUCH },
	{ "", GATE_NO_SUCH, GATE_NO_SUCH },
	{ "abuse@bounce.test", GATE_MAILBOX, GATE_MAILBOX },
};

START_TEST(report_addresses_are_for_their_networks)
	{
		struct settings with = settings;
		struct keyring ring = ring_of(1);
		struct gate *gate = NULL;
		with.bounced_report_addresses = "fbl@bounce.test  X@relay.example";
		ck_assert_int_eq(gate_new(&with, &ring, &gate), ERR_OK);
		for (size_t i = 0; i < ARRAY_LEN(report_rows); i++) {
			struct passage passage;
			gate_ask(gate, view_of(report_rows[i].address), true, now_us, &passage);
			ck_row(report_rows[i].address, passage.verdict == report_rows[i].verdict);
			gate_ask(gate, view_of(report_rows[i].address), false, now_us, &passage);
			ck_row(report_rows[i].address, passage.verdict == report_rows[i].to_others);
		}
		gate_done(gate);
	}
END_TEST

/* ---- whose return path it is ---- */

struct path_row {
	const char *label;
	struct token token; /* what is asked about; the address is that of 7, 42, sent today */
	bool is_its;
};

static const struct path_row path_rows[] = {
	{ "its own", { .scope_id = 7, .subscriber_id = 42, .day = TODAY }, true },
	{ "another campaign's", { .scope_id = 8, .subscriber_id = 42, .day = TODAY }, false },
	{ "another person's", { .scope_id = 7, .subscriber_id = 43, .day = TODAY }, false },
	{ "another day's", { .scope_id = 7, .subscriber_id = 42, .day = TODAY - 1 }, false },
	{ "another key's", { .scope_id = 7, .subscriber_id = 42, .day = TODAY, .key_id = 1 }, false },
};

START_TEST(whose_return_path)
	{
		struct gate *gate = gate_of(1);
		AUTO_BUF address = buf_with_ceiling(LIMIT_WHY);
		AUTO_BUF message = buf_with_ceiling(LIMIT_TOKEN);
		AUTO_BUF expected = buf_with_ceiling(LIMIT_TOKEN);
		write_address(&token_rows[0], &address);
		for (size_t i = 0; i < ARRAY_LEN(path_rows); i++)
			ck_row(path_rows[i].label, gate_is_return_path(gate, buf_view(&address), &path_rows[i].token,
								       now_us) == path_rows[i].is_its);
		ck_assert(!gate_is_return_path(gate, VIEW_LIT("x@relay.test"), &path_rows[0].token, now_us));
		ck_assert(!gate_is_return_path(gate, VIEW_LIT(""), &path_rows[0].token, now_us));
		const struct making making = OURS(MESSAGE, 0);
		make_token(&making, &expected);
		ck_assert_int_eq(gate_message_token(gate, &path_rows[0].token, &message), ERR_OK);
		ck_assert(view_eq(buf_view(&message), buf_view(&expected)));
		ck_assert_uint_eq(gate_count(gate, GATE_RETURN_PATH), 0); /* nobody was at RCPT */
		gate_done(gate);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { tokens,
				       every_altered_character_is_refused,
				       other_addresses,
				       replies_and_counts,
				       keys_can_change,
				       tokens_inside_reports,
				       report_addresses_are_for_their_networks,
				       whose_return_path };
	return suite_of("gate", tests, ARRAY_LEN(tests));
}
