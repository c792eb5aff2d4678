/* What bounced makes of a message: the first octet says to which address it came and from whom, @T in it stands for the message token of a
 * relay's test, @C for that of a campaign's copy. Each recipient gives at most one row; what is stored is text that the database takes; and
 * whatever the message says, nothing of campaign 0 becomes an event. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "bounced/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DAY = 20779, CAMPAIGN = 7, PERSON = 42 };

static const struct settings settings = { .bounce_domain = "bounce.test",
					  .bounce_prefix = "b",
					  .bounce_token_life = 30 * CLOCK_US_PER_DAY,
					  .bounce_inside_life = 365 * CLOCK_US_PER_DAY,
					  .bounced_report_addresses = "fbl@bounce.test" };

static struct intake *intake; /* these are for the whole run */
static struct gate *gate;

static void open_once(void)
{
	static struct classifier *classifier;
	struct keyring ring = { .newest = -1 };
	unsigned char bytes[KEYRING_KEY_SIZE] = { 1 };
	int id;
	if (gate != NULL)
		return;
	if (classifier_new(&classifier) != ERR_OK || intake_new(classifier, &intake) != ERR_OK ||
	    keyring_add(&ring, VIEW_LIT("2026-11-22"), bytes, &id) != ERR_OK ||
	    gate_new(&settings, &ring, &gate) != ERR_OK)
		abort();
}

static struct token token_of(uint64_t campaign)
{
	return (
	    struct token){ .purpose = TOKEN_RETURN_PATH, .scope_id = campaign, .subscriber_id = PERSON, .day = DAY };
}

static void fill(struct view input, struct buf *out)
{
	const struct token test = token_of(RELAY_TESTS_CAMPAIGN), copy = token_of(CAMPAIGN);
	for (size_t i = 0; i < input.len; i++) {
		char next = i + 1 < input.len ? input.data[i + 1] : '\0';
		bool is_token = input.data[i] == '@' && (next == 'T' || next == 'C');
		if (is_token && gate_message_token(gate, next == 'T' ? &test : &copy, out) != ERR_OK)
			abort();
		if (is_token)
			i++;
		else
			buf_add_byte(out, input.data[i]);
	}
}

static void check_text(struct view text)
{
	if (!view_is_utf8(text) || view_find_byte(text, '\0') != VIEW_NONE)
		abort();
}

static void check_record(const struct record *record, bool has_sender)
{
	/* A complaint about a test or a probe is kept for a person, too. */
	bool is_both = record->letter_count == 1 && record->test_count == 1 && record->tests[0].kind == KIND_COMPLAINT;
	if (record->event_count + record->departure_count + record->letter_count + record->test_count >
	    (is_both ? 2 : 1))
		abort();
	if (record->departure_count > 0 && !has_sender)
		abort();
	for (size_t i = 0; i < record->event_count; i++) {
		if (record->events[i].campaign_id != CAMPAIGN || record->events[i].subscriber_id != PERSON)
			abort();
		check_text(record->events[i].diagnostic);
	}
	for (size_t i = 0; i < record->test_count; i++) {
		check_text(record->tests[i].mail_from);
		check_text(record->tests[i].diagnostic);
	}
	for (size_t i = 0; i < record->letter_count; i++)
		check_text(record->letters[i].sender);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct view senders[] = { VIEW_LIT(""), VIEW_LIT("p@x.test"), VIEW_LIT("\xff@x.test") };
	static const enum gate_verdict verdicts[] = { GATE_RETURN_PATH, GATE_UNSUBSCRIBE, GATE_MAILBOX, GATE_REPORTS };
	if (size == 0)
		return 0;
	open_once();
	AUTO_BUF message = buf_with_ceiling(LIMIT_INTAKE);
	fill(view_from(data + 1, size - 1), &message);
	const struct view recipient = VIEW_LIT("someone@bounce.test");
	const struct passage passage = { .verdict = verdicts[data[0] % 4],
					 .token = token_of((data[0] & 4) != 0 ? CAMPAIGN : RELAY_TESTS_CAMPAIGN) };
	struct record *record;
	const struct arrival arrival = { .sender = senders[data[0] / 8 % 3],
					 .may_report = data[0] >= 128,
					 .recipients = &recipient,
					 .passages = &passage,
					 .recipient_count = 1,
					 .message = buf_view(&message),
					 .now_us = DAY * CLOCK_US_PER_DAY };
	struct insight insight;
	if (record_new(gate, &arrival, &record) != ERR_OK ||
	    insight_read(intake, &record->inquiry, &insight) != ERR_OK ||
	    record_judge(record, gate, &insight) != ERR_OK)
		abort();
	check_record(record, arrival.sender.len > 0);
	record_done(record);
	return 0;
}
