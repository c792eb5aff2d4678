/* A worker's journal: what it is about to send and what became of it, until the database has it. It survives the process; with sync it
 * survives the loss of power.
 *
 *     file    = head half half
 *     head    = magic, format version, worker, instance, size, checksum          ; one page, written once
 *     half    = head of generation g, then records of generation g, then anything
 *     record  = checksum, size, kind, generation, where its batch began, and a ledger row
 *
 * One half is in use. When it is more than half full, the records that still matter are written to the other one under the next
 * generation, and then a record SWITCHED into the old one: so a damaged new half is never mistaken for one that was not finished.
 *
 * The records of a turn of the event loop are gathered (journal_add) and written in one go (journal_flush) before the bytes
 * that they announce leave: a batch. A batch torn at its end, or anywhere in the last batch, is cut; damage before the last
 * batch is reported and never guessed away.
 *
 * Whose record is the last one of a recipient: INTENT: its message may have gone: in doubt. OUTCOME: told. WITHDRAWN: nothing
 * of it went. CHECKPOINT concerns all: the outcomes before it are in the database.
 *
 * A MARK says which process has the journal and what it is about to write to the database: one whose last MARK is behind the
 * worker's row is older than the database, and what it says is not what became of anybody. */
#ifndef SENDER_JOURNAL_H
#define SENDER_JOURNAL_H

#include "store/ledger.h"
#include "store/workers.h"

struct journal;

enum journal_kind {
	JOURNAL_INTENT = 1,
	JOURNAL_WITHDRAWN,
	JOURNAL_OUTCOME,
	JOURNAL_CHECKPOINT,
	JOURNAL_SWITCHED, /* the module's own, as the next */
	JOURNAL_MARK,
	JOURNAL_KIND_COUNT
};

struct journal_record {
	enum journal_kind kind;
	struct ledger_row row; /* its views: at most the sizes below, the rest is cut */
};

enum {
	JOURNAL_STATUS_MOST = 16,
	JOURNAL_REASON_MOST = 32,
	JOURNAL_CONNECTION_MOST = 64,
	JOURNAL_CONNECTION_RELAY = 40, /* of these: the relay's name, before its connection's number */
	/* One record never takes more. */
	JOURNAL_RECORD_MOST = 128 + JOURNAL_STATUS_MOST + JOURNAL_REASON_MOST + JOURNAL_CONNECTION_MOST + 1024,
	JOURNAL_UUID = 36,
};

/* The least size with which so many messages can be under way at once. */
uint64_t journal_least_size(uint64_t messages);

struct journal_options {
	const char *path;
	const char *instance;  /* UUID of the database it belongs to */
	uint64_t size;         /* of a new one */
	const char *worker_id; /* of a new one: whose it is; NULL: a new worker's */
	bool sync;             /* fdatasync in journal_flush() */
};

/* A new journal, its space taken from the disk. ERR_EXISTS when the path is taken; ERR_IO. `why` as ever. */
enum err journal_create(const struct journal_options *options, struct journal **ret_journal, struct buf *why) MUST_USE;
/* ERR_NOT_FOUND; ERR_UNAVAILABLE: another process holds it; ERR_INVALID: damaged, of another format or another database: it is left as
 * it is. */
enum err journal_open(const struct journal_options *options, struct journal **ret_journal, struct buf *why) MUST_USE;
/* Releases the lock. Accepts NULL. */
void journal_done(struct journal *journal);
/* Removes the file of a journal that is void. */
enum err journal_remove(struct journal *journal, struct buf *why) MUST_USE;

/* Puts its file there, in the place of what is there. On ERR_IO either path may have it. */
enum err journal_move(struct journal *journal, const char *path, struct buf *why) MUST_USE;
/* The size that a new one would have which is asked to have this size; and what this one has, which may have been made for other settings. */
uint64_t journal_size_of(uint64_t size);
uint64_t journal_size(const struct journal *journal);

/* The last one of the journal, gathered ones included; zeros while there is none. */
struct worker_mark journal_mark(const struct journal *journal);
/* Gathers a MARK. Each generation begins with the last one. ERR_TOO_BIG. */
enum err journal_announce(struct journal *journal, struct worker_mark mark) MUST_USE;
/* Appends what no other journal has that a process of this boot can open: who has it locked knows that nobody else uses it. Nothing where the
 * system does not tell. */
void journal_place(const struct journal *journal, struct buf *out);

const char *journal_worker_id(const struct journal *journal);
const char *journal_path(const struct journal *journal);

/* The records found by journal_open(), oldest first, CHECKPOINT and the module's own included. Views are borrowed until journal_rewrite(). */
typedef enum err journal_told(void *owner, const struct journal_record *record);
enum err journal_read(const struct journal *journal, journal_told *told, void *owner) MUST_USE;

/* Gathers a record. ERR_TOO_BIG: the half is full; never after journal_has_room() for it. */
enum err journal_add(struct journal *journal, const struct journal_record *record) MUST_USE;
/* Writes what was gathered. ERR_IO: nothing that was gathered may be acted on. */
enum err journal_flush(struct journal *journal, struct buf *why) MUST_USE;

/* Whether `messages` more messages find room for intent and outcome each. */
bool journal_has_room(const struct journal *journal, size_t messages);
/* Whether rewriting would pay: much is written, or there is no room for so many more messages. */
bool journal_is_worn(const struct journal *journal, size_t messages);

/* Begins the next generation with the records that next() gives until it says false. Flushes first. */
typedef bool journal_next(void *owner, struct journal_record *ret_record);
enum err journal_rewrite(struct journal *journal, journal_next *next, void *owner, struct buf *why) MUST_USE;

#endif
