/* The campaigns of which a worker has recipients in hand. */
#ifndef SENDER_RUN_H
#define SENDER_RUN_H

#include "sender/breaker.h"
#include "sender/letter.h"
#include "sender/routes.h"
#include "sender/setup.h"
#include "store/campaign_files.h"
#include "store/runs.h"

enum { RUN_REASON_MOST = 512, RUN_NAME_MOST = 64 };

/* A group of domains to which a campaign's messages went. */
struct group_breaker {
	struct group_breaker *next;
	char name[RUN_NAME_MOST + 1];
	struct breaker breaker, hard; /* of refusals about us, and of hard ones */
	bool wants_hold;              /* a breaker's word, still to be told to the database */
	char reason[RUN_REASON_MOST];
};

/* What writes the copies that go through one of a campaign's lists. */
struct run_list {
	struct run_list *next;
	int64_t list_id;
	struct composer *composers
	    [VARIANTS_MOST]; /* its own, or one a variant; NULL: a template cannot be compiled, and it is being held */
};

struct run {
	struct run *next;
	int64_t id;
	int64_t expire_us; /* of retries; 0: as the settings say */
	char name[RUN_NAME_MOST + 1], list_name[RUN_NAME_MOST + 1];
	uint64_t routes, routes_version; /* the relays that fit it, and of which reading of them */
	struct run_list
	    *lists; /* what its copies are written by, one a list that some of them have gone through here */
	unsigned shares[VARIANTS_MOST];
	size_t variant_count; /* 0: it has none */
	struct signing signing;
	struct breaker breaker, hard; /* of all that is not held */
	struct group_breaker *groups;
	size_t present;                    /* recipients in memory */
	size_t waiting;                    /* of these: not begun */
	size_t waiting_for[ROUTES_RELAYS]; /* of these: that each relay may take */
	size_t begun;                      /* of these: whose envelope is with a relay */
	size_t sending;                    /* of these: whose content has started */
	uint64_t answered[ROUTES_RELAYS];  /* contents of it that each relay has answered here, whatever it said */
	/* Nothing more of it is begun, and what was opened goes back: it is paused, canceled or held, or the worker stops. */
	bool is_leaving;
	int64_t leave_by_us; /* boot time; what is still being sent by then is cut off */
	bool has_told;       /* how many are still under way; see sender/leaving.h */
	size_t told_under_way;
	bool wants_hold; /* the breaker's word, still to be told to the database */
	char hold_reason[RUN_REASON_MOST];
};

enum { RUNS_TOLD_MOST = 64 };

static inline size_t run_in_hand(const struct run *run)
{
	return run->begun + run->sending;
}

struct runs {
	struct run *first;
	/* Campaigns of which it was said that they go unsigned: they are loaded anew for each retry. A ring. */
	int64_t told_unsigned[RUNS_TOLD_MOST];
	size_t told;
};

struct run *runs_find(const struct runs *runs, int64_t campaign_id);
/* Loads and compiles what is not known yet of a campaign, or of the list that some copies go through. A template that does not compile gives a run that wants to be held, and so do missing
 * keys where they are required. */
enum err runs_open(struct runs *runs, struct db *db, int64_t campaign_id, int64_t list_id, const struct setup *setup,
		   struct buf *why) MUST_USE;
/* Compiles a campaign's message; fields: a name a row that its template may use. As composer_compile(). */
enum err run_compose(const struct run_source *source, const struct db_rows *fields, const struct campaign_files *files,
		     const struct settings *settings, struct composer **ret_composer, struct buf *why) MUST_USE;
/* The relays have changed, but for these slots: what was counted of the others is forgotten. */
void runs_keep(struct runs *runs, uint64_t slots);
/* Forgets those without a recipient in memory. */
void runs_sweep(struct runs *runs);
void runs_done(struct runs *runs);

/* Which variant that recipient gets, and what writes it where it goes through that list, which runs_open() was asked for. */
unsigned run_variant(const struct run *run, int64_t subscriber_id);
struct composer *run_composer(const struct run *run, int64_t list_id, unsigned variant);

/* What a variant's copies are made from; 0 is the campaign itself. */
void run_vary(struct run_source *source, const struct campaign_variants *variants, unsigned variant);

/* Nothing more is begun from now on. */
void run_leave(struct run *run, int64_t leave_by_us);
/* To be held, for that reason; the first one stays. */
void run_hold(struct run *run, struct view reason, int64_t leave_by_us);
/* The breaker of that group; NULL: no memory. */
struct group_breaker *run_group(struct run *run, struct view group) MUST_USE;
/* It is to be held, and begins to count anew, as does the campaign's breaker, which had its refusals too. */
void run_hold_group(struct run *run, struct group_breaker *group, struct view reason);

#endif
