#include "mail/erasure.h"

#include <string.h>

#include "base/base32.h"
#include "base/limits.h"
#include "tests/support/unit.h"

static struct keyring ring(unsigned char byte)
{
	struct keyring keyring = { .newest = -1 };
	unsigned char bytes[KEYRING_KEY_SIZE];
	memset(bytes, byte, sizeof(bytes));
	ck_assert_int_eq(keyring_set_erasure(&keyring, VIEW_LIT("2026-11-27"), bytes), ERR_OK);
	ck_assert_int_eq(keyring_set_erasure(&keyring, VIEW_LIT("2026-11-27"), bytes), ERR_REFUSED);
	return keyring;
}

static struct erasure_maker *maker_of(const struct keyring *keyring)
{
	struct erasure_maker *maker = NULL;
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	ck_assert_int_eq(erasure_maker_new(keyring, &maker, &why), ERR_OK);
	return maker;
}

/* The figures are of another implementation: HMAC-SHA-256 with 32 octets 0x0b over what it is for, a NUL, and the mailbox. */
START_TEST(a_hash_is_the_one_of_rfc_2104)
	{
		struct keyring keyring = ring(0x0b);
		struct erasure_maker *maker = maker_of(&keyring);
		unsigned char hash[ERASURE_SIZE];
		AUTO_BUF text = buf_with_ceiling(2 * ERASURE_SIZE);
		for (int round = 0; round < 2; round++) {
			buf_reset(&text);
			ck_assert(erasure_make(maker, VIEW_LIT("ab@gmail.com"), hash));
			ck_assert_int_eq(hex_encode(view_from(hash, sizeof(hash)), &text), ERR_OK);
			ck_view_eq(buf_view(&text), "dd5a50db44c0dd7d89a831db5df5ff9a94354d8870efab4b8b91a3f0dc937367");
		}
		buf_reset(&text);
		ck_assert(erasure_fingerprint(maker, &text));
		ck_view_eq(buf_view(&text), "69e9c5029174a4f1");
		erasure_maker_free(maker);
	}
END_TEST

START_TEST(without_a_key_there_is_a_remedy)
	{
		struct keyring keyring = { .newest = -1 };
		struct erasure_maker *maker = NULL;
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		ck_assert_int_eq(erasure_maker_new(&keyring, &maker, &why), ERR_NOT_FOUND);
		ck_assert(view_find(buf_view(&why), VIEW_LIT("key new --erasure")) != VIEW_NONE);
	}
END_TEST

START_TEST(another_key_makes_another_hash)
	{
		struct keyring one = ring(1), other = ring(2);
		struct erasure_maker *first = maker_of(&one), *second = maker_of(&other);
		unsigned char a[ERASURE_SIZE], b[ERASURE_SIZE];
		ck_assert(erasure_make(first, VIEW_LIT("ann@example.test"), a));
		ck_assert(erasure_make(second, VIEW_LIT("ann@example.test"), b));
		ck_assert(memcmp(a, b, sizeof(a)) != 0);
		ck_assert(erasure_make(first, VIEW_LIT("bob@example.test"), b));
		ck_assert(memcmp(a, b, sizeof(a)) != 0);
		erasure_maker_free(first);
		erasure_maker_free(second);
	}
END_TEST

START_TEST(the_key_file_keeps_it)
	{
		struct keyring keyring = ring(7), read;
		AUTO_BUF text = buf_with_ceiling(LIMIT_KEY_FILE);
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		unsigned char bytes[KEYRING_KEY_SIZE] = { 3 };
		int id;
		memcpy(keyring.instance, "0b1e0d5c-0000-4000-8000-000000000000", KEYRING_INSTANCE_SIZE);
		ck_assert_int_eq(keyring_add(&keyring, VIEW_LIT("2026-11-27"), bytes, &id), ERR_OK);
		ck_assert_int_eq(keyring_write(&keyring, &text), ERR_OK);
		ck_assert_msg(keyring_parse(buf_view(&text), "keys", &read, &why) == ERR_OK, "%s", buf_text(&why));
		ck_assert(read.erasure.present &&
			  memcmp(read.erasure.bytes, keyring.erasure.bytes, KEYRING_KEY_SIZE) == 0);
		ck_assert_str_eq(read.erasure.created, "2026-11-27");
		buf_add(&text, VIEW_LIT("erasure 2026-11-27 00\n"));
		ck_assert_int_eq(keyring_parse(buf_view(&text), "keys", &read, &why), ERR_INVALID);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { a_hash_is_the_one_of_rfc_2104, without_a_key_there_is_a_remedy,
				       another_key_makes_another_hash, the_key_file_keeps_it };
	return suite_of("erasure", tests, ARRAY_LEN(tests));
}
