#include "listctl/segment_uses.h"

#include "base/limits.h"
#include "listctl/waiting.h"
#include "store/audiences.h"

/* To count each of many would take long. */
enum { COUNTED_MOST = 10 };

static void tell_use(struct call *call, const struct segment *segment, const struct segment_use *use)
{
	const char *what = use->is_left_out ? "leaves out" : "is for";
	const char *state = use->is_scheduled ? "scheduled" : "a draft";
	uint64_t people = 0;
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct waiting waiting;
	waiting_begin(call, "counting whom campaigns would go to", &waiting);
	enum err err = audiences_count(call->db, use->campaign_id, &people, &why);
	waiting_end(&waiting);
	if (err != ERR_OK)
		call_warn(call,
			  "campaign " VIEW_FMT ", %s, %s segment " VIEW_FMT
			  "; how many it would go to could not be counted: %s",
			  VIEW_ARG(use->campaign), state, what, VIEW_ARG(segment->name), buf_text(&why));
	else if (people == 0)
		call_warn(call,
			  "campaign " VIEW_FMT ", %s, %s segment " VIEW_FMT
			  " and would go to nobody now; `listctl campaign audience " VIEW_FMT "` shows why",
			  VIEW_ARG(use->campaign), state, what, VIEW_ARG(segment->name), VIEW_ARG(use->campaign));
	else
		call_note(call, "campaign " VIEW_FMT ", %s, %s segment " VIEW_FMT " and would go to %llu people now",
			  VIEW_ARG(use->campaign), state, what, VIEW_ARG(segment->name), (unsigned long long)people);
}

void segment_uses_tell(struct call *call, const struct segment *segment)
{
	AUTO_DB_ROWS *rows = NULL;
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	if (segments_ahead(call->db, segment->id, &rows, &why) != ERR_OK) {
		call_warn(call, "which campaigns use segment " VIEW_FMT " could not be found out: %s",
			  VIEW_ARG(segment->name), buf_text(&why));
		return;
	}
	size_t count = db_row_count(rows);
	for (size_t i = 0; i < count && i < COUNTED_MOST; i++) {
		const struct segment_use use = segments_use_get(rows, i);
		tell_use(call, segment, &use);
	}
	if (count > COUNTED_MOST)
		call_warn(call,
			  "%zu more campaigns that have not started use segment " VIEW_FMT
			  "; `listctl campaign audience` "
			  "tells whom each would go to",
			  count - COUNTED_MOST, VIEW_ARG(segment->name));
}
