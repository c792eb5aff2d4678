#include "sender/delivery.h"

#include <stdlib.h>
#include <string.h>

#include "sender/recovery.h"
#include "tests/support/unit.h"

#define S INT64_C(1000000)

static struct recipient *recipient_of(unsigned attempts, int64_t first_attempt_us)
{
	struct recipient *recipient = calloc(1, sizeof(*recipient));
	ck_assert_ptr_nonnull(recipient);
	recipient->opened = (struct opened){ .campaign_id = 3,
					     .subscriber_id = 9,
					     .window_first = 1,
					     .attempts = attempts,
					     .first_attempt_us = first_attempt_us,
					     .terms = { .key_id = 2, .day = 20000, .date_us = 77 } };
	return recipient;
}

static struct classifier *classifier;
static struct retry retry;

static struct delivery_terms terms_at(int64_t now_us)
{
	AUTO_BUF why = buf_with_ceiling(1024);
	if (classifier == NULL)
		ck_assert(classifier_new(&classifier) == ERR_OK);
	ck_assert(retry_parse(VIEW_LIT("10s 20s"), 600 * S, &retry, &why) == ERR_OK);
	return (
	    struct delivery_terms){ .classifier = classifier, .retry = &retry, .soon_us = 30 * S, .now_us = now_us };
}

struct row {
	const char *label;
	enum smtp_event_type type;
	enum smtp_step step;
	unsigned code;
	const char *status, *text;
	enum ledger_outcome outcome;
	const char *reason;
	bool about_us, counts;
};

static const struct row rows[] = {
	{ "accepted", SMTP_ACCEPTED, SMTP_STEP_FINAL_DOT, 250, "2.0.0", "2.0.0 queued", LEDGER_ACCEPTED, "", false,
	  false },
	{ "temporary at rcpt", SMTP_REFUSED, SMTP_STEP_RCPT, 450, "4.2.1", "4.2.1 try later", LEDGER_DEFERRED, "",
	  false, false },
	{ "temporary at dot", SMTP_REFUSED, SMTP_STEP_FINAL_DOT, 451, "", "out of memory", LEDGER_DEFERRED, "", false,
	  false },
	{ "no such user", SMTP_REFUSED, SMTP_STEP_RCPT, 550, "5.1.1", "5.1.1 No such user", LEDGER_REFUSED,
	  "user-unknown", false, true },
	{ "full", SMTP_REFUSED, SMTP_STEP_RCPT, 552, "5.2.2", "5.2.2 Mailbox full", LEDGER_REFUSED, "mailbox-full",
	  false, true },
	{ "relay denied", SMTP_REFUSED, SMTP_STEP_RCPT, 554, "5.7.1", "5.7.1 Relay access denied", LEDGER_REFUSED,
	  "relay-denied", true, false },
	{ "too large for every relay", SMTP_UNFIT, SMTP_STEP_MAIL, 552, "5.3.4",
	  "5.3.4 The message is larger than the server takes", LEDGER_REFUSED, "message-too-big", true, false },
	{ "no reason at DATA", SMTP_REFUSED, SMTP_STEP_DATA, 554, "5.0.0", "5.0.0 No", LEDGER_REFUSED, "policy", true,
	  false },
	{ "no reason at MAIL", SMTP_REFUSED, SMTP_STEP_MAIL, 554, "", "No", LEDGER_REFUSED, "policy", true, false },
	{ "no reason at the dot", SMTP_REFUSED, SMTP_STEP_FINAL_DOT, 554, "5.0.0", "5.0.0 No", LEDGER_REFUSED, "other",
	  true, false },
	{ "a reason at DATA", SMTP_REFUSED, SMTP_STEP_DATA, 550, "5.1.1", "5.1.1 No such user", LEDGER_REFUSED,
	  "user-unknown", false, true },
	{ "temporary at DATA", SMTP_REFUSED, SMTP_STEP_DATA, 451, "4.7.1", "4.7.1 Greylisted", LEDGER_DEFERRED, "",
	  false, false },
	{ "spam", SMTP_REFUSED, SMTP_STEP_FINAL_DOT, 554, "5.7.1", "5.7.1 Message rejected as spam", LEDGER_REFUSED,
	  "spam-content", true, false },
};

