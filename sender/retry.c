#include "sender/retry.h"

#include "base/clock.h"
#include "base/settings.h"

enum err retry_parse(struct view text, int64_t expire_us, struct retry *ret_retry, struct buf *why)
{
	struct retry retry = { .expire_us = expire_us };
	struct view word;
	while (view_cut(&text, ' ', &word)) {
		if (word.len == 0)
			continue;
		if (retry.count == RETRY_WAITS) {
			buf_addf(why, "sender.retry_after has more than %d times", RETRY_WAITS);
			return ERR_INVALID;
		}
		int64_t wait_us;
		if (!settings_duration(word, &wait_us) || wait_us == 0) {
			buf_addf(why,
				 "sender.retry_after must be times such as 5m 15m 2h, each of at "
				 "most " SETTINGS_DURATION_MOST ", not \"" VIEW_FMT "\"",
				 VIEW_ARG(word));
			return ERR_INVALID;
		}
		retry.waits_us[retry.count++] = wait_us;
	}
	if (retry.count == 0) {
		buf_addf(why, "sender.retry_after is empty; it must be times such as 5m 15m 2h");
		return ERR_INVALID;
	}
	*ret_retry = retry;
	return ERR_OK;
}

int64_t retry_next(const struct retry *retry, int64_t expire_us, unsigned attempts, int64_t first_attempt_us,
		   int64_t now_us)
{
	int64_t end_us = clock_after(first_attempt_us, expire_us == 0 ? retry->expire_us : expire_us);
	if (now_us >= end_us)
		return 0;
	size_t wait = attempts > retry->count ? retry->count - 1 : attempts - 1;
	int64_t next_us = clock_after(now_us, retry->waits_us[wait]);
	return next_us < end_us ? next_us : end_us;
}

int64_t retry_sooner(int64_t first_us, unsigned attempts, int64_t now_us, int64_t next_us)
{
	int64_t wait_us = first_us;
	for (unsigned i = 1; i < attempts && wait_us < next_us - now_us; i++)
		wait_us *= 2;
	return wait_us < next_us - now_us ? now_us + wait_us : next_us;
}
