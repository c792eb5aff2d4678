#include "listctl/import_wishes.h"

#include <string.h>

#include "base/clock.h"

enum { REASON_MOST = 200 };

const struct command_option import_options_rows[] = {
	{ "skip-bad", NULL, "take the good rows and set the others aside" },
	{ "dry-run", NULL,
	  "do everything, then take it back: shows what would change; writes only files that are named" },
	{ "rejects", "PATH",
	  "where rows that are not taken go; FILE.csv.rejects.csv unless told, and nowhere in a dry run" },
	{ "warnings", "PATH", "where to list what the rules on addresses warn of (see `address-rule ls`)" },
	{ "on-conflict", "WHAT", "merge, keep or update what is known of people already; merge unless told" },
	{ "status", "STATE",
	  "active or unconfirmed: what those become who join, also where a Mailchimp export's name, or a time that is "
	  "missing there, says that they never did; active unless told" },
	{ "consent", "SOURCE", "how people agreed, where the file does not say it" },
	{ "consent-time", "WHEN", "when they did, as 2025-12-31 or 2025-12-31 23:59" },
	{ "resubscribe", "REASON", "who has unsubscribed becomes a member again, for this reason" },
	{ "reassigned", "REASON",
	  "addresses that people had before they moved are other people's now, for this reason" },
	{ "map", "COLUMN=FIELD", "what a column is, by name or as #3; may be given several times" },
	{ "type", "FIELD=TYPE", "number, boolean, date, json, tags or text; may be given several times" },
	{ "date-order", "dmy|mdy", "whether 03/04/2025 has its day or its month first" },
	{ "encoding", "NAME", "utf-8, utf-16, windows-1252 or latin-1; found out unless told" },
	{ "delimiter", "CHARACTER", "what parts the fields: , ; | or tab; found out unless told" },
	{ "header", "yes|no", "whether the first row names the columns; found out unless told" },
	{ "address-column", "NAME", "the same as --map NAME=email" },
	{ "strict", NULL, "changes nothing: one refused row refuses all unless told otherwise" },
	{ NULL, NULL, NULL },
};

static enum err read_delimiter(struct call *call, char *ret_delimiter)
{
	const char *text = call_option(call, "delimiter");
	*ret_delimiter = '\0';
	if (text == NULL)
		return ERR_OK;
	if (strcmp(text, "tab") == 0)
		*ret_delimiter = '\t';
	else if (strlen(text) == 1 && strchr(",;|\t", text[0]) != NULL)
		*ret_delimiter = text[0];
	else
		return call_misused(call, "--delimiter takes a comma, a semicolon, a bar or the word tab, not %s",
				    text);
	return ERR_OK;
}

static enum err read_file_wishes(struct call *call, struct people_file_wishes *wishes)
{
	const char *encoding = call_option(call, "encoding"), *header = call_option(call, "header");
	if (encoding != NULL && !encoding_from_name(view_of(encoding), &wishes->encoding))
		return call_misused(
		    call,
		    "--encoding takes utf-8, utf-16, utf-16le, utf-16be, windows-1252 or latin-1, not %s; "
		    "convert others first, as in `iconv -f %s -t UTF-8`",
		    encoding, encoding);
	if (header != NULL && strcmp(header, "yes") != 0 && strcmp(header, "no") != 0)
		return call_misused(call, "--header takes yes or no, not %s", header);
	if (header != NULL)
		wishes->header = strcmp(header, "yes") == 0 ? HEADER_YES : HEADER_NO;
	return read_delimiter(call, &wishes->delimiter);
}

/* Whether columns are named that no list of addresses has. */
static bool names_columns(const struct column_wishes *wishes)
{
	const char *address = wishes->address_column;
	bool is_any = address != NULL && !view_eq_nocase(view_of(address), VIEW_LIT("email"));
	for (size_t i = 0; i < wishes->map_count; i++) {
		const struct column_map *map = &wishes->maps[i];
		is_any |= map->number == 0 && !view_eq_nocase(map->column, VIEW_LIT("email")) &&
			  !view_eq_nocase(map->column, VIEW_LIT("name"));
	}
	return is_any;
}

