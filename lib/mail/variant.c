#include "mail/variant.h"

#include "base/buf.h"
#include "base/digest.h"

enum { IDS_MOST = 64 };

/* Of 10,000. */
static unsigned place_of(int64_t campaign_id, int64_t subscriber_id)
{
	AUTO_BUF ids = buf_with_ceiling(IDS_MOST);
	unsigned char digest[DIGEST_SIZE];
	buf_addf(&ids, "%lld/%lld", (long long)campaign_id, (long long)subscriber_id);
	if (!digest_of(buf_view(&ids), digest))
		return 0;
	uint64_t hash = 0;
	for (size_t i = 0; i < 4; i++)
		hash = hash << 8 | digest[i];
	return (unsigned)(hash * VARIANT_ALL >> 32);
}

unsigned variant_of(int64_t campaign_id, int64_t subscriber_id, const unsigned *shares, size_t count)
{
	if (count == 0)
		return 0;
	unsigned place = place_of(campaign_id, subscriber_id), up_to = 0;
	for (size_t i = 0; i < count; i++) {
		up_to += shares[i];
		if (place < up_to)
			return (unsigned)i + 1;
	}
	return (unsigned)count;
}

unsigned variant_from_name(struct view name)
{
	if (name.len != 1)
		return 0;
	unsigned number = (unsigned)((name.data[0] | 0x20) - 'a') + 1;
	return number <= VARIANTS_MOST ? number : 0;
}

char variant_name(unsigned variant)
{
	return (char)('A' + variant - 1);
}

bool variant_cut_share(struct view *text, unsigned *ret_share)
{
	struct view rest = view_trim(*text), number;
	uint64_t whole = 0, part = 0;
	if (!view_cut(&rest, '%', &number) || rest.len == 0)
		return false;
	number = view_trim(number);
	struct view decimals = number, digits;
	if (!view_cut(&decimals, '.', &digits) || !view_to_u64(digits, 99, &whole))
		return false;
	if (decimals.len > 2 || (digits.len < number.len && !view_to_u64(decimals, 99, &part)))
		return false;
	unsigned share = (unsigned)(whole * 100 + part * (decimals.len == 1 ? 10 : 1));
	if (share == 0)
		return false;
	*ret_share = share;
	*text = view_trim(rest);
	return text->len > 0;
}
