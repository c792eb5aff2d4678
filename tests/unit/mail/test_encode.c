#include "mail/encode.h"

#include <string.h>

#include <gmime/gmime.h>

#include "tests/support/unit.h"

enum { CEILING = 1 << 20 };

struct row {
	const char *label, *text, *wire;
};

#define X10 "xxxxxxxxxx"
#define X70 X10 X10 X10 X10 X10 X10 X10

static const struct row qp_rows[] = {
	{ "empty", "", "" },
	{ "plain", "Hello, world", "Hello, world" },
	{ "LF", "a\nb\n", "a\r\nb\r\n" },
	{ "CR", "a\rb\r", "a\r\nb\r\n" },
	{ "CRLF", "a\r\nb\r\n", "a\r\nb\r\n" },
	{ "LF CR is two", "a\n\rb", "a\r\n\r\nb" },
	{ "equals", "1=1", "1=3D1" },
	{ "UTF-8", "\u00fc", "=C3=BC" },
	{ "controls", "a\x01\x1f\x7f", "a=01=1F=7F" },
	{ "blank inside", "a b\tc", "a b\tc" },
	{ "blank before a line end", "a \nb\t\r\n", "a=20\r\nb=09\r\n" },
	{ "blanks before a line end", "a  \n", "a =20\r\n" },
	{ "blank at the end", "a ", "a=20" },
	{ "only a blank", " \n", "=20\r\n" },
	{ "dot", ".\n..\na.b\n", "=2E\r\n=2E.\r\na.b\r\n" },
	{ "From", "From me\nfrom\nFro\nFrom: x\n>From y\n", "=46rom me\r\nfrom\r\nFro\r\nFrom: x\r\n>From y\r\n" },
	{ "75 characters fit", X70 "12345", X70 "12345" },
	{ "76 characters break", X70 "123456", X70 "12345=\r\n6" },
	{ "an escape is not cut", X70 "123=", X70 "123=\r\n=3D" },
	{ "a dot after a soft break", X70 "12345.", X70 "12345=\r\n=2E" },
	{ "From after a soft break", X70 "12345From me", X70 "12345=\r\n=46rom me" },
	{ "blank before a soft break", X70 "1234 6", X70 "1234 =\r\n6" },
};

START_TEST(quoted_printable)
	{
		for (size_t i = 0; i < ARRAY_LEN(qp_rows); i++) {
			AUTO_BUF out = buf_with_ceiling(CEILING);
			struct qp qp = qp_start(&out);
			qp_add(&qp, view_of(qp_rows[i].text));
			qp_end(&qp);
			ck_assert_msg(view_eq(buf_view(&out), view_of(qp_rows[i].wire)), "%s: got %s", qp_rows[i].label,
				      buf_text(&out));
		}
	}
END_TEST

/* What every wire text keeps, whatever the text was. */
static void assert_wire(const char *label, struct view wire)
{
	size_t column = 0;
	for (size_t i = 0; i < wire.len; i++) {
		unsigned char c = (unsigned char)wire.data[i];
		if (c == '\r') {
			ck_row(label, i + 1 < wire.len && wire.data[i + 1] == '\n');
			ck_row(label, column == 0 || (wire.data[i - 1] != ' ' && wire.data[i - 1] != '\t'));
			column = 0;
			i++;
			continue;
		}
		ck_row(label, (c >= ' ' && c < 0x7f) || c == '\t');
		ck_row(label, column > 0 || (c != '.' && !view_starts(view_skip(wire, i), VIEW_LIT("From "))));
		ck_row(label, ++column <= ENCODE_LINE);
	}
}

/* GMime, which knows nothing of our writer, reads the text back; its lines end in CRLF. */
static void assert_decodes(const char *label, GMimeContentEncoding encoding, struct view wire, struct view text)
{
	AUTO_BUF lines = buf_with_ceiling(CEILING);
	ck_assert(encode_lines(text, &lines) == ERR_OK);
	GMimeEncoding state;
	g_mime_encoding_init_decode(&state, encoding);
	char *decoded = g_malloc(g_mime_encoding_outlen(&state, wire.len) + 1);
	size_t len = g_mime_encoding_step(&state, wire.data, wire.len, decoded);
	ck_assert_msg(view_eq(view_from(decoded, len), buf_view(&lines)), "%s: does not decode to the text", label);
	g_free(decoded);
}

static const char *const hostile[] = {
	"\n.\r\nMAIL FROM:<x>",
	"\r.\r\n",
	"\n.\n",
	"\r\n.\n",
	"\r\n.\r",
	"\r.\r",
	"\n.\r",
	"\r\n.\r\n",
	".\r\n",
	"\n\r.",
	".",
	"..\r..\n",
	"\r\n\r\n",
	"From \nFrom me",
	"=\r\n=0D=0A.=",
	"=?utf-8?Q?=0D=0A?=",
	"\u2028.\u2028",
	"\x85\r.",
	"\xff",
	" \t \r\t",
	"=\n=\r=",
	"a\0b",
};

