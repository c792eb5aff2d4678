#include "mail/eml.h"

#include <stdlib.h>

#include "mail/parts.h"
#include "tests/support/unit.h"

#define HEAD "From: A <a@b.test>\r\nSubject: S\r\nMIME-Version: 1.0\r\n"
#define OF(type) "Content-Type: " type "\r\n"
#define MULTI(kind) OF("multipart/" kind "; boundary=b") "\r\n"
#define PART(type, body) "--b\r\n" OF(type) "\r\n" body "\r\n"
#define NAMED(type, name, body)                                                                                        \
	"--b\r\n" OF(type) "Content-Disposition: attachment; filename" name "\r\n\r\n" body "\r\n"
#define END "--b--\r\n"
#define PLAIN "text/plain; charset=utf-8"

/* Its root does not come first. */
#define RELATED                                                                                                        \
	"Subject: S\r\nFrom: A <a@b.test>\r\n"                                                                         \
	"Content-Type: multipart/related; boundary=b; start=\"<root@x>\"\r\n\r\n"                                      \
	"--b\r\nContent-Type: image/png\r\nContent-ID: <i@x>\r\n"                                                      \
	"Content-Transfer-Encoding: base64\r\n\r\nQUJD\r\n"                                                            \
	"--b\r\nContent-Type: text/html\r\nContent-ID: <root@x>\r\n\r\n"                                               \
	"<img src=\"cid:i@x\">\r\n--b--\r\n"

