#include "store/mailboxes.h"

#include <assert.h>

#include "base/digest.h"
#include "mail/intake.h"

enum statement { APPEND, PAGE, FIND, REMOVE, TIDY, SIZE, STATEMENT_COUNT };

static const struct db_statement statements[] = {
	[APPEND] = {
		.name = "mailboxes_append",
		.sql = "INSERT INTO mailbox_message (received_at, recipient, sender, message_hash, message)"
		       " SELECT received_at, recipient, sender, hash, message"
		       " FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::bytea[], $5::bytea[])"
		       " AS g(received_at, recipient, sender, hash, message) ORDER BY hash ON CONFLICT DO NOTHING",
	},
	[PAGE] = {
		.name = "mailboxes_page",
		.sql = "SELECT id, received_at, octet_length(message)::bigint, recipient, sender, NULL::bytea"
		       " FROM mailbox_message WHERE id > $1::bigint ORDER BY id LIMIT $2::bigint",
	},
	[FIND] = {
		.name = "mailboxes_find",
		.sql = "SELECT id, received_at, octet_length(message)::bigint, recipient, sender, message"
		       " FROM mailbox_message WHERE id = $1::bigint",
	},
	[REMOVE] = {
		.name = "mailboxes_remove",
		.sql = "DELETE FROM mailbox_message WHERE id = $1::bigint",
	},
	[TIDY] = { .name = "mailboxes_tidy", .sql = "SELECT mailbox_tidy($1, $2)" },
	[SIZE] = {
		.name = "mailboxes_size",
		.sql = "SELECT count(*), coalesce(sum(octet_length(message)), 0)::bigint FROM mailbox_message",
	},
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row a statement");

struct columns {
	struct db_array times, recipients, senders, hashes, messages;
};

static bool fill(struct columns *columns, const struct mailbox_message *message)
{
	unsigned char lasting[DIGEST_SIZE], hash[DIGEST_SIZE];
	const struct view parts[] = { message->recipient, message->sender,
				      view_from((const char *)lasting, sizeof(lasting)) };
	if (intake_hash(message->message, lasting) != ERR_OK || !digest_of_parts(parts, ARRAY_LEN(parts), hash))
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
		err = db_run(db, &statements[APPEND], values, ARRAY_LEN(values), &rows, why);
	columns_done(&columns);
	if (err == ERR_OK)
		*ret_stored = db_changed(rows);
	return err;
}

enum err mailboxes_page(struct db *db, int64_t after_id, uint64_t limit, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_int(after_id), db_int((int64_t)limit) };
	return db_run(db, &statements[PAGE], values, ARRAY_LEN(values), ret_rows, why);
}

static enum err no_such_message(int64_t id, struct buf *why)
{
	buf_addf(why, "there is no message %lld; `listctl mailbox ls` shows those there are", (long long)id);
	return ERR_NOT_FOUND;
}

enum err mailboxes_find(struct db *db, int64_t id, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_int(id) };
	struct db_rows *rows = NULL;
	enum err err = db_run(db, &statements[FIND], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK)
		return err;
	if (db_row_count(rows) == 0) {
		db_rows_done(rows);
		return no_such_message(id, why);
	}
	*ret_rows = rows;
	return ERR_OK;
}

struct mailbox_row mailboxes_get(const struct db_rows *rows, size_t row)
{
	return (struct mailbox_row){
		.id = db_get_int(rows, row, 0),
		.received_us = db_get_time(rows, row, 1),
		.size = db_get_int(rows, row, 2),
		.recipient = db_get_text(rows, row, 3),
		.sender = db_get_text(rows, row, 4),
		.message = db_get_text(rows, row, 5),
	};
}

enum err mailboxes_remove(struct db *db, int64_t id, struct buf *why)
{
	const struct db_value values[] = { db_int(id) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[REMOVE], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK || db_changed(rows) > 0)
		return err;
	return no_such_message(id, why);
}

enum err mailboxes_tidy(struct db *db, int64_t before_us, size_t limit, uint64_t *ret_octets, struct buf *why)
{
	const struct db_value values[] = { db_time(before_us), db_int((int64_t)limit) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[TIDY], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		*ret_octets = (uint64_t)db_get_int(rows, 0, 0);
	return err;
}

enum err mailboxes_size(struct db *db, uint64_t *ret_count, uint64_t *ret_octets, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[SIZE], NULL, 0, &rows, why);
	if (err != ERR_OK)
		return err;
	*ret_count = (uint64_t)db_get_int(rows, 0, 0);
	*ret_octets = (uint64_t)db_get_int(rows, 0, 1);
	return ERR_OK;
}
