#include <string.h>

#include "listctl/columns_private.h"
#include "listctl/csv_guard.h"

enum { REJECTS_COLUMN = 1 }; /* _line, _column, _reason */

static bool refuse_standing(struct columns *columns, const struct column *column, enum standing standing,
			    struct refusal *ret_refusal)
{
	if (standing == STANDING_LEFT)
		return columns_refuse(
		    columns, REFUSAL_LEFT, column->name,
		    "the row says that the person has left or is not to be written to; only active ones are "
		    "imported",
		    ret_refusal);
	if (standing == STANDING_NO_MAIL)
		return columns_refuse(columns, REFUSAL_NO_MAIL, column->name,
				      "nomail: the person is a member who receives nothing there", ret_refusal);
	return columns_refuse(columns, REFUSAL_PENDING, column->name,
			      "the row says that the person has not confirmed; --status unconfirmed takes such rows",
			      ret_refusal);
}

/* Cut behind a whole character; what no terminal should see is left out. */
static void write_word(struct view text, char word[DOUBT_SIZE])
{
	text = view_trim(text);
	if (text.len >= DOUBT_SIZE)
		text = view_head(text, DOUBT_SIZE - 1);
	while (text.len > 0 && !view_is_utf8(text))
		text.len--;
	if (view_has_control(text))
		text = VIEW_LIT("?");
	memcpy(word, text.data, text.len);
	word[text.len] = '\0';
}

static void note_doubt(struct columns *columns, const struct column *column, struct view text)
{
	char word[DOUBT_SIZE] = "";
	write_word(text, word);
	for (size_t i = 0; i < columns->doubt_count; i++) {
		struct doubt *doubt = &columns->doubts[i];
		if (doubt->column == column && strcmp(doubt->word, word) == 0) {
			doubt->rows++;
			return;
		}
	}
	if (columns->doubt_count == DOUBTS_MOST) {
		columns->more_doubts++;
		return;
	}
	struct doubt *doubt = &columns->doubts[columns->doubt_count++];
	*doubt = (struct doubt){ .column = column, .rows = 1 };
	memcpy(doubt->word, word, sizeof(word));
}

/* A column called status is one of states when a single word in it is; then nobody is taken of whom it does not say that he is written to. */
static bool check_unknown(struct columns *columns, struct column *column, struct view text, struct refusal *ret_refusal)
{
	if (column->role == ROLE_RECEPTION || column->state == STATE_COLUMN_RECEPTION)
		return true;
	if (!column->may_tell_state)
		return columns_refuse(
		    columns, REFUSAL_STATE, column->name,
		    "it is not known what this state means; write active or unsubscribed, or leave the column "
		    "out with --map",
		    ret_refusal);
	if (!column->tells_state) {
		column->has_unknown = true;
		return true;
	}
	note_doubt(columns, column, text);
	buf_addf(&columns->text,
		 "the column tells who is written to, and this is not known to mean it; write active, or say --map "
		 "'#%zu=attribute:%s' if it tells something else",
		 (size_t)(column - columns->rows) + 1, column->name);
	return columns_refuse(columns, REFUSAL_DOUBT, column->name, NULL, ret_refusal);
}

/* In a rejects file the words that were known may all be missing, but it says why the row is there. */
static bool was_doubted(const struct columns *columns, const struct column *column, const struct csv_row *row)
{
	return columns_first_counted(columns) > REJECTS_COLUMN &&
	       view_eq(row->fields[REJECTS_COLUMN].text, view_of(column->name));
}

/* Who has left where the file comes from, or gets nothing there, is not looked at any further: nothing else in the row matters. */
static bool check_standing(struct columns *columns, struct column *column, const struct csv_row *row,
			   struct refusal *ret_refusal)
{
	struct view text = csv_guard_removed(row->fields[column - columns->rows].text);
	bool is_left_at = column->role == ROLE_LEFT_AT;
	enum standing standing = standing_of(is_left_at ? STATE_COLUMN_LEFT : column->state, text);
	column->tells_state |= column->may_tell_state && was_doubted(columns, column, row);
	if (standing == STANDING_UNKNOWN)
		return check_unknown(columns, column, text, ret_refusal);
	column->tells_state |= view_trim(text).len > 0;
	bool is_fine = standing == STANDING_ACTIVE || (standing == STANDING_PENDING && columns->takes_pending);
	return is_fine || refuse_standing(columns, column, standing, ret_refusal);
}

