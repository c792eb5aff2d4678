#include "listctl/outlook.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/explanations.h"

enum err outlook_set(struct outlook *outlook, const struct verdict_history *history)
{
	*outlook = (struct outlook){ .verdict = history->verdict };
	for (size_t i = 0; i < history->count; i++) {
		enum attempt_outcome outcome = history->attempts[i].outcome;
		outlook->failed += outcome == ATTEMPT_FAILED;
		outlook->succeeded += outcome == ATTEMPT_SUCCEEDED;
		outlook->undecided += outcome == ATTEMPT_UNDECIDED;
	}
	if (history->list_count == 0)
		return ERR_OK;
	outlook->lists = calloc(history->list_count, sizeof(*outlook->lists));
	if (outlook->lists == NULL)
		return ERR_MEMORY;
	memcpy(outlook->lists, history->lists, history->list_count * sizeof(*outlook->lists));
	outlook->list_count = history->list_count;
	return ERR_OK;
}

void outlook_done(struct outlook *outlook)
{
	free(outlook->lists);
	*outlook = (struct outlook){ 0 };
}

struct verdict outlook_of_list(const struct outlook *outlook, int64_t list_id)
{
	for (size_t i = 0; i < outlook->list_count; i++)
		if (outlook->lists[i].list_id == list_id)
			return outlook->lists[i].verdict;
	return (struct verdict){ 0 };
}

static const char *const probe_words[] = {
	[VERDICT_NEEDS_NO_PROBE] = "",
	[VERDICT_WANTS_PROBE] = "; a probe is to bounce first",
	[VERDICT_AWAITS_PROBE] = "; its probe is under way",
	[VERDICT_PROBE_BOUNCED] = "; its probe bounced",
};

void outlook_write_score(const struct verdict *verdict, struct buf *out)
{
	if (verdict->failures == 0 || verdict->needed == 0) {
		buf_addf(out, "nothing counts against it");
		return;
	}
	int64_t apart = (verdict->last_us - verdict->first_us) / CLOCK_US_PER_DAY;
	buf_addf(out, "%u of %u failures needed (%s, ", verdict->failures, verdict->needed,
		 reason_name(verdict->reason));
	if (verdict->days == 0)
		buf_addf(out, "at once)");
	else
		buf_addf(out, "%lld of %u day%s needed between the first and the last)", (long long)apart,
			 verdict->days, verdict->days == 1 ? "" : "s");
	buf_addf(out, "%s", probe_words[verdict->probe]);
}

static bool any_membership(const struct db_rows *memberships, struct view state)
{
	for (size_t i = 0; memberships != NULL && i < db_row_count(memberships); i++) {
		struct explained_membership membership;
		explained_membership_at(memberships, i, &membership);
		if (view_eq(membership.state, state))
			return true;
	}
	return false;
}

/* The newest batch that has not given this person back; 0: none. */
static uint64_t open_batch(const struct db_rows *prunes)
{
	for (size_t i = 0; prunes != NULL && i < db_row_count(prunes); i++) {
		struct explained_prune prune;
		explained_prune_at(prunes, i, &prune);
		if (!prune.restored && view_eq(prune.kind, VIEW_LIT("prune")))
			return prune.batch_id;
	}
	return 0;
}

static void write_active(const struct outlook *outlook, struct buf *out)
{
	const struct verdict *verdict = &outlook->verdict;
	if (verdict->disable) {
		buf_addf(out, "the evidence disables it: the next prune removes it");
	} else if (verdict->probe == VERDICT_AWAITS_PROBE) {
		buf_addf(out,
			 "campaigns pass it over until its probe is answered: a bounce disables it, silence starts "
			 "the count anew");
	} else if (verdict->probe == VERDICT_WANTS_PROBE) {
		buf_addf(out,
			 "it gets mail; the next failed message, or `listctl prune --apply`, has a probe sent, whose "
			 "bounce disables it");
	} else if (verdict->failures > 0 && verdict->needed > 0) {
		unsigned left = verdict->needed > verdict->failures ? verdict->needed - verdict->failures : 1;
		buf_addf(out,
			 "it gets mail; %u more failed message%s in a row would disable it, a delivered one starts "
			 "the count anew",
			 left, left == 1 ? "" : "s");
	} else {
		buf_addf(out, "it gets mail");
	}
}

void outlook_write_next(const struct outlook *outlook, const struct db_rows *memberships, const struct db_rows *prunes,
			bool suppressed, struct buf *out)
{
	uint64_t batch = open_batch(prunes);
	if (suppressed)
		buf_addf(out, "it is suppressed and gets nothing; `listctl suppress rm` ends that");
	else if (any_membership(memberships, VIEW_LIT("active")))
		write_active(outlook, out);
	else if (any_membership(memberships, VIEW_LIT("disabled")))
		buf_addf(out, "it is disabled and gets nothing; the next `listctl prune --apply` removes it");
	else if (any_membership(memberships, VIEW_LIT("removed")) && batch > 0)
		buf_addf(out, "it was pruned and gets nothing; `listctl undo %llu` brings its batch back",
			 (unsigned long long)batch);
	else if (any_membership(memberships, VIEW_LIT("unsubscribed")))
		buf_addf(out, "it has unsubscribed and gets nothing unless it subscribes anew");
	else
		buf_addf(out, "it is on no list as an active member and gets nothing");
}