static struct smtp_event event_of(const struct row *row)
{
	struct smtp_event event = { .type = row->type,
				    .step = row->step,
				    .reply = { .code = row->code, .text = view_of(row->text) } };
	if (*row->status != '\0')
		ck_assert(status_parse(view_of(row->status), &event.reply.status));
	return event;
}

START_TEST(what_the_relay_says)
	{
		const struct delivery_terms terms = terms_at(1000 * S);
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct recipient *recipient = recipient_of(0, 0);
			const struct smtp_event event = event_of(&rows[i]);
			struct finding finding;
			ck_row(rows[i].label, delivery_decide(recipient, &event, &terms) == rows[i].about_us);
			const struct ledger_row *row = &recipient->row;
			ck_row(rows[i].label, row->outcome == rows[i].outcome);
			ck_row(rows[i].label, view_eq(row->reason, view_of(rows[i].reason)));
			ck_row(rows[i].label,
			       row->attempts == 1 && row->code == rows[i].code && row->at_us == 1000 * S);
			ck_row(rows[i].label, view_eq(row->status, view_of(rows[i].status)));
			ck_row(rows[i].label, view_eq(row->reply, view_of(rows[i].text)));
			ck_row(rows[i].label,
			       row->terms.key_id == 2 && row->terms.day == 20000 && row->terms.date_us == 77);
			ck_row(rows[i].label, delivery_counts(classifier, row, &finding) == rows[i].counts);
			free(recipient);
		}
	}
END_TEST

START_TEST(a_retry_goes_on_from_the_first_attempt)
	{
		const struct delivery_terms terms = terms_at(1000 * S);
		const struct smtp_event event = event_of(&rows[1]);
		struct recipient *recipient = recipient_of(1, 990 * S);
		recipient->opened.window_first = 0;
		delivery_decide(recipient, &event, &terms);
		ck_assert_int_eq(recipient->row.outcome, LEDGER_DEFERRED);
		ck_assert_uint_eq(recipient->row.attempts, 2);
		ck_assert_int_eq(recipient->row.first_attempt_us, 990 * S);
		ck_assert_int_eq(recipient->row.next_attempt_us, 1020 * S);
		ck_assert(recipient->row.from_queue);
		recipient->opened.first_attempt_us = 400 * S;
		delivery_decide(recipient, &event, &terms);
		ck_assert_int_eq(recipient->row.outcome, LEDGER_EXPIRED);
		ck_assert_uint_gt(recipient->row.reason.len, 0);
		free(recipient);
	}
END_TEST

START_TEST(replies_are_made_fit_for_the_database)
	{
		static const struct {
			const char *label, *text, *kept;
		} cases[] = {
			{ "lines", "one\ntwo\r\x01", "one two  " },
			{ "utf-8", "Gr\xc3\xbc\xc3\x9f", "Gr\xc3\xbc\xc3\x9f" },
			{ "latin-1",
			  "Gr\xfc\xdf"
			  "e",
			  "Gr??e" },
			{ "cut in a character", "abc\xc3", "abc" },
		};
		const struct delivery_terms terms = terms_at(S);
		for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
			struct recipient *recipient = recipient_of(0, 0);
			const struct smtp_event event = { .type = SMTP_ACCEPTED,
							  .reply = { .code = 250, .text = view_of(cases[i].text) } };
			delivery_decide(recipient, &event, &terms);
			ck_row(cases[i].label, view_eq(recipient->row.reply, view_of(cases[i].kept)));
			ck_row(cases[i].label, view_is_utf8(recipient->row.reply));
			free(recipient);
		}
	}
END_TEST

