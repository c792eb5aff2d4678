#include "mail/dkim.h"

#include <string.h>

#include "base/limits.h"
#include "mail/dkim_canon.h"
#include "mail/encode.h"
#include "tests/support/unit.h"

/* ---- the examples of RFC 8463 appendix A and RFC 6376 appendices A and C ---- */

static const char ed25519_pem[] = "-----BEGIN PRIVATE KEY-----\n"
				  "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
				  "-----END PRIVATE KEY-----\n";
static const char rsa_pem[] = "-----BEGIN RSA PRIVATE KEY-----\n"
			      "MIICXQIBAAKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQi\n"
			      "Y/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqM\n"
			      "KrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB\n"
			      "AoGAH0cxOhFZDgzXWhDhnAJDw5s4roOXN4OhjiXa8W7Y3rhX3FJqmJSPuC8N9vQm\n"
			      "6SVbaLAE4SG5mLMueHlh4KXffEpuLEiNp9Ss3O4YfLiQpbRqE7Tm5SxKjvvQoZZe\n"
			      "zHorimOaChRL2it47iuWxzxSiRMv4c+j70GiWdxXnxe4UoECQQDzJB/0U58W7RZy\n"
			      "6enGVj2kWF732CoWFZWzi1FicudrBFoy63QwcowpoCazKtvZGMNlPWnC7x/6o8Gc\n"
			      "uSe0ga2xAkEA8C7PipPm1/1fTRQvj1o/dDmZp243044ZNyxjg+/OPN0oWCbXIGxy\n"
			      "WvmZbXriOWoSALJTjExEgraHEgnXssuk7QJBALl5ICsYMu6hMxO73gnfNayNgPxd\n"
			      "WFV6Z7ULnKyV7HSVYF0hgYOHjeYe9gaMtiJYoo0zGN+L3AAtNP9huqkWlzECQE1a\n"
			      "licIeVlo1e+qJ6Mgqr0Q7Aa7falZ448ccbSFYEPD6oFxiOl9Y9se9iYHZKKfIcst\n"
			      "o7DUw1/hz2Ck4N5JrgUCQQCyKveNvjzkkd8HjYs0SwM0fPjK16//5qDZ2UiDGnOe\n"
			      "uEzxBDAr518Z8VFbR41in3W4Y3yCDgQlLlcETrS+zYcL\n"
			      "-----END RSA PRIVATE KEY-----\n";
static const char rfc6376_pem[] = "-----BEGIN RSA PRIVATE KEY-----\n"
				  "MIICXwIBAAKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFC\n"
				  "jxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gb\n"
				  "to/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB\n"
				  "AoGBALmn+XwWk7akvkUlqb+dOxyLB9i5VBVfje89Teolwc9YJT36BGN/l4e0l6QX\n"
				  "/1//6DWUTB3KI6wFcm7TWJcxbS0tcKZX7FsJvUz1SbQnkS54DJck1EZO/BLa5ckJ\n"
				  "gAYIaqlA9C0ZwM6i58lLlPadX/rtHb7pWzeNcZHjKrjM461ZAkEA+itss2nRlmyO\n"
				  "n1/5yDyCluST4dQfO8kAB3toSEVc7DeFeDhnC1mZdjASZNvdHS4gbLIA1hUGEF9m\n"
				  "3hKsGUMMPwJBAPW5v/U+AWTADFCS22t72NUurgzeAbzb1HWMqO4y4+9Hpjk5wvL/\n"
				  "eVYizyuce3/fGke7aRYw/ADKygMJdW8H/OcCQQDz5OQb4j2QDpPZc0Nc4QlbvMsj\n"
				  "7p7otWRO5xRa6SzXqqV3+F0VpqvDmshEBkoCydaYwc2o6WQ5EBmExeV8124XAkEA\n"
				  "qZzGsIxVP+sEVRWZmW6KNFSdVUpk3qzK0Tz/WjQMe5z0UunY9Ax9/4PVhp/j61bf\n"
				  "eAYXunajbBSOLlx4D+TunwJBANkPI5S9iylsbLs6NkaMHV6k5ioHBBmgCak95JGX\n"
				  "GMot/L2x0IYyMLAz6oLWh2hm7zwtb0CgOrPo1ke44hFYnfc=\n"
				  "-----END RSA PRIVATE KEY-----\n";

