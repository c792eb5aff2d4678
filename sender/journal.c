#include "sender/journal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "sender/checksum.h"
#include "sender/journal_file.h"
#include "sender/journal_record.h"
#include "sender/uuid.h"

enum {
	PAGE = 4096,
	SPARE = 64 << 10, /* in each half: outcomes that wait for the database */
	GATHERED_MOST = 4 << 20,
};

struct half_head {
	uint64_t generation;
	uint32_t initial;  /* octets of records that the generation began with */
	uint32_t checksum; /* of all before it */
};
static_assert(sizeof(struct half_head) == 16, "the head has no holes");

struct journal {
	int fd;
	bool sync;
	char *path;
	char worker_id[JOURNAL_UUID + 1];
	size_t half_size;
	unsigned half; /* in use: 0 or 1 */
	uint64_t generation;
	struct worker_mark mark;
	size_t used;         /* octets of this half, its head included */
	size_t initial_used; /* the same when the generation began */
	struct buf gathered;
	char *content; /* the half as journal_open() found it; NULL later */
};

uint64_t journal_least_size(uint64_t messages)
{
	uint64_t half = messages * 2 * JOURNAL_RECORD_MOST + SPARE;
	return PAGE + 2 * ((half + PAGE - 1) / PAGE * PAGE);
}

static enum err fail(const char *verb, const char *path, struct buf *why)
{
	int code = errno;
	buf_addf(why, "cannot %s the journal %s: %s", verb, path, strerror(code));
	return code == ENOENT ? ERR_NOT_FOUND : code == EEXIST ? ERR_EXISTS : ERR_IO;
}

uint64_t journal_size_of(uint64_t size)
{
	return PAGE + (size - PAGE) / 2 / PAGE * PAGE * 2;
}

uint64_t journal_size(const struct journal *journal)
{
	return PAGE + 2 * journal->half_size;
}

static off_t half_at(const struct journal *journal, unsigned half)
{
	return (off_t)(PAGE + half * journal->half_size);
}

