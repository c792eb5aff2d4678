#include "sender/keeper.h"

#include "base/log.h"
#include "sender/shares.h"

void keeper_give_up(struct keeper *keeper, const char *event, struct view why)
{
	struct log_text room;
	if (!keeper->has_failed)
		log_event(LOG_ERROR, event, "worker=%s why=%s", journal_worker_id(keeper->journal),
			  log_quoted(why, &room));
	keeper->has_failed = true;
}

bool keeper_note(struct keeper *keeper, enum journal_kind kind, const struct ledger_row *row)
{
	const struct journal_record record = { .kind = kind, .row = *row };
	if (keeper->has_failed)
		return false;
	enum err err = journal_add(keeper->journal, &record);
	if (err != ERR_OK)
		keeper_give_up(keeper, "journal.failed", view_of(err_name(err)));
	return err == ERR_OK;
}

bool keeper_announce(struct keeper *keeper, struct worker_mark mark)
{
	if (keeper->has_failed)
		return false;
	enum err err = journal_announce(keeper->journal, mark);
	if (err != ERR_OK)
		keeper_give_up(keeper, "journal.failed", view_of(err_name(err)));
	return err == ERR_OK;
}

/* What still matters: intents without an outcome, outcomes that the database does not have. */
struct live {
	const struct queue *queue;
	enum recipient_state state;
	const struct recipient *at;
};

static bool next_live(void *owner, struct journal_record *ret_record)
{
	struct live *live = owner;
	for (;;) {
		while (live->at != NULL && live->state == RECIPIENT_SETTLED && !live->at->is_journaled)
			live->at = queue_next(live->at);
		if (live->at != NULL)
			break;
		if (live->state == RECIPIENT_SETTLED)
			return false;
		live->state = RECIPIENT_SETTLED;
		live->at = queue_first(live->queue, RECIPIENT_SETTLED);
	}
	ret_record->kind = live->state == RECIPIENT_SETTLED ? JOURNAL_OUTCOME : JOURNAL_INTENT;
	ret_record->row = live->at->row;
	live->at = queue_next(live->at);
	return true;
}

void keeper_rewrite_when_worn(struct keeper *keeper)
{
	if (keeper->has_failed || !journal_is_worn(keeper->journal, queue_in_hand(keeper->queue) + 1))
		return;
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct live live = { .queue = keeper->queue,
			     .state = RECIPIENT_SENDING,
			     .at = queue_first(keeper->queue, RECIPIENT_SENDING) };
	if (journal_rewrite(keeper->journal, next_live, &live, &why) != ERR_OK)
		keeper_give_up(keeper, "journal.failed", buf_view(&why));
}

bool keeper_flush(struct keeper *keeper)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	if (!keeper->has_failed && journal_flush(keeper->journal, &why) != ERR_OK)
		keeper_give_up(keeper, "journal.failed", buf_view(&why));
	return !keeper->has_failed;
}

uint64_t keeper_messages(const struct keeper *keeper)
{
	uint64_t size = journal_size(keeper->journal), messages = size / (UINT64_C(4) * JOURNAL_RECORD_MOST);
	while (messages > 0 && journal_least_size(messages) > size)
		messages--;
	return messages;
}

bool keeper_has_room(const struct keeper *keeper)
{
	return journal_has_room(keeper->journal, queue_in_hand(keeper->queue) + 1);
}

void keeper_check_size(struct keeper *keeper, uint64_t messages)
{
	uint64_t least = journal_least_size(shares_journal_for(messages)), size = journal_size(keeper->journal);
	if (messages == keeper->checked)
		return;
	keeper->checked = messages;
	if (size < least)
		log_event(LOG_WARNING, "journal.small",
			  "worker=%s size=%llu messages=%llu why=\"it holds fewer messages than the relays' "
			  "connections may have in "
			  "hand (connections * (in_flight + 1)), which holds them back; set journal.size to %llu at "
			  "least and "
			  "restart\"",
			  journal_worker_id(keeper->journal), (unsigned long long)size, (unsigned long long)messages,
			  (unsigned long long)least);
}
