#include "listctl/relay_default.h"

#include "base/limits.h"
#include "listctl/confirm.h"
#include "store/campaigns.h"
#include "store/relay_tests.h"
#include "store/standings.h"

void relay_default_place(const struct call *call, struct buf *out)
{
	buf_addf(out, "%s:%llu", call->settings->relay_host, (unsigned long long)call->settings->relay_port);
}

static void take_trouble(const struct db_rows *rows, struct view place, struct relay_row *row)
{
	for (size_t i = 0; i < db_row_count(rows); i++) {
		struct relay_trouble trouble;
		relay_trouble_at(rows, i, &trouble);
		if (!view_eq(trouble.relay, place))
			continue;
		row->trouble = trouble.reason;
		row->trouble_since_us = trouble.since_us;
		row->retry_us = trouble.retry_us;
		row->is_trouble_everywhere = trouble.is_everywhere;
	}
}

enum err relay_default_find(struct call *call, struct buf *place, bool *ret_is_used, struct relay_row *ret_row,
			    struct db_rows **ret_rows)
{
	AUTO_DB_ROWS *enabled = NULL;
	enum err err = relays_load(call->db, &enabled, call->why);
	if (err == ERR_OK)
		err = standings_relays(call->db, ret_rows, call->why);
	if (err != ERR_OK)
		return err;
	relay_default_place(call, place);
	struct relay_row row = {
		.name = VIEW_LIT(RELAY_TESTS_DEFAULT),
		.is_enabled = true,
		.protocol = VIEW_LIT("smtp"),
		.host = view_of(call->settings->relay_host),
		.port = (unsigned)call->settings->relay_port,
		.tls = VIEW_LIT("none"),
		.auth = VIEW_LIT("none"),
		.weight = 1,
	};
	take_trouble(*ret_rows, buf_view(place), &row);
	*ret_is_used = db_row_count(enabled) == 0;
	*ret_row = row;
	return ERR_OK;
}

enum err relay_default_confirm(struct call *call)
{
	AUTO_DB_ROWS *rows = NULL;
	AUTO_BUF place = buf_with_ceiling(LIMIT_WHY);
	size_t campaigns = 0;
	enum err err = relays_load(call->db, &rows, call->why);
	if (err != ERR_OK || db_row_count(rows) != 1 || !view_eq(relays_get(rows, 0).name, view_of(call->operands[0])))
		return err;
	err = campaigns_count_ahead(call->db, &campaigns, call->why);
	if (err != ERR_OK || campaigns == 0)
		return err;
	relay_default_place(call, &place);
	return confirm_first(call,
			     "%s is the last relay that is enabled, and %zu campaigns run or are scheduled: they go on "
			     "through that of the settings, %s (`listctl campaign pause` stops one). Do it?",
			     call->operands[0], campaigns, buf_text(&place));
}

enum err relay_default_warn(struct call *call)
{
	AUTO_DB_ROWS *rows = NULL;
	AUTO_BUF place = buf_with_ceiling(LIMIT_WHY);
	enum err err = relays_load(call->db, &rows, call->why);
	relay_default_place(call, &place);
	if (err == ERR_OK && db_row_count(rows) == 0)
		call_warn(call, "no relay is enabled now: sender uses that of the settings, %s", buf_text(&place));
	return err;
}

enum err relay_default_warn_of_others(struct call *call)
{
	AUTO_DB_ROWS *rows = NULL;
	enum err err = relays_load(call->db, &rows, call->why);
	if (err != ERR_OK)
		return err;
	for (size_t i = 0; i < db_row_count(rows); i++) {
		const struct relay_row row = relays_get(rows, i);
		if (row.campaigns.len == 0 && row.lists.len == 0 && row.domains.len == 0)
			return ERR_OK;
	}
	if (db_row_count(rows) > 0)
		call_warn(
		    call,
		    "each relay that is enabled is for some campaigns, lists or domains only: a campaign with "
		    "anybody else is held, and the relay of the settings is not used any more; `listctl relay add` "
		    "without --campaigns, --lists and --domains makes one for the rest");
	return ERR_OK;
}

bool relay_default_is(const struct call *call, struct view name)
{
	AUTO_BUF place = buf_with_ceiling(LIMIT_WHY);
	relay_default_place(call, &place);
	return view_eq(name, VIEW_LIT(RELAY_TESTS_DEFAULT)) || view_eq(name, buf_view(&place));
}

enum err relay_default_retry(struct call *call, bool *ret_was_left_alone)
{
	AUTO_DB_ROWS *rows = NULL;
	AUTO_BUF place = buf_with_ceiling(LIMIT_WHY);
	struct relay_row row;
	bool is_used = false;
	enum err err = relay_default_find(call, &place, &is_used, &row, &rows);
	if (err == ERR_OK && !is_used)
		return call_refuse(call, ERR_REFUSED,
				   "%s is the relay of the settings (relay.host, relay.port), which is not used while "
				   "another one is enabled: `listctl relay ls` shows those",
				   call->operands[0]);
	if (err == ERR_OK)
		err = relays_retry_settings(call->db, call->why);
	if (err == ERR_OK)
		*ret_was_left_alone = row.trouble.len > 0;
	return err;
}