bool columns_find_states(const struct columns *columns, bool *states)
{
	bool is_any = false;
	for (size_t i = 0; i < columns->state_count; i++) {
		const struct column *column = &columns->rows[columns->states[i]];
		if (!column->tells_state || !column->has_unknown)
			continue;
		states[columns->states[i]] = is_any = true;
	}
	return is_any;
}

void columns_doubts(const struct columns *columns, struct buf *words)
{
	for (size_t i = 0; i < columns->doubt_count; i++) {
		const struct doubt *doubt = &columns->doubts[i];
		buf_addf(words, "%s%s `%s` (%llu)", i == 0 ? "" : ", ", doubt->column->name, doubt->word,
			 (unsigned long long)doubt->rows);
	}
	if (columns->more_doubts > 0)
		buf_addf(words, ", others (%llu)", (unsigned long long)columns->more_doubts);
}

/* The cell's time; false: there is none that can be read. */
static bool time_in(const struct columns *columns, const struct csv_row *row, size_t at, int64_t *ret_us)
{
	AUTO_BUF wrong = buf_with_ceiling(256);
	return at < columns->count && columns_read_time(row->fields[at].text, columns->date_order, ret_us, &wrong);
}

/* Whoever has suspended his membership gets nothing from one time until another, or until he says so. */
static bool check_suspended(struct columns *columns, const struct csv_row *row, struct refusal *ret_refusal)
{
	int64_t from_us, until_us;
	size_t at = columns->suspended;
	if (at == columns->count || standing_of(STATE_COLUMN_NO_MAIL, row->fields[at].text) != STANDING_NO_MAIL)
		return true;
	bool is_known = columns->now_us != 0;
	bool begins_later =
	    is_known && time_in(columns, row, columns->suspended_from, &from_us) && from_us > columns->now_us;
	bool is_over =
	    is_known && time_in(columns, row, columns->suspended_until, &until_us) && until_us <= columns->now_us;
	return begins_later || is_over ||
	       columns_refuse(columns, REFUSAL_NO_MAIL, columns->rows[at].name,
			      "nomail: the person's membership is suspended there, and nothing is received",
			      ret_refusal);
}

/* Of an export whose every member has a time at which he came: whoever has none is known there for something else, an order perhaps. */
static bool has_consent(const struct columns *columns, const struct csv_row *row)
{
	bool has_column = false;
	for (size_t i = 0; i < columns->count; i++) {
		enum role role = columns->rows[i].role;
		if (role != ROLE_CONSENT_TIME && role != ROLE_OPT_IN_TIME)
			continue;
		has_column |= role == ROLE_CONSENT_TIME;
		if (view_trim(row->fields[i].text).len > 0)
			return true;
	}
	return !has_column;
}

static bool check_file(struct columns *columns, struct refusal *ret_refusal)
{
	if (columns->file_standing == STANDING_LEFT)
		return columns_refuse(columns, REFUSAL_LEFT, "",
				      "the file's name says that everybody in it has left or bounced there; --status "
				      "active takes them, `suppress import` keeps them off for good",
				      ret_refusal);
	return columns_refuse(columns, REFUSAL_NEVER, "",
			      "the file's name says that nobody in it has subscribed; --status active takes them",
			      ret_refusal);
}

bool columns_check_states(struct columns *columns, const struct csv_row *row, struct refusal *ret_refusal)
{
	for (size_t i = 0; i < columns->state_count; i++) {
		if (!check_standing(columns, &columns->rows[columns->states[i]], row, ret_refusal))
			return false;
	}
	if (!check_suspended(columns, row, ret_refusal))
		return false;
	if (columns->file_standing != STANDING_UNKNOWN)
		return check_file(columns, ret_refusal);
	return !columns->wants_consent || has_consent(columns, row) ||
	       columns_refuse(columns, REFUSAL_NEVER, "",
			      "neither OPTIN_TIME nor CONFIRM_TIME is filled in, as with people who never subscribed; "
			      "--status active takes them",
			      ret_refusal);
}
