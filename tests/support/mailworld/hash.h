/* Seeded hashes that scatter well (splitmix64), so that a share of addresses or occasions is the same in every run.
 */
#ifndef MAILWORLD_HASH_H
#define MAILWORLD_HASH_H

#include "base/view.h"

static inline uint64_t hash_number(uint64_t seed, uint64_t number)
{
	uint64_t z = seed * UINT64_C(0x9E3779B97F4A7C15) + number + UINT64_C(0x9E3779B97F4A7C15);
	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

static inline uint64_t hash_bytes(uint64_t seed, struct view bytes)
{
	uint64_t hash = seed;
	for (size_t i = 0; i < bytes.len; i++)
		hash = hash_number(hash, (unsigned char)bytes.data[i]);
	return hash;
}

#endif