START_TEST(what_asks_for_less)
	{
		static const struct {
			const char *label;
			enum smtp_event_type type;
			unsigned code;
			const char *status, *text;
			bool throttled;
		} cases[] = {
			{ "unusual rate", SMTP_REFUSED, 421, "4.7.28", "4.7.28 Unusual rate of mail", true },
			{ "421 alone", SMTP_REFUSED, 421, "", "Try again later", true },
			{ "policy for now", SMTP_REFUSED, 451, "4.7.500", "4.7.500 Server busy", true },
			{ "421 with another status", SMTP_REFUSED, 421, "4.2.1", "4.2.1 Too much for this mailbox",
			  true },
			{ "shutting down", SMTP_REFUSED, 421, "4.3.2", "4.3.2 Shutting down", false },
			{ "timeout", SMTP_REFUSED, 421, "4.4.2", "4.4.2 Error: timeout exceeded", false },
			{ "greylisting", SMTP_REFUSED, 450, "4.7.1", "4.7.1 Greylisted, come back later", false },
			{ "full", SMTP_REFUSED, 452, "4.2.2", "4.2.2 Mailbox full", false },
			{ "for good", SMTP_REFUSED, 550, "5.7.1", "5.7.1 Blocked", false },
			{ "accepted", SMTP_ACCEPTED, 250, "2.0.0", "2.0.0 Queued", false },
		};
		const struct delivery_terms terms = terms_at(S);
		for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
			struct smtp_event event = { .type = cases[i].type,
						    .reply = { .code = cases[i].code,
							       .text = view_of(cases[i].text) } };
			if (cases[i].status[0] != '\0')
				ck_assert(status_parse(view_of(cases[i].status), &event.reply.status));
			ck_row(cases[i].label, delivery_is_throttled(&event, &terms) == cases[i].throttled);
		}
	}
END_TEST

START_TEST(a_doubt_names_the_connection)
	{
		const struct delivery_terms terms = terms_at(1000 * S);
		struct recipient *recipient = recipient_of(2, 900 * S);
		delivery_doubt(recipient, "relay:25 #4", &terms);
		ck_assert_int_eq(recipient->row.outcome, LEDGER_IN_DOUBT);
		ck_assert_uint_eq(recipient->row.attempts, 3);
		ck_assert_int_eq(recipient->row.next_attempt_us, 1030 * S);
		ck_view_eq(recipient->row.connection, "relay:25 #4");
		free(recipient);
	}
END_TEST

/* ---- what a journal says in the end ---- */

struct step {
	enum journal_kind kind;
	int64_t subscriber;
	enum ledger_outcome outcome;
};

struct history {
	const char *label;
	struct step steps[6];
	const char *end; /* a letter for each recipient: a accepted, d deferred, ? in doubt */
};

static const struct history histories[] = {
	{ "nothing", { { 0 } }, "" },
	{ "intent alone", { { JOURNAL_INTENT, 1, LEDGER_IN_DOUBT } }, "?" },
	{ "answered", { { JOURNAL_INTENT, 1, LEDGER_IN_DOUBT }, { JOURNAL_OUTCOME, 1, LEDGER_ACCEPTED } }, "a" },
	{ "withdrawn", { { JOURNAL_INTENT, 1, LEDGER_IN_DOUBT }, { JOURNAL_WITHDRAWN, 1, 0 } }, "" },
	{ "withdrawn before anything", { { JOURNAL_WITHDRAWN, 1, 0 } }, "" },
	{ "refused at rcpt", { { JOURNAL_OUTCOME, 1, LEDGER_DEFERRED } }, "d" },
	{ "tried again", { { JOURNAL_OUTCOME, 1, LEDGER_DEFERRED }, { JOURNAL_INTENT, 1, LEDGER_IN_DOUBT } }, "?" },
	{ "two",
	  { { JOURNAL_INTENT, 1, LEDGER_IN_DOUBT },
	    { JOURNAL_INTENT, 2, LEDGER_IN_DOUBT },
	    { JOURNAL_OUTCOME, 1, LEDGER_ACCEPTED } },
	  "a?" },
	{ "committed",
	  { { JOURNAL_OUTCOME, 1, LEDGER_ACCEPTED },
	    { JOURNAL_INTENT, 2, LEDGER_IN_DOUBT },
	    { JOURNAL_OUTCOME, 3, LEDGER_DEFERRED },
	    { JOURNAL_CHECKPOINT, 0, 0 },
	    { JOURNAL_OUTCOME, 4, LEDGER_ACCEPTED } },
	  "?a" },
};

