#include "sender/queue.h"

#include <stdlib.h>
#include <string.h>

enum { SLAB = 64 };

struct batch {
	struct batch *next;
	struct openings *openings;
	int64_t campaign_id;
	int chunk_no, first; /* first 0: from the retry queue */
	size_t present;      /* recipients in memory */
	size_t settled;      /* of these */
};

/* Recipients are made in slabs and used again: none is made for a message. */
struct slab {
	struct slab *next;
	struct recipient recipients[SLAB];
};

struct line {
	struct recipient *first, *last;
	size_t count;
};

struct queue {
	struct queue_router router;
	struct line lines[RECIPIENT_STATE_COUNT];
	size_t waiting_for[ROUTES_RELAYS];
	struct line spare;
	struct batch *batches;
	struct slab *slabs;
};

static void line_add(struct line *line, struct recipient *recipient)
{
	recipient->prev = line->last;
	recipient->next = NULL;
	if (line->last != NULL)
		line->last->next = recipient;
	else
		line->first = recipient;
	line->last = recipient;
	line->count++;
}

static void line_remove(struct line *line, struct recipient *recipient)
{
	if (recipient->prev != NULL)
		recipient->prev->next = recipient->next;
	else
		line->first = recipient->next;
	if (recipient->next != NULL)
		recipient->next->prev = recipient->prev;
	else
		line->last = recipient->prev;
	line->count--;
}

/* Which of its run's counts a recipient is in; NULL: in none. */
static size_t *count_of(const struct recipient *recipient)
{
	struct run *run = recipient->run;
	size_t *const counts[RECIPIENT_STATE_COUNT] = {
		[RECIPIENT_WAITING] = &run->waiting,
		[RECIPIENT_BEGUN] = &run->begun,
		[RECIPIENT_SENDING] = &run->sending,
	};
	return counts[recipient->state];
}

/* One more, or one less with SIZE_MAX, waits for each of its relays. */
static void count_for_relays(struct queue *queue, const struct recipient *recipient, size_t more)
{
	for (uint64_t rest = recipient->relays; rest != 0; rest &= rest - 1) {
		unsigned relay = (unsigned)__builtin_ctzll(rest);
		queue->waiting_for[relay] += more;
		recipient->run->waiting_for[relay] += more;
	}
}

static void enter(struct queue *queue, struct recipient *recipient, enum recipient_state state)
{
	recipient->state = state;
	line_add(&queue->lines[state], recipient);
	size_t *count = count_of(recipient);
	if (count != NULL)
		++*count;
	if (state == RECIPIENT_WAITING)
		count_for_relays(queue, recipient, 1);
	if (state == RECIPIENT_SETTLED)
		recipient->batch->settled++;
}

static void leave(struct queue *queue, struct recipient *recipient)
{
	line_remove(&queue->lines[recipient->state], recipient);
	size_t *count = count_of(recipient);
	if (count != NULL)
		--*count;
	if (recipient->state == RECIPIENT_WAITING)
		count_for_relays(queue, recipient, SIZE_MAX);
	if (recipient->state == RECIPIENT_SETTLED)
		recipient->batch->settled--;
}

/* The one place that moves a recipient on. */
static void move(struct queue *queue, struct recipient *recipient, enum recipient_state state)
{
	leave(queue, recipient);
	enter(queue, recipient, state);
}

enum err queue_new(const struct queue_router *router, struct queue **ret_queue)
{
	struct queue *queue = calloc(1, sizeof(*queue));
	if (queue == NULL)
		return ERR_MEMORY;
	queue->router = *router;
	*ret_queue = queue;
	return ERR_OK;
}

static void sweep(struct queue *queue)
{
	struct batch **at = &queue->batches;
	while (*at != NULL) {
		struct batch *batch = *at;
		if (batch->present > 0) {
			at = &batch->next;
			continue;
		}
		*at = batch->next;
		openings_done(batch->openings);
		free(batch);
	}
}

void queue_done(struct queue *queue)
{
	if (queue == NULL)
		return;
	for (struct batch *batch = queue->batches; batch != NULL; batch = batch->next)
		batch->present = 0;
	sweep(queue);
	while (queue->slabs != NULL) {
		struct slab *slab = queue->slabs;
		queue->slabs = slab->next;
		free(slab);
	}
	free(queue);
}

