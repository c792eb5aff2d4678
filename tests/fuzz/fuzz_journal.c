/* A journal that was written, torn or damaged in one place, and is read again: what it gives out was written, in that order, without a
 * gap, up to the last batch at least; else it is refused. The input is a script of records, flushes and rewritings, and the damage. A
 * second kind of input is a record's own octets under a right checksum. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "sender/checksum.h"
#include "sender/journal_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DAMAGE_MOST = 64, RECORDS_MOST = 2000 };

static const char instance[] = "0b1e0d5c-0000-4000-8000-000000000001";
static char path[64];

static void demand(bool condition)
{
	if (!condition)
		abort();
}

static unsigned take(struct view *input)
{
	unsigned octet = input->len == 0 ? 0 : (unsigned char)input->data[0];
	*input = view_skip(*input, 1);
	return octet;
}

/* What stands in the journal since the last rewriting: each record is known by its subscriber. */
struct script {
	struct journal *journal;
	size_t first, next;   /* subscribers of the generation */
	size_t flushed;       /* all before it are in the file */
	size_t last_batch_at; /* of those, the first that the last batch wrote */
	size_t rewritten;     /* the next one that journal_rewrite() asks for */
	uint64_t generation;
	unsigned reply_len;
};

static struct journal_record record_of(size_t subscriber, unsigned reply_len)
{
	static char reply[256];
	memset(reply, 'r', sizeof(reply));
	return (struct journal_record){
		.kind = (enum journal_kind)(JOURNAL_INTENT + subscriber % 4),
		.row = { .campaign_id = 7, .subscriber_id = (int64_t)subscriber, .reply = view_from(reply, reply_len) },
	};
}

static bool next_record(void *owner, struct journal_record *ret_record)
{
	struct script *script = owner;
	if (script->rewritten == script->next)
		return false;
	*ret_record = record_of(script->rewritten++, script->reply_len);
	return true;
}

static void flush(struct script *script, struct buf *why)
{
	demand(journal_flush(script->journal, why) == ERR_OK);
	if (script->flushed < script->next)
		script->last_batch_at = script->flushed;
	script->flushed = script->next;
}

static void rewrite(struct script *script, size_t kept, struct buf *why)
{
	flush(script, why);
	size_t count = script->next - script->first;
	script->first = script->next - (kept < count ? kept : count);
	script->rewritten = script->first;
	demand(journal_rewrite(script->journal, next_record, script, why) == ERR_OK);
	script->generation++;
	/* What a generation began with is there as a whole or the journal is refused. */
	script->last_batch_at = script->next;
}

static void play(struct script *script, struct view *input, struct buf *why)
{
	enum { ADD, FLUSH, REWRITE, END, STEPS };
	unsigned step;
	while (input->len > 0 && (step = take(input) % STEPS) != END && script->next < RECORDS_MOST) {
		script->reply_len = take(input);
		const struct journal_record record = record_of(script->next, script->reply_len);
		if (step == ADD && journal_has_room(script->journal, 1)) {
			demand(journal_add(script->journal, &record) == ERR_OK);
			script->next++;
		} else if (step == FLUSH) {
			flush(script, why);
		} else if (step == REWRITE) {
			rewrite(script, script->reply_len, why);
		}
	}
}

/* One run of octets, shorter than what a half keeps free at its end: it never reaches into both halves' records. */
static bool damage(struct view *input, uint64_t file_size)
{
	uint64_t at = (take(input) << 16 | take(input) << 8 | take(input)) % file_size;
	size_t len = take(input) % DAMAGE_MOST;
	char octets[DAMAGE_MOST];
	memset(octets, (int)take(input), sizeof(octets));
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	demand(fd >= 0 && pwrite(fd, octets, len, (off_t)at) == (ssize_t)len);
	close(fd);
	return len > 0;
}

/* A run of octets that ends in the last batch may leave nothing of it. What is damaged before it is the last batch then, for all that anybody can
 * tell, and one that was torn while it was written may be lost. */
