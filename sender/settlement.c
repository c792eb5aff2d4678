#include "sender/settlement.h"

#include <stdlib.h>

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
	};
	struct bounces_tally tally;
	enum err err = bounces_append(db, events, count, &terms, &tally, why);
	if (err == ERR_OK)
		*ret_disabled = tally.disabled;
	return err;
}

enum err settlement_write(const struct settlement *settlement, struct db *db, const struct ledger_row *rows,
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
