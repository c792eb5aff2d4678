#include "listctl/address_rule_file.h"

#include <assert.h>
#include <stdarg.h>

#include "base/limits.h"
#include "listctl/csv_guard.h"
#include "listctl/csv_import.h"
#include "listctl/input.h"

enum { READ_STEP = 64 << 10 };

enum part { PART_KIND, PART_VALUE, PART_ACTION, PART_HINT, PART_COUNT };

static const struct part_name {
	const char *name;
	enum part part;
} part_names[] = {
	{ "kind", PART_KIND },     { "value", PART_VALUE }, { "domain", PART_VALUE },
	{ "action", PART_ACTION }, { "hint", PART_HINT },
};

struct reading {
	struct input input;
	struct csv_reader *reader;
	const struct address_rule_defaults *defaults;
	struct address_rule_set *set;
	bool has_header;
	size_t columns;
	size_t at[PART_COUNT]; /* column; `columns` where there is none */
};

static enum err refuse(const struct reading *reading, const struct csv_row *row, struct buf *why, const char *format,
		       ...) PRINTF_LIKE(4, 5);

static enum err refuse(const struct reading *reading, const struct csv_row *row, struct buf *why, const char *format,
		       ...)
{
	va_list values;
	buf_addf(why, "%s, line %llu: ", reading->input.name, (unsigned long long)row->line);
	va_start(values, format);
	buf_addv(why, format, values);
	va_end(values);
	buf_addf(why, "; nothing was imported");
	return ERR_INVALID;
}

/* ---- the header ---- */

static bool find_part(struct view name, enum part *ret_part)
{
	for (size_t i = 0; i < ARRAY_LEN(part_names); i++) {
		if (view_eq_nocase(view_trim(name), view_of(part_names[i].name))) {
			*ret_part = part_names[i].part;
			return true;
		}
	}
	return false;
}

static enum err on_header(struct reading *reading, const struct csv_row *row, bool *ret_is_data, struct buf *why)
{
	bool is_list = reading->defaults->kind != NULL && row->count == 1;
	reading->has_header = true;
	reading->columns = row->count;
	for (size_t i = 0; i < PART_COUNT; i++)
		reading->at[i] = row->count;
	for (size_t i = row->count; i-- > 0;) {
		enum part part;
		if (find_part(csv_guard_removed(row->fields[i].text), &part))
			reading->at[part] = i;
	}
	*ret_is_data = is_list && reading->at[PART_VALUE] == row->count;
	if (*ret_is_data)
		reading->at[PART_VALUE] = 0;
	if (reading->at[PART_VALUE] == row->count)
		return refuse(
		    reading, row, why,
		    "no column is called value or domain; add a header row, such as kind,value,action, or say "
		    "--kind and give one value a line");
	if (reading->at[PART_KIND] == row->count && reading->defaults->kind == NULL)
		return refuse(reading, row, why, "no column is called kind; say --kind role, disposable or typo");
	return ERR_OK;
}

/* ---- a row ---- */

static struct view field(const struct reading *reading, const struct csv_row *row, enum part part)
{
	size_t at = reading->at[part];
	return at < row->count ? view_trim(csv_guard_removed(row->fields[at].text)) : VIEW_LIT("");
}

static enum err read_kind(const struct reading *reading, const struct csv_row *row, enum address_rule_kind *ret_kind,
			  struct buf *why)
{
	struct view text = field(reading, row, PART_KIND);
	if (text.len == 0 && reading->defaults->kind != NULL) {
		*ret_kind = *reading->defaults->kind;
		return ERR_OK;
	}
	if (address_rule_kind_from_name(text, ret_kind))
		return ERR_OK;
	return refuse(reading, row, why, "the kind is role, disposable or typo, not \"" VIEW_FMT "\"",
		      VIEW_ARG(view_head(text, 40)));
}

