#include "listctl/columns.h"

#include <string.h>

#include "base/limits.h"
#include "tests/support/unit.h"

/* A header and rows under it, each given as text with | between fields , ~ for an absent one, ^ for an empty one. */
static size_t split(const char *text, struct csv_field *fields)
{
	struct view rest = view_of(text), part;
	size_t count = 0;
	while (view_cut(&rest, '|', &part)) {
		bool absent = view_eq(part, VIEW_LIT("~"));
		if (absent || view_eq(part, VIEW_LIT("^")))
			part = VIEW_LIT("");
		fields[count++] = (struct csv_field){ .text = part, .absent = absent };
	}
	return count;
}

static enum err read_header(const char *text, const char *address_column, struct columns **ret_columns, struct buf *why)
{
	struct csv_field fields[LIMIT_CSV_COLUMNS];
	const struct csv_row row = { .line = 1, .fields = fields, .count = split(text, fields) };
	return columns_from_header(&row, "f.csv", address_column, ret_columns, why);
}

static const struct header_row {
	const char *label, *header, *address_column;
	const char *why; /* NULL: good */
} header_rows[] = {
	{ "plain", "email|name", NULL, NULL },
	{ "written otherwise", " E-Mail Address |First Name", NULL, NULL },
	{ "address is the postal one", "address|email|name", NULL, NULL },
	{ "address alone", "address|name", NULL, NULL },
	{ "named by the caller", "kontakt|name", "Kontakt", NULL },
	{ "one of two, named by the caller", "email|e-mail", "e-mail", "column 1 is called email" },
	{ "left-out columns may repeat", "email|_line|_line", NULL, NULL },
	{ "a column without a name", "email|~", NULL, NULL },
	{ "no address column", "name|city", NULL, "no column of the header is called email" },
	{ "no header", "ann@example.org|Ann", NULL, "there is no header row" },
	{ "semicolons", "email;name", NULL, "--delimiter ';'" },
	{ "tabs", "email\tname", NULL, "--delimiter tab" },
	{ "two addresses", "email|e-mail", NULL, "columns 1 and 2 both look like the address" },
	{ "the caller's name is not there", "email|name", "mail", "no column is called mail" },
	{ "collision", "email|Zip Code|zip-code", NULL, "columns 2 and 3 both mean zip_code" },
	{ "two names", "email|name|full name", NULL, "columns 2 and 3 both mean" },
	{ "taken by templates", "email|Campaign", NULL, "column 2 is called campaign" },
	{ "no letter to name it by", "email|\xe5\x9f\x8e", NULL, "the name of column 2 has no letter" },
};

START_TEST(headers)
	{
		for (size_t i = 0; i < ARRAY_LEN(header_rows); i++) {
			const struct header_row *row = &header_rows[i];
			AUTO_BUF why = buf_with_ceiling(4096);
			struct columns *columns = NULL;
			enum err err = read_header(row->header, row->address_column, &columns, &why);
			ck_assert_msg((err == ERR_OK) == (row->why == NULL), "%s: %s", row->label, buf_text(&why));
			if (row->why != NULL)
				ck_assert_msg(strstr(buf_text(&why), row->why) != NULL, "%s: %s", row->label,
					      buf_text(&why));
			ck_row(row->label, err == ERR_OK || strncmp(buf_text(&why), "f.csv, line 1: ", 15) == 0);
			columns_free(columns);
		}
	}
END_TEST

static const struct person_row {
	const char *label, *header, *row;
	const char *address, *key, *name, *attributes;
} person_rows[] = {
	{ "plain", "email|name", "Ann@Example.ORG|Ann Lee", "Ann@example.org", "ann@example.org", "Ann Lee", "{}" },
	{ "first and last name, kept as attributes too", "last name|email|first name", "Lee|a@example.org|Ann",
	  "a@example.org", "a@example.org", "Ann Lee", "{\"last_name\":\"Lee\",\"first_name\":\"Ann\"}" },
	{ "a name makes them plain attributes", "email|name|first name", "a@example.org|Dr. Lee|Ann", "a@example.org",
	  "a@example.org", "Dr. Lee", "{\"first_name\":\"Ann\"}" },
	{ "only one of the two", "email|first name|last name", "a@example.org|~|Lee", "a@example.org", "a@example.org",
	  "Lee", "{\"last_name\":\"Lee\"}" },
	{ "absent is left out, empty is kept", "email|a|b", "a@example.org|~|^", "a@example.org", "a@example.org", "",
	  "{\"b\":\"\"}" },
	{ "the postal address", "address|email", "1 High St|a@example.org", "a@example.org", "a@example.org", "",
	  "{\"address\":\"1 High St\"}" },
	{ "a guarded formula", "email|f|g|h", "a@example.org|'=1+1|'quoted|''=x", "a@example.org", "a@example.org", "",
	  "{\"f\":\"=1+1\",\"g\":\"'quoted\",\"h\":\"'=x\"}" },
	{ "JSON escapes", "email|a", "a@example.org|\"\\/\xc3\xbc", "a@example.org", "a@example.org", "",
	  "{\"a\":\"\\\"\\\\/\xc3\xbc\"}" },
	{ "columns of listctl's own", "_line|_reason|email", "7|x\ny|a@example.org", "a@example.org", "a@example.org",
	  "", "{}" },
	{ "an active member", "email|_state", "a@example.org|active", "a@example.org", "a@example.org", "", "{}" },
	{ "an international domain", "email",
	  "a@b\xc3\xbc"
	  "cher.example",
	  "a@xn--bcher-kva.example", "a@xn--bcher-kva.example", "", "{}" },
	{ "an unnamed column that is empty", "email|~", "a@example.org|~", "a@example.org", "a@example.org", "", "{}" },
};