static enum err read_maps(struct call *call, struct column_wishes *wishes)
{
	const char *text;
	while ((text = call_option_at(call, "map", wishes->map_count)) != NULL) {
		if (wishes->map_count == COLUMN_WISHES - 1)
			return call_misused(call, "there are more than %d --map", COLUMN_WISHES - 1);
		if (!column_map_parse(text, &wishes->maps[wishes->map_count++], call->why))
			return call_misused(call, "%s", "");
	}
	while ((text = call_option_at(call, "type", wishes->type_count)) != NULL) {
		if (wishes->type_count == COLUMN_WISHES - 1)
			return call_misused(call, "there are more than %d --type", COLUMN_WISHES - 1);
		if (!column_type_parse(text, &wishes->types[wishes->type_count++], call->why))
			return call_misused(call, "%s", "");
	}
	return ERR_OK;
}

/* A text that is kept about people. */
static enum err read_reason(struct call *call, const char *option, struct view *ret_text)
{
	const char *given = call_option(call, option);
	struct view text = view_trim(view_of(given));
	if (given != NULL && (text.len == 0 || text.len > REASON_MOST || !view_is_utf8(text) || view_has_control(text)))
		return call_misused(call, "--%s takes 1 to %d octets of UTF-8 text without control characters", option,
				    REASON_MOST);
	*ret_text = text;
	return ERR_OK;
}

static enum err read_consent_time(struct call *call, enum date_order order, int64_t *ret_us)
{
	const char *given = call_option(call, "consent-time");
	struct field_date date;
	AUTO_BUF wrong = buf_with_ceiling(256);
	if (given == NULL)
		return ERR_OK;
	if (!field_date_read(view_of(given), order, &date, &wrong))
		return call_misused(call, "--consent-time %s: %s", given, buf_text(&wrong));
	*ret_us = field_date_us(&date);
	if (*ret_us <= 0 || *ret_us > clock_wall_us() + CLOCK_US_PER_DAY)
		return call_misused(call, "--consent-time %s is no time at which anybody has agreed", given);
	return ERR_OK;
}

static enum err read_options(struct call *call, struct import_wishes *wishes)
{
	static const char *const conflicts[] = {
		[IMPORT_MERGE] = "merge",
		[IMPORT_KEEP] = "keep",
		[IMPORT_UPDATE] = "update",
	};
	_Static_assert(ARRAY_LEN(conflicts) == IMPORT_CONFLICT_COUNT, "a word each");
	struct import_options *options = &wishes->options;
	const char *conflict = call_option(call, "on-conflict"), *status = call_option(call, "status");
	while (conflict != NULL && strcmp(conflicts[options->on_conflict], conflict) != 0) {
		if (++options->on_conflict == IMPORT_CONFLICT_COUNT)
			return call_misused(call, "--on-conflict takes merge, keep or update, not %s", conflict);
	}
	if (status != NULL && strcmp(status, "active") != 0 && strcmp(status, "unconfirmed") != 0)
		return call_misused(call, "--status takes active or unconfirmed, not %s", status);
	wishes->columns.is_status_said = status != NULL;
	options->unconfirmed = wishes->columns.takes_pending = status != NULL && strcmp(status, "unconfirmed") == 0;
	enum err err = read_reason(call, "consent", &options->consent_source);
	if (err == ERR_OK)
		err = read_reason(call, "resubscribe", &options->resubscribe);
	options->actor = view_of(call->actor);
	if (err == ERR_OK)
		err = read_reason(call, "reassigned", &options->reassigned);
	return err == ERR_OK ? read_consent_time(call, wishes->columns.date_order, &options->consent_us) : err;
}

enum err import_wishes_read(struct call *call, struct import_wishes *ret_wishes)
{
	const char *order = call_option(call, "date-order");
	memset(ret_wishes, 0, sizeof(*ret_wishes));
	ret_wishes->takes_good_rows = call_has(call, "skip-bad");
	ret_wishes->is_dry = call_has(call, "dry-run");
	ret_wishes->warnings_path = call_option(call, "warnings");
	ret_wishes->columns.address_column = call_option(call, "address-column");
	ret_wishes->columns.now_us = clock_wall_us();
	if (ret_wishes->takes_good_rows && call_has(call, "strict"))
		return call_misused(call, "--strict and --skip-bad contradict each other");
	if (order != NULL && !date_order_from_name(view_of(order), &ret_wishes->columns.date_order))
		return call_misused(call, "--date-order takes dmy or mdy, not %s", order);
	enum err err = read_file_wishes(call, &ret_wishes->file);
	if (err == ERR_OK)
		err = read_options(call, ret_wishes);
	if (err == ERR_OK)
		err = read_maps(call, &ret_wishes->columns);
	ret_wishes->file.names_columns = names_columns(&ret_wishes->columns);
	return err;
}