#define RFC_FROM "From: Joe SixPack <joe@football.example.com>\r\n"
#define RFC_TO "To: Suzie Q <suzie@shopping.example.net>\r\n"
#define RFC_SUBJECT "Subject: Is dinner ready?\r\n"
#define RFC_DATE "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
#define RFC_ID "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
#define RFC_HEAD RFC_FROM RFC_TO RFC_SUBJECT RFC_DATE RFC_ID
#define RFC_BODY "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n"
#define RFC_BODY_HASH "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="
#define RFC_RECEIVED                                                                                                   \
	"Received: from client1.football.example.com  [192.0.2.1]\r\n"                                                 \
	"      by submitserver.example.com with SUBMISSION;\r\n"                                                       \
	"      Fri, 11 Jul 2003 21:01:54 -0700 (PDT)\r\n"

struct vector {
	const char *label, *pem;
	bool is_relaxed;   /* else fields are taken as they are (`simple`) */
	const char *input; /* the fields of h=, in its order */
	const char *field; /* the DKIM-Signature field, b= empty */
	const char *signature;
};

static const struct vector vectors[] = {
	{ "RFC 8463 A.3, ed25519-sha256", ed25519_pem, true, RFC_HEAD,
	  "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n d=football.example.com; "
	  "i=@football.example.com;\r\n"
	  " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n subject : date : message-id : from : subject : "
	  "date;\r\n"
	  " bh=" RFC_BODY_HASH ";\r\n b=",
	  "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==" },
	{ "RFC 8463 A.3, rsa-sha256", rsa_pem, true, RFC_HEAD,
	  "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n d=football.example.com; "
	  "i=@football.example.com;\r\n"
	  " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n date : message-id : from : subject : date;\r\n"
	  " bh=" RFC_BODY_HASH ";\r\n b=",
	  "F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3DhCVlUrSjV4BwcVcOF6+"
	  "FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz"
	  "dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=" },
	{ "RFC 6376 A.2, simple", rfc6376_pem, false, RFC_RECEIVED RFC_HEAD,
	  "DKIM-Signature: v=1; a=rsa-sha256; s=brisbane; d=example.com;\r\n"
	  "      c=simple/simple; q=dns/txt; i=joe@football.example.com;\r\n"
	  "      h=Received : From : To : Subject : Date : Message-ID;\r\n"
	  "      bh=" RFC_BODY_HASH ";\r\n"
	  "      b=;",
	  "AuUoFEfDxTDkHlLXSZEpZj79LICEps6eda7W3deTVFOk4yAUoqOB4nujc7YopdG5dWLSdNg6xNAZpOPr+kHxt1IrE+NahM6L/LbvaHut"
	  "KVdkLLkpVaVVQPzeRDI009SO2Il5Lu7rDNH6mZckBdrIx0orEtZV4bmp/YzhwvcubU4=" },
};

static struct dkim_key *read_key(const char *pem, const char *selector)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct dkim_key *key = NULL;
	ck_assert_msg(dkim_key_read(view_of(pem), VIEW_LIT("football.example.com"), view_of(selector), &key, &why) ==
			  ERR_OK,
		      "%s", buf_text(&why));
	return key;
}

static void add_input(const struct vector *vector, struct buf *out)
{
	struct view rest = view_of(vector->input), field;
	while (vector->is_relaxed && dkim_next_field(&rest, &field)) {
		dkim_canon_field(field, out);
		buf_add(out, VIEW_LIT("\r\n"));
	}
	buf_add(out, rest);
	if (vector->is_relaxed)
		dkim_canon_field(view_of(vector->field), out);
	else
		buf_add(out, view_of(vector->field));
	ck_assert_int_eq(buf_err(out), ERR_OK);
}

START_TEST(examples_of_the_rfcs)
	{
		for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
			AUTO_BUF input = buf_with_ceiling(LIMIT_WHY);
			AUTO_BUF octets = buf_with_ceiling(LIMIT_WHY);
			AUTO_BUF text = buf_with_ceiling(LIMIT_WHY);
			unsigned char digest[DIGEST_SIZE];
			struct dkim_key *key = read_key(vectors[i].pem, "brisbane");
			add_input(&vectors[i], &input);
			ck_assert(digest_of(buf_view(&input), digest));
			ck_assert_int_eq(dkim_key_sign(key, digest, &octets), ERR_OK);
			ck_assert_int_eq(encode_base64_word(buf_view(&octets), &text), ERR_OK);
			ck_assert_msg(view_eq(buf_view(&text), view_of(vectors[i].signature)), "%s: " VIEW_FMT,
				      vectors[i].label, VIEW_ARG(buf_view(&text)));
			dkim_key_done(key);
		}
	}