static enum err sync_folder(const char *path, struct buf *why)
{
	AUTO_BUF folder = buf_with_ceiling(PAGE);
	size_t slash = view_find_last_byte(view_of(path), '/');
	buf_add(&folder, slash == VIEW_NONE ? VIEW_LIT(".") : view_head(view_of(path), slash + 1));
	int fd = open(buf_text(&folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0) {
		enum err err = fail("sync the folder of", path, why);
		if (fd >= 0)
			close(fd);
		return err;
	}
	close(fd);
	return ERR_OK;
}

static enum err journal_new(const struct journal_options *options, int fd, struct journal **ret_journal)
{
	struct journal *journal = calloc(1, sizeof(*journal));
	char *path = strdup(options->path);
	if (journal == NULL || path == NULL) {
		free(journal);
		free(path);
		return ERR_MEMORY;
	}
	journal->fd = fd;
	journal->sync = options->sync;
	journal->path = path;
	journal->gathered = buf_with_ceiling(GATHERED_MOST);
	*ret_journal = journal;
	return ERR_OK;
}

void journal_done(struct journal *journal)
{
	if (journal == NULL)
		return;
	if (journal->fd >= 0)
		close(journal->fd);
	buf_done(&journal->gathered);
	free(journal->content);
	free(journal->path);
	free(journal);
}

enum err journal_remove(struct journal *journal, struct buf *why)
{
	return unlink(journal->path) == 0 ? ERR_OK : fail("remove", journal->path, why);
}

enum err journal_move(struct journal *journal, const char *path, struct buf *why)
{
	char *kept = strdup(path);
	if (kept == NULL)
		return ERR_MEMORY;
	if (rename(journal->path, path) != 0) {
		free(kept);
		return fail("move", journal->path, why);
	}
	free(journal->path);
	journal->path = kept;
	return sync_folder(path, why);
}

const char *journal_worker_id(const struct journal *journal)
{
	return journal->worker_id;
}

const char *journal_path(const struct journal *journal)
{
	return journal->path;
}

/* ---- making one ---- */

static enum err write_half(struct journal *journal, unsigned half, uint64_t generation, struct view records,
			   struct buf *why)
{
	struct half_head head = { .generation = generation, .initial = (uint32_t)records.len };
	head.checksum = checksum_of(view_from(&head, offsetof(struct half_head, checksum)));
	AUTO_BUF block = buf_with_ceiling(sizeof(head) + records.len);
	buf_add(&block, view_from(&head, sizeof(head)));
	buf_add(&block, records);
	if (buf_err(&block) != ERR_OK)
		return buf_err(&block);
	if (!journal_file_write(journal->fd, buf_view(&block), half_at(journal, half)) ||
	    (journal->sync && fdatasync(journal->fd) != 0))
		return fail("write", journal->path, why);
	journal->half = half;
	journal->generation = generation;
	journal->used = journal->initial_used = block.len;
	return ERR_OK;
}

static enum err write_file_head(struct journal *journal, const struct journal_options *options, struct buf *why)
{
	struct journal_head head = { .size = options->size };
	memcpy(head.worker_id, journal->worker_id, JOURNAL_UUID);
	memcpy(head.instance, options->instance, strnlen(options->instance, JOURNAL_UUID));
	/* The head last, and all of it on the disk: a file with a head is a whole journal. */
	if (fdatasync(journal->fd) != 0 || !journal_file_write_head(journal->fd, &head) || fsync(journal->fd) != 0)
		return fail("write", journal->path, why);
	return ERR_OK;
}

static enum err fill_new(struct journal *journal, const struct journal_options *options, struct buf *why)
{
	journal->half_size = (options->size - PAGE) / 2 / PAGE * PAGE;
	int code = posix_fallocate(journal->fd, 0, (off_t)options->size);
	if (options->worker_id != NULL)
		memcpy(journal->worker_id, options->worker_id, JOURNAL_UUID);
	if (code != 0 || flock(journal->fd, LOCK_EX | LOCK_NB) != 0 ||
	    (options->worker_id == NULL && !uuid_make(journal->worker_id))) {
		errno = code != 0 ? code : errno;
		return fail("take the space for", journal->path, why);
	}
	enum err err = write_half(journal, 0, 1, VIEW_LIT(""), why);
	if (err == ERR_OK)
		err = write_file_head(journal, options, why);
	return err == ERR_OK ? sync_folder(journal->path, why) : err;
}

enum err journal_create(const struct journal_options *options, struct journal **ret_journal, struct buf *why)
{
	assert(options->size >= journal_least_size(0));
	int fd = open(options->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail("create", options->path, why);
	struct journal *journal;
	enum err err = journal_new(options, fd, &journal);
	if (err != ERR_OK) {
		close(fd);
		return err;
	}
	err = fill_new(journal, options, why);
	if (err != ERR_OK) {
		unlink(options->path);
		journal_done(journal);
		return err;
	}
	*ret_journal = journal;
	return ERR_OK;
}

/* ---- reading one ---- */

static enum err refuse(const struct journal *journal, const char *what, struct buf *why)
{
	buf_addf(why,
		 "the journal %s %s; it is left as it is: keep it for a person, and when its recipients can be taken "
		 "for doubtful, "
		 "`listctl worker forget` its worker",
		 journal->path, what);
	return ERR_INVALID;
}

static enum err read_file_head(struct journal *journal, const struct journal_options *options, struct buf *why)
{
	struct journal_head head;
	struct stat info;
	if (fstat(journal->fd, &info) != 0)
		return fail("read", journal->path, why);
	const char *wrong = journal_file_read_head(journal->fd, &head);
	if (wrong != NULL)
		return refuse(journal, wrong, why);
	if (head.size < journal_least_size(0) || (uint64_t)info.st_size < head.size)
		return refuse(journal, "is shorter than its head says", why);
	if (strcmp(head.instance, options->instance) != 0)
		return refuse(journal, "belongs to another database", why);
	memcpy(journal->worker_id, head.worker_id, sizeof(journal->worker_id));
	journal->half_size = (head.size - PAGE) / 2 / PAGE * PAGE;
	return ERR_OK;
}

/* A MARK's row is nobody's: its two numbers stand where others have the recipient. */
static struct worker_mark mark_of(const struct journal_record *record)
{
	return (struct worker_mark){ .epoch = record->row.campaign_id, .turn = record->row.subscriber_id };
}

static struct journal_record record_of(struct worker_mark mark)
{
	return (struct journal_record){ .kind = JOURNAL_MARK,
					.row = { .campaign_id = mark.epoch, .subscriber_id = mark.turn } };
}

/* One half as it is found. */
struct found {
	char *content;
	bool is_begun;   /* its head is good and the records it began with are all there */
	bool is_left;    /* it holds SWITCHED: the other one is in use */
	bool is_damaged; /* before its last batch */
	uint64_t generation;
	struct worker_mark mark;
	size_t used;
};

/* Records after a gap: were they written with the batch in which the gap is, or later? */
static bool is_followed(const struct found *found, size_t half_size, size_t gap)
{
	for (size_t at = gap + JOURNAL_RECORD_ALIGN; at < half_size; at += JOURNAL_RECORD_ALIGN) {
		struct journal_record record;
		size_t size;
		uint32_t batch_at;
		struct view rest = view_from(found->content + at, half_size - at);
		if (journal_record_read(rest, found->generation, &record, &size, &batch_at) && batch_at > gap)
			return true;
	}
	return false;
}

static void look_at_half(struct found *found, size_t half_size)
{
	struct half_head head;
	memcpy(&head, found->content, sizeof(head));
	if (head.checksum != checksum_of(view_from(&head, offsetof(struct half_head, checksum))) ||
	    head.generation == 0)
		return;
	found->generation = head.generation;
	size_t at = sizeof(head);
	for (;;) {
		struct journal_record record;
		size_t size;
		uint32_t batch_at;
		struct view rest = view_from(found->content + at, half_size - at);
		if (!journal_record_read(rest, head.generation, &record, &size, &batch_at))
			break;
		at += size;
		found->is_left = found->is_left || record.kind == JOURNAL_SWITCHED;
		if (record.kind == JOURNAL_MARK)
			found->mark = mark_of(&record);
	}
	found->used = at;
	found->is_begun = at >= sizeof(head) + head.initial;
	found->is_damaged = is_followed(found, half_size, at);
}

static enum err choose_half(struct journal *journal, struct found halves[2], struct buf *why)
{
	for (unsigned i = 0; i < 2; i++) {
		halves[i].content = malloc(journal->half_size);
		if (halves[i].content == NULL)
			return ERR_MEMORY;
		if (!journal_file_read(journal->fd, halves[i].content, journal->half_size, half_at(journal, i)))
			return fail("read", journal->path, why);
		look_at_half(&halves[i], journal->half_size);
	}
	unsigned newer = halves[1].generation > halves[0].generation ? 1 : 0;
	if (!halves[newer].is_begun)
		newer = 1 - newer;
	const struct found *chosen = &halves[newer];
	if (!chosen->is_begun || chosen->is_left)
		return refuse(journal, "has lost its newer half", why);
	if (chosen->is_damaged)
		return refuse(journal, "is damaged before its end", why);
	journal->half = newer;
	journal->generation = chosen->generation;
	journal->mark = chosen->mark;
	journal->used = journal->initial_used = chosen->used;
	journal->content = chosen->content;
	halves[newer].content = NULL;
	return ERR_OK;
}

static enum err load(struct journal *journal, const struct journal_options *options, struct buf *why)
{
	if (flock(journal->fd, LOCK_EX | LOCK_NB) != 0 || !journal_file_is_at(journal->fd, journal->path)) {
		buf_addf(why, "the journal %s is in use by another process", journal->path);
		return ERR_UNAVAILABLE;
	}
	enum err err = read_file_head(journal, options, why);
	if (err != ERR_OK)
		return err;
	struct found halves[2] = { 0 };
	err = choose_half(journal, halves, why);
	free(halves[0].content);
	free(halves[1].content);
	return err;
}

enum err journal_open(const struct journal_options *options, struct journal **ret_journal, struct buf *why)
{
	int fd = open(options->path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return fail("open", options->path, why);
	struct journal *journal;
	enum err err = journal_new(options, fd, &journal);
	if (err != ERR_OK) {
		close(fd);
		return err;
	}
	err = load(journal, options, why);
	if (err != ERR_OK) {
		journal_done(journal);
		return err;
	}
	*ret_journal = journal;
	return ERR_OK;
}

enum err journal_read(const struct journal *journal, journal_told *told, void *owner)
{
	enum err err = ERR_OK;
	size_t at = sizeof(struct half_head);
	while (err == ERR_OK && journal->content != NULL && at < journal->used) {
		struct journal_record record;
		size_t size;
		uint32_t batch_at;
		struct view rest = view_from(journal->content + at, journal->half_size - at);
		if (!journal_record_read(rest, journal->generation, &record, &size, &batch_at))
			break;
		at += size;
		err = told(owner, &record);
	}
	return err;
}

/* ---- writing ---- */

/* SWITCHED always finds room. */
static size_t room_left(const struct journal *journal)
{
	size_t taken = journal->used + journal->gathered.len + JOURNAL_RECORD_MOST;
	return taken < journal->half_size ? journal->half_size - taken : 0;
}

static enum err gather(struct journal *journal, const struct journal_record *record)
{
	return journal_record_write(record, journal->generation, (uint32_t)journal->used, &journal->gathered);
}

enum err journal_add(struct journal *journal, const struct journal_record *record)
{
	return room_left(journal) < JOURNAL_RECORD_MOST ? ERR_TOO_BIG : gather(journal, record);
}

struct worker_mark journal_mark(const struct journal *journal)
{
	return journal->mark;
}

enum err journal_announce(struct journal *journal, struct worker_mark mark)
{
	const struct journal_record record = record_of(mark);
	enum err err = journal_add(journal, &record);
	if (err == ERR_OK)
		journal->mark = mark;
	return err;
}

void journal_place(const struct journal *journal, struct buf *out)
{
	journal_file_place(journal->fd, out);
}

enum err journal_flush(struct journal *journal, struct buf *why)
{
	if (journal->gathered.len == 0)
		return ERR_OK;
	off_t at = half_at(journal, journal->half) + (off_t)journal->used;
	if (!journal_file_write(journal->fd, buf_view(&journal->gathered), at) ||
	    (journal->sync && fdatasync(journal->fd) != 0))
		return fail("write", journal->path, why);
	journal->used += journal->gathered.len;
	buf_reset(&journal->gathered);
	return ERR_OK;
}

bool journal_has_room(const struct journal *journal, size_t messages)
{
	return room_left(journal) / (2 * JOURNAL_RECORD_MOST) >= messages;
}

bool journal_is_worn(const struct journal *journal, size_t messages)
{
	size_t used = journal->used + journal->gathered.len;
	bool is_full = used > journal->half_size / 2 || !journal_has_room(journal, messages);
	return is_full && used - journal->initial_used > journal->half_size / 8;
}

enum err journal_rewrite(struct journal *journal, journal_next *next, void *owner, struct buf *why)
{
	enum err err = journal_flush(journal, why);
	if (err != ERR_OK)
		return err;
	uint64_t generation = journal->generation + 1;
	AUTO_BUF records = buf_with_ceiling(journal->half_size - sizeof(struct half_head) - JOURNAL_RECORD_MOST);
	struct journal_record record = record_of(journal->mark);
	if (journal->mark.epoch > 0 || journal->mark.turn > 0)
		err = journal_record_write(&record, generation, sizeof(struct half_head), &records);
	while (err == ERR_OK && next(owner, &record))
		err = journal_record_write(&record, generation, sizeof(struct half_head), &records);
	if (err != ERR_OK)
		return err;
	struct journal old = *journal;
	err = write_half(journal, 1 - journal->half, generation, buf_view(&records), why);
	if (err != ERR_OK)
		return err;
	const struct journal_record switched = { .kind = JOURNAL_SWITCHED };
	old.gathered = buf_with_ceiling(JOURNAL_RECORD_MOST);
	err = gather(&old, &switched);
	if (err == ERR_OK)
		err = journal_flush(&old, why);
	buf_done(&old.gathered);
	free(journal->content);
	journal->content = NULL;
	return err;
}
