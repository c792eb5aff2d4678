#include "sender/pace_relays.h"

#include <assert.h>

#include "tests/support/unit.h"

struct row {
	const char *label;
	enum smtp_step step;
	enum pace_end end;       /* of a message that is refused there */
	bool others_work, alone; /* a session that ends there means less, while other connections work, or with none */
};

static const struct row rows[] = {
	{ "banner", SMTP_STEP_BANNER, PACE_THROTTLED, false, true },
	{ "ehlo", SMTP_STEP_EHLO, PACE_THROTTLED, false, true },
	{ "starttls", SMTP_STEP_STARTTLS, PACE_THROTTLED, false, false },
	{ "auth", SMTP_STEP_AUTH, PACE_THROTTLED, false, false },
	{ "mail", SMTP_STEP_MAIL, PACE_RELAY_THROTTLED, true, true },
	{ "rcpt", SMTP_STEP_RCPT, PACE_THROTTLED, false, false },
	{ "data", SMTP_STEP_DATA, PACE_THROTTLED, true, true },
	{ "final dot", SMTP_STEP_FINAL_DOT, PACE_THROTTLED, false, false },
	{ "quit", SMTP_STEP_QUIT, PACE_THROTTLED, false, false },
};
static_assert(ARRAY_LEN(rows) == SMTP_STEP_COUNT, "one row per step");

static struct smtp_event event_of(enum smtp_event_type type, enum smtp_step step, unsigned code, const char *status)
{
	struct smtp_event event = { .type = type,
				    .step = step,
				    .reply = { .code = code, .text = VIEW_LIT("slow down") } };
	ck_assert(status_parse(view_of(status), &event.reply.status));
	return event;
}

START_TEST(each_step_says_who_wants_less)
	{
		struct classifier *classifier;
		ck_assert(classifier_new(&classifier) == ERR_OK);
		const struct delivery_terms terms = { .classifier = classifier };
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			const struct row *row = &rows[i];
			struct smtp_event refused = event_of(SMTP_REFUSED, row->step, 421, "4.7.0"),
					  trouble = event_of(SMTP_TROUBLE, row->step, 421, "4.7.0"),
					  closing = event_of(SMTP_TROUBLE, row->step, 421, "4.3.2"),
					  full = event_of(SMTP_REFUSED, row->step, 452, "4.3.1"),
					  lost = event_of(SMTP_TROUBLE, row->step, 0, "4.7.0");
			ck_row(row->label, pace_relays_end(&refused, &terms) == row->end);
			ck_row(row->label, pace_relays_end(&full, &terms) == PACE_ELSE);
			ck_row(row->label, pace_relays_is_throttled(&trouble, &terms, true) == row->others_work);
			ck_row(row->label, pace_relays_is_throttled(&trouble, &terms, false) == row->alone);
			ck_row(row->label, !pace_relays_is_throttled(&closing, &terms, false));
			ck_row(row->label, !pace_relays_is_throttled(&lost, &terms, false));
		}
		classifier_done(classifier);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { each_step_says_who_wants_less };
	return suite_of("pace_relays", tests, ARRAY_LEN(tests));
}
