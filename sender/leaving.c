#include "sender/leaving.h"

#include <assert.h>

#include "base/clock.h"

/* Who was not seen for three times as long is taken to be dead by those who count. */
#define SEEN_EVERY_US (INT64_C(5) * CLOCK_US_PER_SECOND)
static_assert(3 * SEEN_EVERY_US <= WORKERS_ALIVE_S * CLOCK_US_PER_SECOND, "a living worker is seen often enough");

/* Adds what is new, and remembers it as told. */
static void collect(const struct runs *runs, bool all, struct db_array *campaigns, struct db_array *messages)
{
	for (struct run *run = runs->first; run != NULL; run = run->next) {
		if (!run->is_leaving && !all)
			continue;
		if (run->has_told && run->told_under_way == run->sending)
			continue;
		run->has_told = true;
		run->told_under_way = run->sending;
		db_array_add_int(campaigns, run->id);
		db_array_add_int(messages, (int64_t)run->sending);
	}
}

static void forget_told(const struct runs *runs)
{
	for (struct run *run = runs->first; run != NULL; run = run->next)
		run->has_told = false;
}

enum err leaving_tell(struct leaving *leaving, const struct runs *runs, bool all, int64_t boot_us, struct buf *why)
{
	AUTO_DB_ARRAY campaigns = db_array_of(DB_INT);
	AUTO_DB_ARRAY messages = db_array_of(DB_INT);
	collect(runs, all, &campaigns, &messages);
	if (campaigns.count == 0 && (runs->first == NULL || boot_us < leaving->seen_us))
		return ERR_OK;
	enum err err = workers_seen(leaving->db, leaving->tenure, why);
	if (err == ERR_OK && campaigns.count > 0)
		err = workers_leave(leaving->db, leaving->tenure->id, &campaigns, &messages, why);
	if (err == ERR_OK)
		leaving->seen_us = boot_us + SEEN_EVERY_US;
	else
		forget_told(runs);
	return err;
}
