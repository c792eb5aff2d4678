#include "mail/mime.h"

#include <string.h>

#include "base/buf.h"
#include "tests/support/unit.h"

/* ---- header and body ---- */

static const struct {
	const char *label, *text, *header, *body;
} splits[] = {
	{ "ordinary", "A: 1\r\nB: 2\r\n\r\nbody\r\n", "A: 1\r\nB: 2\r\n", "body\r\n" },
	{ "LF alone", "A: 1\n\nbody\n", "A: 1\n", "body\n" },
	{ "a blank line of blanks", "A: 1\n \t\nbody\n", "A: 1\n", "body\n" },
	{ "no header", "\r\nbody\r\n", "", "body\r\n" },
	{ "no header and no blank line", "just text\nA: 1\n", "", "just text\nA: 1\n" },
	{ "no body", "A: 1\nB: 2\n", "A: 1\nB: 2\n", "" },
	{ "folded", "A: 1\n\tmore\n\nbody", "A: 1\n\tmore\n", "body" },
	{ "folded without blanks", "A: 1\nmore of it\nB: 2\n\nbody", "A: 1\nmore of it\nB: 2\n", "body" },
	{ "nothing", "", "", "" },
};

START_TEST(header_and_body)
	{
		for (size_t i = 0; i < ARRAY_LEN(splits); i++) {
			struct mime_entity entity = mime_split(view_of(splits[i].text));
			ck_row(splits[i].label, view_eq(entity.header, view_of(splits[i].header)));
			ck_row(splits[i].label, view_eq(entity.body, view_of(splits[i].body)));
		}
	}
END_TEST

START_TEST(fields)
	{
		struct view value, header = view_of("Subject: one\n two \nX: \nsubject: other\n");
		ck_assert(mime_field(header, VIEW_LIT("SUBJECT"), &value));
		ck_view_eq(value, "one\n two");
		ck_assert(mime_field(header, VIEW_LIT("X"), &value));
		ck_view_eq(value, "");
		ck_assert(!mime_field(header, VIEW_LIT("Sub"), &value));
	}
END_TEST

/* ---- Content-Type ---- */

#define PLAIN "text/plain;;;"

static const struct {
	const char *value, *expected; /* type/subtype;boundary;charset;report-type */
} types[] = {
	{ "text/html", "text/html;;;" },
	{ "Text/HTML; Charset=ISO-8859-1", "Text/HTML;;ISO-8859-1;" },
	{ "text/plain; charset=\"utf-8\"; format=flowed", "text/plain;;utf-8;" },
	{ "multipart/report;\n report-type=delivery-status;\n\tboundary=\"a b\"",
	  "multipart/report;a b;;delivery-status" },
	{ "multipart/mixed; boundary=----=_Part_1/2=?x", "multipart/mixed;----=_Part_1/2=?x;;" },
	{ "multipart/mixed (a comment (nested)); boundary (of it) = b1", "multipart/mixed;b1;;" },
	{ "multipart / mixed ; boundary = b1 ; boundary = b2", "multipart/mixed;b1;;" },
	{ "text/plain charset=utf-8", "text/plain;;;" },
	{ "text/plain;; charset=utf-8;", "text/plain;;utf-8;" },
	{ "multipart/mixed; boundary=\"open", "multipart/mixed;open;;" },
	{ "text", PLAIN },
	{ "text/", PLAIN },
	{ "/plain", PLAIN },
	{ "", PLAIN },
	{ "\"text\"/plain", PLAIN },
	{ "text/plain; =x; charset", "text/plain;;;" },
	{ "message/rfc822 (unclosed", "message/rfc822;;;" },
};

START_TEST(content_types)
	{
		for (size_t i = 0; i < ARRAY_LEN(types); i++) {
			AUTO_BUF header = buf_with_ceiling(1000);
			AUTO_BUF got = buf_with_ceiling(1000);
			buf_addf(&header, "A: b\nContent-Type: %s\n", types[i].value);
			struct mime_type type = mime_type_of(buf_view(&header));
			buf_addf(&got, VIEW_FMT "/" VIEW_FMT ";" VIEW_FMT ";" VIEW_FMT ";" VIEW_FMT,
				 VIEW_ARG(type.type), VIEW_ARG(type.subtype), VIEW_ARG(type.boundary),
				 VIEW_ARG(type.charset), VIEW_ARG(type.report_type));
			ck_view_eq(buf_view(&got), types[i].expected);
		}
		struct mime_type none = mime_type_of(VIEW_LIT("A: b\n"));
		ck_assert(mime_is(&none, "TEXT", "Plain") && mime_is(&none, "text", "*") &&
			  !mime_is(&none, "text", "html"));
	}
END_TEST

/* ---- parts ---- */

static const struct {
	const char *label, *body, *parts; /* boundary b; each part in brackets */
} bodies[] = {
	{ "two", "--b\r\none\r\n--b\r\ntwo\r\n--b--\r\n", "[one][two]" },
	{ "LF alone", "--b\none\n--b\ntwo\n--b--\n", "[one][two]" },
	{ "preamble and epilogue", "before\n--b\none\n--b--\nafter\n--b\nnever\n", "[one]" },
	{ "not closed", "--b\none\n--b\ntwo\n", "[one][two\n]" },
	{ "blanks behind", "--b \t\none\n--b-- \n", "[one]" },
	{ "only the start of a longer one", "--b\n--bb\n--b2\n--b--\n", "[--bb\n--b2]" },
	{ "in the middle of a line", "--b\nx --b\n--b--\n", "[x --b]" },
	{ "closed with something behind", "--b\none\n--b--x\n", "[one]" },
	{ "empty ones", "--b\n--b\n\n--b--", "[][]" },
	{ "a blank line belongs to the part", "--b\none\n\n--b--\n", "[one\n]" },
	{ "without a delimiter", "nothing\n", "" },
	{ "closed at once", "--b--\n--b\none\n", "" },
	{ "nothing", "", "" },
	{ "begun at the end", "--b", "[]" },
};

START_TEST(parts_of_a_body)
	{
		for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
			AUTO_BUF got = buf_with_ceiling(1000);
			struct view body = view_of(bodies[i].body), part;
			while (mime_next_part(&body, VIEW_LIT("b"), &part))
				buf_addf(&got, "[" VIEW_FMT "]", VIEW_ARG(part));
			ck_row(bodies[i].label, view_eq(buf_view(&got), view_of(bodies[i].parts)));
			ck_row(bodies[i].label, !mime_next_part(&body, VIEW_LIT("b"), &part));
		}
		struct view body = view_of("--\none\n----\n"), part;
		ck_assert(!mime_next_part(&body, VIEW_LIT(""), &part));
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { header_and_body, fields, content_types, parts_of_a_body };
	return suite_of("mime", tests, ARRAY_LEN(tests));
}
