#include "sender/pacer.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "sender/pace_relays.h"
#include "store/groups.h"
#include "store/tallies.h"

#define ASK_EVERY_US (INT64_C(1) * CLOCK_US_PER_SECOND)
#define PLAN_EVERY_US (INT64_C(250) * CLOCK_US_PER_MS)
/* Before it is told what refuses, others may show that it is the relay. */
#define TELL_AFTER_US (INT64_C(200) * CLOCK_US_PER_MS)

/* A budget's crowd takes no more of the window than this part. */
enum { CROWD_SHARE = 4 };

/* So many wait on for a relay that takes nobody, of those that another one may take later. */
enum { BESIDE_MOST = 4 };

/* ---- what is limited ---- */

static enum err load_domains(struct pace *pace, const struct db_rows *rows)
{
	enum err err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < db_row_count(rows); i++)
		err = pace_load_domain(pace, db_get_text(rows, i, 0), db_get_text(rows, i, 1));
	return err;
}

static enum err load_limits(struct pace *pace, const struct db_rows *limits, const struct db_rows *holds)
{
	enum err err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < db_row_count(limits); i++) {
		const struct budget_limit limit = budgets_limit_get(limits, i);
		err = pace_load_limit(pace, &limit);
	}
	for (size_t i = 0; err == ERR_OK && i < db_row_count(holds); i++)
		err = pace_load_hold(pace, db_get_int(holds, i, 0), db_get_text(holds, i, 1));
	return err;
}

enum err pacer_follow(struct pacer *pacer, struct buf *why)
{
	AUTO_DB_ROWS *domains = NULL, *limits = NULL, *holds = NULL;
	struct pace *pace = pacer->parts.pace;
	enum err err = groups_domains(pacer->parts.db, &domains, why);
	if (err == ERR_OK)
		err = budgets_limits(pacer->parts.db, &limits, why);
	if (err == ERR_OK)
		err = tallies_holds(pacer->parts.db, &holds, why);
	if (err != ERR_OK)
		return err;
	pace_load_begin(pace);
	err = load_domains(pace, domains);
	if (err == ERR_OK)
		err = load_limits(pace, limits, holds);
	pace_load_end(pace);
	pacer->plan_us = 0;
	return err;
}

void pacer_look(struct pacer *pacer, size_t window)
{
	pacer->window = window;
	pacer->plan_us = 0;
}

/* ---- who waits ---- */

/* One who waits, to which relays he is left, and which of these take nobody though another one would take him: they do not count as ways on
 * which he waits for nothing. */
struct waiting {
	struct recipient *recipient;
	uint64_t ways, stuck;
};

static struct pace_plan plan_one(struct pacer *pacer, const struct waiting *waiting, int64_t boot_us)
{
	struct pace_relay *relays[RELAYS_MOST];
	struct recipient *at = waiting->recipient;
	size_t count = pace_relays_for(pacer->parts.pace, pacer->parts.relays, waiting->ways & ~waiting->stuck, relays);
	return pace_plan(pacer->parts.pace, relays, count, at->opened.campaign_id, at->opened.address, &at->mark,
			 boot_us);
}

static void park(struct pacer *pacer, const struct waiting *waiting, const struct pace_plan *one, int64_t boot_us,
		 int64_t wall_us)
{
	int64_t wait_us = one->until_us - boot_us;
	if (waiting->stuck != 0 && one->until_us != 0) {
		aside_note(&pacer->aside, one->waits_for, waiting->stuck, boot_us);
		wait_us = wait_us < ASIDE_MOST_US ? wait_us : ASIDE_MOST_US;
	}
	queue_park(pacer->parts.queue, waiting->recipient, one->waits_for, one->until_us == 0 ? 0 : wall_us + wait_us,
		   wall_us);
}

static void plan(struct pacer *pacer, int64_t boot_us, int64_t wall_us, bool *ret_is_full)
{
	struct pace *pace = pacer->parts.pace;
	struct queue *queue = pacer->parts.queue;
	struct recipient *next;
	size_t parked = 0, kept = 0, beside = 0;
	uint64_t stuck = relays_stuck(pacer->parts.relays, boot_us);
	uint64_t working = relays_working(pacer->parts.relays, boot_us);
	pacer->plan_us = boot_us + PLAN_EVERY_US;
	pace_plan_begin(pace, (int64_t)(pacer->window / CROWD_SHARE) + 1);
	for (struct recipient *at = queue_first(queue, RECIPIENT_WAITING); at != NULL; at = next) {
		struct waiting waiting = { at, queue_ways(at, working), 0 };
		next = queue_next(at);
		if (at->run->is_leaving)
			continue;
		waiting.stuck = (waiting.ways & ~stuck) != 0 ? waiting.ways & stuck : 0;
		const struct pace_plan one = plan_one(pacer, &waiting, boot_us);
		/* By a few of them is found out that a relay which takes nobody is back. */
		bool is_kept = !one.is_parked || (waiting.stuck != 0 && one.until_us != 0 && beside++ < BESIDE_MOST);
		kept += is_kept;
		parked += !is_kept;
		if (!is_kept)
			park(pacer, &waiting, &one, boot_us, wall_us);
	}
	pace_plan_end(pace);
	*ret_is_full = parked > 0 && parked >= 3 * kept;
}

/* ---- the budgets ---- */