static bool make_room(struct queue *queue, size_t count)
{
	while (queue->spare.count < count) {
		struct slab *slab = malloc(sizeof(*slab));
		if (slab == NULL)
			return false;
		slab->next = queue->slabs;
		queue->slabs = slab;
		for (size_t i = 0; i < SLAB; i++)
			line_add(&queue->spare, &slab->recipients[i]);
	}
	return true;
}

static void forget(struct queue *queue, struct recipient *recipient)
{
	leave(queue, recipient);
	recipient->batch->present--;
	recipient->run->present--;
	line_add(&queue->spare, recipient);
}

/* Who has been in doubt is not skipped: a relay may have his message. */
static void skip(struct queue *queue, struct recipient *recipient, struct view reason, int64_t now_us)
{
	const struct opened *opened = &recipient->opened;
	reason = view_head(reason, sizeof(recipient->reason));
	memcpy(recipient->reason, reason.data, reason.len);
	recipient->row = (struct ledger_row){
		.campaign_id = opened->campaign_id,
		.subscriber_id = opened->subscriber_id,
		.outcome = opened->has_doubt ? LEDGER_HELD : LEDGER_SKIPPED,
		.attempts = opened->attempts,
		.at_us = now_us,
		.from_queue = opened->window_first == 0,
		.reason = view_from(recipient->reason, reason.len),
	};
	move(queue, recipient, RECIPIENT_SETTLED);
}

static uint64_t named(const struct queue *queue, struct view relay)
{
	return relay.len == 0 ? 0 : queue->router.named(queue->router.owner, relay);
}

static void add(struct queue *queue, struct batch *batch, const struct opened *opened, struct run *run, int64_t now_us,
		int64_t checked_us)
{
	struct recipient *recipient = queue->spare.first;
	line_remove(&queue->spare, recipient);
	recipient->batch = batch;
	recipient->run = run;
	recipient->opened = *opened;
	recipient->relays = queue->router.route(queue->router.owner, run, opened->address);
	recipient->mark = pace_mark(opened->address);
	recipient->checked_us = checked_us;
	recipient->stuck_us = 0;
	recipient->given_back = 0;
	recipient->refused_by = 0;
	recipient->counted_us = opened->refused_us == 0 ? 0 : checked_us - (now_us - opened->refused_us);
	recipient->deferred_by = named(queue, opened->deferred_by);
	recipient->deferred_us = checked_us - (now_us - opened->deferred_us);
	recipient->is_confirmed = false;
	recipient->is_journaled = false;
	enter(queue, recipient, RECIPIENT_WAITING);
	batch->present++;
	run->present++;
	if (opened->skip_reason.len > 0)
		skip(queue, recipient, opened->skip_reason, now_us);
}

enum err queue_open(struct queue *queue, struct openings *openings, const struct runs *runs, int64_t now_us,
		    int64_t checked_us)
{
	size_t count = openings_count(openings);
	struct batch *batch = calloc(1, sizeof(*batch));
	if (batch == NULL || !make_room(queue, count)) {
		free(batch);
		return ERR_MEMORY;
	}
	batch->openings = openings;
	batch->next = queue->batches;
	queue->batches = batch;
	for (size_t i = 0; i < count; i++) {
		struct opened opened = openings_get(openings, i);
		if (i == 0) {
			batch->campaign_id = opened.campaign_id;
			batch->chunk_no = opened.chunk_no;
			batch->first = opened.window_first;
		}
		/* A window of which nobody is left comes as one row without a person: it is only to be closed. */
		if (opened.subscriber_id == 0)
			continue;
		struct run *run = runs_find(runs, opened.campaign_id);
		opened.terms.variant = run_variant(run, opened.subscriber_id);
		add(queue, batch, &opened, run, now_us, checked_us);
	}
	return ERR_OK;
}

static size_t waiting(const struct queue *queue)
{
	return queue->lines[RECIPIENT_WAITING].count;
}

size_t queue_begun(const struct queue *queue)
{
	return queue->lines[RECIPIENT_BEGUN].count;
}

