#include "store/mailboxes.h"

#include "base/digest.h"

static const struct db_statement append = {
	.name = "mailboxes_append",
	.sql = "INSERT INTO mailbox_message (received_at, recipient, sender, message_hash, message)"
	       " SELECT received_at, recipient, sender, hash, message"
	       " FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::bytea[], $5::bytea[])"
	       " AS g(received_at, recipient, sender, hash, message) ORDER BY hash ON CONFLICT DO NOTHING",
};

struct columns {
	struct db_array times, recipients, senders, hashes, messages;
};

static bool fill(struct columns *columns, const struct mailbox_message *message)
{
	unsigned char hash[DIGEST_SIZE];
	const struct view parts[] = { message->recipient, message->sender, message->message };
	if (!digest_of_parts(parts, ARRAY_LEN(parts), hash))
		return false;
	db_array_add_int(&columns->times, message->received_us);
	db_array_add_bytes(&columns->recipients, message->recipient);
	db_array_add_bytes(&columns->senders, message->sender);
	db_array_add_bytes(&columns->hashes, view_from(hash, sizeof(hash)));
	db_array_add_bytes(&columns->messages, message->message);
	return true;
}

static void columns_done(struct columns *columns)
{
	db_array_done(&columns->times);
	db_array_done(&columns->recipients);
	db_array_done(&columns->senders);
	db_array_done(&columns->hashes);
	db_array_done(&columns->messages);
}

enum err mailboxes_append(struct db *db, const struct mailbox_message *messages, size_t count, size_t *ret_stored,
			  struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	struct columns columns = { .times = db_array_of(DB_TIME),
				   .recipients = db_array_of(DB_TEXT),
				   .senders = db_array_of(DB_TEXT),
				   .hashes = db_array_of(DB_BYTES),
				   .messages = db_array_of(DB_BYTES) };
	enum err err = ERR_OK;
	for (size_t i = 0; i < count && err == ERR_OK; i++)
		err = fill(&columns, &messages[i]) ? ERR_OK : ERR_MEMORY;
	const struct db_value values[] = { db_values(&columns.times), db_values(&columns.recipients),
					   db_values(&columns.senders), db_values(&columns.hashes),
					   db_values(&columns.messages) };
	if (err == ERR_OK)
		err = db_run(db, &append, values, ARRAY_LEN(values), &rows, why);
	columns_done(&columns);
	if (err == ERR_OK)
		*ret_stored = db_changed(rows);
	return err;
}