END_TEST

/* ---- whole messages ---- */

static void sign(struct view message, struct buf *out)
{
	struct dkim_key *const keys[] = { read_key(rsa_pem, "test"), read_key(ed25519_pem, "brisbane") };
	struct dkim_signer *signer = NULL;
	ck_assert_int_eq(dkim_signer_new(&signer), ERR_OK);
	ck_assert_int_eq(
	    dkim_sign(signer, keys, ARRAY_LEN(keys), message, VIEW_LIT(""), INT64_C(1528637909999999), out), ERR_OK);
	dkim_signer_done(signer);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		dkim_key_done(keys[i]);
}

/* The value of a tag of a signature, without white space. Only after `from`, so that b= is not found in bh=. */
static void tag(struct view fields, const char *name, struct buf *out)
{
	size_t at = view_find(fields, view_of(name));
	ck_assert_msg(at != VIEW_NONE, "no %s", name);
	for (at += strlen(name); at < fields.len && fields.data[at] != ';'; at++) {
		char c = fields.data[at];
		if (c != ' ' && c != '\t' && c != '\r' && c != '\n')
			buf_add_byte(out, c);
	}
}

START_TEST(two_signatures_in_front)
	{
		AUTO_BUF out = buf_with_ceiling(LIMIT_MESSAGE);
		AUTO_BUF names = buf_with_ceiling(LIMIT_WHY);
		AUTO_BUF body = buf_with_ceiling(LIMIT_WHY);
		struct view first, second, rest;
		sign(VIEW_LIT(RFC_HEAD "\r\n" RFC_BODY), &out);
		rest = buf_view(&out);
		ck_assert(dkim_next_field(&rest, &first) && dkim_next_field(&rest, &second));
		ck_assert_uint_eq(rest.len, 0);
		ck_assert(view_starts(first, VIEW_LIT("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
						      "\td=football.example.com; s=test; t=1528637909;\r\n")));
		ck_assert(view_starts(second, VIEW_LIT("DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
						       "\td=football.example.com; s=brisbane; t=1528637909;\r\n")));
		tag(first, "\th=", &names);
		ck_view_eq(
		    buf_view(&names),
		    "From:From:To:To:Subject:Subject:Date:Date:Message-ID:Reply-To:Content-Type:List-Unsubscribe:"
		    "List-Unsubscribe-Post");
		tag(first, "bh=", &body);
		ck_view_eq(buf_view(&body), RFC_BODY_HASH);
		ck_assert_uint_eq(view_find(first, VIEW_LIT("l=")), VIEW_NONE);
	}
END_TEST

START_TEST(lines_are_short)
	{
		AUTO_BUF out = buf_with_ceiling(LIMIT_MESSAGE);
		struct view rest, line;
		sign(VIEW_LIT("Feedback-ID: a\r\nList-Id: b\r\nMIME-Version: 1.0\r\nReply-To: c\r\nContent-Type: "
			      "text/plain\r\n"
			      "Content-Transfer-Encoding: 7bit\r\nList-Unsubscribe-Post: d\r\n"
			      "List-Unsubscribe: e\r\n" RFC_HEAD "\r\n" RFC_BODY),
		     &out);
		rest = buf_view(&out);
		while (view_cut_line(&rest, &line)) {
			ck_assert_msg(line.len > 1 && line.len <= 78, VIEW_FMT, VIEW_ARG(line));
			ck_assert(view_starts(line, VIEW_LIT("DKIM-Signature: ")) || line.data[0] == '\t');
		}
	}
END_TEST

START_TEST(every_attempt_is_the_same)
	{
		AUTO_BUF once = buf_with_ceiling(LIMIT_MESSAGE);
		AUTO_BUF twice = buf_with_ceiling(LIMIT_MESSAGE);
		sign(VIEW_LIT(RFC_HEAD "\r\n" RFC_BODY), &once);
		sign(VIEW_LIT(RFC_HEAD "\r\n" RFC_BODY), &twice);
		ck_assert(once.len > 0 && view_eq(buf_view(&once), buf_view(&twice)));
	}
END_TEST

