#include "bounced/allowance.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "bounced/network_key.h"

enum { SETS = 1024, WAYS = 4, WHOM_OCTETS = 16 };

static const int64_t day_us = INT64_C(86400) * CLOCK_US_PER_SECOND;

struct whom {
	unsigned char octets[WHOM_OCTETS];
};

struct row {
	struct whom whom;
	int64_t since_us; /* of the first of the day */
	size_t count;     /* 0: the row is free */
};

struct table {
	size_t most;
	uint64_t refused;
	struct row rows[SETS][WAYS];
};

struct allowance {
	struct table copies, networks;
};

enum err allowance_new(size_t per_copy, size_t per_network, struct allowance **ret_allowance)
{
	struct allowance *allowance = calloc(1, sizeof(*allowance));
	if (allowance == NULL)
		return ERR_MEMORY;
	allowance->copies.most = per_copy;
	allowance->networks.most = per_network;
	*ret_allowance = allowance;
	return ERR_OK;
}

void allowance_done(struct allowance *allowance)
{
	free(allowance);
}

/* ---- who is counted ---- */

static struct whom one_copy(const struct token *token)
{
	struct whom whom = { 0 };
	for (size_t i = 0; i < 8; i++) {
		whom.octets[i] = (unsigned char)(token->subscriber_id >> 8 * i);
		whom.octets[8 + i] = (unsigned char)((uint64_t)token->scope_id >> 8 * i);
	}
	/* An address to unsubscribe has a list where the others have a campaign. */
	whom.octets[WHOM_OCTETS - 1] = (unsigned char)token->purpose;
	return whom;
}

static struct whom one_network(const struct endpoint *peer)
{
	const struct network_key network = network_key_of(peer);
	struct whom whom = { 0 };
	memcpy(whom.octets, network.octets, sizeof(network.octets));
	return whom;
}

/* FNV-1a. */
static size_t set_of(const struct whom *whom)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < WHOM_OCTETS; i++)
		hash = (hash ^ whom->octets[i]) * UINT64_C(0x100000001b3);
	return (size_t)(hash >> 32) % SETS;
}

/* ---- counting ---- */

static struct row *find(struct table *table, const struct whom *whom, int64_t now_us)
{
	struct row *rows = table->rows[set_of(whom)];
	for (size_t i = 0; i < WAYS; i++) {
		if (rows[i].count > 0 && now_us - rows[i].since_us >= day_us)
			rows[i].count = 0;
		if (rows[i].count > 0 && memcmp(&rows[i].whom, whom, sizeof(*whom)) == 0)
			return &rows[i];
	}
	return NULL;
}

static bool is_least(const struct row *one, const struct row *other)
{
	return one->count != other->count ? one->count < other->count : one->since_us < other->since_us;
}

static struct row *make_room(struct table *table, const struct whom *whom, int64_t now_us)
{
	struct row *rows = table->rows[set_of(whom)], *least = rows;
	for (size_t i = 1; i < WAYS; i++) {
		if (is_least(&rows[i], least))
			least = &rows[i];
	}
	*least = (struct row){ .whom = *whom, .since_us = now_us };
	return least;
}

static bool has(struct table *table, struct whom whom, int64_t now_us)
{
	const struct row *row = table->most == 0 ? NULL : find(table, &whom, now_us);
	bool is_used_up = row != NULL && row->count >= table->most;
	table->refused += is_used_up;
	return !is_used_up;
}

static void note(struct table *table, struct whom whom, int64_t now_us)
{
	if (table->most == 0)
		return;
	struct row *row = find(table, &whom, now_us);
	if (row == NULL)
		row = make_room(table, &whom, now_us);
	row->count++;
}

bool allowance_has_copy(struct allowance *allowance, const struct token *token, int64_t now_us)
{
	return has(&allowance->copies, one_copy(token), now_us);
}

bool allowance_has_network(struct allowance *allowance, const struct endpoint *peer, int64_t now_us)
{
	return has(&allowance->networks, one_network(peer), now_us);
}

void allowance_note_copy(struct allowance *allowance, const struct token *token, int64_t now_us)
{
	note(&allowance->copies, one_copy(token), now_us);
}

void allowance_note_network(struct allowance *allowance, const struct endpoint *peer, int64_t now_us)
{
	note(&allowance->networks, one_network(peer), now_us);
}

void allowance_log(struct allowance *allowance)
{
	if (allowance->copies.refused + allowance->networks.refused == 0)
		return;
	log_event(LOG_WARNING, "allowance.used_up", "about_a_copy=%llu from_a_network=%llu",
		  (unsigned long long)allowance->copies.refused, (unsigned long long)allowance->networks.refused);
	allowance->copies.refused = allowance->networks.refused = 0;
}
