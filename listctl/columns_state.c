#include "listctl/columns_private.h"

/* Who has left where the file comes from, or gets nothing there, is not looked at any further: nothing else in the row matters. */
static bool check_standing(struct columns *columns, const struct column *column, enum standing standing,
			   struct refusal *ret_refusal)
{
	bool may_be_anything = column->may_tell_state || column->role == ROLE_RECEPTION;
	if (standing == STANDING_LEFT)
		return columns_refuse(
		    columns, REFUSAL_LEFT, column->name,
		    "the row says that the person has left or is not to be written to; only active ones are "
		    "imported",
		    ret_refusal);
	if (standing == STANDING_NO_MAIL)
		return columns_refuse(columns, REFUSAL_NO_MAIL, column->name,
				      "nomail: the person is a member who receives nothing there", ret_refusal);
	if (may_be_anything)
		return true;
	if (standing == STANDING_PENDING && !columns->takes_pending)
		return columns_refuse(
		    columns, REFUSAL_PENDING, column->name,
		    "the row says that the person has not confirmed; --status unconfirmed takes such rows",
		    ret_refusal);
	if (standing == STANDING_UNKNOWN)
		return columns_refuse(
		    columns, REFUSAL_STATE, column->name,
		    "it is not known what this state means; write active or unsubscribed, or leave the column "
		    "out with --map",
		    ret_refusal);
	return true;
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
	if (at == columns->count || standing_of("nomail", row->fields[at].text) != STANDING_NO_MAIL)
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

bool columns_check_states(struct columns *columns, const struct csv_row *row, struct refusal *ret_refusal)
{
	for (size_t i = 0; i < columns->state_count; i++) {
		const struct column *column = &columns->rows[columns->states[i]];
		struct view text = row->fields[columns->states[i]].text;
		enum standing standing = standing_of(column->name, text);
		if (column->role == ROLE_LEFT_AT)
			standing = view_trim(text).len == 0 ? STANDING_ACTIVE : STANDING_LEFT;
		if (!check_standing(columns, column, standing, ret_refusal))
			return false;
	}
	return check_suspended(columns, row, ret_refusal);
}
