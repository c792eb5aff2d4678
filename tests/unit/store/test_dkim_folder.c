#include "store/dkim_folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "tests/support/unit.h"

static char top[] = "/tmp/verpost-dkim-XXXXXX";

static void write_file(const char *name, struct view content, unsigned mode)
{
	AUTO_BUF path = buf_with_ceiling(LIMIT_PATH);
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	buf_addf(&path, "%s/%s", top, name);
	ck_assert_msg(file_replace(buf_text(&path), content, mode, &why) == ERR_OK, "%s", buf_text(&why));
}

static void make_folder(const char *name)
{
	AUTO_BUF path = buf_with_ceiling(LIMIT_PATH);
	buf_addf(&path, "%s/%s", top, name);
	ck_assert_int_eq(mkdir(buf_text(&path), 0700), 0);
}

/* created may be NULL. */
static void write_key(const char *name, enum dkim_kind kind, const char *created)
{
	struct dkim_key *key = NULL;
	AUTO_BUF text = buf_with_ceiling(LIMIT_KEY_FILE);
	ck_assert_int_eq(dkim_key_make(kind, VIEW_LIT("x.test"), VIEW_LIT("x"), &key), ERR_OK);
	if (created != NULL)
		buf_addf(&text, "created: %s\n", created);
	ck_assert_int_eq(dkim_key_write(key, &text), ERR_OK);
	write_file(name, buf_view(&text), 0600);
	dkim_key_done(key);
}

static void begin(void)
{
	ck_assert_ptr_nonnull(mkdtemp(top));
	make_folder("example.org");
}

static void end(void)
{
	AUTO_BUF command = buf_with_ceiling(LIMIT_PATH);
	buf_addf(&command, "rm -r %s", top);
	ck_assert_int_eq(system(buf_text(&command)), 0);
}

static struct dkim_folder load(void)
{
	struct dkim_folder folder;
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	ck_assert_msg(dkim_folder_load(top, &folder, &why) == ERR_OK, "%s", buf_text(&why));
	return folder;
}

struct expected {
	const char *selector;
	bool is_retired, signs;
};

/* In this order. */
static const struct expected order[] = {
	{ "z-by-hand", false, true }, /* without a date: older than all */
	{ "b-older", false, false },  { "a-newer", false, false },
	{ "c-newer", false, false }, /* the same second: by name */
	{ "retired", true, false },   { "e-older", false, true },
	{ "d-newer", false, false },  { "f-retired", true, false },
};

START_TEST(the_oldest_signs)
	{
		begin();
		write_key("example.org/a-newer.rsa.pem", DKIM_RSA, "2026-11-26T10:00:00Z");
		write_key("example.org/c-newer.rsa.pem", DKIM_RSA, "2026-11-26T10:00:00Z");
		write_key("example.org/b-older.rsa.pem", DKIM_RSA, "2025-11-26T10:00:00Z");
		write_key("example.org/z-by-hand.rsa.pem", DKIM_RSA, NULL);
		write_key("example.org/retired.rsa.pem.retired", DKIM_RSA, "2020-01-01T00:00:00Z");
		write_key("example.org/d-newer.ed25519.pem", DKIM_ED25519, "2026-11-26T10:00:00Z");
		write_key("example.org/e-older.ed25519.pem", DKIM_ED25519, "2026-01-26T10:00:00Z");
		write_key("example.org/f-retired.ed25519.pem.retired", DKIM_ED25519, NULL);
		write_file("example.org/README", VIEW_LIT("no key"), 0644);
		write_file("example.org/.hidden.pem", VIEW_LIT("no key"), 0644);
		write_file("NOTES", VIEW_LIT("no folder"), 0644);
		struct dkim_folder folder = load();
		ck_assert_uint_eq(folder.count, ARRAY_LEN(order));
		for (size_t i = 0; i < ARRAY_LEN(order); i++) {
			const struct dkim_entry *entry = &folder.entries[i];
			ck_view_eq(dkim_key_selector(entry->key), order[i].selector);
			ck_row(order[i].selector, entry->is_retired == order[i].is_retired);
			ck_row(order[i].selector, entry->signs == order[i].signs);
		}
		ck_assert_ptr_eq(dkim_folder_named(&folder, VIEW_LIT("EXAMPLE.org"), VIEW_LIT("Retired")),
				 &folder.entries[4]);
		ck_assert_ptr_null(dkim_folder_named(&folder, VIEW_LIT("example.org"), VIEW_LIT("other")));
		ck_assert_ptr_null(dkim_folder_named(&folder, VIEW_LIT("other.org"), VIEW_LIT("retired")));
		dkim_folder_done(&folder);
		end();
	}
END_TEST

struct search {
	const char *from, *domain; /* NULL: none */
	size_t count;
};

static const struct search searches[] = {
	{ "example.org", "example.org", 2 },
	{ "EXAMPLE.ORG", "example.org", 2 },
	{ "a.b.example.org", "example.org", 2 },
	{ "sub.example.org", "sub.example.org", 1 },
	{ "deep.sub.example.org", "sub.example.org", 1 },
	{ "alone.example.org", "example.org", 2 },
	{ "notexample.org", NULL, 0 },
	{ "org", NULL, 0 },
	{ "retired.test", NULL, 0 },
	{ "lonely.test", NULL, 0 },
	{ "", NULL, 0 },
};

