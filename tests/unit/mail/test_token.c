#include "mail/token.h"

#include <string.h>

#include "base/limits.h"
#include "mail/verp.h"
#include "tests/support/unit.h"

enum { TODAY = 20779, LIFE = 30 };

static const struct token sample = {
	.purpose = TOKEN_RETURN_PATH, .key_id = 1, .scope_id = 4294967295, .subscriber_id = 1099511627775, .day = TODAY
};

static struct keyring ring_of(unsigned char seed)
{
	struct keyring ring = { .newest = -1 };
	unsigned char bytes[KEYRING_KEY_SIZE];
	int id;
	for (int i = 0; i < 2; i++) {
		memset(bytes, seed + i, sizeof(bytes));
		ck_assert_int_eq(keyring_add(&ring, VIEW_LIT("2026-11-22"), bytes, &id), ERR_OK);
	}
	return ring;
}

static struct token_maker *maker_of(unsigned char seed, const char *domain)
{
	struct keyring ring = ring_of(seed);
	struct token_maker *maker = NULL;
	ck_assert_int_eq(token_maker_new(&ring, view_of(domain), &maker), ERR_OK);
	return maker;
}

static void sign(struct token_maker *maker, const struct token *token, struct buf *out)
{
	buf_reset(out);
	ck_assert_int_eq(token_sign(maker, token, out), ERR_OK);
}

static enum token_verdict check_path(struct token_maker *maker, struct view text)
{
	struct token out;
	return token_check(maker, TOKEN_RETURN_PATH, text, TODAY, LIFE, &out);
}

START_TEST(what_is_signed_comes_back)
	{
		struct token_maker *maker = maker_of(1, "Bounce.example.org");
		AUTO_BUF text = buf_with_ceiling(LIMIT_TOKEN);
		for (int purpose = 0; purpose < TOKEN_PURPOSE_COUNT; purpose++) {
			struct token in = sample;
			struct token out;
			in.purpose = (enum token_purpose)purpose;
			sign(maker, &in, &text);
			ck_assert_uint_eq(text.len, purpose <= TOKEN_MESSAGE ? 31 : 45);
			ck_assert_int_eq(token_check(maker, in.purpose, buf_view(&text), TODAY, LIFE, &out),
					 TOKEN_VALID);
			ck_assert_uint_eq(out.scope_id, in.scope_id);
			ck_assert_uint_eq(out.subscriber_id, in.subscriber_id);
			ck_assert_uint_eq(out.day, in.day);
			ck_assert_uint_eq(out.key_id, in.key_id);
		}
		token_maker_done(maker);
	}
END_TEST

START_TEST(only_case_may_change)
	{
		static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567-0189=";
		struct token_maker *maker = maker_of(1, "bounce.example.org");
		AUTO_BUF text = buf_with_ceiling(LIMIT_TOKEN);
		sign(maker, &sample, &text);
		for (size_t i = 0; i < text.len; i++) {
			char right = text.data[i];
			if (right >= 'a')
				text.data[i] = (char)(right - 'a' + 'A');
			ck_assert_int_eq(check_path(maker, buf_view(&text)), TOKEN_VALID);
			for (size_t j = 0; j < sizeof(alphabet) - 1; j++) {
				text.data[i] = alphabet[j];
				ck_assert_int_eq(check_path(maker, buf_view(&text)) == TOKEN_VALID,
						 alphabet[j] == right);
			}
			text.data[i] = right;
		}
		ck_assert_int_eq(check_path(maker, view_head(buf_view(&text), 30)), TOKEN_MALFORMED);
		buf_add_byte(&text, 'a');
		ck_assert_int_eq(check_path(maker, buf_view(&text)), TOKEN_MALFORMED);
		ck_assert_int_eq(check_path(maker, VIEW_LIT("")), TOKEN_MALFORMED);
		token_maker_done(maker);
	}
END_TEST