/* The input put together by hand: the field behind comes first (RFC 6376 section 5.4.2), the signature's own last, without a CRLF. */
START_TEST(several_of_a_name_from_the_bottom_up)
	{
		AUTO_BUF out = buf_with_ceiling(LIMIT_MESSAGE);
		AUTO_BUF input = buf_with_ceiling(LIMIT_MESSAGE);
		AUTO_BUF octets = buf_with_ceiling(LIMIT_WHY);
		AUTO_BUF expected = buf_with_ceiling(LIMIT_WHY);
		AUTO_BUF found = buf_with_ceiling(LIMIT_WHY);
		struct dkim_key *key = read_key(ed25519_pem, "brisbane");
		unsigned char digest[DIGEST_SIZE];
		struct view rest, field;
		sign(VIEW_LIT("Message-ID: <a>\r\nFrom: x\r\nMessage-ID: <b>\r\n\r\nbody\r\n"), &out);
		rest = buf_view(&out);
		ck_assert(dkim_next_field(&rest, &field) && dkim_next_field(&rest, &field));
		tag(field, "\tb=", &found);
		buf_add(&input, VIEW_LIT("from:x\r\nmessage-id:<b>\r\nmessage-id:<a>\r\n"));
		dkim_canon_field(view_head(field, view_find(field, VIEW_LIT("\tb=")) + 3), &input);
		ck_assert(digest_of(buf_view(&input), digest));
		ck_assert_int_eq(dkim_key_sign(key, digest, &octets), ERR_OK);
		ck_assert_int_eq(encode_base64_word(buf_view(&octets), &expected), ERR_OK);
		ck_view_eq(buf_view(&found), buf_text(&expected));
		dkim_key_done(key);
	}
END_TEST

struct change {
	const char *label, *message;
	bool is_seen; /* the signatures are others */
};

static const struct change changes[] = {
	{ "as it was", RFC_HEAD "\r\n" RFC_BODY, false },
	{ "a trace field", "Received: by x\r\n" RFC_HEAD "\r\n" RFC_BODY, false },
	{ "what relays rewrite", "Sender: x\r\nX-Spam: no\r\nReturn-Path: <>\r\n" RFC_HEAD "\r\n" RFC_BODY, false },
	{ "an older signature", "DKIM-Signature: v=1\r\n" RFC_HEAD "\r\n" RFC_BODY, false },
	{ "another order", RFC_ID RFC_DATE RFC_SUBJECT RFC_TO RFC_FROM "\r\n" RFC_BODY, false },
	{ "another folding",
	  "FROM :\r\n Joe  SixPack\t<joe@football.example.com> \r\n" RFC_TO RFC_SUBJECT RFC_DATE RFC_ID "\r\n" RFC_BODY,
	  false },
	{ "empty lines at the end", RFC_HEAD "\r\n" RFC_BODY " \r\n\r\n", false },
	{ "another word", RFC_HEAD "\r\nHi.\r\n", true },
	{ "a second From in front", "From: x@y\r\n" RFC_HEAD "\r\n" RFC_BODY, true },
	{ "a second From behind", RFC_HEAD "From: x@y\r\n\r\n" RFC_BODY, true },
	{ "a second Message-ID", RFC_HEAD "Message-ID: <x@y>\r\n\r\n" RFC_BODY, true },
	{ "no body", RFC_HEAD, true },
};

START_TEST(what_is_signed)
	{
		AUTO_BUF before = buf_with_ceiling(LIMIT_MESSAGE);
		sign(VIEW_LIT(RFC_HEAD "\r\n" RFC_BODY), &before);
		for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
			AUTO_BUF after = buf_with_ceiling(LIMIT_MESSAGE);
			sign(view_of(changes[i].message), &after);
			ck_row(changes[i].label, view_eq(buf_view(&before), buf_view(&after)) == !changes[i].is_seen);
		}
	}
END_TEST

