#include "listctl/storm_warning.h"

#include "listctl/campaign_verbs.h"
#include "listctl/terms.h"
#include "store/storm_watch.h"
#include "store/storms.h"

enum err storm_warning_look(struct call *call)
{
	const struct verdict_terms terms = terms_of(call->settings);
	return storm_watch_look(call->db, &terms, call_actor(call), NULL, NULL, call->why);
}

enum err storm_warning_write(struct call *call)
{
	AUTO_DB_ROWS *rows = NULL;
	enum err err = storms_list(call->db, false, false, &rows, call->why);
	for (size_t i = 0; err == ERR_OK && i < db_row_count(rows); i++) {
		struct storm storm;
		storm_at(rows, i, &storm);
		call_warn(call,
			  "storm %llu holds bounces (" VIEW_FMT ") at " VIEW_FMT
			  " until a person decides: `listctl storm show %llu`",
			  (unsigned long long)storm.id, VIEW_ARG(storm.reason), VIEW_ARG(storm.group),
			  (unsigned long long)storm.id);
	}
	return err;
}