/* What is taken: "subject|from|reply-to|text|html|files|dropped", the files as name:content-id:content, each with a blank behind. */
static const struct {
	const char *label, *message, *taken;
} good[] = {
	{ "no MIME", "Subject: Hi\n\nText\n", "Hi|||Text\n|||" },
	{ "line of an mbox", "From a@b.test Mon Nov 23 10:00:00 2026\nSubject: Hi\n\nText\n", "Hi|||Text\n|||" },
	{ "byte order mark", "\xef\xbb\xbfSubject: Hi\n\nText\n", "Hi|||Text\n|||" },
	{ "encoded words",
	  "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe=2C?= =?iso-8859-1?q?_{{name|d=FC}}?=\n"
	  "From: =?utf-8?b?w5xubg==?= <u@b.test>\nReply-To: r@b.test\n\nx\n",
	  "Gr\u00fc\u00dfe, {{name|d\u00fc}}|\u00dcnn <u@b.test>|<r@b.test>|x\n|||" },
	{ "folded subject", "Subject: One\r\n two\r\n\r\nx\r\n", "One two|||x\r\n|||" },
	{ "what is left out",
	  "Received: x\nReceived: y\nMessage-ID: <1@b>\nDKIM-Signature: v=1\nTo: x@y.test\nSubject: S\n"
	  "Content-Language: de\nX-Mailer: M\n\nx\n",
	  "S|||x\n|||Received, Message-ID, DKIM-Signature, To, X-Mailer" },
	{ "quoted-printable",
	  "Subject: S\n" OF(PLAIN) "Content-Transfer-Encoding: quoted-printable\n\nGr=C3=BC=C3=9Fe =\nmore\n",
	  "S|||Gr\u00fc\u00dfe more\n|||" },
	{ "base 64", "Subject: S\n" OF(PLAIN) "Content-Transfer-Encoding: base64\n\nR3LDvMOfZQ==\n",
	  "S|||Gr\u00fc\u00dfe|||" },
	{ "Latin-1 with the quotes of Windows",
	  "Subject: S\n" OF("text/plain; charset=iso-8859-1") "\n\x93"
							      "caf\xe9\x94\n",
	  "S|||\u201ccaf\u00e9\u201d\n|||" },
	{ "a charset with states", "Subject: S\n" OF("text/plain; charset=iso-2022-jp") "\n\x1b$B$\"\x1b(B\n",
	  "S|||\u3042\n|||" },
	{ "UTF-8 that nobody names", "Subject: S\n\ncaf\u00e9\n", "S|||caf\u00e9\n|||" },
	{ "HTML alone", HEAD OF("text/html; charset=utf-8") "\r\n<p>H</p>", "S|A <a@b.test>|||<p>H</p>||" },
	{ "alternative", HEAD MULTI("alternative") PART(PLAIN, "T") PART("text/html", "<p>H") END,
	  "S|A <a@b.test>||T|<p>H||" },
	{ "empty text beside HTML", HEAD MULTI("alternative") PART(PLAIN, " ") PART("text/html", "<p>H") END,
	  "S|A <a@b.test>|||<p>H||" },
	{ "related", RELATED, "S|A <a@b.test>|||<img src=\"cid:i@x\">|part-1.png:i@x:ABC |" },
	{ "attachment", HEAD MULTI("mixed") PART(PLAIN, "T") NAMED("application/pdf", "=\"a b.pdf\"", "P") END,
	  "S|A <a@b.test>||T||a b.pdf::P |" },
	{ "name in pieces (RFC 2231)",
	  HEAD MULTI("mixed") PART(PLAIN, "T")
	      NAMED("text/csv", "*0*=utf-8''Z%C3%BCr; filename*1*=ich; filename*2=.csv", "a") END,
	  "S|A <a@b.test>||T||Z\u00fcrich.csv::a |" },
	{ "name in encoded words",
	  HEAD MULTI("mixed") PART(PLAIN, "T") NAMED("text/csv", "=\"=?utf-8?q?Z=C3=BC.csv?=\"", "a") END,
	  "S|A <a@b.test>||T||Z\u00fc.csv::a |" },
	{ "attached text in Latin-1",
	  HEAD MULTI("mixed") PART(PLAIN, "T") NAMED("text/csv; charset=iso-8859-1", "=a.csv", "\xfc") END,
	  "S|A <a@b.test>||T||a.csv::\u00fc |" },
	{ "attachment alone with the text", HEAD MULTI("mixed") NAMED("text/plain", "=a.txt", "A") PART(PLAIN, "T") END,
	  "S|A <a@b.test>||T||a.txt::A |" },
	{ "HTML in pieces with a file between (Apple Mail)",
	  HEAD MULTI("alternative") PART(PLAIN, "T") "--b\r\n" OF("multipart/mixed; boundary=c") "\r\n--c\r\n" OF(
	      "text/"
	      "html") "\r\n<html><body>A</body></html>\r\n--c\r\n" OF("application/pdf; name=a.pdf") "\r\nP\r\n--"
												     "c\r\n" OF(
													 "text/"
													 "html") "\r\n<"
														 "html>"
														 "<head"
														 "><"
														 "title"
														 ">t</"
														 "title"
														 "></"
														 "head>"
														 "<body"
														 " "
														 "class"
														 "=x>B<"
														 "/body"
														 "></"
														 "html>"
														 "\r\n-"
														 "-c\r"
														 "\n" OF(
														     "t"
														     "e"
														     "x"
														     "t"
														     "/"
														     "h"
														     "t"
														     "m"
														     "l") "\r\n<html><body><br>&nbsp;</body></html>\r\n--c--\r\n" END,
	  "S|A <a@b.test>||T|<html><body>AB</body></html>|a.pdf::P |" },
	{ "flowed text",
	  HEAD OF("text/plain; format=flowed") "\r\nDear {{name|my \r\nfriend}},\r\n > x\r\n>q \r\ny \r\n-- \r\nz ",
	  "S|A <a@b.test>||Dear {{name|my friend}},\n> x\n>q \ny \n-- \nz \n|||" },
	{ "flowed text without spaces", HEAD OF("text/plain; format=flowed; delsp=yes") "\r\n\u3042 \r\n\u3044\r\n",
	  "S|A <a@b.test>||\u3042\u3044\n|||" },
	{ "preamble and epilogue", HEAD MULTI("mixed") "This is MIME\r\n" PART(PLAIN, "T") END "the end\r\n",
	  "S|A <a@b.test>||T|||" },
};

static void write_taken(const struct eml *eml, struct buf *out)
{
	for (size_t i = 0; i < EML_FIELD_COUNT; i++)
		buf_addf(out, VIEW_FMT "|", VIEW_ARG(buf_view(&eml->fields[i].text)));
	buf_addf(out, VIEW_FMT "|" VIEW_FMT "|", VIEW_ARG(buf_view(&eml->text.text)),
		 VIEW_ARG(buf_view(&eml->html.text)));
	for (size_t i = 0; i < eml->file_count; i++) {
		const struct eml_file *file = &eml->files[i];
		buf_addf(out, VIEW_FMT ":" VIEW_FMT ":" VIEW_FMT " ", VIEW_ARG(buf_view(&file->name)),
			 VIEW_ARG(buf_view(&file->content_id)), VIEW_ARG(buf_view(&file->content)));
	}
	buf_addf(out, "|" VIEW_FMT, VIEW_ARG(buf_view(&eml->dropped)));
}

