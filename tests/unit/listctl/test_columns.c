#include "listctl/columns.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "listctl/sheet.h"
#include "tests/support/unit.h"

enum { NOW_S = 1800000000 };

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

/* maps and types parted by blanks; a column's name may hold _ for a blank, as both are normalised. NULL: none. */
static void read_wishes(const char *maps, const char *types, struct column_wishes *wishes)
{
	char word[128];
	struct view rest = view_of(maps), part;
	while (view_cut(&rest, ' ', &part)) {
		snprintf(word, sizeof(word), VIEW_FMT, VIEW_ARG(part));
		AUTO_BUF why = buf_with_ceiling(4096);
		struct column_map *map = &wishes->maps[wishes->map_count++];
		ck_assert_msg(column_map_parse(word, map, &why), "%s: %s", word, buf_text(&why));
		/* They outlive word. */
		map->column = view_head(part, map->column.len);
		map->exact = view_skip(part, part.len - map->exact.len);
	}
	rest = view_of(types);
	while (view_cut(&rest, ' ', &part)) {
		snprintf(word, sizeof(word), VIEW_FMT, VIEW_ARG(part));
		AUTO_BUF why = buf_with_ceiling(4096);
		struct column_type *type = &wishes->types[wishes->type_count++];
		ck_assert_msg(column_type_parse(word, type, &why), "%s: %s", word, buf_text(&why));
		size_t at = type->exact.len > 0 ? view_find_last_byte(part, '=') : 0;
		type->exact = view_slice(part, at - type->exact.len, at);
	}
}

static enum err read_header_by(const char *text, const struct column_wishes *wishes, struct columns **ret_columns,
			       struct buf *why)
{
	struct csv_field fields[LIMIT_CSV_COLUMNS];
	const struct csv_row row = { .line = 1, .fields = fields, .count = split(text, fields) };
	return columns_from_header(&row, "f.csv", wishes, ret_columns, why);
}

