#include "mail/dkim_canon.h"

#include "base/limits.h"
#include "tests/support/unit.h"

struct row {
	const char *label, *text, *canonical;
};

/* RFC 6376 sections 3.4.4 and 3.4.5. */
static const struct row bodies[] = {
	{ "the RFC's example", " C \r\nD \t E\r\n\r\n\r\n", " C\r\nD E\r\n" },
	{ "nothing", "", "" },
	{ "an empty line", "\r\n", "" },
	{ "only empty lines", "\r\n\r\n\r\n", "" },
	{ "only blanks", " \t \r\n\t\r\n  ", "" },
	{ "canonical already", "a b\r\nc\r\n", "a b\r\nc\r\n" },
	{ "no line end at the end", "a", "a\r\n" },
	{ "blanks and no line end at the end", "a \t", "a\r\n" },
	{ "an empty line inside", "a\r\n\r\nb\r\n\r\n", "a\r\n\r\nb\r\n" },
	{ "blank lines inside", "a\r\n \r\n\t\t\r\nb\r\n \r\n", "a\r\n\r\n\r\nb\r\n" },
	{ "an empty line in front", "\r\na\r\n", "\r\na\r\n" },
	{ "indented by a space", " a\r\n", " a\r\n" },
	{ "indented by a tab", "\ta\r\n", " a\r\n" },
	{ "indented", "    a\r\n", " a\r\n" },
	{ "blanks inside", "a  b\tc \t d\r\n", "a b c d\r\n" },
	{ "a space, then a tab at a line's end", "a \t\r\nb\t \r\n", "a\r\nb\r\n" },
	{ "a LF alone is an octet", "a\nb \n\r\n", "a\nb \n\r\n" },
	{ "a CR alone is an octet", "a\rb \r\r\n", "a\rb \r\r\n" },
	{ "a CR at the end", "a\r", "a\r\r\n" },
	{ "a LF at the beginning", "\na\r\n", "\na\r\n" },
	{ "other white space is none", "a\f\v\xc2\xa0 b\r\n", "a\f\v\xc2\xa0 b\r\n" },
	{ "a line behind a squeezed one", "a  b\r\nc\r\nd\t\r\ne\r\n", "a b\r\nc\r\nd\r\ne\r\n" },
};

static const struct row fields[] = {
	{ "the RFC's first", "A: X", "a:X" },
	{ "the RFC's second", "B : Y\t\r\n\tZ  ", "b:Y Z" },
	{ "nothing behind the colon", "Subject:", "subject:" },
	{ "blanks behind the colon", "Subject: \t ", "subject:" },
	{ "no space", "SUBJECT:x", "subject:x" },
	{ "folded first", "Subject:\r\n x", "subject:x" },
	{ "folded twice", "To: a,\r\n\tb,\r\n   c", "to:a, b, c" },
	{ "a colon in the value", "Subject: re: X : y", "subject:re: X : y" },
	{ "letters stay in the value", "From: Joe SixPack <joe@Football.Example>",
	  "from:Joe SixPack <joe@Football.Example>" },
	{ "UTF-8", "Subject: gr\xc3\xbc\xc3\x9f  dich", "subject:gr\xc3\xbc\xc3\x9f dich" },
	{ "no colon", "Odd ", "odd" },
};

static bool collect(void *context, struct view piece)
{
	return buf_add(context, piece) == ERR_OK;
}

static void check_body(const char *label, struct view body, const char *canonical)
{
	AUTO_BUF out = buf_with_ceiling(LIMIT_WHY);
	const struct dkim_sink sink = { .context = &out, .add = collect };
	ck_row(label, dkim_canon_body(body, VIEW_LIT(""), &sink));
	ck_assert_msg(view_eq(buf_view(&out), view_of(canonical)), "%s: " VIEW_FMT, label, VIEW_ARG(buf_view(&out)));
}

START_TEST(body)
	{
		for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
			check_body(bodies[i].label, view_of(bodies[i].text), bodies[i].canonical);
			/* What is canonical stays so. */
			check_body(bodies[i].label, view_of(bodies[i].canonical), bodies[i].canonical);
		}
	}
END_TEST

/* Wherever a text is divided before a CRLF: the tail goes on as if nothing were. */
START_TEST(tails)
	{
		for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
			struct view text = view_of(bodies[i].canonical);
			for (size_t at = 0; at + 2 < text.len; at++) {
				struct view tail = view_skip(text, at);
				if (!view_starts(tail, VIEW_LIT("\r\n")))
					continue;
				AUTO_BUF out = buf_with_ceiling(LIMIT_WHY);
				const struct dkim_sink sink = { .context = &out, .add = collect };
				ck_row(bodies[i].label, dkim_canon_body(view_head(text, at), tail, &sink));
				ck_view_eq(buf_view(&out), bodies[i].canonical);
			}
		}
		AUTO_BUF out = buf_with_ceiling(LIMIT_WHY);
		const struct dkim_sink sink = { .context = &out, .add = collect };
		ck_assert(dkim_canon_body(VIEW_LIT("a\r\n \t"), VIEW_LIT("\r\n--b\r\n"), &sink));
		ck_view_eq(buf_view(&out), "a\r\n\r\n--b\r\n");
	}
END_TEST

START_TEST(field)
	{
		for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
			AUTO_BUF out = buf_with_ceiling(LIMIT_WHY);
			ck_assert_int_eq(dkim_canon_field(view_of(fields[i].text), &out), ERR_OK);
			ck_assert_msg(view_eq(buf_view(&out), view_of(fields[i].canonical)), "%s: " VIEW_FMT,
				      fields[i].label, VIEW_ARG(buf_view(&out)));
		}
	}
END_TEST

START_TEST(fields_of_a_head)
	{
		struct view text = VIEW_LIT("A: 1\r\nB: 2\r\n\tmore\r\n and\r\nC: 3\r\n\r\n D: body\r\n"), found;
		const char *const expected[] = { "A: 1", "B: 2\r\n\tmore\r\n and", "C: 3" };
		for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
			ck_assert(dkim_next_field(&text, &found));
			ck_view_eq(found, expected[i]);
		}
		ck_assert(!dkim_next_field(&text, &found));
		ck_view_eq(text, " D: body\r\n");
		text = VIEW_LIT("A: 1");
		ck_assert(dkim_next_field(&text, &found));
		ck_view_eq(found, "A: 1");
		ck_assert(!dkim_next_field(&text, &found));
		ck_assert_uint_eq(text.len, 0);
	}
END_TEST

static bool count(void *context, struct view piece)
{
	size_t *pieces = context;
	(void)piece;
	return ++*pieces < 3;
}

/* A long text costs one call of the hash, not one a line; and a sink that fails is not asked again. */
START_TEST(few_pieces)
	{
		size_t pieces = 0;
		const struct dkim_sink sink = { .context = &pieces, .add = count };
		ck_assert(dkim_canon_body(VIEW_LIT("a b\r\nc\r\n\r\nd\r\n\r\n"), VIEW_LIT(""), &sink));
		ck_assert_uint_eq(pieces, 1);
		pieces = 0;
		ck_assert(!dkim_canon_body(VIEW_LIT("a  b  c\r\nd  e\r\nf  g\r\nh\r\n"), VIEW_LIT(""), &sink));
		ck_assert_uint_eq(pieces, 3);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { body, tails, field, fields_of_a_head, few_pieces };
	return suite_of("dkim_canon", tests, ARRAY_LEN(tests));
}