START_TEST(what_is_taken)
	{
		parts_library_open();
		for (size_t i = 0; i < ARRAY_LEN(good); i++) {
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			AUTO_BUF taken = buf_with_ceiling(LIMIT_WHY);
			struct eml eml = { 0 };
			enum err err = eml_read(view_of(good[i].message), &eml, &why);
			ck_assert_msg(err == ERR_OK, "%s: %s", good[i].label, buf_text(&why));
			write_taken(&eml, &taken);
			ck_assert_msg(view_eq(buf_view(&taken), view_of(good[i].taken)), "%s: %s", good[i].label,
				      buf_text(&taken));
			eml_done(&eml);
		}
	}
END_TEST

#define SIZED(text)                                                                                                    \
	{                                                                                                              \
		(text), sizeof(text) - 1                                                                               \
	}
static const struct {
	const char *label;
	struct view message;
	const char *why;
} bad[] = {
	{ "nothing", SIZED(""), "no text" },
	{ "no text", SIZED(HEAD "\r\n\r\n"), "no text, neither plain nor HTML" },
	{ "only a file", SIZED(HEAD OF("application/pdf; name=a.pdf") "\r\nP"), "no text" },
	{ "two subjects", SIZED("Subject: A\nSubject: B\n\nx"), "line 2: the field Subject: there is one in line 1" },
	{ "two senders", SIZED("Subject: A\nFrom: a@b.test, c@d.test\n\nx"),
	  "line 2: the field From: a letter has one" },
	{ "group", SIZED("From: us: a@b.test;\n\nx"), "the field From: a letter has one" },
	{ "no address", SIZED("From: \n\nx"), "the field From: it holds no address" },
	{ "subject in an unknown charset", SIZED("Subject: =?x-foo?q?a?=\n\nx"),
	  "the field Subject: there is no charset x-foo" },
	{ "subject in Latin-1", SIZED("Subject: caf\xe9\n\nx"), "the field Subject: it is neither" },
	{ "subject with a line end", SIZED("Subject: =?utf-8?q?a=0Ab?=\n\nx"), "the field Subject: it holds control" },
	{ "NUL in the header", SIZED("Subject: a\nX: \0\n\nx"), "NUL" },
	{ "NUL in a text", SIZED("Subject: a\n\nx\0y"), "part 1 (text/plain): it holds a NUL" },
	{ "unknown charset", SIZED(HEAD OF("text/plain; charset=x-foo") "\r\nx"),
	  "part 1 (text/plain): there is no charset x-foo" },
	{ "iconv's own words", SIZED(HEAD OF("text/plain; charset=\"ascii//IGNORE\"") "\r\nx"), "there is no charset" },
	{ "not UTF-8", SIZED(HEAD OF(PLAIN) "\r\n\xff"), "its octets are not those of utf-8" },
	{ "no charset", SIZED("Subject: S\n\ncaf\xe9"), "names no charset" },
	{ "broken stateful text", SIZED(HEAD OF("text/plain; charset=iso-2022-jp") "\r\n\x1b$B\xff\r\n"),
	  "its octets are not" },
	{ "unknown encoding", SIZED(HEAD OF(PLAIN) "Content-Transfer-Encoding: x-pack\r\n\r\nx"),
	  "Content-Transfer-Encoding" },
	{ "signed", SIZED(HEAD MULTI("signed") PART(PLAIN, "T") PART("application/pgp-signature", "x") END),
	  "part 1 (multipart/signed): it is signed" },
	{ "S/MIME", SIZED(HEAD OF("application/pkcs7-mime; name=smime.p7m") "\r\nx"), "S/MIME" },
	{ "encrypted", SIZED(HEAD MULTI("encrypted") PART("application/pgp-encrypted", "T") END), "encrypted" },
	{ "forwarded", SIZED(HEAD MULTI("mixed") PART(PLAIN, "T") PART("message/rfc822", "Subject: x\r\n\r\ny") END),
	  "part 2 (message/rfc822): it is a message within" },
	{ "invitation", SIZED(HEAD MULTI("alternative") PART(PLAIN, "T") PART("text/calendar", "x") END),
	  "part 2 (text/calendar): letters have text/plain and text/html" },
	{ "two texts", SIZED(HEAD MULTI("mixed") PART(PLAIN, "T") PART(PLAIN, "foot") END),
	  "part 2 (text/plain): part 1 (text/plain) is such a text already" },
	{ "HTML of two places",
	  SIZED(HEAD MULTI("mixed") "--b\r\n" OF("multipart/alternative; boundary=c") "\r\n--c\r\n" OF(
	      "text/html") "\r\n<p>A\r\n--c--\r\n" PART("text/html", "<p>foot") END),
	  "part 2 (text/html): part 1.1 (text/html) is such a text already" },
	{ "footer beside HTML", SIZED(HEAD MULTI("mixed") PART("text/html", "<p>H") PART(PLAIN, "foot") END),
	  "part 2 (text/plain): it stands beside the HTML" },
	{ "text behind base 64",
	  SIZED(HEAD OF(PLAIN) "Content-Transfer-Encoding: base64\r\n\r\nR3LDvMOfZQ==\r\n___\r\nfoot\r\n"),
	  "part 1 (text/plain): its base 64 is broken" },
	{ "base 64 cut short", SIZED(HEAD OF(PLAIN) "Content-Transfer-Encoding: base64\r\n\r\nR3LDvMOfZ\r\n"),
	  "base 64 is broken" },
	{ "no name", SIZED(HEAD MULTI("mixed") PART(PLAIN, "T") PART("application/x-thing", "x") END),
	  "part 2 (application/x-thing): it has no name" },
	{ "cut short", SIZED(HEAD MULTI("mixed") PART(PLAIN, "T")), "cut short" },
	{ "no boundary", SIZED(HEAD OF("multipart/mixed") "\r\n--b\r\n\r\nx\r\n"), "boundary" },
	{ "wrong boundary", SIZED(HEAD OF("multipart/mixed; boundary=c") "\r\n--b\r\n\r\nx\r\n--b--\r\n"), "boundary" },
	{ "other multipart", SIZED(HEAD MULTI("x-new") PART(PLAIN, "T") END),
	  "part 1 (multipart/x-new): letters have" },
};

