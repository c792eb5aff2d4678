#include "sender/tally.h"

#include "mail/reason.h"

static struct tally *find(struct tally_sum *sum, int64_t campaign_id, struct view group)
{
	for (size_t i = sum->count; i > 0; i--) {
		struct tally *row = &sum->rows[i - 1];
		if (row->campaign_id == campaign_id && view_eq(row->group, group))
			return row;
	}
	if (sum->count == TALLY_ROWS_MOST)
		return NULL;
	sum->rows[sum->count] = (struct tally){ .campaign_id = campaign_id, .group = group };
	return &sum->rows[sum->count++];
}

/* A full mailbox is its owner's, and is no sign of a bad list. */
static bool is_hard(enum bounce_reason reason)
{
	return reason_counts_from_relay(reason) && reason != REASON_MAILBOX_FULL;
}

bool tally_is_hard(const struct ledger_row *row)
{
	enum bounce_reason reason;
	return row->outcome == LEDGER_REFUSED && reason_from_name(row->reason, &reason) && is_hard(reason);
}

static int64_t *place_of_refusal(struct tally *tally, struct view name)
{
	enum bounce_reason reason;
	if (!reason_from_name(name, &reason))
		return &tally->soft;
	if (reason_is_about_us(reason) || reason == REASON_RELAY_DENIED || reason == REASON_POLICY)
		return &tally->policy;
	return is_hard(reason) ? &tally->hard : &tally->soft;
}

void tally_note(struct tally_sum *sum, const struct ledger_row *row, struct view group)
{
	bool counts = row->outcome == LEDGER_ACCEPTED || row->outcome == LEDGER_REFUSED ||
		      row->outcome == LEDGER_EXPIRED || row->outcome == LEDGER_DEFERRED;
	struct tally *tally = counts ? find(sum, row->campaign_id, group) : NULL;
	if (tally == NULL)
		return;
	int64_t *place = row->outcome == LEDGER_ACCEPTED  ? &tally->accepted
			 : row->outcome == LEDGER_REFUSED ? place_of_refusal(tally, row->reason)
							  : &tally->soft;
	++*place;
}