START_TEST(purposes_keys_and_domains_do_not_mix)
	{
		struct token_maker *maker = maker_of(1, "bounce.example.org");
		struct token_maker *other_key = maker_of(7, "bounce.example.org");
		struct token_maker *other_domain = maker_of(1, "bounce.example.net");
		AUTO_BUF text = buf_with_ceiling(LIMIT_TOKEN);
		struct token out;
		for (int made = 0; made < TOKEN_PURPOSE_COUNT; made++) {
			struct token in = sample;
			in.purpose = (enum token_purpose)made;
			sign(maker, &in, &text);
			for (int asked = 0; asked < TOKEN_PURPOSE_COUNT; asked++) {
				enum token_verdict verdict =
				    token_check(maker, (enum token_purpose)asked, buf_view(&text), TODAY, LIFE, &out);
				ck_assert_int_eq(verdict == TOKEN_VALID, made == asked);
			}
			ck_assert_int_eq(token_check(other_key, in.purpose, buf_view(&text), TODAY, LIFE, &out),
					 TOKEN_FORGED);
			ck_assert_int_eq(token_check(other_domain, in.purpose, buf_view(&text), TODAY, LIFE, &out),
					 TOKEN_FORGED);
		}
		token_maker_done(maker);
		token_maker_done(other_key);
		token_maker_done(other_domain);
	}
END_TEST

START_TEST(a_retired_key_neither_signs_nor_verifies)
	{
		struct keyring ring = ring_of(1);
		struct token_maker *maker = maker_of(1, "b.example");
		struct token_maker *later = NULL;
		AUTO_BUF text = buf_with_ceiling(LIMIT_TOKEN);
		sign(maker, &sample, &text);
		ring.keys[1].retired = true;
		ck_assert_int_eq(token_maker_new(&ring, view_of("b.example"), &later), ERR_OK);
		ck_assert_int_eq(check_path(later, buf_view(&text)), TOKEN_UNKNOWN_KEY);
		ck_assert_int_eq(token_sign(later, &sample, &text), ERR_NOT_FOUND);
		token_maker_done(maker);
		token_maker_done(later);
	}
END_TEST

struct day_row {
	const char *label;
	unsigned day, today;
	enum token_verdict verdict;
};

static const struct day_row days[] = {
	{ "the same day", TODAY, TODAY, TOKEN_VALID },
	{ "the last day", TODAY, TODAY + LIFE, TOKEN_VALID },
	{ "a day late", TODAY, TODAY + LIFE + 1, TOKEN_EXPIRED },
	{ "a clock a day ahead", TODAY + 1, TODAY, TOKEN_VALID },
	{ "from the future", TODAY + 2, TODAY, TOKEN_EXPIRED },
	{ "the day number wraps", 65530, 5, TOKEN_VALID },
	{ "the day number wraps, too late", 65530, 65, TOKEN_EXPIRED },
};

START_TEST(days_pass)
	{
		struct token_maker *maker = maker_of(1, "b.example");
		AUTO_BUF text = buf_with_ceiling(LIMIT_TOKEN);
		for (size_t i = 0; i < ARRAY_LEN(days); i++) {
			struct token in = sample;
			struct token out;
			in.day = (uint16_t)days[i].day;
			sign(maker, &in, &text);
			enum token_verdict verdict =
			    token_check(maker, TOKEN_RETURN_PATH, buf_view(&text), (uint16_t)days[i].today, LIFE, &out);
			ck_row(days[i].label, verdict == days[i].verdict);
		}
		token_maker_done(maker);
	}
END_TEST

START_TEST(ids_out_of_range_are_not_signed)
	{
		struct token_maker *maker = maker_of(1, "b.example");
		AUTO_BUF text = buf_with_ceiling(LIMIT_TOKEN);
		struct token scope = sample, subscriber = sample, key = sample;
		scope.scope_id++;
		subscriber.subscriber_id++;
		key.key_id = KEYRING_KEYS;
		ck_assert_int_eq(token_sign(maker, &scope, &text), ERR_INVALID);
		ck_assert_int_eq(token_sign(maker, &subscriber, &text), ERR_INVALID);
		ck_assert_int_eq(token_sign(maker, &key, &text), ERR_INVALID);
		token_maker_done(maker);
	}
