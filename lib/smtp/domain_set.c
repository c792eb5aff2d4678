#include "smtp/domain_set.h"

#include <string.h>

#include "base/limits.h"

struct domain_set domain_set_new(void)
{
	return (struct domain_set){ .hashes = buf_with_ceiling(LIMIT_SESSION_DOMAINS * sizeof(uint64_t)) };
}

void domain_set_done(struct domain_set *set)
{
	buf_done(&set->hashes);
}

void domain_set_clear(struct domain_set *set)
{
	buf_reset(&set->hashes);
}

/* FNV-1a of the domain in lower case. */
static uint64_t hash_domain(struct view address)
{
	size_t at = view_find_last_byte(address, '@');
	struct view domain = at == VIEW_NONE ? address : view_skip(address, at + 1);
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < domain.len; i++) {
		unsigned char octet = (unsigned char)domain.data[i];
		if (octet >= 'A' && octet <= 'Z')
			octet |= 0x20;
		hash = (hash ^ octet) * UINT64_C(0x100000001b3);
	}
	return hash;
}

bool domain_set_take(struct domain_set *set, struct view address, uint64_t most)
{
	uint64_t hash = hash_domain(address);
	size_t count = set->hashes.len / sizeof(hash);
	for (size_t i = 0; i < count; i++) {
		if (memcmp(set->hashes.data + i * sizeof(hash), &hash, sizeof(hash)) == 0)
			return true;
	}
	if (count >= most)
		return false;
	bool is_taken = buf_add(&set->hashes, view_from(&hash, sizeof(hash))) == ERR_OK;
	set->hashes.err = ERR_OK;
	return is_taken;
}
