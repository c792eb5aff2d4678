#include "sender/journal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sender/journal_record.h"
#include "sender/journal_file.h"
#include "tests/support/unit.h"

static const char instance[] = "11111111-2222-3333-4444-555555555555";

enum { PAGE = 4096, TOLD_MOST = 1000 };

struct place {
	char folder[64], path[96];
	struct journal_options options;
};

static void make_place(struct place *place)
{
	strcpy(place->folder, "/tmp/verpost-journal-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(place->folder));
	snprintf(place->path, sizeof(place->path), "%s/worker-0.journal", place->folder);
	place->options =
	    (struct journal_options){ .path = place->path, .instance = instance, .size = journal_least_size(4) };
}

static void clear_place(const struct place *place)
{
	unlink(place->path);
	rmdir(place->folder);
}

static struct journal *create(const struct place *place)
{
	AUTO_BUF why = buf_with_ceiling(2048);
	struct journal *journal = NULL;
	ck_assert_msg(journal_create(&place->options, &journal, &why) == ERR_OK, "%s", buf_text(&why));
	return journal;
}

static struct journal_record record_of(enum journal_kind kind, int64_t subscriber)
{
	return (struct journal_record){
		.kind = kind,
		.row = { .campaign_id = 7,
			 .subscriber_id = subscriber,
			 .outcome = LEDGER_DEFERRED,
			 .attempts = 3,
			 .at_us = 1000,
			 .code = 451,
			 .from_queue = true,
			 .status = VIEW_LIT("4.7.1"),
			 .reason = VIEW_LIT("rate-limited"),
			 .reply = VIEW_LIT("4.7.1 Slow down"),
			 .first_attempt_us = 500,
			 .next_attempt_us = 2000,
			 .terms = { .key_id = 5, .day = 20000, .date_us = -9, .variant = 1 },
			 .connection = VIEW_LIT("relay #1") },
	};
}

static void add(struct journal *journal, enum journal_kind kind, int64_t subscriber)
{
	const struct journal_record record = record_of(kind, subscriber);
	ck_assert(journal_add(journal, &record) == ERR_OK);
}

static void flush(struct journal *journal)
{
	AUTO_BUF why = buf_with_ceiling(2048);
	ck_assert_msg(journal_flush(journal, &why) == ERR_OK, "%s", buf_text(&why));
}

struct told {
	size_t count;
	int64_t subscribers[TOLD_MOST];
};

static enum err on_told(void *owner, const struct journal_record *record)
{
	struct told *told = owner;
	ck_assert(told->count < TOLD_MOST);
	told->subscribers[told->count++] = record->row.subscriber_id;
	return ERR_OK;
}

/* What a new process finds; count SIZE_MAX when it refuses the journal, naming it. */
static struct told reopen(const struct place *place)
{
	AUTO_BUF why = buf_with_ceiling(2048);
	struct told told = { 0 };
	struct journal *journal;
	enum err err = journal_open(&place->options, &journal, &why);
	if (err != ERR_OK) {
		ck_assert_int_eq(err, ERR_INVALID);
		ck_assert_msg(view_find(buf_view(&why), view_of(place->path)) != VIEW_NONE, "%s", buf_text(&why));
		told.count = SIZE_MAX;
		return told;
	}
	ck_assert(journal_read(journal, on_told, &told) == ERR_OK);
	journal_done(journal);
	return told;
}

static void ck_told(const char *label, const struct place *place, int64_t first, size_t count)
{
	struct told told = reopen(place);
	ck_assert_msg(told.count == count, "%s: %zu records, expected %zu", label, told.count, count);
	for (size_t i = 0; i < count; i++)
		ck_assert_int_eq(told.subscribers[i], first + (int64_t)i);
}

static void patch(const struct place *place, const void *bytes, size_t size, off_t at)
{
	int fd = open(place->path, O_WRONLY);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, bytes, size, at), (ssize_t)size);
	close(fd);
}

static void flip(const struct place *place, off_t at)
{
	unsigned char byte = 0;
	int fd = open(place->path, O_RDWR);
	ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
	close(fd);
	byte ^= 0x40;
	patch(place, &byte, 1, at);
}

