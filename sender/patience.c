#include "sender/patience.h"

#include "base/clock.h"

/* An idle connection is given up after this: relays do it too, with less courtesy. */
#define IDLE_US (INT64_C(20) * CLOCK_US_PER_SECOND)

/* After 421 a relay closes, or goes on with what it has got: it need not be waited for as long as for an answer. */
#define DISMISSED_US (INT64_C(20) * CLOCK_US_PER_SECOND)

static bool is_same(const struct wait *one, const struct wait *other)
{
	return one->step == other->step && one->is_idle == other->is_idle && one->is_handshake == other->is_handshake &&
	       one->is_dismissed == other->is_dismissed && one->replies == other->replies;
}

bool patience_begins(struct patience *patience, const struct wait *wait, size_t written)
{
	if (patience->has_begun && written == 0 && is_same(&patience->wait, wait))
		return false;
	*patience = (struct patience){ .has_begun = true, .wait = *wait };
	return true;
}

static int64_t time_of_step(const struct settings *settings, enum smtp_step step)
{
	switch (step) {
	case SMTP_STEP_DATA:
		return settings->relay_data_timeout;
	case SMTP_STEP_FINAL_DOT:
		return settings->relay_final_timeout;
	case SMTP_STEP_QUIT:
		return CLOCK_US_PER_SECOND;
	case SMTP_STEP_BANNER:
	case SMTP_STEP_EHLO:
	case SMTP_STEP_STARTTLS:
	case SMTP_STEP_AUTH:
	case SMTP_STEP_MAIL:
	case SMTP_STEP_RCPT:
	case SMTP_STEP_COUNT:
		break;
	}
	return settings->relay_reply_timeout;
}

int64_t patience_time(const struct settings *settings, const struct wait *wait)
{
	if (wait->is_idle)
		return IDLE_US;
	if (wait->is_handshake)
		return settings->relay_connect_timeout;
	int64_t wait_us = time_of_step(settings, wait->step);
	return wait->is_dismissed && wait_us > DISMISSED_US ? DISMISSED_US : wait_us;
}
