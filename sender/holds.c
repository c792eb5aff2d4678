#include "sender/holds.h"

#include "base/log.h"
#include "store/tallies.h"

static bool wants_group(const struct run *run)
{
	for (const struct group_breaker *group = run->groups; group != NULL; group = group->next) {
		if (group->wants_hold)
			return true;
	}
	return false;
}

bool holds_wanted(const struct runs *runs)
{
	for (const struct run *run = runs->first; run != NULL; run = run->next) {
		if (run->wants_hold || wants_group(run))
			return true;
	}
	return false;
}

static enum err write_groups(const struct run *run, struct db *db, struct buf *why)
{
	enum err err = ERR_OK;
	for (const struct group_breaker *group = run->groups; err == ERR_OK && group != NULL; group = group->next) {
		struct log_text room;
		bool is_held = false;
		if (group->wants_hold)
			err = tallies_hold(db, run->id, view_of(group->name), view_of(group->reason), &is_held, why);
		if (is_held)
			log_event(LOG_ERROR, "breaker.tripped", "campaign=%lld group=%s reason=%s", (long long)run->id,
				  group->name, log_quoted(view_of(group->reason), &room));
	}
	return err;
}

enum err holds_write_groups(const struct runs *runs, struct db *db, struct buf *why)
{
	enum err err = ERR_OK;
	for (const struct run *run = runs->first; err == ERR_OK && run != NULL; run = run->next)
		err = write_groups(run, db, why);
	return err;
}

enum err holds_write(const struct runs *runs, struct db *db, struct buf *why)
{
	enum err err = ERR_OK;
	for (const struct run *run = runs->first; err == ERR_OK && run != NULL; run = run->next) {
		bool is_held = false;
		if (run->wants_hold)
			err = runs_hold(db, run->id, view_of(run->hold_reason), &is_held, why);
		struct log_text room;
		if (is_held)
			log_event(LOG_ERROR, "campaign.held", "id=%lld reason=%s", (long long)run->id,
				  log_quoted(view_of(run->hold_reason), &room));
	}
	return err;
}

void holds_told(struct runs *runs)
{
	for (struct run *run = runs->first; run != NULL; run = run->next) {
		run->wants_hold = false;
		for (struct group_breaker *group = run->groups; group != NULL; group = group->next)
			group->wants_hold = false;
	}
}