static char *copy_of(const struct place *place)
{
	char *copy = malloc(place->options.size);
	int fd = open(place->path, O_RDONLY);
	ck_assert_int_eq(pread(fd, copy, place->options.size, 0), (ssize_t)place->options.size);
	close(fd);
	return copy;
}

static size_t record_size(void)
{
	AUTO_BUF text = buf_with_ceiling(JOURNAL_RECORD_MOST);
	const struct journal_record record = record_of(JOURNAL_INTENT, 1);
	ck_assert(journal_record_write(&record, 1, 0, &text) == ERR_OK);
	return text.len;
}

enum { HALF_HEAD = 16 };

static off_t half_at(const struct place *place, unsigned half)
{
	return (off_t)(PAGE + half * ((place->options.size - PAGE) / 2 / PAGE * PAGE));
}

static enum err compare(void *owner, const struct journal_record *got)
{
	const struct journal_record wanted = record_of(JOURNAL_OUTCOME, 42);
	const struct ledger_row *row = &got->row, *want = &wanted.row;
	bool *seen = owner;
	*seen = true;
	ck_assert_int_eq(got->kind, wanted.kind);
	ck_assert_int_eq(row->campaign_id, want->campaign_id);
	ck_assert_int_eq(row->subscriber_id, want->subscriber_id);
	ck_assert_int_eq(row->outcome, want->outcome);
	ck_assert_uint_eq(row->attempts, want->attempts);
	ck_assert_int_eq(row->at_us, want->at_us);
	ck_assert_uint_eq(row->code, want->code);
	ck_assert(row->from_queue);
	ck_assert(view_eq(row->status, want->status));
	ck_assert(view_eq(row->reason, want->reason));
	ck_assert(view_eq(row->reply, want->reply));
	ck_assert(view_eq(row->connection, want->connection));
	ck_assert_int_eq(row->first_attempt_us, want->first_attempt_us);
	ck_assert_int_eq(row->next_attempt_us, want->next_attempt_us);
	ck_assert_uint_eq(row->terms.key_id, want->terms.key_id);
	ck_assert_uint_eq(row->terms.day, want->terms.day);
	ck_assert_int_eq(row->terms.date_us, want->terms.date_us);
	ck_assert_uint_eq(row->terms.variant, want->terms.variant);
	return ERR_OK;
}

START_TEST(records_come_back_whole)
	{
		struct place place;
		make_place(&place);
		struct journal *journal = create(&place);
		char worker_id[JOURNAL_UUID + 1];
		strcpy(worker_id, journal_worker_id(journal));
		add(journal, JOURNAL_OUTCOME, 42);
		flush(journal);
		journal_done(journal);
		AUTO_BUF why = buf_with_ceiling(2048);
		ck_assert(journal_open(&place.options, &journal, &why) == ERR_OK);
		ck_assert_str_eq(journal_worker_id(journal), worker_id);
		bool seen = false;
		ck_assert(journal_read(journal, compare, &seen) == ERR_OK);
		ck_assert(seen);
		journal_done(journal);
		clear_place(&place);
	}
END_TEST

START_TEST(nothing_is_written_before_flush)
	{
		struct place place;
		make_place(&place);
		struct journal *journal = create(&place);
		add(journal, JOURNAL_INTENT, 1);
		journal_done(journal);
		ck_told("gathered only", &place, 1, 0);
		clear_place(&place);
	}
END_TEST

/* Power fails while the last batch is written: whatever part of it is there, what was written before stays. */
START_TEST(torn_at_every_byte)
	{
		struct place place;
		make_place(&place);
		struct journal *journal = create(&place);
		size_t size = record_size();
		add(journal, JOURNAL_INTENT, 1);
		add(journal, JOURNAL_INTENT, 2);
		flush(journal);
		add(journal, JOURNAL_INTENT, 3);
		add(journal, JOURNAL_INTENT, 4);
		flush(journal);
		journal_done(journal);
		char *whole = copy_of(&place);
		off_t start = half_at(&place, 0) + HALF_HEAD;
		char *zeros = calloc(4, size);
		ck_told("whole", &place, 1, 4);
		for (size_t kept = 0; kept < 2 * size; kept++) {
			off_t from = start + (off_t)(2 * size + kept);
			patch(&place, zeros, 2 * size - kept, from);
			/* A tail of zeros may be what stood there: the record may be whole in spite of it. */
			struct told told = reopen(&place);
			ck_assert_msg(told.count >= 2 + kept / size && told.count <= 4, "%zu octets kept: %zu records",
				      kept, told.count);
			patch(&place, whole + from, 2 * size - kept, from);
		}
		free(zeros);
		free(whole);
		clear_place(&place);
	}