static enum err ask(struct pacer *pacer, int64_t boot_us, int64_t wall_us, struct buf *why)
{
	struct pace *pace = pacer->parts.pace;
	AUTO_DB_ROWS *rows = NULL;
	struct budget_ask *asks = calloc(pace_ask_room(pace) + 1, sizeof(*asks));
	if (asks == NULL)
		return ERR_MEMORY;
	size_t count = pace_ask(pace, asks, boot_us);
	pacer->ask_us = boot_us + ASK_EVERY_US;
	enum err err = count == 0 ? ERR_OK
				  : budgets_turn(pacer->parts.db, pacer->parts.worker_id, asks, count,
						 pacer->parts.lease_us, &rows, why);
	free(asks);
	for (size_t i = 0; err == ERR_OK && rows != NULL && i < db_row_count(rows); i++) {
		struct budget_grant grant = budgets_get(rows, i);
		if (grant.opens_us != 0)
			grant.opens_us += boot_us - wall_us;
		pace_grant(pace, &grant, boot_us);
	}
	return err;
}

static enum err tell_one(struct pacer *pacer, const struct pace_news *news, struct buf *why)
{
	struct db *db = pacer->parts.db;
	struct log_text room;
	bool is_new = false;
	enum err err = ERR_OK;
	if (news->is_throttled || news->all_refused)
		err = budgets_cut(db, news->key, news->measured, news->all_refused, news->reason, &is_new, why);
	if (is_new)
		log_event(LOG_WARNING, news->all_refused ? "pace.closed" : "pace.cut", "what=" VIEW_FMT " reply=%s",
			  VIEW_ARG(news->key), log_quoted(news->reason, &room));
	if (err != ERR_OK || !news->is_open)
		return err;
	err = budgets_reopen(db, news->key, why);
	if (err == ERR_OK)
		err = budgets_wake(db, news->key, why);
	if (err == ERR_OK)
		log_event(LOG_INFO, "pace.opened", "what=" VIEW_FMT, VIEW_ARG(news->key));
	return err;
}

static enum err tell(struct pacer *pacer, struct buf *why)
{
	struct pace_news news;
	enum err err = ERR_OK;
	pacer->tell_us = 0;
	while (err == ERR_OK && pace_next_news(pacer->parts.pace, &news))
		err = tell_one(pacer, &news, why);
	pacer->ask_us = 0;
	return err;
}

/* ---- relays that take nobody ---- */

static const char *name_of(void *owner, unsigned slot)
{
	const struct pacer *pacer = owner;
	return relays_name(pacer->parts.relays, slot);
}

/* The others with the next turns: nothing else is done meanwhile. */
static enum err wake_some(struct pacer *pacer, const struct aside_key *key, int64_t boot_us, struct buf *why)
{
	bool are_all = false;
	enum err err = budgets_wake_some(pacer->parts.db, view_of(key->key), &are_all, why);
	if (!are_all)
		aside_note(&pacer->aside, view_of(key->key), key->relays, boot_us - ASIDE_LEAST_US);
	return err;
}

static enum err look_aside(struct pacer *pacer, int64_t boot_us, int64_t wall_us, struct buf *why)
{
	const struct relays *relays = pacer->parts.relays;
	struct aside_turn turn = {
		.stuck = relays_stuck(relays, boot_us),
		.window = pacer->window,
		.name = name_of,
		.owner = pacer,
		.boot_us = boot_us,
		.wall_us = wall_us,
	};
	struct aside_key key;
	enum err err = ERR_OK;
	pacer->aside_us = boot_us + PLAN_EVERY_US;
	if (turn.stuck != 0 && relays_not_stuck(relays, boot_us) != 0)
		aside_park(&pacer->aside, pacer->parts.queue, &turn);
	if (aside_next(&pacer->aside, relays_away(relays, boot_us), boot_us, &key))
		err = wake_some(pacer, &key, boot_us, why);
	return err;
}

enum err pacer_turn(struct pacer *pacer, int64_t boot_us, int64_t wall_us, bool *ret_is_full, struct buf *why)
{
	struct pace *pace = pacer->parts.pace;
	enum err err = ERR_OK;
	*ret_is_full = false;
	if (boot_us >= pacer->aside_us)
		err = look_aside(pacer, boot_us, wall_us, why);
	if (pace_is_free(pace))
		return err;
	if (pacer->tell_us == 0 && pace_has_news(pace))
		pacer->tell_us = boot_us + TELL_AFTER_US;
	if (err == ERR_OK && pacer->tell_us != 0 && boot_us >= pacer->tell_us)
		err = tell(pacer, why);
	if (err == ERR_OK && boot_us >= pacer->plan_us)
		plan(pacer, boot_us, wall_us, ret_is_full);
	if (err == ERR_OK && (boot_us >= pacer->ask_us || pace_is_hungry(pace, boot_us)))
		err = ask(pacer, boot_us, wall_us, why);
	return err;
}

/* What is overdue cannot be done now. */
int64_t pacer_wait(const struct pacer *pacer, int64_t boot_us)
{
	if (pace_is_free(pacer->parts.pace))
		return -1;
	int64_t wait_us = pace_wait(pacer->parts.pace, boot_us), ask_us = pacer->ask_us - boot_us;
	return ask_us > 0 && (wait_us < 0 || ask_us < wait_us) ? ask_us : wait_us;
}

enum err pacer_release(struct pacer *pacer, struct buf *why)
{
	return budgets_release(pacer->parts.db, pacer->parts.worker_id, why);
}
