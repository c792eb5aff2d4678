#include "listctl/address_lines.h"

#include <string.h>

#include "base/limits.h"
#include "tests/support/unit.h"

static enum err show_row(void *context, const struct csv_row *row, struct buf *why)
{
	struct buf *out = context;
	(void)why;
	buf_addf(out, "%llu:", (unsigned long long)row->line);
	for (size_t i = 0; i < row->count; i++) {
		buf_add(out, i == 0 ? VIEW_LIT("") : VIEW_LIT("|"));
		buf_add(out, row->fields[i].absent ? VIEW_LIT("~") : row->fields[i].text);
	}
	return buf_add(out, VIEW_LIT("\n"));
}

static enum err show_fault(void *context, const struct csv_fault *fault, struct buf *why)
{
	(void)why;
	ck_assert(view_is_utf8(fault->raw) && fault->text[0] != '\0');
	return buf_addf(context, "%llu![" VIEW_FMT "]\n", (unsigned long long)fault->line,
			VIEW_ARG(view_head(fault->raw, 20)));
}

/* Octets with their length, as NUL may be among them. */
#define BYTES(literal) (literal), sizeof(literal) - 1

static const struct row {
	const char *label;
	enum layout layout;
	const char *input;
	size_t len;
	const char *rows;
} rows[] = {
	{ "addresses", LAYOUT_LINES, BYTES("a@x.org\n\nb@x.org\r\nc@x.org\rd@x.org"),
	  "1:a@x.org|~\n3:b@x.org|~\n4:c@x.org|~\n5:d@x.org|~\n" },
	{ "names", LAYOUT_LINES, BYTES("Ann <a@x.org>\nb@x.org Bob\n"), "1:a@x.org|Ann\n2:b@x.org|Bob\n" },
	{ "no address", LAYOUT_LINES, BYTES("a@x.org\nno comment\n"), "1:a@x.org|~\n2:no comment|~\n" },
	{ "comments", LAYOUT_LINES, BYTES("# of\na@x.org\n  #b@x.org\n#\nc@x.org (Cy)\n"),
	  "2:a@x.org|~\n5:c@x.org|Cy\n" },
	{ "Windows-1252", LAYOUT_LINES, BYTES("a@x.org J\xf6rg\n"), "1:a@x.org|J\xc3\xb6rg\n" },
	{ "a line that contradicts", LAYOUT_LINES, BYTES("a@x.org J\xc3\xb6rg\nb@x.org J\xf6rg\nc@x.org\n"),
	  "1:a@x.org|J\xc3\xb6rg\n2![b@x.org J\\xF6rg]\n3:c@x.org|~\n" },
	{ "NUL", LAYOUT_LINES, BYTES("a@x.org\nb\0@x.org\nc@x.org\n"), "1:a@x.org|~\n2![b\\x00@x.org]\n3:c@x.org|~\n" },
	{ "nothing", LAYOUT_LINES, BYTES(""), "" },
	{ "stanzas", LAYOUT_STANZAS,
	  BYTES("email a@x.org\ngecos Ann Lee\ndate 17\nreception mail\n\nemail b@x.org\n\n"),
	  "1:a@x.org|Ann Lee|17|mail|~|~|~\n6:b@x.org|~|~|~|~|~|~\n" },
	{ "stanzas without empty lines", LAYOUT_STANZAS, BYTES("email a@x.org\ngecos Ann\nemail b@x.org\ngecos Bob"),
	  "1:a@x.org|Ann|~|~|~|~|~\n3:b@x.org|Bob|~|~|~|~|~\n" },
	{ "a stanza without an address", LAYOUT_STANZAS, BYTES("gecos Ann\n\nemail b@x.org\n"),
	  "1:~|Ann|~|~|~|~|~\n3:b@x.org|~|~|~|~|~|~\n" },
	{ "in Sympa's own order", LAYOUT_STANZAS,
	  BYTES("bounce_score 10\ndate 5\nemail a@x.org\nenddate 9\ngecos A\nreception nomail\nstartdate 8\nsuspend "
		"1\n\n"),
	  "3:a@x.org|A|5|nomail|1|8|9\n" },
};

START_TEST(lines_in_pieces_of_any_size)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			for (size_t step = 1; step <= 9; step++) {
				AUTO_BUF out = buf_with_ceiling(4096);
				AUTO_BUF why = buf_with_ceiling(4096);
				struct address_lines *lines =
				    address_lines_new(rows[i].layout, ENCODING_AUTO, true, show_row, show_fault, &out);
				struct view rest = view_from(rows[i].input, rows[i].len);
				for (; rest.len > 0; rest = view_skip(rest, step))
					ck_row(rows[i].label,
					       address_lines_feed(lines, view_head(rest, step), &why) == ERR_OK);
				ck_row(rows[i].label, address_lines_finish(lines, &why) == ERR_OK);
				ck_assert_msg(strcmp(buf_text(&out), rows[i].rows) == 0, "%s, step %zu: %s",
					      rows[i].label, step, buf_text(&out));
				address_lines_free(lines);
			}
		}
	}
END_TEST

START_TEST(a_line_has_a_ceiling)
	{
		AUTO_BUF text = buf_with_ceiling(1 << 20);
		AUTO_BUF out = buf_with_ceiling(1 << 20);
		AUTO_BUF why = buf_with_ceiling(4096);
		buf_add(&text, VIEW_LIT("a@x.org\n"));
		for (size_t i = 0; i < LIMIT_CSV_FIELD + 9; i++)
			buf_add_byte(&text, 'x');
		buf_add(&text, VIEW_LIT("\r\nb@x.org\n"));
		struct address_lines *lines =
		    address_lines_new(LAYOUT_LINES, ENCODING_AUTO, true, show_row, show_fault, &out);
		for (struct view rest = buf_view(&text); rest.len > 0; rest = view_skip(rest, 1000))
			ck_assert(address_lines_feed(lines, view_head(rest, 1000), &why) == ERR_OK);
		ck_assert(address_lines_finish(lines, &why) == ERR_OK);
		ck_view_eq(buf_view(&out), "1:a@x.org|~\n2![xxxxxxxxxxxxxxxxxxxx]\n3:b@x.org|~\n");
		address_lines_free(lines);
	}
END_TEST

START_TEST(headers)
	{
		ck_assert_uint_eq(address_lines_header(LAYOUT_LINES).count, 2);
		ck_assert_uint_eq(address_lines_header(LAYOUT_STANZAS).count, ADDRESS_LINES_FIELDS);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { lines_in_pieces_of_any_size, a_line_has_a_ceiling, headers };
	return suite_of("address_lines", tests, ARRAY_LEN(tests));
}
