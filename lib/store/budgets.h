/* Budgets of what has a limit, shared by all workers of all hosts. A key is 'relay:NAME', 'group:NAME', 'domain:NAME' or 'warmup:ID'. A
 * worker says once a second what it could use of each, and is granted a fair part for a short time: tokens (messages that may be begun)
 * and slots (messages that may be under way; for a relay, connections). See budget_turn() in schema/003-pace.sql.
 *
 * Each call is a transaction of its own, unless the caller has begun one. Errors as db_run(). */
#ifndef STORE_BUDGETS_H
#define STORE_BUDGETS_H

#include "store/db.h"

/* A grant lives so long, counted from before it was asked for. */
#define BUDGET_TOKENS_US INT64_C(2000000)
#define BUDGET_SLOTS_US INT64_C(10000000)

enum { BUDGET_KEY_MOST = 300 };

struct budget_ask {
	struct view key;
	int64_t waiting;   /* recipients that could be begun */
	int64_t under_way; /* messages, for a relay connections */
	int64_t unspent;   /* of the tokens granted last */
};

struct budget_grant {
	struct view key;  /* borrowed from the rows */
	int64_t tokens;   /* -1: no limit */
	int64_t slots;    /* -1: no limit */
	double rate;      /* what may be hoped for, messages a second; 0: not known */
	double pace;      /* messages a second at which the tokens may be used; 0: at once */
	int64_t opens_us; /* nothing is granted before; 0: now */
};

/* What a worker had granted before is void from the call on, whatever its result. holds_us: so long what it has under way counts if it is
 * heard of no more and has not stopped: sender.lease. */
enum err budgets_turn(struct db *db, const char *worker_id, const struct budget_ask *asks, size_t count,
		      int64_t holds_us, struct db_rows **ret_rows, struct buf *why) MUST_USE;
struct budget_grant budgets_get(const struct db_rows *rows, size_t row);
/* The worker stops: all it has goes back. */
enum err budgets_release(struct db *db, const char *worker_id, struct buf *why) MUST_USE;

/* A destination refuses for now; measured: this worker's messages a second to it. Workers of a kind are taken to send alike. *ret_news:
 * it was not cut within the last ten seconds. */
enum err budgets_cut(struct db *db, struct view key, double measured, bool all_refused, struct view reason,
		     bool *ret_news, struct buf *why) MUST_USE;
/* Something was accepted after all was refused: it is open, the cut stays. */
enum err budgets_reopen(struct db *db, struct view key, struct buf *why) MUST_USE;
/* A person ends the cut. ERR_NOT_FOUND: it is not cut. */
enum err budgets_uncut(struct db *db, struct view key, struct buf *why) MUST_USE;

/* Who was parked for it looks again: the limit has changed. */
enum err budgets_wake(struct db *db, struct view key, struct buf *why) MUST_USE;
/* The same for some thousands of them: *ret_are_all: nobody is left. */
enum err budgets_wake_some(struct db *db, struct view key, bool *ret_are_all, struct buf *why) MUST_USE;

/* What has a limit or is cut now: rows for budgets_limit_get(). */
enum err budgets_limits(struct db *db, struct db_rows **ret_rows, struct buf *why) MUST_USE;
struct budget_limit {
	struct view key;
	bool has_tokens; /* a rate or a number of the day */
	bool has_slots;
	struct view relay, group; /* what a warm-up is for; empty: any */
};
struct budget_limit budgets_limit_get(const struct db_rows *rows, size_t row);

/* For people: everything that has a limit, a cut, or has been used; rows for budgets_standing_get(). */
enum err budgets_list(struct db *db, struct db_rows **ret_rows, struct buf *why) MUST_USE;
struct budget_standing {
	struct view key, name;           /* name: of a warm-up, what it is for */
	double limit, rate;              /* messages a second: as set, and in force now; 0: none */
	int64_t slots, of_day;           /* 0: none */
	int64_t used;                    /* today */
	int64_t workers;                 /* that have a part of it */
	int64_t taken;                   /* slots they hold together */
	int64_t cut_us, closed_until_us; /* 0: not */
	struct view reason;
};
struct budget_standing budgets_standing_get(const struct db_rows *rows, size_t row);

/* For people: for what recipients of the campaign are parked (limits, and "away:NAME": a relay that takes nobody), those for whom most wait first, and while it runs
 * the relays that are cut or have used up a warm-up, which may slow it though nobody is parked: he may wait for another relay. Held groups are not among them: holds_of(). Rows for budgets_wait_get(). */
enum { BUDGET_WAITS_MOST = 100 };
enum err budgets_waits(struct db *db, uint64_t campaign_id, struct db_rows **ret_rows, struct buf *why) MUST_USE;
struct budget_wait {
	struct budget_standing standing;
	int64_t recipients; /* parked for it; 0: none */
};
struct budget_wait budgets_wait_get(const struct db_rows *rows, size_t row);

#endif