START_TEST(smuggling)
	{
		for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
			for (size_t before = 0; before < 80; before++) {
				AUTO_BUF text = buf_with_ceiling(CEILING);
				AUTO_BUF quoted = buf_with_ceiling(CEILING);
				AUTO_BUF base64 = buf_with_ceiling(CEILING);
				AUTO_BUF lines = buf_with_ceiling(CEILING);
				buf_addf(&text, "%.*s", (int)before, X70 X10);
				size_t seam = text.len;
				buf_add(&text, view_of(hostile[i]));
				struct qp qp = qp_start(&quoted);
				qp_add(&qp, view_head(buf_view(&text), seam));
				qp_add(&qp, view_skip(buf_view(&text), seam));
				qp_end(&qp);
				ck_assert(encode_lines(buf_view(&text), &lines) == ERR_OK);
				ck_assert(encode_base64(buf_view(&lines), &base64) == ERR_OK);
				ck_assert_uint_eq(base64.len, encode_base64_len(lines.len));
				assert_wire(hostile[i], buf_view(&quoted));
				assert_wire(hostile[i], buf_view(&base64));
				assert_decodes(hostile[i], GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE, buf_view(&quoted),
					       buf_view(&text));
				assert_decodes(hostile[i], GMIME_CONTENT_ENCODING_BASE64, buf_view(&base64),
					       buf_view(&text));
			}
		}
	}
END_TEST

/* A text cut anywhere into pieces keeps its meaning. */
START_TEST(pieces)
	{
		struct view text = VIEW_LIT("From  here .\n.From \tme= \n" X70 " .\u00fcFrom x \n\n.");
		for (size_t first = 0; first <= text.len; first++) {
			for (size_t second = first; second <= text.len; second++) {
				AUTO_BUF out = buf_with_ceiling(CEILING);
				struct qp qp = qp_start(&out);
				qp_add(&qp, view_head(text, first));
				qp_add(&qp, view_slice(text, first, second));
				qp_add(&qp, view_skip(text, second));
				qp_end(&qp);
				assert_wire("pieces", buf_view(&out));
				assert_decodes("pieces", GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE, buf_view(&out), text);
			}
		}
	}
END_TEST

/* A blank before a field is escaped only when the field turns out empty. */
START_TEST(blank_between_pieces)
	{
		AUTO_BUF out = buf_with_ceiling(CEILING);
		struct qp qp = qp_start(&out);
		qp_add(&qp, VIEW_LIT("Dear "));
		qp_add(&qp, VIEW_LIT("Jane "));
		qp_add(&qp, VIEW_LIT(""));
		qp_add(&qp, VIEW_LIT("\n"));
		qp_end(&qp);
		ck_view_eq(buf_view(&out), "Dear Jane=20\r\n");
	}
END_TEST

START_TEST(encoded_lines)
	{
		AUTO_BUF out = buf_with_ceiling(CEILING);
		struct qp qp = qp_start(&out);
		qp_add(&qp, VIEW_LIT("a\n"));
		qp_add_encoded(&qp, VIEW_LIT("=3D\r\n"));
		qp_add(&qp, VIEW_LIT(".b"));
		ck_view_eq(buf_view(&out), "a\r\n=3D\r\n=2Eb");
	}
END_TEST

/* RFC 4648 section 10. */
static const struct row base64_rows[] = {
	{ "empty", "", "" },
	{ "one", "f", "Zg==\r\n" },
	{ "two", "fo", "Zm8=\r\n" },
	{ "three", "foo", "Zm9v\r\n" },
	{ "four", "foob", "Zm9vYg==\r\n" },
	{ "six", "foobar", "Zm9vYmFy\r\n" },
	{ "57 octets fill a line", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
	  "eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4\r\n" },
	{ "58 octets take two", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
	  "eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4\r\neA==\r\n" },
};

START_TEST(base64)
	{
		for (size_t i = 0; i < ARRAY_LEN(base64_rows); i++) {
			AUTO_BUF out = buf_with_ceiling(CEILING);
			ck_row(base64_rows[i].label, encode_base64(view_of(base64_rows[i].text), &out) == ERR_OK);
			ck_view_eq(buf_view(&out), base64_rows[i].wire);
			ck_row(base64_rows[i].label, encode_base64_len(strlen(base64_rows[i].text)) == out.len);
		}
	}
END_TEST

START_TEST(ceilings)
	{
		AUTO_BUF out = buf_with_ceiling(10);
		struct qp qp = qp_start(&out);
		qp_add(&qp, view_of(X70));
		ck_assert(buf_err(&out) == ERR_TOO_BIG);
		buf_reset(&out);
		ck_assert(encode_base64(view_of(X70), &out) == ERR_TOO_BIG);
		buf_reset(&out);
		ck_assert(encode_lines(view_of(X70), &out) == ERR_TOO_BIG);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { quoted_printable, smuggling, pieces,  blank_between_pieces,
				       encoded_lines,    base64,    ceilings };
	return suite_of("encode", tests, ARRAY_LEN(tests));
}
