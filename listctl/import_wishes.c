#include "listctl/import_wishes.h"

#include <string.h>

const struct command_option import_options_rows[] = {
	{ "skip-bad", NULL, "take the good rows and set the others aside" },
	{ "dry-run", NULL, "do everything, then take it back: shows what would change" },
	{ "rejects", "PATH", "where rows that are not taken go; FILE.csv.rejects.csv unless told" },
	{ "warnings", "PATH", "where to list what the rules on addresses warn of (see `address-rule ls`)" },
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

enum err import_wishes_read(struct call *call, struct import_wishes *ret_wishes)
{
	const char *order = call_option(call, "date-order");
	memset(ret_wishes, 0, sizeof(*ret_wishes));
	ret_wishes->takes_good_rows = call_has(call, "skip-bad");
	ret_wishes->is_dry = call_has(call, "dry-run");
	ret_wishes->warnings_path = call_option(call, "warnings");
	ret_wishes->columns.address_column = call_option(call, "address-column");
	if (ret_wishes->takes_good_rows && call_has(call, "strict"))
		return call_misused(call, "--strict and --skip-bad contradict each other");
	if (order != NULL && !date_order_from_name(view_of(order), &ret_wishes->columns.date_order))
		return call_misused(call, "--date-order takes dmy or mdy, not %s", order);
	enum err err = read_file_wishes(call, &ret_wishes->file);
	return err == ERR_OK ? read_maps(call, &ret_wishes->columns) : err;
}
