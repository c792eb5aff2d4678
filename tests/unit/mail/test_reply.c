#include "mail/reply.h"

#include <string.h>

#include "base/limits.h"
#include "tests/support/unit.h"

struct row {
	const char *label, *bytes;
	enum reply_progress progress;
	unsigned code;
	const char *status, *text, *rest; /* rest: what must be left unread */
};

static const struct row rows[] = {
	{ "one line", "250 ok\r\n", REPLY_IS_READ, 250, "", "ok", "" },
	{ "code alone", "250\r\n", REPLY_IS_READ, 250, "", "", "" },
	{ "code and space", "354 \r\n", REPLY_IS_READ, 354, "", "", "" },
	{ "several lines", "250-a\r\n250-b c\r\n250 d\r\n", REPLY_IS_READ, 250, "", "a\nb c\nd", "" },
	{ "last line alone", "250-a\r\n250\r\n", REPLY_IS_READ, 250, "", "a\n", "" },
	{ "empty continuation", "250-\r\n250 b\r\n", REPLY_IS_READ, 250, "", "\nb", "" },
	{ "bare LF", "250-a\n250 b\n", REPLY_IS_READ, 250, "", "a\nb", "" },
	{ "next reply stays", "250 a\r\n550 b\r\n", REPLY_IS_READ, 250, "", "a", "550 b\r\n" },
	{ "enhanced", "550 5.1.1 no such user\r\n", REPLY_IS_READ, 550, "5.1.1", "5.1.1 no such user", "" },
	{ "enhanced of the first line", "550-5.1.1 no\r\n550 5.2.2 x\r\n", REPLY_IS_READ, 550, "5.1.1",
	  "5.1.1 no\n5.2.2 x", "" },
	{ "enhanced alone", "450 4.7.1\r\n", REPLY_IS_READ, 450, "4.7.1", "4.7.1", "" },
	{ "class of another", "550 4.1.1 x\r\n", REPLY_IS_READ, 550, "", "4.1.1 x", "" },
	{ "not quite enhanced", "550 5.1 x\r\n", REPLY_IS_READ, 550, "", "5.1 x", "" },
	{ "controls", "250 a\tb\x01\x7f\r\n", REPLY_IS_READ, 250, "", "a b  ", "" },
	{ "UTF-8 is kept", "250 gr\xc3\xbc\xc3\x9f\r\n", REPLY_IS_READ, 250, "", "gr\xc3\xbc\xc3\x9f", "" },
	{ "Latin-1 is not", "250 gr\xfc\xdf\r\n", REPLY_IS_READ, 250, "", "gr??", "" },
	{ "unfinished", "250 ok\r", REPLY_NEEDS_MORE, 0, "", "", "" },
	{ "more to come", "250-ok\r\n", REPLY_NEEDS_MORE, 0, "", "", "" },
	{ "no code", "hello\r\n", REPLY_IS_MALFORMED, 0, "", "", "ello\r\n" },
	{ "class 1", "150 x\r\n", REPLY_IS_MALFORMED, 0, "", "", "50 x\r\n" },
	{ "class 6", "650 x\r\n", REPLY_IS_MALFORMED, 0, "", "", "50 x\r\n" },
	{ "two digits", "25 x\r\n", REPLY_IS_MALFORMED, 0, "", "", "x\r\n" },
	{ "four digits", "2500 x\r\n", REPLY_IS_MALFORMED, 0, "", "", " x\r\n" },
	{ "other code", "250-a\r\n251 b\r\n", REPLY_IS_MALFORMED, 0, "", "", " b\r\n" },
	{ "bare CR", "250 a\rb\r\n", REPLY_IS_MALFORMED, 0, "", "", "\r\n" },
	{ "empty line", "\r\n", REPLY_IS_MALFORMED, 0, "", "", "\n" },
};

