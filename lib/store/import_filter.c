#include "store/import_filter.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/limits.h"

enum { BITS_A_KEY = 4, BITS_A_WORD = 64 };

struct import_filter {
	uint64_t words[LIMIT_IMPORT_FILTER / sizeof(uint64_t)];
};

struct import_filter *import_filter_new(void)
{
	return calloc(1, sizeof(struct import_filter));
}

void import_filter_free(struct import_filter *filter)
{
	free(filter);
}

/* FNV-1a, its bits mixed once more. Whoever makes keys that collide only has them looked up. */
static uint64_t hash_of(struct view key)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < key.len; i++)
		hash = (hash ^ (unsigned char)key.data[i]) * UINT64_C(0x100000001b3);
	hash = (hash ^ (hash >> 33)) * UINT64_C(0xff51afd7ed558ccd);
	return hash ^ (hash >> 29);
}

/* The bits of a key, one after the other. */
struct place {
	uint32_t at, step;
};

static struct place first_place(struct view key)
{
	uint64_t hash = hash_of(key);
	return (struct place){ .at = (uint32_t)hash, .step = (uint32_t)(hash >> 32) | 1 };
}

static size_t word_at(const struct import_filter *filter, struct place place)
{
	return place.at / BITS_A_WORD % ARRAY_LEN(filter->words);
}

static uint64_t bit_at(struct place place)
{
	return UINT64_C(1) << place.at % BITS_A_WORD;
}

bool import_filter_may_have(const struct import_filter *filter, struct view key)
{
	struct place place = first_place(key);
	for (size_t i = 0; i < BITS_A_KEY; i++, place.at += place.step) {
		if ((filter->words[word_at(filter, place)] & bit_at(place)) == 0)
			return false;
	}
	return true;
}

bool import_filter_add(struct import_filter *filter, struct view key)
{
	struct place place = first_place(key);
	bool may_be = import_filter_may_have(filter, key);
	for (size_t i = 0; i < BITS_A_KEY && !may_be; i++, place.at += place.step)
		filter->words[word_at(filter, place)] |= bit_at(place);
	return may_be;
}
