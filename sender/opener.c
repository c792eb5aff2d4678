#include "sender/opener.h"

#include "base/clock.h"

/* Keeps them for after the commit, and makes their campaigns ready. */
static enum err keep(struct opener *opener, struct db *db, struct openings *openings, struct buf *why)
{
	size_t count = openings_count(openings);
	if (count == 0) {
		openings_done(openings);
		return ERR_OK;
	}
	opener->taken[opener->taken_count++] = openings;
	int64_t last_id = 0, last_list_id = 0;
	for (size_t i = 0; i < count; i++) {
		struct opened opened = openings_get(openings, i);
		if (opened.campaign_id == last_id && opened.list_id == last_list_id)
			continue;
		last_id = opened.campaign_id;
		last_list_id = opened.list_id;
		enum err err = runs_open(opener->runs, db, last_id, last_list_id, opener->setup, why);
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

typedef enum err open_by(struct db *db, const struct opening *opening, struct openings **ret_openings, struct buf *why);

/* *ret_all: as many retries were due as were asked for, so there may be more. */
static enum err open_others(struct opener *opener, struct db *db, struct opening *opening, bool *ret_all,
			    struct buf *why)
{
	static open_by *const ways[] = { openings_take_due, openings_take_window };
	enum err err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < ARRAY_LEN(ways); i++) {
		struct openings *openings = NULL;
		err = ways[i](db, opening, &openings, why);
		if (err != ERR_OK)
			return err;
		size_t count = openings_count(openings);
		*ret_all = *ret_all || (i == 0 && count == opening->limit);
		opening->limit -= count < opening->limit ? count : opening->limit - 1;
		err = keep(opener, db, openings, why);
	}
	return err;
}

/* Where there is room now for somebody who is parked: before his time. */
static enum err open_parked(struct opener *opener, struct db *db, const struct opening *opening, int64_t boot_us,
			    struct buf *why)
{
	struct pace_spare spare;
	struct openings *openings = NULL;
	if (!pace_next_spare(opener->pace, &spare, boot_us))
		return ERR_OK;
	struct opening some = *opening;
	some.limit = spare.count < opening->limit ? spare.count : opening->limit;
	enum err err = openings_take_parked(db, &some, spare.key, &openings, why);
	if (err != ERR_OK)
		return err;
	if (openings_count(openings) == 0)
		pace_spare_is_empty(opener->pace, spare.key);
	return keep(opener, db, openings, why);
}

/* More of the chunk in hand while its lease lasts, else of another one; *ret_count 0: there is none. */
static enum err open_chunk(struct opener *opener, struct db *db, const struct opening *opening, int64_t boot_us,
			   size_t *ret_count, struct buf *why)
{
	struct held_chunk *held = &opener->held;
	struct openings *openings = NULL;
	enum err err = ERR_OK;
	*ret_count = 0;
	if (held->campaign_id != 0 && !held->exhausted && boot_us < opener->lease_ends_us)
		err = openings_continue(db, opening, held, &openings, why);
	held->campaign_id = 0;
	if (err == ERR_OK && (openings == NULL || openings_count(openings) == 0)) {
		openings_done(openings);
		openings = NULL;
		err = openings_claim(db, opening, &openings, why);
	}
	if (err != ERR_OK)
		return err;
	*ret_count = openings_count(openings);
	if (*ret_count > 0) {
		struct opened first = openings_get(openings, 0);
		*held = (struct held_chunk){ .campaign_id = first.campaign_id,
					     .chunk_no = first.chunk_no,
					     .exhausted = first.chunk_exhausted };
		opener->lease_ends_us = boot_us + opening->lease_us;
	}
	return keep(opener, db, openings, why);
}

enum err opener_open(struct opener *opener, struct db *db, size_t limit, int64_t boot_us, int64_t wall_us,
		     struct buf *why)
{
	const struct settings *settings = &opener->setup->settings;
	struct opening opening = {
		.worker_id = opener->worker_id,
		.limit = limit,
		.lease_us = settings->sender_lease,
		.terms = { .key_id = (unsigned)opener->setup->keyring.newest,
			   .day = clock_day(wall_us),
			   .date_us = wall_us },
	};
	enum err err = ERR_OK;
	if (boot_us >= opener->due_us) {
		bool all = false;
		err = open_others(opener, db, &opening, &all, why);
		if (err == ERR_OK)
			err = open_parked(opener, db, &opening, boot_us, why);
		opener->due_us = all ? boot_us : boot_us + settings->sender_poll;
	}
	size_t count = 1;
	/* A crumb of a chunk costs as much as a whole one. */
	size_t crumb = limit / 3;
	while (err == ERR_OK && opening.limit > crumb && count > 0 && opener->taken_count < OPENER_TAKEN_MOST) {
		err = open_chunk(opener, db, &opening, boot_us, &count, why);
		opening.limit -= count < opening.limit ? count : opening.limit;
	}
	opener->look_us = count == 0 ? boot_us + settings->sender_poll : boot_us;
	return err;
}

bool opener_take_in(struct opener *opener, struct queue *queue, int64_t boot_us, int64_t wall_us)
{
	bool all = true;
	for (size_t i = 0; i < opener->taken_count; i++) {
		if (queue_open(queue, opener->taken[i], opener->runs, wall_us, boot_us) == ERR_OK)
			continue;
		all = false;
		openings_done(opener->taken[i]);
	}
	opener->taken_count = 0;
	return all;
}

void opener_drop(struct opener *opener)
{
	while (opener->taken_count > 0)
		openings_done(opener->taken[--opener->taken_count]);
	opener->held.campaign_id = 0;
}

void opener_let_go(struct opener *opener, int64_t campaign_id)
{
	if (opener->held.campaign_id == campaign_id)
		opener->held.campaign_id = 0;
}