static void check_row(const struct row *row, struct reply_parser *parser, enum reply_progress progress,
		      struct view rest)
{
	ck_row(row->label, progress == row->progress);
	if (row->progress == REPLY_NEEDS_MORE)
		return;
	ck_view_eq(rest, row->rest);
	if (row->progress != REPLY_IS_READ)
		return;
	struct reply reply = reply_read(parser);
	AUTO_BUF status = buf_with_ceiling(16);
	status_write(reply.status, &status);
	ck_row(row->label, reply.code == row->code);
	ck_view_eq(reply.text, row->text);
	ck_view_eq(buf_view(&status), row->status);
}

START_TEST(rows_whole)
	{
		struct reply_parser parser = reply_parser_new();
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct view bytes = view_of(rows[i].bytes);
			reply_parser_reset(&parser);
			ck_assert(reply_parser_is_fresh(&parser));
			enum reply_progress progress = reply_feed(&parser, &bytes);
			check_row(&rows[i], &parser, progress, bytes);
		}
		reply_parser_done(&parser);
	}
END_TEST

START_TEST(rows_split_at_every_octet)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			for (size_t at = 1; at < strlen(rows[i].bytes); at++) {
				struct reply_parser parser = reply_parser_new();
				struct view head = view_head(view_of(rows[i].bytes), at);
				struct view tail = view_skip(view_of(rows[i].bytes), at);
				enum reply_progress progress = reply_feed(&parser, &head);
				if (progress == REPLY_NEEDS_MORE) {
					ck_row(rows[i].label, head.len == 0);
					progress = reply_feed(&parser, &tail);
					check_row(&rows[i], &parser, progress, tail);
				}
				ck_row(rows[i].label, progress == rows[i].progress);
				reply_parser_done(&parser);
			}
		}
	}
END_TEST

START_TEST(rows_octet_by_octet)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct reply_parser parser = reply_parser_new();
			enum reply_progress progress = REPLY_NEEDS_MORE;
			struct view bytes = view_of(rows[i].bytes);
			size_t at = 0;
			for (; at < bytes.len && progress == REPLY_NEEDS_MORE; at++) {
				struct view octet = view_slice(bytes, at, at + 1);
				progress = reply_feed(&parser, &octet);
			}
			check_row(&rows[i], &parser, progress, view_skip(bytes, at));
			reply_parser_done(&parser);
		}
	}
END_TEST

/* ---- what is wrong with it ---- */

static const struct fault_row {
	const char *bytes;
	enum reply_fault fault;
	const char *says;
} fault_rows[] = {
	{ "hello\r\n", REPLY_FAULT_CODE, "does not begin with a code" },
	{ "\r\n", REPLY_FAULT_CODE, "does not begin with a code" },
	{ "150 x\r\n", REPLY_FAULT_CODE, "from 200 to 599" },
	{ "25 x\r\n", REPLY_FAULT_CODE, "does not begin with a code" },
	{ "250-a\r\nhello\r\n", REPLY_FAULT_CODE, "does not begin with a code" },
	{ "250-a\r\n251 b\r\n", REPLY_FAULT_CODES, "different codes" },
	{ "250_a\r\n", REPLY_FAULT_SEPARATOR, "neither a space nor a hyphen" },
	{ "2500 x\r\n", REPLY_FAULT_SEPARATOR, "neither a space nor a hyphen" },
	{ "250 a\rb\r\n", REPLY_FAULT_CR, "a CR" },
};

START_TEST(faults)
	{
		for (size_t i = 0; i < ARRAY_LEN(fault_rows); i++) {
			const struct fault_row *row = &fault_rows[i];
			struct reply_parser parser = reply_parser_new();
			struct view unread = view_of(row->bytes);
			ck_row(row->bytes, reply_feed(&parser, &unread) == REPLY_IS_MALFORMED);
			ck_row(row->bytes, parser.fault == row->fault);
			ck_row(row->bytes, view_find(reply_fault(&parser), view_of(row->says)) != VIEW_NONE);
			reply_parser_reset(&parser);
			ck_row(row->bytes, parser.fault == REPLY_FAULT_NONE);
			reply_parser_done(&parser);
		}
	}