START_TEST(who_signs_for_whom)
	{
		begin();
		make_folder("sub.example.org");
		make_folder("alone.example.org");
		make_folder("retired.test");
		make_folder("lonely.test");
		make_folder("empty.test");
		write_key("example.org/a.rsa.pem", DKIM_RSA, NULL);
		write_key("example.org/b.ed25519.pem", DKIM_ED25519, NULL);
		write_key("sub.example.org/a.rsa.pem", DKIM_RSA, NULL);
		/* An Ed25519 key without an RSA key is not used. */
		write_key("alone.example.org/a.ed25519.pem", DKIM_ED25519, NULL);
		write_key("lonely.test/a.ed25519.pem", DKIM_ED25519, NULL);
		write_key("lonely.test/b.rsa.pem.retired", DKIM_RSA, NULL);
		write_key("retired.test/a.rsa.pem.retired", DKIM_RSA, NULL);
		struct dkim_folder folder = load();
		for (size_t i = 0; i < ARRAY_LEN(searches); i++) {
			struct dkim_key *keys[DKIM_SIGNATURES];
			size_t count = dkim_folder_find(&folder, view_of(searches[i].from), keys);
			ck_row(searches[i].from, count == searches[i].count);
			for (size_t k = 0; k < count; k++) {
				ck_row(searches[i].from,
				       view_eq(dkim_key_domain(keys[k]), view_of(searches[i].domain)));
				ck_row(searches[i].from, dkim_key_kind(keys[k]) == (k == 0 ? DKIM_RSA : DKIM_ED25519));
			}
		}
		dkim_folder_done(&folder);
		end();
	}
END_TEST

START_TEST(no_folder_no_keys)
	{
		struct dkim_folder folder;
		struct dkim_key *keys[DKIM_SIGNATURES];
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		ck_assert_int_eq(dkim_folder_load("/nonexistent/dkim", &folder, &why), ERR_OK);
		ck_assert_uint_eq(folder.count + why.len, 0);
		ck_assert_uint_eq(dkim_folder_find(&folder, VIEW_LIT("example.org"), keys), 0);
		dkim_folder_done(&folder);
	}
END_TEST

static void refuse(enum err expected, const char *says)
{
	struct dkim_folder folder;
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	ck_assert_int_eq(dkim_folder_load(top, &folder, &why), expected);
	ck_assert_msg(view_find(buf_view(&why), view_of(says)) != VIEW_NONE, "%s: %s", says, buf_text(&why));
}

START_TEST(what_is_refused)
	{
		begin();
		AUTO_BUF path = buf_with_ceiling(LIMIT_PATH);
		buf_addf(&path, "%s/example.org/a.rsa.pem", top);
		write_key("example.org/a.rsa.pem", DKIM_RSA, NULL);
		for (unsigned bit = 1; bit <= 0400; bit <<= 1) {
			bool is_forbidden = bit == S_IROTH || bit == S_IWOTH || bit == S_IWGRP;
			ck_assert_int_eq(chmod(buf_text(&path), 0400 | bit), 0);
			if (is_forbidden) {
				refuse(ERR_DENIED, "chmod g-w,o=");
			} else {
				struct dkim_folder folder = load();
				ck_assert_uint_eq(folder.count, 1);
				dkim_folder_done(&folder);
			}
		}
		ck_assert_int_eq(chmod(top, 0702), 0);
		refuse(ERR_DENIED, "chmod o-w");
		ck_assert_int_eq(chmod(top, 0700), 0);
		write_key("example.org/a.ed25519.pem", DKIM_RSA, NULL);
		refuse(ERR_INVALID, "another kind of key");
		write_file("example.org/a.ed25519.pem", VIEW_LIT("no key"), 0600);
		refuse(ERR_INVALID, "holds no private key");
		end();
	}
END_TEST

static const char *const misnamed[] = { "a.pem", "a.dsa.pem", "rsa.pem", "a_b.rsa.pem", "a..rsa.pem", "a.rsa.pem.pem" };

START_TEST(misnamed_files)
	{
		begin();
		for (size_t i = 0; i < ARRAY_LEN(misnamed); i++) {
			AUTO_BUF name = buf_with_ceiling(LIMIT_PATH);
			AUTO_BUF path = buf_with_ceiling(LIMIT_PATH);
			buf_addf(&name, "example.org/%s", misnamed[i]);
			buf_addf(&path, "%s/%s", top, buf_text(&name));
			write_key(buf_text(&name), DKIM_RSA, NULL);
			refuse(ERR_INVALID, misnamed[i]);
			ck_assert_int_eq(unlink(buf_text(&path)), 0);
		}
		make_folder("no_domain");
		refuse(ERR_INVALID, "no_domain");
		end();
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { the_oldest_signs, who_signs_for_whom, no_folder_no_keys, what_is_refused,
				       misnamed_files };
	return suite_of("dkim_folder", tests, ARRAY_LEN(tests));
}