END_TEST

START_TEST(a_return_path_with_the_longest_prefix_fits)
	{
		struct token_maker *maker = maker_of(1, "b.example");
		AUTO_BUF token = buf_with_ceiling(LIMIT_TOKEN);
		AUTO_BUF path = buf_with_ceiling(LIMIT_ADDRESS);
		struct view found;
		sign(maker, &sample, &token);
		ck_assert_int_eq(verp_write(VIEW_LIT("abcde"), buf_view(&token), VIEW_LIT("b.example"), &path), ERR_OK);
		ck_assert_uint_le(view_find_byte(buf_view(&path), '@'), LIMIT_RETURN_PATH_LOCAL);
		ck_assert(verp_split(buf_view(&path), VIEW_LIT("ABCDE"), VIEW_LIT("B.Example"), &found));
		ck_assert(view_eq(found, buf_view(&token)));
		token_maker_done(maker);
	}
END_TEST

struct split_row {
	const char *label, *address, *token; /* NULL: no return path of ours */
};

static const struct split_row splits[] = {
	{ "plain", "b+abc@b.example", "abc" },
	{ "upper case", "B+ABC@B.EXAMPLE", "ABC" },
	{ "final dot", "b+abc@b.example.", "abc" },
	{ "no token", "b+@b.example", "" },
	{ "other prefix", "bb+abc@b.example", NULL },
	{ "no plus", "b@b.example", NULL },
	{ "other domain", "b+abc@c.example", NULL },
	{ "longer domain", "b+abc@b.example.org", NULL },
	{ "no domain", "b+abc", NULL },
	{ "two domains", "b+abc@b.example@evil.example", NULL },
	{ "empty", "", NULL },
};

START_TEST(addresses_split)
	{
		for (size_t i = 0; i < ARRAY_LEN(splits); i++) {
			struct view token = VIEW_LIT("untouched");
			bool ours =
			    verp_split(view_of(splits[i].address), VIEW_LIT("b"), VIEW_LIT("b.example"), &token);
			ck_row(splits[i].label, ours == (splits[i].token != NULL));
			ck_view_eq(token, ours ? splits[i].token : "untouched");
		}
	}
END_TEST

START_TEST(prefixes)
	{
		ck_assert(verp_prefix_is_valid(VIEW_LIT("b")) && verp_prefix_is_valid(VIEW_LIT("bnc12")));
		ck_assert(!verp_prefix_is_valid(VIEW_LIT("")) && !verp_prefix_is_valid(VIEW_LIT("bounce")));
		ck_assert(!verp_prefix_is_valid(VIEW_LIT("b+")));
		ck_assert(verp_domain_is_valid(VIEW_LIT("xn--bcher-kva.b-1.example")));
		ck_assert(!verp_domain_is_valid(VIEW_LIT("")) && !verp_domain_is_valid(VIEW_LIT(".example")));
		ck_assert(!verp_domain_is_valid(VIEW_LIT("example.")) &&
			  !verp_domain_is_valid(VIEW_LIT("a b.example")));
		ck_assert(!verp_domain_is_valid(VIEW_LIT("b\xc3\xbc"
							 "cher.example")));
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = {
		what_is_signed_comes_back,
		only_case_may_change,
		purposes_keys_and_domains_do_not_mix,
		a_retired_key_neither_signs_nor_verifies,
		days_pass,
		ids_out_of_range_are_not_signed,
		a_return_path_with_the_longest_prefix_fits,
		addresses_split,
		prefixes,
	};
	return suite_of("token", tests, ARRAY_LEN(tests));
}
