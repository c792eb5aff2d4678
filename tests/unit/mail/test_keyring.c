#include "mail/keyring.h"

#include <string.h>

#include "base/limits.h"
#include "tests/support/unit.h"

#define UUID "01234567-89ab-cdef-0123-456789abcdef"
#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

START_TEST(what_is_written_reads_back)
	{
		struct keyring ring = { .newest = -1, .instance = UUID };
		struct keyring again;
		unsigned char bytes[KEYRING_KEY_SIZE];
		int id;
		AUTO_BUF text = buf_with_ceiling(LIMIT_KEY_FILE);
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		for (int i = 0; i < KEYRING_KEYS; i++) {
			memset(bytes, i, sizeof(bytes));
			ck_assert_int_eq(keyring_add(&ring, VIEW_LIT("2026-11-22"), bytes, &id), ERR_OK);
			ck_assert_int_eq(id, i);
		}
		ck_assert_int_eq(keyring_add(&ring, VIEW_LIT("2026-11-22"), bytes, &id), ERR_REFUSED);
		ring.keys[3].retired = true;
		ring.newest = 7;
		ck_assert_int_eq(keyring_write(&ring, &text), ERR_OK);
		ck_assert_int_eq(keyring_parse(buf_view(&text), "keys", &again, &why), ERR_OK);
		ck_assert_int_eq(again.newest, 7);
		ck_assert_str_eq(again.instance, UUID);
		ck_assert(again.keys[3].retired && !again.keys[4].retired);
		ck_assert_mem_eq(again.keys[9].bytes, ring.keys[9].bytes, KEYRING_KEY_SIZE);
	}
END_TEST

struct row {
	const char *label, *text, *why;
};

static const struct row refused[] = {
	{ "empty", "", "no instance line" },
	{ "no key", "instance " UUID "\n", "no active key" },
	{ "only a retired key", "instance " UUID "\nkey 0 2026-11-22 retired " HEX "\n", "no active key" },
	{ "no instance", "key 0 2026-11-22 active " HEX "\n", "no instance line" },
	{ "two instances", "instance " UUID "\ninstance " UUID "\n", "line 2" },
	{ "id too large", "instance " UUID "\nkey 16 2026-11-22 active " HEX "\n", "line 2: a key id" },
	{ "short key", "instance " UUID "\nkey 0 2026-11-22 active 00112233\n", "line 2: a key has" },
	{ "not hex", "instance " UUID "\nkey 0 2026-11-22 active z" HEX "\n", "line 2" },
	{ "unknown state", "instance " UUID "\nkey 0 2026-11-22 old " HEX "\n", "active or retired" },
	{ "twice", "instance " UUID "\nkey 0 2026-11-22 active " HEX "\nkey 0 2026-11-22 active " HEX "\n", "line 3" },
	{ "other words", "instance " UUID "\nsecret " HEX "\n", "line 2: a line begins" },
};

START_TEST(bad_files_are_refused_by_line)
	{
		for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
			struct keyring ring = { .newest = 42 };
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			ck_row(refused[i].label,
			       keyring_parse(view_of(refused[i].text), "keys", &ring, &why) == ERR_INVALID);
			ck_row(refused[i].label, ring.newest == 42);
			ck_assert_msg(view_find(buf_view(&why), view_of(refused[i].why)) != VIEW_NONE, "%s: %s",
				      refused[i].label, buf_text(&why));
			ck_assert_msg(view_find(buf_view(&why), VIEW_LIT("00112233")) == VIEW_NONE,
				      "%s: tells a secret", refused[i].label);
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { what_is_written_reads_back, bad_files_are_refused_by_line };
	return suite_of("keyring", tests, ARRAY_LEN(tests));
}