START_TEST(people)
	{
		for (size_t i = 0; i < ARRAY_LEN(person_rows); i++) {
			const struct person_row *row = &person_rows[i];
			AUTO_BUF why = buf_with_ceiling(4096);
			struct columns *columns = NULL;
			ck_assert_msg(read_header(row->header, NULL, &columns, &why) == ERR_OK, "%s: %s", row->label,
				      buf_text(&why));
			struct csv_field fields[LIMIT_CSV_COLUMNS];
			const struct csv_row csv = { .line = 2, .fields = fields, .count = split(row->row, fields) };
			struct person person;
			struct refusal refusal;
			/* Twice: nothing of one row may stay for the next. */
			ck_row(row->label, columns_read(columns, &csv, &person, &refusal));
			ck_row(row->label, columns_read(columns, &csv, &person, &refusal));
			ck_view_eq(person.address, row->address);
			ck_view_eq(person.address_key, row->key);
			ck_view_eq(person.name, row->name);
			ck_view_eq(person.attributes, row->attributes);
			columns_free(columns);
		}
	}
END_TEST

static const struct refusal_row {
	const char *label, *header, *row;
	enum refusal_kind kind;
	const char *column;
} refusal_rows[] = {
	{ "too few fields", "email|a|b", "a@example.org|x", REFUSAL_FIELDS, "" },
	{ "too many fields", "email|a", "a@example.org|x|y", REFUSAL_FIELDS, "" },
	{ "no address", "email|a", "~|x", REFUSAL_ADDRESS, "email" },
	{ "two @", "email|a", "a@@example.org|x", REFUSAL_ADDRESS, "email" },
	{ "CR LF in the address", "email|a", "a@example.org\r\nBcc: b@example.org|x", REFUSAL_ADDRESS, "email" },
	{ "CR LF in an attribute", "email|a", "a@example.org|x\r\ny", REFUSAL_CONTROL, "a" },
	{ "CR LF in the name", "email|name", "a@example.org|x\r\nBcc: y", REFUSAL_CONTROL, "name" },
	{ "an encoded word", "email|name", "a@example.org|=?utf-8?Q?J=C3=B6rg?=", REFUSAL_ENCODED, "name" },
	{ "one in an attribute", "email|a", "a@example.org|x =?ISO-8859-1?b?SvZyZw==?= y", REFUSAL_ENCODED, "a" },
	{ "a tab", "email|first name", "a@example.org|x\ty", REFUSAL_CONTROL, "first_name" },
	{ "escape", "email|a", "a@example.org|\x1b[31m", REFUSAL_CONTROL, "a" },
	{ "unsubscribed", "email|_state", "a@example.org|unsubscribed", REFUSAL_STATE, "_state" },
	{ "a value without a column name", "email|~", "a@example.org|x", REFUSAL_UNNAMED, "" },
};

START_TEST(refusals)
	{
		for (size_t i = 0; i < ARRAY_LEN(refusal_rows); i++) {
			const struct refusal_row *row = &refusal_rows[i];
			AUTO_BUF why = buf_with_ceiling(4096);
			struct columns *columns = NULL;
			ck_row(row->label, read_header(row->header, NULL, &columns, &why) == ERR_OK);
			struct csv_field fields[LIMIT_CSV_COLUMNS];
			const struct csv_row csv = { .line = 2, .fields = fields, .count = split(row->row, fields) };
			struct person person;
			struct refusal refusal;
			ck_row(row->label, !columns_read(columns, &csv, &person, &refusal));
			ck_row(row->label, refusal.kind == row->kind);
			ck_row(row->label, strcmp(refusal.column, row->column) == 0);
			ck_row(row->label, refusal.text.len > 0 && view_is_utf8(refusal.text));
			columns_free(columns);
		}
	}
END_TEST

START_TEST(attributes_have_a_ceiling)
	{
		static char big[LIMIT_ATTRIBUTES / 2];
		memset(big, 'x', sizeof(big));
		const struct view half = view_from(big, sizeof(big));
		AUTO_BUF why = buf_with_ceiling(4096);
		struct columns *columns = NULL;
		ck_assert(read_header("email|a|b", NULL, &columns, &why) == ERR_OK);
		struct csv_field fields[] = { { .text = VIEW_LIT("a@example.org") },
					      { .text = half },
					      { .text = half } };
		const struct csv_row csv = { .line = 2, .fields = fields, .count = ARRAY_LEN(fields) };
		struct person person;
		struct refusal refusal;
		ck_assert(!columns_read(columns, &csv, &person, &refusal));
		ck_assert(refusal.kind == REFUSAL_LONG);
		fields[2].text = VIEW_LIT("");
		ck_assert_msg(columns_read(columns, &csv, &person, &refusal), "the next row is read again");
		columns_free(columns);
	}
END_TEST

START_TEST(every_refusal_has_a_name)
	{
		for (enum refusal_kind kind = 0; kind < REFUSAL_KIND_COUNT; kind++)
			ck_assert(refusal_name(kind) != NULL && refusal_name(kind)[0] != '\0');
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { headers, people, refusals, attributes_have_a_ceiling, every_refusal_has_a_name };
	return suite_of("columns", tests, ARRAY_LEN(tests));
}