END_TEST

struct size_row {
	const char *label;
	size_t lines, text_len;
	enum reply_progress progress;
	enum reply_fault fault;
};

/* A line's octets are code, separator, text and CRLF. */
static const struct size_row size_rows[] = {
	{ "longest line", 1, LIMIT_REPLY_LINE - 6, REPLY_IS_READ, REPLY_FAULT_NONE },
	{ "a longer line", 1, LIMIT_REPLY_LINE - 5, REPLY_IS_MALFORMED, REPLY_FAULT_LONG_LINE },
	{ "most lines", LIMIT_REPLY_LINES, 10, REPLY_IS_READ, REPLY_FAULT_NONE },
	{ "more lines", LIMIT_REPLY_LINES + 1, 10, REPLY_IS_MALFORMED, REPLY_FAULT_LINES },
	{ "largest reply", 16, LIMIT_REPLY_LINE - 6, REPLY_IS_READ, REPLY_FAULT_NONE },
	{ "a larger reply", 17, LIMIT_REPLY_LINE - 6, REPLY_IS_MALFORMED, REPLY_FAULT_LONG },
};

START_TEST(ceilings)
	{
		for (size_t i = 0; i < ARRAY_LEN(size_rows); i++) {
			const struct size_row *row = &size_rows[i];
			AUTO_BUF bytes = buf_with_ceiling(1 << 20);
			for (size_t line = 0; line < row->lines; line++) {
				buf_addf(&bytes, "250%c", line + 1 < row->lines ? '-' : ' ');
				for (size_t k = 0; k < row->text_len; k++)
					buf_add_byte(&bytes, 'x');
				buf_addf(&bytes, "\r\n");
			}
			struct reply_parser parser = reply_parser_new();
			struct view unread = buf_view(&bytes);
			ck_row(row->label, reply_feed(&parser, &unread) == row->progress);
			ck_row(row->label, parser.fault == row->fault);
			reply_parser_done(&parser);
		}
	}
END_TEST

/* Each has a sentence of its own, and all that a peer can do wrong a row. */
START_TEST(every_fault)
	{
		for (size_t i = 0; i < REPLY_FAULT_COUNT; i++) {
			const struct reply_parser parser = { .fault = (enum reply_fault)i };
			bool has_row = i == REPLY_FAULT_NONE || i == REPLY_FAULT_MEMORY;
			for (size_t k = 0; k < ARRAY_LEN(fault_rows); k++)
				has_row = has_row || fault_rows[k].fault == i;
			for (size_t k = 0; k < ARRAY_LEN(size_rows); k++)
				has_row = has_row || size_rows[k].fault == i;
			ck_assert_msg(has_row, "no row for fault %zu", i);
			for (size_t k = 0; k < i; k++) {
				const struct reply_parser other = { .fault = (enum reply_fault)k };
				ck_assert(!view_eq(reply_fault(&parser), reply_fault(&other)));
			}
		}
	}
END_TEST

START_TEST(endings_last)
	{
		struct reply_parser parser = reply_parser_new();
		struct view bytes = view_of("oops");
		ck_assert(reply_feed(&parser, &bytes) == REPLY_IS_MALFORMED);
		bytes = view_of("250 ok\r\n");
		ck_assert_msg(reply_feed(&parser, &bytes) == REPLY_IS_MALFORMED, "until it is reset");
		reply_parser_reset(&parser);
		ck_assert(reply_feed(&parser, &bytes) == REPLY_IS_READ);
		reply_parser_done(&parser);
		reply_parser_done(&parser);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = {
		rows_whole, rows_split_at_every_octet, rows_octet_by_octet, faults, ceilings, every_fault, endings_last
	};
	return suite_of("reply", tests, ARRAY_LEN(tests));
}
