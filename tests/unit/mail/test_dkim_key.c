#include "mail/dkim_key.h"

#include <string.h>

#include "base/limits.h"
#include "tests/support/unit.h"

struct name_row {
	const char *selector;
	bool is_valid;
};

static const struct name_row selectors[] = {
	{ "s", true },
	{ "v20261126", true },
	{ "mail.2026", true },
	{ "a-b", true },
	{ "1", true },
	{ "", false },
	{ ".", false },
	{ "a.", false },
	{ ".a", false },
	{ "a..b", false },
	{ "-a", false },
	{ "a-", false },
	{ "a-.b", false },
	{ "a.-b", false },
	{ "a_b", false },
	{ "a/b", false },
	{ "../a", false },
	{ "a b", false },
	{ "a;b", false },
	{ "a\r\nb", false },
	{ "\xc3\xbc", false },
	{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true },
	{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
};

START_TEST(names)
	{
		for (size_t i = 0; i < ARRAY_LEN(selectors); i++)
			ck_row(selectors[i].selector,
			       dkim_selector_is_valid(view_of(selectors[i].selector)) == selectors[i].is_valid);
	}
END_TEST

static enum err read_pem(const char *pem, struct dkim_key **ret_key, struct buf *why)
{
	return dkim_key_read(view_of(pem), VIEW_LIT("example.org"), VIEW_LIT("s"), ret_key, why);
}

/* What is made is written and read back as the same key. */
START_TEST(made_written_read)
	{
		const unsigned bits[] = { [DKIM_RSA] = 2048, [DKIM_ED25519] = 256 };
		const unsigned char digest[DIGEST_SIZE] = { 1, 2, 3 };
		for (int kind = 0; kind < DKIM_KIND_COUNT; kind++) {
			struct dkim_key *made = NULL, *read = NULL;
			AUTO_BUF pem = buf_with_ceiling(LIMIT_KEY_FILE);
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			AUTO_BUF first = buf_with_ceiling(LIMIT_WHY);
			AUTO_BUF second = buf_with_ceiling(LIMIT_WHY);
			ck_assert_int_eq(
			    dkim_key_make((enum dkim_kind)kind, VIEW_LIT("Example.ORG"), VIEW_LIT("S1"), &made),
			    ERR_OK);
			ck_assert_uint_eq(dkim_key_bits(made), bits[kind]);
			ck_view_eq(dkim_key_domain(made), "example.org");
			ck_view_eq(dkim_key_selector(made), "s1");
			ck_assert_int_eq(buf_add(&pem, VIEW_LIT("created 2026-11-26\n")), ERR_OK);
			ck_assert_int_eq(dkim_key_write(made, &pem), ERR_OK);
			ck_assert_int_eq(read_pem(buf_text(&pem), &read, &why), ERR_OK);
			ck_assert_int_eq(dkim_key_kind(read), kind);
			ck_assert_int_eq(dkim_key_record(made, &first), ERR_OK);
			ck_assert_int_eq(dkim_key_record(read, &second), ERR_OK);
			ck_assert(view_eq(buf_view(&first), buf_view(&second)));
			buf_reset(&first);
			buf_reset(&second);
			ck_assert_int_eq(dkim_key_sign(made, digest, &first), ERR_OK);
			ck_assert_int_eq(dkim_key_sign(read, digest, &second), ERR_OK);
			ck_assert(first.len > 0 && view_eq(buf_view(&first), buf_view(&second)));
			dkim_key_done(made);
			dkim_key_done(read);
		}
	}
END_TEST

/* RFC 8463 appendix A.2. */
START_TEST(records)
	{
		struct dkim_key *key = NULL;
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		AUTO_BUF record = buf_with_ceiling(LIMIT_WHY);
		ck_assert_int_eq(read_pem("-----BEGIN PRIVATE KEY-----\n"
					  "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
					  "-----END PRIVATE KEY-----\n",
					  &key, &why),
				 ERR_OK);
		ck_assert_int_eq(dkim_key_record(key, &record), ERR_OK);
		ck_view_eq(buf_view(&record), "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
		dkim_key_done(key);
		buf_reset(&record);
		ck_assert_int_eq(dkim_key_make(DKIM_RSA, VIEW_LIT("example.org"), VIEW_LIT("s"), &key), ERR_OK);
		ck_assert_int_eq(dkim_key_record(key, &record), ERR_OK);
		ck_assert(view_starts(buf_view(&record),
				      VIEW_LIT("v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA")));
		dkim_key_done(key);
	}
END_TEST

struct refusal {
	const char *label, *pem, *says;
};

static const struct refusal refusals[] = {
	{ "nothing", "", "no private key" },
	{ "some text", "hello\n", "no private key" },
	{ "a public key",
	  "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC "
	  "KEY-----\n",
	  "no private key" },
	{ "an RSA key of 512 bits",
	  "-----BEGIN PRIVATE KEY-----\n"
	  "MIIBUwIBADANBgkqhkiG9w0BAQEFAASCAT0wggE5AgEAAkEAtuQpzDifkbMR4bFb\n"
	  "nh4KtSgVdB5/tON5rdjDakhn6ERQoc0cscNcUAsGUFzGwJUMUvFlsEX8fznDMWDS\n"
	  "yDV8AwIDAQABAkBIuAvOga0gt3yiqmxtQDCtuxRcqUvJ1rCo6Qk6FzQJa4QlZwfO\n"
	  "vrBUOCINxae/i4/CSWrwdar0N5wFTx6SNd4RAiEA3w+xz1gzJxFaTDDBvNMMGsBr\n"
	  "+yziF0nSTr0Qi4lqg68CIQDR5e9lQ6Z/mv6NTmQ5aAzKsINIMEVtI01mEAlFFy1d\n"
	  "7QIgSzgrqdQAS+haHt9CNb6lkk/ZGfZkt525QbwX3DYWqRkCICVcKPU8SllyLBbY\n"
	  "uiwhog09x9BEj0byvqcI+a1rh66tAiBo8siy41eZaq7yHf7S/s+zwF4n0jUZUMyX\n"
	  "dk4bLX52/A==\n"
	  "-----END PRIVATE KEY-----\n",
	  "of 512 bits, and verifiers take 1024 to 4096" },
	{ "another kind of key",
	  "-----BEGIN PRIVATE KEY-----\n"
	  "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgBcmwHImoThodUgox\n"
	  "1nLlLYP1m+FNogT1VBave3P2yNChRANCAASUM/AK04oLNljv3oKiAxfggYh7cSZt\n"
	  "D38rv8UuriJ49msKy4Qyj1blpDeiQkgWz/oJ40oDVpYrVzZMFutYw7kt\n"
	  "-----END PRIVATE KEY-----\n",
	  "neither an RSA nor an Ed25519 key" },
	{ "a passphrase",
	  "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
	  "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhcUsgjM/CoSgICCAAw\n"
	  "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEENBeWvghBCHa3iQej9kABOMEQATo\n"
	  "vunYErMBUhUmd31QUuVfGqKeUJEiETU7sCFG0HGBFbyGhyHBKH1AONwwXvwjGzAP\n"
	  "yz0U9RPqApYcUKaDEcU=\n"
	  "-----END ENCRYPTED PRIVATE KEY-----\n",
	  "without a passphrase" },
};

START_TEST(what_is_refused)
	{
		for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
			struct dkim_key *key = NULL;
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			ck_row(refusals[i].label, read_pem(refusals[i].pem, &key, &why) == ERR_INVALID);
			ck_assert_msg(view_find(buf_view(&why), view_of(refusals[i].says)) != VIEW_NONE, "%s: %s",
				      refusals[i].label, buf_text(&why));
			ck_assert_ptr_null(key);
		}
	}
END_TEST

START_TEST(names_are_checked)
	{
		struct dkim_key *key = NULL;
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		ck_assert_int_eq(dkim_key_make(DKIM_ED25519, VIEW_LIT("../etc"), VIEW_LIT("s"), &key), ERR_INVALID);
		ck_assert_int_eq(dkim_key_make(DKIM_ED25519, VIEW_LIT("example.org"), VIEW_LIT("a/b"), &key),
				 ERR_INVALID);
		ck_assert_int_eq(dkim_key_read(VIEW_LIT(""), VIEW_LIT("example.org"), VIEW_LIT(""), &key, &why),
				 ERR_INVALID);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { names, made_written_read, records, what_is_refused, names_are_checked };
	return suite_of("dkim_key", tests, ARRAY_LEN(tests));
}
