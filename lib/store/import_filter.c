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

bool import_filter_add(struct import_filter *filter, struct view key)
{
	uint64_t hash = hash_of(key);
	uint32_t at = (uint32_t)hash, step = (uint32_t)(hash >> 32) | 1;
	bool may_be = true;
	for (size_t i = 0; i < BITS_A_KEY; i++, at += step) {
		uint64_t *word = &filter->words[at / BITS_A_WORD % ARRAY_LEN(filter->words)];
		uint64_t bit = UINT64_C(1) << at % BITS_A_WORD;
		may_be = may_be && (*word & bit) != 0;
		*word |= bit;
	}
	return may_be;
}
