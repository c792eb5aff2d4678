#include "sender/shares.h"

#include <stdbool.h>

enum { KEPT = 4 }; /* the part of the journal that is kept: one in so many */

uint64_t shares_room(uint64_t journal, uint64_t held_by_leaving)
{
	uint64_t kept = journal / KEPT;
	uint64_t taken = held_by_leaving > kept ? held_by_leaving : kept;
	return taken < journal ? journal - taken : 0;
}

uint64_t shares_journal_for(uint64_t asked)
{
	return asked + asked / (KEPT - 1) + 1;
}

void shares_divide(uint64_t room, const uint64_t *asks, size_t count, uint64_t *ret_shares)
{
	size_t open = count;
	bool has_changed = true;
	for (size_t i = 0; i < count; i++)
		ret_shares[i] = 0;
	/* Small ones are served first; what they leave makes the part of the others larger. */
	while (has_changed && open > 0) {
		uint64_t part = room / open;
		has_changed = false;
		for (size_t i = 0; i < count; i++) {
			if (ret_shares[i] != 0 || asks[i] == 0 || asks[i] > part)
				continue;
			ret_shares[i] = asks[i];
			room -= asks[i];
			open--;
			has_changed = true;
		}
	}
	for (size_t i = 0; i < count; i++) {
		if (ret_shares[i] == 0)
			ret_shares[i] = room / open > 0 ? room / open : 1;
	}
}
