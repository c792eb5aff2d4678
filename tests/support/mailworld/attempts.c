#include "tests/support/mailworld/attempts.h"

#include <stdlib.h>

#include "tests/support/mailworld/hash.h"

enum { FIRST_SIZE = 1024, SIZE_MAX_SLOTS = 1 << 22 };

static struct attempt *find(const struct attempts *attempts, uint64_t hash)
{
	size_t at = hash & (attempts->size - 1);
	while (attempts->slots[at].hash != 0 && attempts->slots[at].hash != hash)
		at = (at + 1) & (attempts->size - 1);
	return &attempts->slots[at];
}

static bool grow(struct attempts *attempts)
{
	struct attempts larger = { .size = attempts->size == 0 ? FIRST_SIZE : attempts->size * 2 };
	if (larger.size > SIZE_MAX_SLOTS)
		return false;
	larger.slots = calloc(larger.size, sizeof(*larger.slots));
	if (larger.slots == NULL)
		return false;
	for (size_t i = 0; i < attempts->size; i++) {
		if (attempts->slots[i].hash != 0)
			*find(&larger, attempts->slots[i].hash) = attempts->slots[i];
	}
	larger.used = attempts->used;
	free(attempts->slots);
	*attempts = larger;
	return true;
}

uint64_t attempts_count(struct attempts *attempts, size_t rule_line, struct view address)
{
	if (attempts->used * 2 >= attempts->size && !grow(attempts))
		return UINT64_MAX;
	uint64_t hash = hash_bytes(rule_line, address) | 1;
	struct attempt *attempt = find(attempts, hash);
	attempts->used += attempt->hash == 0;
	attempt->hash = hash;
	return attempt->count++;
}

void attempts_done(struct attempts *attempts)
{
	free(attempts->slots);
	*attempts = (struct attempts){ .size = 0 };
}