END_TEST

/* Without an order of writing, a later part of the last batch can be there without an earlier one. */
START_TEST(gap_in_the_last_batch_is_cut)
	{
		struct place place;
		make_place(&place);
		struct journal *journal = create(&place);
		size_t size = record_size();
		add(journal, JOURNAL_INTENT, 1);
		flush(journal);
		add(journal, JOURNAL_INTENT, 2);
		add(journal, JOURNAL_INTENT, 3);
		flush(journal);
		journal_done(journal);
		flip(&place, half_at(&place, 0) + HALF_HEAD + (off_t)size + 20);
		ck_told("gap", &place, 1, 1);
		clear_place(&place);
	}
END_TEST

START_TEST(damage_before_the_last_batch_is_reported)
	{
		struct place place;
		make_place(&place);
		struct journal *journal = create(&place);
		size_t size = record_size();
		for (int64_t i = 1; i <= 3; i++) {
			add(journal, JOURNAL_INTENT, i);
			flush(journal);
		}
		journal_done(journal);
		for (size_t at = 0; at < 2 * size; at += 7) {
			off_t where = half_at(&place, 0) + HALF_HEAD + (off_t)at;
			flip(&place, where);
			struct told told = reopen(&place);
			ck_assert_msg(told.count == SIZE_MAX, "octet %zu: %zu records were guessed", at, told.count);
			flip(&place, where);
		}
		ck_told("mended", &place, 1, 3);
		clear_place(&place);
	}
END_TEST

struct live {
	int64_t next, last;
};

static bool next_live(void *owner, struct journal_record *ret_record)
{
	struct live *live = owner;
	if (live->next > live->last)
		return false;
	*ret_record = record_of(JOURNAL_INTENT, live->next++);
	return true;
}

static void rewrite(struct journal *journal, int64_t first, int64_t last)
{
	AUTO_BUF why = buf_with_ceiling(2048);
	struct live live = { first, last };
	ck_assert_msg(journal_rewrite(journal, next_live, &live, &why) == ERR_OK, "%s", buf_text(&why));
}

START_TEST(earlier_generations_are_not_read)
	{
		struct place place;
		make_place(&place);
		struct journal *journal = create(&place);
		for (int64_t i = 100; i < 120; i++)
			add(journal, JOURNAL_INTENT, i);
		flush(journal);
		rewrite(journal, 1, 2);
		rewrite(journal, 1, 1); /* over the first half, whose old records still stand behind */
		add(journal, JOURNAL_INTENT, 2);
		flush(journal);
		journal_done(journal);
		ck_told("third generation", &place, 1, 2);
		clear_place(&place);
	}
END_TEST

static struct worker_mark reopened_mark(const struct place *place)
{
	AUTO_BUF why = buf_with_ceiling(2048);
	struct journal *journal;
	ck_assert_msg(journal_open(&place->options, &journal, &why) == ERR_OK, "%s", buf_text(&why));
	struct worker_mark mark = journal_mark(journal);
	journal_done(journal);
	return mark;
}

START_TEST(the_last_mark_goes_through_each_generation)
	{
		struct place place;
		make_place(&place);
		struct journal *journal = create(&place);
		ck_assert(journal_mark(journal).epoch == 0 && journal_mark(journal).turn == 0);
		ck_assert(journal_announce(journal, (struct worker_mark){ 2, 7 }) == ERR_OK);
		flush(journal);
		ck_assert(journal_announce(journal, (struct worker_mark){ 2, 8 }) == ERR_OK);
		ck_assert(journal_mark(journal).turn == 8);
		rewrite(journal, 1, 2);
		rewrite(journal, 1, 1);
		journal_done(journal);
		struct worker_mark mark = reopened_mark(&place);
		ck_assert(mark.epoch == 2 && mark.turn == 8);
		clear_place(&place);
	}