static enum err read_action(const struct reading *reading, const struct csv_row *row,
			    enum address_rule_action *ret_action, bool *ret_says, struct buf *why)
{
	struct view text = field(reading, row, PART_ACTION);
	const enum address_rule_action *unsaid = reading->defaults->action;
	*ret_says = text.len > 0 || unsaid != NULL;
	*ret_action = unsaid == NULL ? ADDRESS_WARN : *unsaid;
	if (text.len == 0 || address_rule_action_from_name(text, ret_action))
		return ERR_OK;
	return refuse(reading, row, why, "the action is warn, refuse or off, not \"" VIEW_FMT "\"",
		      VIEW_ARG(view_head(text, 40)));
}

static enum err take(struct reading *reading, const struct csv_row *row, struct buf *why)
{
	struct address_rule rule = { 0 };
	bool says_action = false;
	AUTO_BUF value = buf_with_ceiling(LIMIT_ADDRESS_TEXT), hint = buf_with_ceiling(LIMIT_DOMAIN);
	AUTO_BUF cause = buf_with_ceiling(LIMIT_WHY);
	enum err err = read_kind(reading, row, &rule.kind, why);
	if (err == ERR_OK)
		err = read_action(reading, row, &rule.action, &says_action, why);
	if (err != ERR_OK)
		return err;
	struct view means = field(reading, row, PART_HINT);
	if (address_rule_value(rule.kind, field(reading, row, PART_VALUE), &value, &cause) != ERR_OK ||
	    (means.len > 0 && address_rule_value(ADDRESS_DISPOSABLE, means, &hint, &cause) != ERR_OK))
		return refuse(reading, row, why, "%s", buf_text(&cause));
	rule.value = buf_view(&value);
	rule.hint = buf_view(&hint);
	if (!address_rule_is_whole(&rule, &cause))
		return refuse(reading, row, why, "%s", buf_text(&cause));
	if (address_rule_set_count(reading->set) == LIMIT_ADDRESS_RULES) {
		buf_addf(why, "%s, line %llu: more than %d rules are not taken; nothing was imported",
			 reading->input.name, (unsigned long long)row->line, LIMIT_ADDRESS_RULES);
		return ERR_TOO_BIG;
	}
	address_rule_set_add(reading->set, &rule, says_action);
	return ERR_OK;
}

static bool is_remark(const struct csv_row *row)
{
	struct view first = view_trim(row->fields[0].text);
	return view_starts(first, VIEW_LIT("#")) || (first.len == 0 && row->count == 1);
}

static enum err on_row(void *context, const struct csv_row *row, struct buf *why)
{
	struct reading *reading = context;
	bool is_data = true;
	enum err err = ERR_OK;
	if (is_remark(row))
		return ERR_OK;
	if (!reading->has_header)
		err = on_header(reading, row, &is_data, why);
	if (err != ERR_OK || !is_data)
		return err;
	if (row->count != reading->columns)
		return refuse(reading, row, why, "the row has %zu field%s where the first one has %zu", row->count,
			      row->count == 1 ? "" : "s", reading->columns);
	return take(reading, row, why);
}

/* ---- the file ---- */

static enum err read_all(struct reading *reading, struct buf *why)
{
	char bytes[READ_STEP];
	size_t got;
	enum err err;
	do {
		err = input_read(&reading->input, bytes, sizeof(bytes), &got, why);
		if (err == ERR_OK && got > 0)
			err = csv_reader_feed(reading->reader, view_from(bytes, got), why);
	} while (err == ERR_OK && got > 0);
	return err == ERR_OK ? csv_reader_finish(reading->reader, why) : err;
}

enum err address_rule_file_read(struct call *call, const char *path, const struct address_rule_defaults *defaults,
				struct address_rule_set *set)
{
	struct reading reading = { .defaults = defaults, .set = set };
	enum err err = input_open(path, "reading", call->quiet, &reading.input, call->why);
	if (err != ERR_OK)
		return err;
	reading.reader = csv_reader_new(reading.input.name, ',', on_row, &reading);
	err = reading.reader == NULL ? ERR_MEMORY : read_all(&reading, call->why);
	if (err == ERR_OK && address_rule_set_count(set) == 0)
		err = call_refuse(call, ERR_INVALID, "%s holds no rule", reading.input.name);
	csv_reader_free(reading.reader);
	input_close(&reading.input);
	return err;
}