size_t queue_sending(const struct queue *queue)
{
	return queue->lines[RECIPIENT_SENDING].count;
}

size_t queue_in_hand(const struct queue *queue)
{
	return queue_begun(queue) + queue_sending(queue);
}

size_t queue_settled(const struct queue *queue)
{
	return queue->lines[RECIPIENT_SETTLED].count;
}

size_t queue_unsettled(const struct queue *queue)
{
	return waiting(queue) + queue_in_hand(queue);
}

void queue_route(struct queue *queue, uint64_t kept)
{
	for (enum recipient_state state = 0; state < RECIPIENT_SETTLED; state++) {
		for (struct recipient *at = queue->lines[state].first; at != NULL; at = at->next) {
			size_t is_counted = state == RECIPIENT_WAITING;
			count_for_relays(queue, at, 0 - is_counted);
			at->relays = queue->router.route(queue->router.owner, at->run, at->opened.address);
			at->refused_by &= kept;
			at->deferred_by = named(queue, at->opened.deferred_by);
			count_for_relays(queue, at, is_counted);
		}
	}
}

/* The relay that was silent about him may be so again. */
static bool is_in_doubt_there(const struct recipient *recipient, struct view relay_name)
{
	struct view doubted = recipient->opened.doubted;
	struct view name = view_head(relay_name, JOURNAL_CONNECTION_RELAY);
	return doubted.len > name.len && view_starts(doubted, name) && doubted.data[name.len] == ' ';
}

uint64_t queue_ways(const struct recipient *recipient, uint64_t working)
{
	uint64_t others = recipient->relays & ~recipient->refused_by;
	return (others & working) != 0 ? others : recipient->relays;
}

static bool is_left_to_others(const struct recipient *recipient, uint64_t slot, const struct queue_gate *gate)
{
	uint64_t others = recipient->relays & ~recipient->refused_by & gate->other_relays;
	bool is_unwanted = (recipient->refused_by & slot) != 0 || is_in_doubt_there(recipient, gate->relay_name);
	if (is_unwanted && (others & ~slot) != 0)
		return true;
	bool has_preference = recipient->deferred_by != 0 && gate->preferred != NULL;
	uint64_t preferred = has_preference ? gate->preferred(gate->owner, recipient, others) : 0;
	return preferred != 0 && (preferred & slot) == 0;
}

static bool may_begin(struct recipient *recipient, unsigned relay, const struct queue_gate *gate)
{
	uint64_t slot = UINT64_C(1) << relay;
	if (recipient->run->is_leaving || (recipient->relays & slot) == 0)
		return false;
	return !is_left_to_others(recipient, slot, gate) && (gate->may == NULL || gate->may(gate->owner, recipient));
}

/* Other relays have refused him, and this one is to say whether it does too: then he counts. Before all others, or each relay would refuse everybody
 * once before the breakers hear of anybody. */
static bool is_passed_on(const struct recipient *recipient, unsigned relay)
{
	return recipient->counted_us == 0 && recipient->refused_by != 0 &&
	       (recipient->refused_by & UINT64_C(1) << relay) == 0;
}

/* From the end: there stand those who were passed on, and those in front may be neighbours of one who was refused. */
static struct recipient *last_fresh(const struct queue *queue, unsigned relay, const struct queue_gate *gate)
{
	struct recipient *found = NULL;
	for (struct recipient *at = queue->lines[RECIPIENT_WAITING].last; at != NULL; at = at->prev) {
		if ((at->given_back > 0 && !is_passed_on(at, relay)) || !may_begin(at, relay, gate))
			continue;
		if (gate->tells_less == NULL || !gate->tells_less(gate->owner, at))
			return at;
		found = found == NULL ? at : found;
	}
	return found;
}

static struct recipient *first_of_all(const struct queue *queue, unsigned relay, const struct queue_gate *gate)
{
	struct recipient *at = queue->lines[RECIPIENT_WAITING].first;
	while (at != NULL && !may_begin(at, relay, gate))
		at = at->next;
	return at;
}