END_TEST

START_TEST(a_switch_that_was_not_finished_never_was)
	{
		struct place place;
		make_place(&place);
		struct journal *journal = create(&place);
		add(journal, JOURNAL_INTENT, 1);
		add(journal, JOURNAL_INTENT, 2);
		flush(journal);
		char *before = copy_of(&place);
		rewrite(journal, 50, 52);
		journal_done(journal);
		char *after = copy_of(&place);
		off_t half = half_at(&place, 1);
		size_t written = HALF_HEAD + 3 * record_size();
		for (size_t kept = 0; kept < written; kept += 5) {
			patch(&place, before, place.options.size, 0);
			patch(&place, after + half, kept, half);
			/* The filling of the last record is zero before it is written, too. */
			struct told told = reopen(&place);
			ck_assert_msg(told.count == 2 || (told.count == 3 && written - kept < JOURNAL_RECORD_ALIGN),
				      "%zu octets kept: %zu records", kept, told.count);
		}
		free(before);
		free(after);
		clear_place(&place);
	}
END_TEST

START_TEST(a_lost_newer_half_is_reported)
	{
		struct place place;
		make_place(&place);
		struct journal *journal = create(&place);
		add(journal, JOURNAL_INTENT, 1);
		rewrite(journal, 50, 52);
		add(journal, JOURNAL_INTENT, 53);
		flush(journal);
		journal_done(journal);
		ck_told("whole", &place, 50, 4);
		flip(&place, half_at(&place, 1) + 3);
		ck_assert_uint_eq(reopen(&place).count, SIZE_MAX);
		clear_place(&place);
	}
END_TEST

START_TEST(full_and_room_again)
	{
		struct place place;
		make_place(&place);
		struct journal *journal = create(&place);
		int64_t count = 0;
		while (journal_has_room(journal, 1)) {
			add(journal, JOURNAL_INTENT, ++count);
			add(journal, JOURNAL_OUTCOME, count);
			flush(journal);
		}
		ck_assert_int_gt(count, 100);
		ck_assert(journal_is_worn(journal, 1));
		enum err err = ERR_OK;
		const struct journal_record record = record_of(JOURNAL_INTENT, 0);
		for (int64_t i = 0; i < 100 && err == ERR_OK; i++)
			err = journal_add(journal, &record);
		ck_assert_int_eq(err, ERR_TOO_BIG);
		rewrite(journal, 1, 5);
		ck_assert(journal_has_room(journal, 10));
		ck_assert(!journal_is_worn(journal, 1));
		journal_done(journal);
		ck_told("after", &place, 1, 5);
		clear_place(&place);
	}
END_TEST

START_TEST(one_process_at_a_time)
	{
		struct place place;
		make_place(&place);
		struct journal *journal = create(&place), *other;
		AUTO_BUF why = buf_with_ceiling(2048);
		ck_assert_int_eq(journal_open(&place.options, &other, &why), ERR_UNAVAILABLE);
		ck_assert_int_eq(journal_create(&place.options, &other, &why), ERR_EXISTS);
		journal_done(journal);
		ck_told("free again", &place, 1, 0);
		ck_assert(journal_open(&place.options, &journal, &why) == ERR_OK);
		ck_assert(journal_remove(journal, &why) == ERR_OK);
		journal_done(journal);
		ck_assert_int_eq(journal_open(&place.options, &journal, &why), ERR_NOT_FOUND);
		clear_place(&place);
	}
END_TEST

START_TEST(what_is_not_ours_is_refused)
	{
		static const struct row {
			const char *label;
			off_t flipped;
		} rows[] = { { "magic", 1 }, { "version", 8 }, { "byte order", 12 },
			     { "size", 17 }, { "worker", 30 }, { "instance", 70 } };
		struct place place;
		make_place(&place);
		journal_done(create(&place));
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			flip(&place, rows[i].flipped);
			ck_row(rows[i].label, reopen(&place).count == SIZE_MAX);
			flip(&place, rows[i].flipped);
		}
		struct place other = place;
		other.options.instance = "99999999-2222-3333-4444-555555555555";
		ck_row("another database", reopen(&other).count == SIZE_MAX);
		ck_assert_int_eq(truncate(place.path, PAGE * 2), 0);
		ck_row("cut", reopen(&place).count == SIZE_MAX);
		clear_place(&place);
	}