/* Each row of the table: its field, its value, and one more of it make other signatures; what is closed is named once more. */
START_TEST(every_signed_field_counts)
	{
		bool is_closed = false;
		for (size_t i = 0; dkim_signed_field(i, &is_closed) != NULL; i++) {
			const char *name = dkim_signed_field(i, &is_closed);
			const char *const values[] = { "", "one", "other" };
			struct buf outs[4];
			for (size_t k = 0; k < ARRAY_LEN(outs); k++) {
				AUTO_BUF message = buf_with_ceiling(LIMIT_WHY);
				AUTO_BUF names = buf_with_ceiling(LIMIT_WHY);
				AUTO_BUF expected = buf_with_ceiling(LIMIT_WHY);
				outs[k] = buf_with_ceiling(LIMIT_MESSAGE);
				if (i != 0)
					buf_add(&message, VIEW_LIT("From: x\r\n"));
				if (k > 0 || i == 0)
					buf_addf(&message, "%s: %s\r\n", name, values[k % 3]);
				if (k == 3)
					buf_addf(&message, "%s: %s\r\n", name, values[1]);
				buf_add(&message, VIEW_LIT("\r\nbody\r\n"));
				sign(buf_view(&message), &outs[k]);
				for (size_t j = 0; j < k; j++)
					ck_row(name, !view_eq(buf_view(&outs[j]), buf_view(&outs[k])));
				tag(buf_view(&outs[k]), "\th=", &names);
				buf_addf(&expected, is_closed ? "%s:%s" : "%s", name, name);
				ck_row(name, k != 1 || view_find(buf_view(&names), buf_view(&expected)) != VIEW_NONE);
			}
			for (size_t k = 0; k < ARRAY_LEN(outs); k++)
				buf_done(&outs[k]);
		}
	}
END_TEST

/* PROTOCOL: RFC 6376 section 5.4.1, and RFC 8058 section 4 for the last two. */
START_TEST(what_must_be_signed)
	{
		const char *const closed[] = {
			"From",     "To",           "Subject",          "Date",
			"Reply-To", "Content-Type", "List-Unsubscribe", "List-Unsubscribe-Post"
		};
		const char *const never[] = { "Return-Path", "Received", "DKIM-Signature", "Sender", "Bcc" };
		bool is_closed = false;
		size_t found = 0;
		for (size_t i = 0; dkim_signed_field(i, &is_closed) != NULL; i++) {
			const char *name = dkim_signed_field(i, &is_closed);
			for (size_t k = 0; k < ARRAY_LEN(closed); k++)
				found += is_closed && strcmp(name, closed[k]) == 0;
			for (size_t k = 0; k < ARRAY_LEN(never); k++)
				ck_row(name, strcmp(name, never[k]) != 0);
		}
		ck_assert_uint_eq(found, ARRAY_LEN(closed));
	}
END_TEST

START_TEST(refusals)
	{
		struct dkim_key *const keys[] = { read_key(ed25519_pem, "brisbane") };
		struct dkim_signer *signer = NULL;
		AUTO_BUF out = buf_with_ceiling(LIMIT_MESSAGE);
		AUTO_BUF small = buf_with_ceiling(100);
		AUTO_BUF many = buf_with_ceiling(LIMIT_MESSAGE);
		ck_assert_int_eq(dkim_signer_new(&signer), ERR_OK);
		ck_assert_int_eq(dkim_sign(signer, keys, 1, VIEW_LIT("To: x\r\n\r\nbody"), VIEW_LIT(""), 0, &out),
				 ERR_INVALID);
		buf_add(&many, VIEW_LIT("From: x\r\n"));
		for (size_t i = 0; i < DKIM_FIELDS; i++)
			buf_add(&many, VIEW_LIT("X: y\r\n"));
		ck_assert_int_eq(dkim_sign(signer, keys, 1, buf_view(&many), VIEW_LIT(""), 0, &out), ERR_TOO_BIG);
		ck_assert_int_eq(dkim_sign(signer, keys, 1, VIEW_LIT("From: x\r\n"), VIEW_LIT(""), 0, &small),
				 ERR_TOO_BIG);
		ck_assert_uint_eq(out.len + small.len, 0);
		ck_assert_int_eq(dkim_sign(signer, keys, 1, VIEW_LIT("From: x\r\n"), VIEW_LIT(""), 0, &out), ERR_OK);
		ck_assert_uint_gt(out.len, 0);
		dkim_signer_done(signer);
		dkim_key_done(keys[0]);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { examples_of_the_rfcs,
				       two_signatures_in_front,
				       lines_are_short,
				       every_attempt_is_the_same,
				       several_of_a_name_from_the_bottom_up,
				       what_is_signed,
				       every_signed_field_counts,
				       what_must_be_signed,
				       refusals };
	return suite_of("dkim", tests, ARRAY_LEN(tests));
}