START_TEST(the_last_word_counts)
	{
		static const char letters[] = {
			[LEDGER_ACCEPTED] = 'a', [LEDGER_DEFERRED] = 'd', [LEDGER_IN_DOUBT] = '?'
		};
		for (size_t i = 0; i < ARRAY_LEN(histories); i++) {
			struct recovered recovered = { 0 };
			const struct step *step = histories[i].steps;
			for (; step->kind != 0; step++) {
				const struct journal_record record = { .kind = step->kind,
								       .row = { .campaign_id = 1,
										.subscriber_id = step->subscriber,
										.outcome = step->outcome } };
				ck_assert(recovered_fold(&recovered, &record) == ERR_OK);
			}
			ck_row(histories[i].label, recovered.count == strlen(histories[i].end));
			for (size_t k = 0; k < recovered.count; k++) {
				ck_row(histories[i].label, letters[recovered.rows[k].outcome] == histories[i].end[k]);
				ck_row(histories[i].label, recovered.rows[k].from_queue);
			}
			recovered_done(&recovered);
		}
	}
END_TEST

/* One that nothing confirms: soon, later and later, and at the end of his time refused, in the relay's words. */
START_TEST(a_refusal_that_does_not_stand)
	{
		static const struct refusal_row {
			const char *label;
			unsigned attempts;
			int64_t now_us, next_us; /* 0: refused */
		} refusals[] = {
			{ "the first", 0, 1000 * S, 1002 * S },
			{ "the second", 1, 1010 * S, 1014 * S },
			{ "then by the schedule", 4, 1100 * S, 1120 * S },
			{ "the last", 9, 1600 * S, 0 },
		};
		const struct row said = {
			.type = SMTP_REFUSED, .step = SMTP_STEP_DATA, .code = 554, .status = "5.0.0", .text = "5.0.0 No"
		};
		const struct smtp_event event = event_of(&said);
		for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
			const struct refusal_row *row = &refusals[i];
			struct delivery_terms terms = terms_at(row->now_us);
			struct recipient *recipient = recipient_of(row->attempts, row->attempts == 0 ? 0 : 1000 * S);
			terms.soon_us = 2 * S;
			bool waits = delivery_disbelieve(recipient, &event, &terms);
			ck_row(row->label, waits == (row->next_us != 0));
			ck_row(row->label, recipient->row.outcome == (waits ? LEDGER_DEFERRED : LEDGER_REFUSED));
			ck_row(row->label, !waits || recipient->row.next_attempt_us == row->next_us);
			ck_row(row->label, waits || view_eq(recipient->row.reason, VIEW_LIT("policy")));
			ck_row(row->label, recipient->row.attempts == row->attempts + 1);
			ck_row(row->label, recipient->row.code == 554);
			ck_row(row->label, view_eq(recipient->row.reply, VIEW_LIT("5.0.0 No")));
			free(recipient);
		}
	}
END_TEST

/* His time is over, and so what he was told last. */
START_TEST(keeps_a_doubt)
	{
		static const struct {
			const char *label;
			bool has_doubt, is_kept;
		} cases[] = { { "in doubt before", true, true }, { "never in doubt", false, false } };
		const struct delivery_terms terms = terms_at(1000 * S);
		for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
			struct recipient *recipient = recipient_of(7, 1 * S);
			recipient->opened.has_doubt = cases[i].has_doubt;
			delivery_put_off(recipient, VIEW_LIT("gone"), &terms);
			ck_row(cases[i].label, recipient->row.outcome == LEDGER_EXPIRED);
			char name[2 * JOURNAL_CONNECTION_MOST] = { 0 };
			memset(name, 'x', sizeof(name) - 1);
			ck_row(cases[i].label, delivery_keep_doubt(recipient, name) == cases[i].is_kept);
			ck_row(cases[i].label, (recipient->row.outcome == LEDGER_IN_DOUBT) == cases[i].is_kept);
			ck_row(cases[i].label, recipient->row.connection.len <= JOURNAL_CONNECTION_MOST);
			free(recipient);
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { what_the_relay_says,
				       a_retry_goes_on_from_the_first_attempt,
				       what_asks_for_less,
				       replies_are_made_fit_for_the_database,
				       a_doubt_names_the_connection,
				       the_last_word_counts,
				       a_refusal_that_does_not_stand,
				       keeps_a_doubt };
	return suite_of("delivery", tests, ARRAY_LEN(tests));
}