static enum err read_header(const char *text, const char *address_column, struct columns **ret_columns, struct buf *why)
{
	struct column_wishes wishes = { .address_column = address_column, .now_us = (int64_t)NOW_S * 1000000 };
	return read_header_by(text, &wishes, ret_columns, why);
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
	{ "German", "Vorname|Nachname|E-Mail-Adresse", NULL, NULL },
	{ "French", "Pr\xc3\xa9nom|Nom|Adresse e-mail", NULL, NULL },
	{ "French, accents apart", "Pre\xcc\x81nom|Nom|Adresse \xc3\xa9lectronique", NULL, NULL },
	{ "Spanish", "Nombre|Apellidos|Correo electr\xc3\xb3nico", NULL, NULL },
	{ "Indonesian", "Nama|Alamat Email", NULL, NULL },
	{ "a made-up header", "#1|email|#3", NULL, NULL },
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
	{ "empty fields beyond the last column", "email|a", "a@example.org|x|~|~", "a@example.org", "a@example.org", "",
	  "{\"a\":\"x\"}" },
	{ "names in another language become those of merge fields", "E-Mail|Vorname|Nachname", "a@example.org|Ann|Lee",
	  "a@example.org", "a@example.org", "Ann Lee", "{\"first_name\":\"Ann\",\"last_name\":\"Lee\"}" },
	{ "types in the header", "email|age:number|vip:boolean|born:date|x:json|note:text",
	  "a@example.org|042.50|ja|31.12.2024|{\"a\": [1, 2]}|07", "a@example.org", "a@example.org", "",
	  "{\"age\":42.50,\"vip\":true,\"born\":\"2024-12-31\",\"x\":{\"a\":[1,2]},\"note\":\"07\"}" },
	{ "a colon that is no type", "email|ratio a:b", "a@example.org|1:2", "a@example.org", "a@example.org", "",
	  "{\"ratio_a_b\":\"1:2\"}" },
	{ "an empty cell of a type", "email|age:number", "a@example.org|^", "a@example.org", "a@example.org", "",
	  "{}" },
	{ "Mailchimp", "Email Address|First Name|Last Name|MEMBER_RATING|OPTIN_TIME|OPTIN_IP|LEID|EUID|NOTES|TAGS",
	  "a@example.org|Ann|Lee|4|2024-01-02 03:04:05|192.0.2.1|9|x|~|\"VIP\",\"Paper, daily\"", "a@example.org",
	  "a@example.org", "Ann Lee",
	  "{\"first_name\":\"Ann\",\"last_name\":\"Lee\",\"member_rating\":4,\"tags\":[\"VIP\",\"Paper, daily\"]}" },
	{ "Mailchimp, of somebody without tags", "Email Address|NOTES|LEID|EUID|TAGS", "a@example.org|^|9|x|^",
	  "a@example.org", "a@example.org", "", "{\"tags\":[]}" },
	{ "lines and tabs in an attribute", "email|a|n:json", "a@example.org|x\r\ny\tz|\"a\\nb\"", "a@example.org",
	  "a@example.org", "", "{\"a\":\"x\\r\\ny\\tz\",\"n\":\"a\\nb\"}" },
	{ "lines in an object", "uuid|email|name|attributes|status", "u|a@example.org|A|{\"a\":\"x\\ty\\nz\"}|enabled",
	  "a@example.org", "a@example.org", "A", "{\"a\":\"x\\ty\\nz\"}" },
	{ "an empty cell of tags elsewhere", "email|topics:tags", "a@example.org|^", "a@example.org", "a@example.org",
	  "", "{}" },
	{ "listmonk", "uuid|email|name|attributes|status|created_at|updated_at",
	  "u|a@example.org|Ann|{\"City\": \"Bonn\", \"age\": 40, \"vip\":true, \"name\":\"x\", "
	  "\"gone\":null}|enabled|x|y",
	  "a@example.org", "a@example.org", "Ann", "{\"city\":\"Bonn\",\"age\":40,\"vip\":true,\"x_name\":\"x\"}" },
	{ "the prefix makes attributes of whatever name",
	  "email|name|attribute:email|Attribute: Full Name|attribute:status|attribute:first_name:json|attribute:_x",
	  "a@example.org|Ann|b@example.org|c|unsubscribed|[1]|y", "a@example.org", "a@example.org", "Ann",
	  "{\"email\":\"b@example.org\",\"Full Name\":\"c\",\"status\":\"unsubscribed\",\"first_name\":[1],\"_x\":"
	  "\"y\"}" },
	{ "a prefix is no first name", "email|attribute:first_name|attribute:vorname", "a@example.org|x|y",
	  "a@example.org", "a@example.org", "", "{\"first_name\":\"x\",\"vorname\":\"y\"}" },
	{ "attribute alone is a name", "email|attribute:number", "a@example.org|7", "a@example.org", "a@example.org",
	  "", "{\"attribute\":7}" },
	{ "with the prefix, it is no export of others", "email|attribute:leid|euid|optin_ip", "a@example.org|1|2|3",
	  "a@example.org", "a@example.org", "", "{\"leid\":\"1\",\"euid\":\"2\",\"optin_ip\":\"3\"}" },
	{ "names that no merge field has",
	  "email|attribute:\xd0\xba\xd0\xbb|attribute:#3|attribute:-:number|attribute:\" "
	  "a\\n\"|attribute:\"\"|attribute:x:number:text|"
	  "attribute:b@c.org",
	  "a@example.org|1|2|3|4|5|6|7", "a@example.org", "a@example.org", "",
	  "{\"\xd0\xba\xd0\xbb\":\"1\",\"#3\":\"2\",\"-\":3,\" "
	  "a\\n\":\"4\",\"\":\"5\",\"x:number\":\"6\",\"b@c.org\":\"7\"}" },
	{ "Mailchimp's own columns are left out, an audience's own of such a name are not",
	  "Email Address|Region|cc|MEMBER_RATING|OPTIN_TIME|GMTOFF|TIMEZONE|CC|REGION|LEID|EUID|NOTES|EMAIL_TYPE",
	  "a@example.org|North|x|2|~|1|Europe/Berlin|DE|NW|9|x|n|html", "a@example.org", "a@example.org", "",
	  "{\"region\":\"North\",\"cc\":\"x\",\"member_rating\":2,\"notes\":\"n\"}" },
	{ "Mailchimp without its ids", "Email Address|MEMBER_RATING|OPTIN_TIME|OPTIN_IP|TIMEZONE",
	  "a@example.org|2|~|x|y", "a@example.org", "a@example.org", "", "{\"member_rating\":2}" },
	{ "in others' exports an empty cell says nothing, quoted or not", "Email Address|Phone|LEID|EUID",
	  "a@example.org|^|1|2", "a@example.org", "a@example.org", "", "{}" },
	{ "listmonk: names that differ in capitals, or are no merge fields", "uuid|email|name|attributes|status",
	  "u|a@example.org|A|{\"City\":1,\"city\":2,\"\xd0\xba\":3,\"3\":4,\"_x\":5,\"Name\":6,\"x_name\":7,\"\":8,\"Z-"
	  "p\":9}|enabled",
	  "a@example.org", "a@example.org", "A",
	  "{\"City\":1,\"city\":2,\"\xd0\xba\":3,\"3\":4,\"_x\":5,\"Name\":6,\"x_name\":7,\"\":8,\"z_p\":9}" },
	{ "listmonk: a name with escapes", "uuid|email|name|attributes|status",
	  "u|a@example.org|A|{\"\\u0041ge\":1}|enabled", "a@example.org", "a@example.org", "A", "{\"age\":1}" },
	{ "Sympa: how mail is received", "email|gecos|date|reception|suspend|startdate|enddate",
	  "a@example.org|Ann|1683356889|digestplain|0|~|~", "a@example.org", "a@example.org", "Ann", "{}" },
	{ "Sympa: suspended no longer", "email|gecos|date|reception|suspend|startdate|enddate",
	  "a@example.org|Ann|1683356889|mail|1|1683356889|1700000000", "a@example.org", "a@example.org", "Ann", "{}" },
	{ "Sympa: suspended later", "email|gecos|date|reception|suspend|startdate|enddate",
	  "a@example.org|Ann|1683356889|mail|1|2683356889|~", "a@example.org", "a@example.org", "Ann", "{}" },
	{ "delivery that is on", "email|delivery_status|nomail", "a@example.org|enabled|off", "a@example.org",
	  "a@example.org", "", "{\"delivery_status\":\"enabled\",\"nomail\":\"off\"}" },
	{ "status elsewhere is an attribute", "email|status", "a@example.org|golden", "a@example.org", "a@example.org",
	  "", "{\"status\":\"golden\"}" },
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
	{ "more fields, though one is quoted", "email|a", "a@example.org|x|~|^", REFUSAL_FIELDS, "" },
	{ "no address", "email|a", "~|x", REFUSAL_ADDRESS, "email" },
	{ "two @", "email|a", "a@@example.org|x", REFUSAL_ADDRESS, "email" },
	{ "CR LF in the address", "email|a", "a@example.org\r\nBcc: b@example.org|x", REFUSAL_ADDRESS, "email" },
	{ "LF in an address", "email|a", "a@exam\nple.org|x", REFUSAL_ADDRESS, "email" },
	{ "LF in the source of a consent", "email|_consent_source", "a@example.org|x\ny", REFUSAL_CONTROL,
	  "_consent_source" },
	{ "NUL beside a line break", "email|a", "a@example.org|x\n\x01y", REFUSAL_CONTROL, "a" },
	{ "CR LF in the name", "email|name", "a@example.org|x\r\nBcc: y", REFUSAL_CONTROL, "name" },
	{ "an encoded word", "email|name", "a@example.org|=?utf-8?Q?J=C3=B6rg?=", REFUSAL_ENCODED, "name" },
	{ "one in an attribute", "email|a", "a@example.org|x =?ISO-8859-1?b?SvZyZw==?= y", REFUSAL_ENCODED, "a" },
	{ "a tab", "email|first name", "a@example.org|x\ty", REFUSAL_CONTROL, "first_name" },
	{ "escape", "email|a", "a@example.org|\x1b[31m", REFUSAL_CONTROL, "a" },
	{ "unsubscribed", "email|_state", "a@example.org|unsubscribed", REFUSAL_LEFT, "_state" },
	{ "unconfirmed", "email|_state", "a@example.org|unconfirmed", REFUSAL_PENDING, "_state" },
	{ "an unknown state", "email|_state", "a@example.org|golden", REFUSAL_STATE, "_state" },
	{ "unsubscribed, with a bad address", "email|_state", "nobody|unsubscribed", REFUSAL_LEFT, "_state" },
	{ "an attribute that says so", "email|status", "a@example.org|Unsubscribed", REFUSAL_LEFT, "status" },
	{ "no number", "email|n:number", "a@example.org|many", REFUSAL_VALUE, "n" },
	{ "no JSON", "email|n:json", "a@example.org|{a:1}", REFUSAL_VALUE, "n" },
	{ "a backspace hidden in JSON", "email|n:json", "a@example.org|\"a\\bb\"", REFUSAL_CONTROL, "n" },
	{ "no time of consent", "email|_consent_time", "a@example.org|soon", REFUSAL_VALUE, "_consent_time" },
	{ "Mailchimp: unsubscribed", "Email Address|UNSUB_TIME|LEID|EUID", "a@example.org|2024-01-01 10:00:00|1|x",
	  REFUSAL_LEFT, "unsub_time" },
	{ "Mailchimp: cleaned", "Email Address|CLEAN_TIME|LEID|EUID", "a@example.org|2024-01-01 10:00:00|1|x",
	  REFUSAL_LEFT, "clean_time" },
	{ "listmonk: blocklisted", "uuid|email|name|attributes|status", "u|a@example.org|A|{}|blocklisted",
	  REFUSAL_LEFT, "status" },
	{ "listmonk: no object", "uuid|email|name|attributes|status", "u|a@example.org|A|[1]|enabled", REFUSAL_VALUE,
	  "attributes" },
	{ "listmonk: a control character in a text", "uuid|email|name|attributes|status",
	  "u|a@example.org|A|{\"a\":\"x\\u001by\"}|enabled", REFUSAL_CONTROL, "attributes" },
	{ "Sympa: nomail", "email|gecos|date|reception|suspend|startdate|enddate",
	  "a@example.org|Ann|1683356889|nomail|~|~|~", REFUSAL_NO_MAIL, "reception" },
	{ "Sympa: suspended", "email|gecos|date|reception|suspend|startdate|enddate",
	  "a@example.org|Ann|1683356889|mail|1|1683356889|~", REFUSAL_NO_MAIL, "suspend" },
	{ "Sympa: suspended for a time", "email|gecos|date|reception|suspend|startdate|enddate",
	  "a@example.org|Ann|1683356889|mail|1|1683356889|2683356889", REFUSAL_NO_MAIL, "suspend" },
	{ "Sympa: suspended, by times that nobody can read", "email|gecos|date|reception|suspend|startdate|enddate",
	  "a@example.org|Ann|1683356889|mail|1|x|y", REFUSAL_NO_MAIL, "suspend" },
	{ "reception elsewhere", "email|reception", "a@example.org|nomail", REFUSAL_NO_MAIL, "reception" },
	{ "Mailman: by his wish", "email|delivery_status", "a@example.org|by_user", REFUSAL_NO_MAIL,
	  "delivery_status" },
	{ "Mailman: by bounces", "email|delivery_status", "a@example.org|by_bounces", REFUSAL_LEFT, "delivery_status" },
	{ "Mailman: no mail", "email|nomail", "a@example.org|on", REFUSAL_NO_MAIL, "nomail" },
	{ "Mailchimp: unsubscribed, without its ids", "Email Address|MEMBER_RATING|OPTIN_TIME|UNSUB_TIME",
	  "a@example.org|2|~|2024-01-01 10:00:00", REFUSAL_LEFT, "unsub_time" },
	{ "listmonk: disabled", "uuid|email|name|attributes|status", "u|a@example.org|A|{}|disabled", REFUSAL_LEFT,
	  "status" },
	{ "Mailchimp: never subscribed", "email|OPTIN_TIME|CONFIRM_TIME|LEID|EUID", "a@example.org|~|~|1|x",
	  REFUSAL_NEVER, "" },
	{ "opt-in status", "email|Opt-in Status", "a@example.org|No", REFUSAL_LEFT, "opt_in_status" },
	{ "unsubscribed from all", "email|Unsubscribed from all email", "a@example.org|true", REFUSAL_LEFT,
	  "unsubscribed_from_all_email" },
	{ "an attribute: pending", "email|status", "a@example.org|pending", REFUSAL_PENDING, "status" },
	{ "an attribute: a bounce", "email|Status", "a@example.org|Hard bounce", REFUSAL_LEFT, "status" },
	{ "opted out: true", "email|Opted Out", "a@example.org|TRUE", REFUSAL_LEFT, "opted_out" },
	{ "subscribed: no", "email|subscribed", "a@example.org|no", REFUSAL_LEFT, "subscribed" },
	{ "active: no, as a boolean", "email|active:boolean", "a@example.org|no", REFUSAL_LEFT, "active" },
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

static const struct wish_row {
	const char *label, *header, *maps, *types, *row;
	const char *name, *attributes; /* NULL: refused with why */
	const char *why;
} wish_rows[] = {
	{ "by name", "Kontakt|Given", "Kontakt=email Given=first_name", NULL, "a@example.org|Ann", "Ann",
	  "{\"first_name\":\"Ann\"}", NULL },
	{ "by number", "#1|email|#3", "#1=city #3=-", NULL, "Bonn|a@example.org|x", "", "{\"city\":\"Bonn\"}", NULL },
	{ "numbers do not count a rejects file's own columns", "_line|_column|_reason|a|email", "#1=city", NULL,
	  "7|x|y|Bonn|a@example.org", "", "{\"city\":\"Bonn\"}", NULL },
	{ "an address column by number", "email|e-mail", "#2=email #1=-", NULL, "x|a@example.org", "", "{}", NULL },
	{ "a collision undone", "email|Zip Code|zip-code", "#3=-", NULL, "a@example.org|1|2", "",
	  "{\"zip_code\":\"1\"}", NULL },
	{ "a taken name", "email|Campaign", "Campaign=via", NULL, "a@example.org|x", "", "{\"via\":\"x\"}", NULL },
	{ "no letters", "email|\xe5\x9f\x8e", "#2=city", NULL, "a@example.org|x", "", "{\"city\":\"x\"}", NULL },
	{ "types by wish", "email|age", NULL, "age=number", "a@example.org|7", "", "{\"age\":7}", NULL },
	{ "a type of a mapped column", "email|#2", "#2=age", "age=number", "a@example.org|7", "", "{\"age\":7}", NULL },
	{ "a wish before the header's type", "email|age:number", NULL, "age=text", "a@example.org|07", "",
	  "{\"age\":\"07\"}", NULL },
	{ "a map before an export's own", "Email Address|OPTIN_IP|LEID|EUID", "OPTIN_IP=ip", NULL,
	  "a@example.org|192.0.2.1|1|x", "", "{\"ip\":\"192.0.2.1\"}", NULL },
	{ "an attribute that is not the name", "email|Given", "Given=attribute:first_name", NULL, "a@example.org|Ann",
	  "", "{\"first_name\":\"Ann\"}", NULL },
	{ "by the prefixed name", "email|name|attribute:email", "attribute:email=other", "other=number",
	  "a@example.org|A|7", "A", "{\"other\":7}", NULL },
	{ "a name does not mean the prefixed one", "email|attribute:email", "email=email", NULL, "a@example.org|x", "",
	  "{\"email\":\"x\"}", NULL },
	{ "an attribute of any name", "email|a", "a=attribute:#1", "attribute:#1=number", "a@example.org|7", "",
	  "{\"#1\":7}", NULL },
	{ "a type of a prefixed one", "email|attribute:status", NULL, "attribute:status=number", "a@example.org|7", "",
	  "{\"status\":7}", NULL },
	{ "no such column", "email|a", "Ort=city", NULL, "", NULL, NULL,
	  "no column is called Ort, as --map says; there are email" },
	{ "no such number", "email|a", "#3=city", NULL, "", NULL, NULL, "no column is called #3" },
	{ "no such attribute", "email|a", NULL, "b=number", "", NULL, NULL, "no column becomes the attribute b" },
};

START_TEST(wishes_are_granted)
	{
		for (size_t i = 0; i < ARRAY_LEN(wish_rows); i++) {
			const struct wish_row *row = &wish_rows[i];
			struct column_wishes wishes = { 0 };
			AUTO_BUF why = buf_with_ceiling(4096);
			struct columns *columns = NULL;
			read_wishes(row->maps, row->types, &wishes);
			enum err err = read_header_by(row->header, &wishes, &columns, &why);
			ck_assert_msg((err == ERR_OK) == (row->why == NULL), "%s: %s", row->label, buf_text(&why));
			if (row->why != NULL) {
				ck_assert_msg(strstr(buf_text(&why), row->why) != NULL, "%s: %s", row->label,
					      buf_text(&why));
				continue;
			}
			struct csv_field fields[LIMIT_CSV_COLUMNS];
			const struct csv_row csv = { .line = 2, .fields = fields, .count = split(row->row, fields) };
			struct person person;
			struct refusal refusal;
			ck_row(row->label, columns_read(columns, &csv, &person, &refusal));
			ck_view_eq(person.address, "a@example.org");
			ck_view_eq(person.name, row->name);
			ck_view_eq(person.attributes, row->attributes);
			columns_free(columns);
		}
	}
END_TEST

static const struct {
	const char *label, *text;
	bool is_map;
} bad_wishes[] = {
	{ "no =", "a", true },
	{ "no column", "=city", true },
	{ "no field", "a=", true },
	{ "a field in capitals", "a=City", true },
	{ "a word of templates", "a=campaign", true },
	{ "one of listctl's own", "a=_state", true },
	{ "no = in a type", "a", false },
	{ "an unknown type", "a=integer", false },
};

START_TEST(wishes_that_are_refused)
	{
		for (size_t i = 0; i < ARRAY_LEN(bad_wishes); i++) {
			AUTO_BUF why = buf_with_ceiling(4096);
			struct column_map map;
			struct column_type type;
			bool good = bad_wishes[i].is_map ? column_map_parse(bad_wishes[i].text, &map, &why)
							 : column_type_parse(bad_wishes[i].text, &type, &why);
			ck_row(bad_wishes[i].label, !good && why.len > 0);
		}
	}
END_TEST

static const struct consent_row {
	const char *label, *header, *row, *source;
	int64_t seconds;
} consent_rows[] = {
	{ "nothing is said", "email", "a@example.org", "", 0 },
	{ "listctl's own columns", "email|_consent_source|_consent_time", "a@example.org|form|2024-01-02T03:04:05Z",
	  "form", 1704164645 },
	{ "with a zone", "email|_consent_time", "a@example.org|2024-01-02T10:04:05+07:00", "", 1704164645 },
	{ "seconds", "email|_consent_time", "a@example.org|1704164645", "", 1704164645 },
	{ "Mailchimp: confirmed counts", "email|OPTIN_TIME|CONFIRM_TIME|LEID|EUID",
	  "a@example.org|2024-01-01 00:00:00|2024-01-02 03:04:05|1|x", "mailchimp export", 1704164645 },
	{ "Mailchimp: opted in", "email|OPTIN_TIME|CONFIRM_TIME|LEID|EUID", "a@example.org|2024-01-02 03:04:05|~|1|x",
	  "mailchimp export", 1704164645 },
	{ "in plain words", "email|Consent Source|consent_time", "a@example.org|form|1704164645", "form", 1704164645 },
	{ "Sympa", "email|gecos|date", "a@example.org|Ann|1704164645", "sympa dump", 1704164645 },
};

START_TEST(consents)
	{
		for (size_t i = 0; i < ARRAY_LEN(consent_rows); i++) {
			const struct consent_row *row = &consent_rows[i];
			AUTO_BUF why = buf_with_ceiling(4096);
			struct columns *columns = NULL;
			ck_row(row->label, read_header(row->header, NULL, &columns, &why) == ERR_OK);
			struct csv_field fields[LIMIT_CSV_COLUMNS];
			const struct csv_row csv = { .line = 2, .fields = fields, .count = split(row->row, fields) };
			struct person person;
			struct refusal refusal;
			ck_row(row->label, columns_read(columns, &csv, &person, &refusal));
			ck_view_eq(person.consent_source, row->source);
			ck_row(row->label, person.consent_us == row->seconds * 1000000);
			columns_free(columns);
		}
	}
END_TEST

START_TEST(a_header_is_known_again)
	{
		AUTO_BUF why = buf_with_ceiling(4096);
		struct columns *columns = NULL;
		struct csv_field fields[LIMIT_CSV_COLUMNS];
		ck_assert(read_header("E-Mail|Name", NULL, &columns, &why) == ERR_OK);
		struct csv_row row = { .line = 9, .fields = fields, .count = split("E-Mail|Name", fields) };
		ck_assert(columns_is_header(columns, &row));
		row.count = split("E-Mail|name", fields);
		ck_assert(!columns_is_header(columns, &row));
		row.count = split("E-Mail", fields);
		ck_assert(!columns_is_header(columns, &row));
		columns_free(columns);
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

/* Names that mean more than an attribute, each with a value that would have a meaning there. */
static void add_names(struct buf *object, const char *value)
{
	static const char *const others[] = { "status",
					      "state",
					      "subscription",
					      "email",
					      "name",
					      "list",
					      "campaign",
					      "leid",
					      "euid",
					      "uuid",
					      "reception",
					      "nomail",
					      "delivery_status",
					      "suspend",
					      "attributes",
					      "attribs",
					      "unsub_time",
					      "date",
					      "tags",
					      "number",
					      "text",
					      "attribute",
					      "created_at",
					      "optin_ip" };
	const char *name;
	for (size_t i = 0; (name = column_name_known(i)) != NULL; i++) {
		if (strcmp(name, "email") != 0 && strcmp(name, "name") != 0)
			buf_addf(object, "%s\"%s\":%s", object->len > 1 ? "," : "", name, value);
	}
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		buf_addf(object, ",\"%s\":%s", others[i], value);
}

/* A line as export writes it: no cell of these holds a comma or quotation marks. */
static size_t split_csv(struct view line, struct csv_field *fields)
{
	struct view part;
	size_t count = 0;
	while (view_cut(&line, ',', &part))
		fields[count++] = (struct csv_field){ .text = part, .absent = part.len == 0 };
	return count;
}

/* Whether the object comes back when its columns, beside email and name, are read as a file's. */
static void check_round_trip(const char *label, struct view object)
{
	struct sheet *sheet = sheet_new();
	AUTO_BUF header = buf_with_ceiling(LIMIT_OUTPUT_LINE);
	AUTO_BUF line = buf_with_ceiling(LIMIT_OUTPUT_LINE);
	AUTO_BUF again = buf_with_ceiling(LIMIT_OUTPUT_LINE);
	AUTO_BUF why = buf_with_ceiling(4096);
	static struct csv_field fields[LIMIT_CSV_COLUMNS];
	struct csv_row row = { .line = 1, .fields = fields };
	struct columns *columns = NULL;
	struct person person;
	struct refusal refusal;
	buf_add(&header, VIEW_LIT("email,name"));
	buf_add(&line, VIEW_LIT("a@example.org,Ann"));
	ck_row(label, sheet_learn(sheet, object, &why) == ERR_OK);
	sheet_arrange(sheet);
	sheet_header(sheet, true, &header);
	ck_row(label, sheet_row(sheet, object, true, &line));
	row.count = split_csv(buf_view(&header), fields);
	ck_assert_msg(columns_from_header(&row, "f.csv", NULL, &columns, &why) == ERR_OK, "%s: %s", label,
		      buf_text(&why));
	ck_row(label, columns_export(columns) == NULL);
	row.count = split_csv(buf_view(&line), fields);
	ck_assert_msg(columns_read(columns, &row, &person, &refusal), "%s: " VIEW_FMT, label, VIEW_ARG(refusal.text));
	ck_view_eq(person.address, "a@example.org");
	ck_view_eq(person.name, "Ann");
	/* In the order of names, both. */
	struct sheet *other = sheet_new();
	ck_row(label, sheet_learn(other, person.attributes, &why) == ERR_OK);
	sheet_arrange(other);
	buf_add(&again, VIEW_LIT("a@example.org,Ann"));
	ck_row(label, sheet_row(other, person.attributes, true, &again));
	ck_view_eq(buf_view(&again), buf_text(&line));
	buf_reset(&again);
	buf_add(&again, VIEW_LIT("email,name"));
	sheet_header(other, true, &again);
	ck_view_eq(buf_view(&again), buf_text(&header));
	sheet_free(sheet);
	sheet_free(other);
	columns_free(columns);
}

START_TEST(names_with_a_meaning_come_back)
	{
		static const char *const values[] = { "\"unsubscribed\"", "7", "true" };
		for (size_t i = 0; i < ARRAY_LEN(values); i++) {
			AUTO_BUF object = buf_with_ceiling(LIMIT_ATTRIBUTES);
			buf_add_byte(&object, '{');
			add_names(&object, values[i]);
			buf_add_byte(&object, '}');
			check_round_trip(values[i], buf_view(&object));
		}
		const char *name;
		for (size_t i = 0; (name = column_name_known(i)) != NULL; i++) {
			AUTO_BUF object = buf_with_ceiling(256);
			buf_addf(&object, "{\"%s\":\"removed\"}", name);
			check_round_trip(name, buf_view(&object));
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = {
		headers,
		people,
		refusals,
		wishes_are_granted,
		wishes_that_are_refused,
		consents,
		a_header_is_known_again,
		attributes_have_a_ceiling,
		every_refusal_has_a_name,
		names_with_a_meaning_come_back,
	};
	return suite_of("columns", tests, ARRAY_LEN(tests));
}
