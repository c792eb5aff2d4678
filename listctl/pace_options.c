#include "listctl/pace_options.h"

static bool is_none(const char *text)
{
	return view_eq(view_of(text), VIEW_LIT("none"));
}

enum err pace_option_count(struct call *call, const char *name, int64_t most, int64_t *limit)
{
	const char *text = call_option(call, name);
	uint64_t number = 0;
	if (text == NULL)
		return ERR_OK;
	if (!is_none(text) && (!view_to_u64(view_of(text), (uint64_t)most, &number) || number == 0))
		return call_misused(call, "--%s takes a number from 1 to %lld or the word none, not %s", name,
				    (long long)most, text);
	*limit = (int64_t)number;
	return ERR_OK;
}

/* Less is shown as nothing, and is one message in minutes. */
#define RATE_LEAST 0.01

bool pace_number(struct view text, double *ret_number)
{
	enum { WHOLE_MOST = 1000000000, DIGITS_MOST = 9 };
	size_t point = view_find_byte(text, '.');
	struct view whole = view_head(text, point),
		    part = point == VIEW_NONE ? VIEW_LIT("0") : view_skip(text, point + 1);
	uint64_t before, behind;
	if (part.len > DIGITS_MOST || !view_to_u64(whole, WHOLE_MOST, &before) ||
	    !view_to_u64(part, WHOLE_MOST, &behind))
		return false;
	double number = (double)behind;
	for (size_t i = 0; i < part.len; i++)
		number /= 10;
	*ret_number = (double)before + number;
	return true;
}

enum err pace_option_rate(struct call *call, const char *name, double *limit)
{
	const char *text = call_option(call, name);
	double number = 0;
	if (text == NULL)
		return ERR_OK;
	if (!is_none(text) && (!pace_number(view_of(text), &number) || number < RATE_LEAST))
		return call_misused(
		    call, "--%s takes a number from 0.01 on, such as 20 or 0.5, or the word none, not %s", name, text);
	*limit = number;
	return ERR_OK;
}
