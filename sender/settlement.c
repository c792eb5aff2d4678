#include "sender/settlement.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "sender/delivery.h"
#include "store/bounces.h"

static enum err make_event(const struct ledger_row *row, const struct finding *finding, struct view recipient,
			   struct bounce_event *ret_event)
{
	*ret_event = (struct bounce_event){
		.campaign_id = (uint64_t)row->campaign_id,
		.subscriber_id = (uint64_t)row->subscriber_id,
		.source = BOUNCE_FROM_REPLY,
		.received_us = row->at_us,
		.finding = *finding,
		.diagnostic = row->reply,
		.recipient = recipient,
	};
	return bounces_reply_hash(ret_event->campaign_id, ret_event->subscriber_id, row->attempts, row->reply,
				  ret_event->report_hash);
}

static enum err make_events(const struct settlement *settlement, const struct ledger_row *rows,
			    const struct view *recipients, size_t count, struct bounce_event *ret_events,
			    size_t *ret_count)
{
	size_t made = 0;
	for (size_t i = 0; i < count; i++) {
		struct finding finding;
		if (!delivery_counts(settlement->classifier, &rows[i], &finding))
			continue;
		struct view recipient = recipients == NULL ? VIEW_LIT("") : recipients[i];
		enum err err = make_event(&rows[i], &finding, recipient, &ret_events[made++]);
		if (err != ERR_OK)
			return err;
	}
	*ret_count = made;
	return ERR_OK;
}

static enum err write_events(const struct settlement *settlement, struct db *db, const struct bounce_event *events,
			     size_t count, size_t *ret_disabled, struct buf *why)
{
	const struct verdict_terms terms = {
		.now_us = settlement->now_us,
		.window_us = settlement->setup->settings.bounce_window,
		.life_us = settlement->setup->settings.bounce_token_life,
		.storms = storm_terms_of(&settlement->setup->settings),
	};
	struct bounces_tally tally;
	enum err err = bounces_append(db, events, count, &terms, &tally, why);
	if (err == ERR_OK)
		*ret_disabled = tally.disabled;
	return err;
}

static enum err write_together(const struct settlement *settlement, struct db *db, const struct ledger_row *rows,
			       const struct view *recipients, size_t count, size_t *ret_disabled, struct buf *why)
{
	*ret_disabled = 0;
	size_t refused = 0, made = 0;
	for (size_t i = 0; i < count; i++)
		refused += rows[i].outcome == LEDGER_REFUSED;
	enum err err = ledger_append(db, settlement->worker_id, rows, count, why);
	if (err != ERR_OK || refused == 0)
		return err;
	struct bounce_event *events = calloc(refused, sizeof(*events));
	if (events == NULL)
		return ERR_MEMORY;
	err = make_events(settlement, rows, recipients, count, events, &made);
	if (err == ERR_OK && made > 0)
		err = write_events(settlement, db, events, made, ret_disabled, why);
	free(events);
	return err;
}

/* ---- row by row ---- */

static void tell_refused(const struct ledger_row *row, struct view why)
{
	struct log_text room;
	log_event(LOG_ERROR, "ledger.refused", "campaign=%lld subscriber=%lld outcome=%s attempt=%u why=%s",
		  (long long)row->campaign_id, (long long)row->subscriber_id, ledger_outcome_name(row->outcome),
		  row->attempts, log_quoted(why, &room));
}

/* One that cannot be written even so fails all: it stays in the journal, and what is known of nobody is lost. */
static enum err write_one(const struct settlement *settlement, struct db *db, const struct ledger_row *row,
			  const struct view *recipient, size_t *ret_disabled, struct buf *why)
{
	AUTO_BUF cause = buf_with_ceiling(LIMIT_WHY);
	enum err err = ledger_mark(db, why);
	if (err != ERR_OK)
		return err;
	err = write_together(settlement, db, row, recipient, 1, ret_disabled, &cause);
	if (ledger_is_refusal(db, err)) {
		int64_t next_us = clock_after(settlement->now_us, settlement->setup->settings.relay_retry);
		struct ledger_row plain = ledger_plain(row, settlement->now_us, next_us);
		tell_refused(row, buf_view(&cause));
		buf_reset(&cause);
		err = ledger_take_back(db, &cause);
		if (err == ERR_OK)
			err = write_together(settlement, db, &plain, NULL, 1, ret_disabled, &cause);
	}
	if (err == ERR_OK)
		return ledger_release(db, why);
	buf_add(why, buf_view(&cause));
	return err;
}

enum err settlement_write(const struct settlement *settlement, struct db *db, const struct ledger_row *rows,
			  const struct view *recipients, size_t count, size_t *ret_disabled, struct buf *why)
{
	size_t disabled = 0;
	enum err err = ERR_OK;
	if (!settlement->is_apart)
		return write_together(settlement, db, rows, recipients, count, ret_disabled, why);
	for (size_t i = 0; err == ERR_OK && i < count; i++) {
		size_t more = 0;
		err = write_one(settlement, db, &rows[i], recipients == NULL ? NULL : &recipients[i], &more, why);
		disabled += more;
	}
	*ret_disabled = disabled;
	return err;
}