struct recipient *queue_begin(struct queue *queue, unsigned relay, const struct queue_gate *gate, bool *ret_is_stale)
{
	if (queue->waiting_for[relay] == 0)
		return NULL;
	struct recipient *found = gate->wants_fresh ? last_fresh(queue, relay, gate) : NULL;
	if (found == NULL)
		found = first_of_all(queue, relay, gate);
	if (found != NULL && found->checked_us < gate->checked_since_us) {
		*ret_is_stale = true;
		return NULL;
	}
	if (found != NULL)
		move(queue, found, RECIPIENT_BEGUN);
	return found;
}

void queue_send(struct queue *queue, struct recipient *recipient)
{
	move(queue, recipient, RECIPIENT_SENDING);
}

void queue_give_back(struct queue *queue, struct recipient *recipient)
{
	move(queue, recipient, RECIPIENT_WAITING);
}

void queue_park(struct queue *queue, struct recipient *recipient, struct view waits_for, int64_t until_us,
		int64_t now_us)
{
	const struct opened *opened = &recipient->opened;
	waits_for = view_head(waits_for, sizeof(recipient->reply));
	memcpy(recipient->reply, waits_for.data, waits_for.len);
	recipient->row = (struct ledger_row){
		.campaign_id = opened->campaign_id,
		.subscriber_id = opened->subscriber_id,
		.outcome = LEDGER_PARKED,
		.attempts = opened->attempts,
		.at_us = now_us,
		.from_queue = opened->window_first == 0,
		.next_attempt_us = until_us,
		.terms = opened->terms,
		.waits_for = view_from(recipient->reply, waits_for.len),
	};
	move(queue, recipient, RECIPIENT_SETTLED);
}

void queue_settle(struct queue *queue, struct recipient *recipient)
{
	move(queue, recipient, RECIPIENT_SETTLED);
}

struct recipient *queue_first(const struct queue *queue, enum recipient_state state)
{
	return queue->lines[state].first;
}

struct recipient *queue_next(const struct recipient *recipient)
{
	return recipient->next;
}

void queue_recheck(struct queue *queue, const struct db_rows *refusals, int64_t now_us, int64_t checked_us)
{
	size_t count = db_row_count(refusals);
	struct recipient *next;
	for (struct recipient *at = queue->lines[RECIPIENT_WAITING].first; at != NULL; at = next) {
		next = at->next;
		at->checked_us = checked_us;
		for (size_t i = 0; i < count; i++) {
			struct refusal refusal = refusal_get(refusals, i);
			if (refusal.campaign_id != at->opened.campaign_id ||
			    refusal.subscriber_id != at->opened.subscriber_id)
				continue;
			skip(queue, at, refusal.reason, now_us);
			break;
		}
	}
}

void queue_windows(const struct queue *queue, bool closing, struct db_array *campaign_ids, struct db_array *chunk_nos,
		   struct db_array *firsts)
{
	for (const struct batch *batch = queue->batches; batch != NULL; batch = batch->next) {
		if (batch->first == 0 || (closing && batch->settled < batch->present))
			continue;
		db_array_add_int(campaign_ids, batch->campaign_id);
		db_array_add_int(chunk_nos, batch->chunk_no);
		db_array_add_int(firsts, batch->first);
	}
}

void queue_retries(const struct queue *queue, struct db_array *campaign_ids, struct db_array *subscriber_ids)
{
	for (size_t state = 0; state < RECIPIENT_STATE_COUNT; state++) {
		for (const struct recipient *at = queue->lines[state].first; at != NULL; at = at->next) {
			if (at->opened.window_first != 0)
				continue;
			db_array_add_int(campaign_ids, at->opened.campaign_id);
			db_array_add_int(subscriber_ids, at->opened.subscriber_id);
		}
	}
}

void queue_confirm(struct queue *queue)
{
	while (queue->lines[RECIPIENT_SETTLED].first != NULL)
		forget(queue, queue->lines[RECIPIENT_SETTLED].first);
	sweep(queue);
}

void queue_drop(struct queue *queue, const struct run *run)
{
	struct recipient *next;
	for (struct recipient *at = queue->lines[RECIPIENT_WAITING].first; at != NULL; at = next) {
		next = at->next;
		if (at->run == run)
			forget(queue, at);
	}
	sweep(queue);
}