START_TEST(what_is_refused)
	{
		parts_library_open();
		for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			struct eml eml = { 0 };
			enum err err = eml_read(bad[i].message, &eml, &why);
			ck_assert_msg(err == ERR_INVALID, "%s: %s", bad[i].label, err_name(err));
			ck_assert_msg(view_find(buf_view(&why), view_of(bad[i].why)) != VIEW_NONE, "%s: %s",
				      bad[i].label, buf_text(&why));
			eml_done(&eml);
		}
	}
END_TEST

static enum err read_nested(size_t depth, struct buf *why)
{
	AUTO_BUF message = buf_with_ceiling(LIMIT_EML);
	struct eml eml = { 0 };
	buf_add(&message, VIEW_LIT("Subject: S\n"));
	for (size_t i = 0; i < depth; i++)
		buf_addf(&message, "Content-Type: multipart/mixed; boundary=b%zu\n\n--b%zu\n", i, i);
	buf_add(&message, VIEW_LIT("\ntext\n"));
	for (size_t i = depth; i > 0; i--)
		buf_addf(&message, "\n--b%zu--\n", i - 1);
	ck_assert(buf_err(&message) == ERR_OK);
	enum err err = eml_read(buf_view(&message), &eml, why);
	eml_done(&eml);
	return err;
}

START_TEST(depth)
	{
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		parts_library_open();
		ck_assert(read_nested(10, &why) == ERR_OK);
		ck_assert(read_nested(20, &why) == ERR_INVALID);
		ck_assert(view_find(buf_view(&why), VIEW_LIT("16 deep")) != VIEW_NONE);
		ck_assert(read_nested(10000, &why) == ERR_INVALID);
	}
END_TEST

START_TEST(breadth)
	{
		AUTO_BUF message = buf_with_ceiling(LIMIT_EML);
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct eml eml = { 0 };
		parts_library_open();
		buf_add(&message, VIEW_LIT(HEAD MULTI("mixed")));
		for (size_t i = 0; i < 10000; i++)
			buf_add(&message, VIEW_LIT(PART(PLAIN, " ")));
		buf_add(&message, VIEW_LIT(END));
		ck_assert(eml_read(buf_view(&message), &eml, &why) == ERR_INVALID);
		ck_assert(view_find(buf_view(&why), VIEW_LIT("100 parts")) != VIEW_NONE);
		eml_done(&eml);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { what_is_taken, what_is_refused, depth, breadth };
	return suite_of("mail/eml", tests, ARRAY_LEN(tests));
}