static bool has_last_batch(const struct script *script, size_t file_size)
{
	static char bytes[1 << 20];
	bool is_there = false;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	demand(fd >= 0 && file_size <= sizeof(bytes) && pread(fd, bytes, file_size, 0) == (ssize_t)file_size);
	close(fd);
	for (size_t at = 0; at < file_size && !is_there; at += JOURNAL_RECORD_ALIGN) {
		struct journal_record record;
		size_t size;
		uint32_t batch_at;
		is_there = journal_record_read(view_from(bytes + at, file_size - at), script->generation, &record,
					       &size, &batch_at) &&
			   record.kind != JOURNAL_SWITCHED && (size_t)record.row.subscriber_id >= script->last_batch_at;
	}
	return is_there;
}

static enum err told(void *owner, const struct journal_record *record)
{
	size_t *next = owner;
	if (record->kind == JOURNAL_SWITCHED)
		return ERR_OK;
	demand(record->row.subscriber_id == (int64_t)*next && record->row.campaign_id == 7);
	demand(record->kind == record_of(*next, 0).kind);
	++*next;
	return ERR_OK;
}

static void check_journal(struct view input)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	const struct journal_options options = { .path = path, .instance = instance, .size = journal_least_size(8) };
	struct script script = { .generation = 1 };
	unlink(path);
	demand(journal_create(&options, &script.journal, &why) == ERR_OK);
	play(&script, &input, &why);
	journal_done(script.journal); /* what was not flushed is gone, as with a kill */
	bool is_damaged = input.len > 0 && damage(&input, options.size);
	enum err err = journal_open(&options, &script.journal, &why);
	demand(is_damaged ? err == ERR_OK || err == ERR_INVALID : err == ERR_OK);
	demand((err == ERR_OK) == (why.len == 0));
	if (err != ERR_OK)
		return;
	size_t next = script.first;
	demand(journal_read(script.journal, told, &next) == ERR_OK);
	demand(next <= script.flushed && (is_damaged || next == script.flushed));
	demand(next >= script.last_batch_at || !has_last_batch(&script, options.size));
	journal_done(script.journal);
}

static bool is_inside(struct view text, struct view bytes)
{
	return text.len <= bytes.len && text.data >= bytes.data && text.data + text.len <= bytes.data + bytes.len;
}

static void check_record(struct view input)
{
	enum { CHECKSUM_SIZE = sizeof(uint32_t), SIZE_AT = CHECKSUM_SIZE, GENERATION_AT = 8 };
	const uint64_t generation = 3;
	uint16_t claimed;
	AUTO_BUF bytes = buf_with_ceiling(LIMIT_MESSAGE);
	AUTO_BUF again = buf_with_ceiling(LIMIT_MESSAGE);
	if (input.len < GENERATION_AT + sizeof(generation) || buf_add(&bytes, input) != ERR_OK)
		return;
	memcpy(bytes.data + GENERATION_AT, &generation, sizeof(generation));
	memcpy(&claimed, bytes.data + SIZE_AT, sizeof(claimed));
	if (claimed < CHECKSUM_SIZE || claimed > bytes.len)
		return;
	uint32_t checksum = checksum_of(view_from(bytes.data + CHECKSUM_SIZE, claimed - CHECKSUM_SIZE));
	memcpy(bytes.data, &checksum, sizeof(checksum));
	struct journal_record record;
	size_t size;
	uint32_t batch_at;
	if (!journal_record_read(buf_view(&bytes), generation, &record, &size, &batch_at))
		return;
	demand(size <= bytes.len && size > 0 && record.kind < JOURNAL_KIND_COUNT);
	demand(is_inside(record.row.reply, buf_view(&bytes)) && is_inside(record.row.connection, buf_view(&bytes)));
	demand(journal_record_write(&record, generation, batch_at, &again) == ERR_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	if (size == 0)
		return 0;
	snprintf(path, sizeof(path), "%s/verpost-fuzz-journal-%d", folder, (int)getpid());
	struct view input = view_from(data, size);
	if (take(&input) % 2 == 0)
		check_journal(input);
	else
		check_record(input);
	unlink(path);
	return 0;
}
