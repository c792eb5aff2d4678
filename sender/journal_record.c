#include "sender/journal_record.h"

#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "sender/checksum.h"

enum text { TEXT_STATUS, TEXT_REASON, TEXT_REPLY, TEXT_CONNECTION, TEXT_COUNT };

static const size_t text_most[TEXT_COUNT] = {
	[TEXT_STATUS] = JOURNAL_STATUS_MOST,
	[TEXT_REASON] = JOURNAL_REASON_MOST,
	[TEXT_REPLY] = LIMIT_REPLY_KEPT,
	[TEXT_CONNECTION] = JOURNAL_CONNECTION_MOST,
};

/* Without holes, so that each octet is under the checksum and none is left to chance. */
struct wire {
	uint32_t checksum; /* of all that follows, texts and filling included */
	uint16_t size;
	uint8_t kind, outcome;
	uint64_t generation;
	uint64_t campaign_id, subscriber_id;
	int64_t at_us, first_attempt_us, next_attempt_us, date_us;
	uint32_t batch_at;
	uint16_t attempts, code;
	uint16_t key_id, day, variant, from_queue;
	uint16_t text_len[TEXT_COUNT];
};
static_assert(sizeof(struct wire) == 88, "a record has no holes");
static_assert(sizeof(struct wire) + JOURNAL_STATUS_MOST + JOURNAL_REASON_MOST + LIMIT_REPLY_KEPT +
		      JOURNAL_CONNECTION_MOST + JOURNAL_RECORD_ALIGN <=
		  JOURNAL_RECORD_MOST,
	      "the largest record fits");

enum { CHECKED_FROM = sizeof(uint32_t) };

static void texts_of(const struct ledger_row *row, struct view ret_texts[TEXT_COUNT])
{
	ret_texts[TEXT_STATUS] = row->status;
	ret_texts[TEXT_REASON] = row->reason;
	ret_texts[TEXT_REPLY] = row->reply;
	ret_texts[TEXT_CONNECTION] = row->connection;
	for (size_t i = 0; i < TEXT_COUNT; i++)
		ret_texts[i] = view_head(ret_texts[i], text_most[i]);
}

enum err journal_record_write(const struct journal_record *record, uint64_t generation, uint32_t batch_at,
			      struct buf *out)
{
	const struct ledger_row *row = &record->row;
	struct view texts[TEXT_COUNT];
	texts_of(row, texts);
	struct wire wire = {
		.kind = (uint8_t)record->kind,
		.outcome = (uint8_t)row->outcome,
		.generation = generation,
		.campaign_id = (uint64_t)row->campaign_id,
		.subscriber_id = (uint64_t)row->subscriber_id,
		.at_us = row->at_us,
		.first_attempt_us = row->first_attempt_us,
		.next_attempt_us = row->next_attempt_us,
		.date_us = row->terms.date_us,
		.batch_at = batch_at,
		.attempts = (uint16_t)row->attempts,
		.code = (uint16_t)row->code,
		.key_id = (uint16_t)row->terms.key_id,
		.day = (uint16_t)row->terms.day,
		.variant = (uint16_t)row->terms.variant,
		.from_queue = row->from_queue,
	};
	size_t size = sizeof(wire);
	for (size_t i = 0; i < TEXT_COUNT; i++) {
		wire.text_len[i] = (uint16_t)texts[i].len;
		size += texts[i].len;
	}
	size_t filled = (size + JOURNAL_RECORD_ALIGN - 1) / JOURNAL_RECORD_ALIGN * JOURNAL_RECORD_ALIGN;
	wire.size = (uint16_t)filled;
	char *room = buf_room(out, filled);
	if (room == NULL)
		return buf_err(out);
	char *at = room;
	memcpy(at, &wire, sizeof(wire));
	at += sizeof(wire);
	for (size_t i = 0; i < TEXT_COUNT; i++) {
		if (texts[i].len > 0)
			memcpy(at, texts[i].data, texts[i].len);
		at += texts[i].len;
	}
	memset(at, 0, filled - size);
	wire.checksum = checksum_of(view_from(room + CHECKED_FROM, filled - CHECKED_FROM));
	memcpy(room, &wire.checksum, sizeof(wire.checksum));
	buf_grown(out, filled);
	return ERR_OK;
}

static bool is_whole(struct view bytes, uint64_t generation, struct wire *ret_wire)
{
	if (bytes.len < sizeof(*ret_wire))
		return false;
	memcpy(ret_wire, bytes.data, sizeof(*ret_wire));
	size_t size = sizeof(*ret_wire);
	for (size_t i = 0; i < TEXT_COUNT; i++)
		size += ret_wire->text_len[i];
	return ret_wire->generation == generation && ret_wire->size % JOURNAL_RECORD_ALIGN == 0 &&
	       ret_wire->size >= size && ret_wire->size <= bytes.len && ret_wire->kind >= JOURNAL_INTENT &&
	       ret_wire->kind < JOURNAL_KIND_COUNT && ret_wire->outcome < LEDGER_OUTCOME_COUNT &&
	       checksum_of(view_from(bytes.data + CHECKED_FROM, ret_wire->size - CHECKED_FROM)) == ret_wire->checksum;
}

bool journal_record_read(struct view bytes, uint64_t generation, struct journal_record *ret_record, size_t *ret_size,
			 uint32_t *ret_batch_at)
{
	struct wire wire;
	if (!is_whole(bytes, generation, &wire))
		return false;
	struct view texts[TEXT_COUNT];
	size_t at = sizeof(wire);
	for (size_t i = 0; i < TEXT_COUNT; i++) {
		texts[i] = view_from(bytes.data + at, wire.text_len[i]);
		at += wire.text_len[i];
	}
	*ret_record = (struct journal_record){
		.kind = (enum journal_kind)wire.kind,
		.row = { .campaign_id = (int64_t)wire.campaign_id,
			 .subscriber_id = (int64_t)wire.subscriber_id,
			 .outcome = (enum ledger_outcome)wire.outcome,
			 .attempts = wire.attempts,
			 .at_us = wire.at_us,
			 .code = wire.code,
			 .from_queue = wire.from_queue != 0,
			 .status = texts[TEXT_STATUS],
			 .reason = texts[TEXT_REASON],
			 .reply = texts[TEXT_REPLY],
			 .first_attempt_us = wire.first_attempt_us,
			 .next_attempt_us = wire.next_attempt_us,
			 .terms = { .key_id = wire.key_id,
				    .day = wire.day,
				    .date_us = wire.date_us,
				    .variant = wire.variant },
			 .connection = texts[TEXT_CONNECTION] },
	};
	*ret_size = wire.size;
	*ret_batch_at = wire.batch_at;
	return true;
}
