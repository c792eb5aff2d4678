#include "bounced/guesses.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "bounced/network_key.h"

enum { ROWS = 1024 };

static const int64_t forget_us = INT64_C(3600) * CLOCK_US_PER_SECOND;

struct row {
	struct network_key key;
	int64_t last_us; /* 0: the row is free */
	uint64_t count, logged;
	uint64_t causes[GATE_VERDICT_COUNT];
};

/* The row that has been quiet for longest makes room for a new one. */
struct guesses {
	struct row rows[ROWS];
};

enum err guesses_new(struct guesses **ret_guesses)
{
	struct guesses *guesses = calloc(1, sizeof(*guesses));
	if (guesses == NULL)
		return ERR_MEMORY;
	*ret_guesses = guesses;
	return ERR_OK;
}

void guesses_done(struct guesses *guesses)
{
	free(guesses);
}

static struct row *row_of(struct guesses *guesses, const struct network_key *key, int64_t now_us)
{
	struct row *oldest = &guesses->rows[0];
	for (size_t i = 0; i < ROWS; i++) {
		struct row *row = &guesses->rows[i];
		if (row->last_us != 0 && memcmp(&row->key, key, sizeof(*key)) == 0) {
			if (now_us - row->last_us > forget_us)
				*row = (struct row){ .key = *key };
			return row;
		}
		if (row->last_us < oldest->last_us)
			oldest = row;
	}
	*oldest = (struct row){ .key = *key };
	return oldest;
}

int64_t guesses_note(struct guesses *guesses, const struct endpoint *peer, enum gate_verdict cause, int64_t now_us)
{
	struct network_key key = network_key_of(peer);
	struct row *row = row_of(guesses, &key, now_us);
	row->last_us = now_us;
	row->count++;
	row->causes[cause]++;
	if (row->count <= GUESSES_FREE)
		return 0;
	uint64_t seconds = row->count - GUESSES_FREE;
	return (int64_t)(seconds < GUESSES_SLOWEST_S ? seconds : GUESSES_SLOWEST_S) * CLOCK_US_PER_SECOND;
}

void guesses_log(struct guesses *guesses)
{
	for (size_t i = 0; i < ROWS; i++) {
		struct row *row = &guesses->rows[i];
		if (row->count <= GUESSES_FREE || row->count == row->logged)
			continue;
		AUTO_BUF network = buf_with_ceiling(LIMIT_WHY);
		network_key_write(&row->key, &network);
		log_event(LOG_WARNING, "guesses.slowed",
			  "network=%s count=%llu no_such_address=%llu unknown_key=%llu forged=%llu foreign_domain=%llu",
			  buf_text(&network), (unsigned long long)row->count,
			  (unsigned long long)row->causes[GATE_NO_SUCH],
			  (unsigned long long)row->causes[GATE_UNKNOWN_KEY],
			  (unsigned long long)row->causes[GATE_FORGED], (unsigned long long)row->causes[GATE_FOREIGN]);
		row->logged = row->count;
	}
}