END_TEST

START_TEST(long_texts_are_cut)
	{
		struct place place;
		make_place(&place);
		struct journal *journal = create(&place);
		char text[5000];
		memset(text, 'x', sizeof(text));
		struct journal_record record = record_of(JOURNAL_OUTCOME, 1);
		record.row.reply = record.row.status = record.row.reason = record.row.connection =
		    view_from(text, sizeof(text));
		ck_assert(journal_add(journal, &record) == ERR_OK);
		flush(journal);
		journal_done(journal);
		ck_told("cut", &place, 1, 1);
		clear_place(&place);
	}
END_TEST

/* As it is made anew for other settings: the same worker's, of another size, in the place of the old one. */
START_TEST(one_takes_the_place_of_another)
	{
		struct place place;
		AUTO_BUF why = buf_with_ceiling(2048);
		make_place(&place);
		struct journal *old = create(&place), *fresh, *again;
		char path[128];
		snprintf(path, sizeof(path), "%s.new", place.path);
		const struct journal_options options = { .path = path,
							 .instance = instance,
							 .size = journal_least_size(9),
							 .worker_id = journal_worker_id(old) };
		ck_assert_uint_eq(journal_size(old), journal_size_of(place.options.size));
		ck_assert_uint_ne(journal_size(old), journal_size_of(options.size));
		ck_assert(journal_create(&options, &fresh, &why) == ERR_OK);
		add(fresh, JOURNAL_INTENT, 1);
		flush(fresh);
		ck_assert(journal_move(fresh, place.path, &why) == ERR_OK);
		ck_assert_str_eq(journal_path(fresh), place.path);
		ck_assert_str_eq(journal_worker_id(fresh), journal_worker_id(old));
		ck_assert_uint_eq(journal_size(fresh), journal_size_of(options.size));
		journal_done(old);
		ck_assert(journal_open(&place.options, &again, &why) == ERR_UNAVAILABLE);
		journal_done(fresh);
		ck_assert(journal_open(&place.options, &again, &why) == ERR_OK);
		ck_assert_uint_eq(journal_size(again), journal_size_of(options.size));
		ck_assert(journal_move(again, "/nowhere/at/all", &why) == ERR_NOT_FOUND);
		journal_done(again);
		clear_place(&place);
	}
END_TEST

START_TEST(whose_it_is_is_known_while_its_head_is_whole)
	{
		struct place place;
		make_place(&place);
		struct journal *journal = create(&place);
		char owner[JOURNAL_UUID + 1] = "", worker_id[JOURNAL_UUID + 1];
		snprintf(worker_id, sizeof(worker_id), "%s", journal_worker_id(journal));
		add(journal, JOURNAL_INTENT, 1);
		flush(journal);
		journal_done(journal);
		flip(&place, half_at(&place, 0) + 8);
		ck_assert(journal_file_owner(place.path, owner));
		ck_assert_str_eq(owner, worker_id);
		flip(&place, 30);
		ck_assert(!journal_file_owner(place.path, owner));
		clear_place(&place);
		ck_assert(!journal_file_owner(place.path, owner));
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { whose_it_is_is_known_while_its_head_is_whole,
				       records_come_back_whole,
				       nothing_is_written_before_flush,
				       torn_at_every_byte,
				       gap_in_the_last_batch_is_cut,
				       damage_before_the_last_batch_is_reported,
				       earlier_generations_are_not_read,
				       the_last_mark_goes_through_each_generation,
				       a_switch_that_was_not_finished_never_was,
				       a_lost_newer_half_is_reported,
				       full_and_room_again,
				       one_process_at_a_time,
				       what_is_not_ours_is_refused,
				       long_texts_are_cut,
				       one_takes_the_place_of_another };
	return suite_of("journal", tests, ARRAY_LEN(tests));
}
