#include "bounced/record.h"

#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"

/* Each recipient gives at most one row of a kind. */
static bool make_room(struct record *record, size_t count)
{
	record->destinations = calloc(count + 1, sizeof(*record->destinations));
	record->words = calloc(count + 1, sizeof(*record->words));
	record->events = calloc(count + 1, sizeof(*record->events));
	record->departures = calloc(count + 1, sizeof(*record->departures));
	record->letters = calloc(count + 1, sizeof(*record->letters));
	record->tests = calloc(count + 1, sizeof(*record->tests));
	return record->destinations != NULL && record->words != NULL && record->events != NULL &&
	       record->departures != NULL && record->letters != NULL && record->tests != NULL;
}

/* An address of the envelope as the database takes it, octet for octet: UTF-8 without controls. */
static void add_clean(struct buf *out, struct view text)
{
	bool is_utf8 = view_is_utf8(text);
	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte = (unsigned char)text.data[i];
		bool bad = byte < 32 || byte == 127 || (byte > 127 && !is_utf8);
		buf_add_byte(out, bad ? '?' : text.data[i]);
	}
}

/* The sender, then each recipient, one after the other. */
static enum err keep_names(struct record *record, const struct arrival *arrival)
{
	record->names = buf_with_ceiling((arrival->recipient_count + 1) * LIMIT_COMMAND_LINE);
	add_clean(&record->names, arrival->sender);
	for (size_t i = 0; i < arrival->recipient_count; i++)
		add_clean(&record->names, arrival->recipients[i]);
	if (buf_err(&record->names) != ERR_OK)
		return buf_err(&record->names);
	struct view names = buf_view(&record->names);
	size_t at = arrival->sender.len;
	record->sender = view_head(names, at);
	for (size_t i = 0; i < arrival->recipient_count; i++) {
		struct destination *destination = &record->destinations[record->destination_count++];
		destination->passage = arrival->passages[i];
		destination->address = view_slice(names, at, at + arrival->recipients[i].len);
		at += destination->address.len;
	}
	return ERR_OK;
}

/* The message as final delivery stores it (RFC 5321 section 4.4): the sender, which tells reports from letters, stands in front, then who brought
 * it. */
static enum err keep_message(struct record *record, const struct arrival *arrival)
{
	record->message = buf_with_ceiling(arrival->message.len + LIMIT_COMMAND_LINE);
	buf_addf(&record->message, "Return-Path: <" VIEW_FMT ">\r\n", VIEW_ARG(record->sender));
	buf_add(&record->message, arrival->trace);
	record->inquiry.content_at = record->message.len;
	enum err err = buf_add(&record->message, arrival->message);
	record->inquiry.message = buf_view(&record->message);
	return err;
}

static bool is_test(const struct token *token)
{
	return token->scope_id == RELAY_TESTS_CAMPAIGN;
}

/* The message token of each test whose address the message came to. What cannot be signed now is not looked for. */
static enum err keep_words(struct record *record, struct gate *gate)
{
	record->tokens = buf_with_ceiling(record->destination_count * LIMIT_TOKEN);
	/* As much as it can come to: the words stay where they are. */
	if (record->destination_count > 0 && buf_room(&record->tokens, record->destination_count * LIMIT_TOKEN) == NULL)
		return ERR_MEMORY;
	record->inquiry.words = record->words;
	for (size_t i = 0; i < record->destination_count; i++) {
		struct destination *destination = &record->destinations[i];
		if (destination->passage.verdict != GATE_RETURN_PATH || !is_test(&destination->passage.token))
			continue;
		size_t at = record->tokens.len;
		if (gate_message_token(gate, &destination->passage.token, &record->tokens) != ERR_OK)
			buf_cut(&record->tokens, at);
		destination->word = record->inquiry.word_count++;
		record->words[destination->word] = view_skip(buf_view(&record->tokens), at);
	}
	return ERR_OK;
}

enum err record_new(struct gate *gate, const struct arrival *arrival, struct record **ret_record)
{
	struct record *record = calloc(1, sizeof(*record));
	if (record == NULL)
		return ERR_MEMORY;
	record->received_us = arrival->now_us;
	record->may_report = arrival->may_report;
	enum err err = make_room(record, arrival->recipient_count) ? ERR_OK : ERR_MEMORY;
	if (err == ERR_OK)
		err = keep_names(record, arrival);
	if (err == ERR_OK)
		err = keep_message(record, arrival);
	if (err == ERR_OK)
		err = keep_words(record, gate);
	if (err == ERR_OK)
		err = intake_hash(arrival->message, record->hash);
	if (err != ERR_OK) {
		record_done(record);
		return err;
	}
	*ret_record = record;
	return ERR_OK;
}

/* ---- rows ---- */

/* One recipient of the message under way. */
struct reading {
	struct record *record;
	struct gate *gate;
	const struct destination *destination;
};

static const struct report *report_of(const struct reading *reading)
{
	return reading->record->insight.report;
}

static enum bounce_kind kind_of(const struct reading *reading)
{
	return report_finding(report_of(reading))->kind;
}

static bool is_own_copy(const struct reading *reading)
{
	return report_is_own_copy(report_of(reading));
}

static bool has_sender(const struct reading *reading)
{
	return reading->record->sender.len > 0;
}

static void add_event(const struct reading *reading, const struct token *token)
{
	const struct report *report = report_of(reading);
	struct record *record = reading->record;
	struct bounce_event *event = &record->events[record->event_count++];
	*event = (struct bounce_event){
		.campaign_id = token->scope_id,
		.subscriber_id = token->subscriber_id,
		.source = BOUNCE_FROM_REPORT,
		.received_us = record->received_us,
		.finding = *report_finding(report),
		.diagnostic = report_diagnostic(report),
		.reporting_mta = report_reporting_mta(report),
		.message = buf_view(&record->message),
	};
	if (report_recipient_count(report) > 0)
		event->recipient = report_recipient(report, 0);
	for (size_t i = 0; i < BOUNCE_HASH_SIZE; i++)
		event->report_hash[i] = record->hash[i];
}

static void add_letter(const struct reading *reading)
{
	struct record *record = reading->record;
	record->letters[record->letter_count++] = (struct mailbox_message){
		.recipient = reading->destination->address,
		.sender = record->sender,
		.message = buf_view(&record->message),
		.received_us = record->received_us,
	};
}

/* ---- tests of relays ---- */

static void add_test_report(const struct reading *reading, const struct token *token)
{
	const struct report *report = report_of(reading);
	const struct finding *finding = report_finding(report);
	struct view diagnostic = report_diagnostic(report);
	reading->record->tests[reading->record->test_count++] = (struct relay_test_return){
		.test_id = token->subscriber_id,
		.received_us = reading->record->received_us,
		.is_report = true,
		.kind = finding->kind,
		.diagnostic = diagnostic.len > 0 ? diagnostic : view_of(reason_explained(finding->reason)),
	};
}

static void add_test(const struct reading *reading, bool message_kept)
{
	struct record *record = reading->record;
	const struct token *token = &reading->destination->passage.token;
	record->tests[record->test_count++] = (struct relay_test_return){
		.test_id = token->subscriber_id,
		.received_us = record->received_us,
		.mail_from = record->sender,
		.path_kept = gate_is_return_path(reading->gate, record->sender, token, record->received_us),
		.message_kept = message_kept,
		.seal = buf_view(&record->insight.seal),
	};
}

static bool is_report_kind(enum bounce_kind kind)
{
	return kind == KIND_HARD || kind == KIND_SOFT || kind == KIND_DELAY;
}

/* To the address of a test or a probe, of which only the database knows which it is: the test itself, known by its message token, of which a relay may have left only the copy in a header of its
 * own, or that in the text; a report about it; or something else, which nobody sent because of a campaign. What is not understood is kept
 * for a person: it may say why a test is late. */
static void read_test(const struct reading *reading)
{
	enum bounce_kind kind = kind_of(reading);
	const struct token *token = &reading->destination->passage.token;
	enum sighting sighting = insight_sighting(&reading->record->insight, reading->destination->word);
	if (sighting == SIGHT_MESSAGE_ID || sighting == SIGHT_TEST_FIELD)
		add_test(reading, sighting == SIGHT_MESSAGE_ID);
	else if (is_report_kind(kind) || kind == KIND_COMPLAINT)
		add_test_report(reading, token);
	else if (sighting == SIGHT_TEXT)
		add_test(reading, false);
	else if (kind == KIND_UNKNOWN && !has_sender(reading))
		add_test_report(reading, token);
	else if (kind == KIND_UNKNOWN || kind == KIND_NOT_BOUNCE)
		add_letter(reading);
}

/* About a test or a probe, to another address than its own. A complaint may be a tester's: it is kept for a person, too. */
static void read_about_test(const struct reading *reading, const struct token *token)
{
	enum bounce_kind kind = kind_of(reading);
	if (is_report_kind(kind) || kind == KIND_COMPLAINT)
		add_test_report(reading, token);
	if (!is_report_kind(kind))
		add_letter(reading);
}

/* ---- whom a report is about ---- */

/* The first token inside that is ours, of that purpose unless it is TOKEN_PURPOSE_COUNT. */
static bool find_inside(const struct reading *reading, enum token_purpose purpose, struct token *ret_token)
{
	const struct report *report = report_of(reading);
	for (size_t i = 0; i < report_token_count(report); i++) {
		struct token token;
		if (!gate_identify(reading->gate, report_token(report, i), reading->record->received_us, &token))
			continue;
		if (purpose != TOKEN_PURPOSE_COUNT && token.purpose != purpose)
			continue;
		*ret_token = token;
		return true;
	}
	return false;
}

static bool names(const struct reading *reading, const struct token *whom)
{
	const struct report *report = report_of(reading);
	for (size_t i = 0; i < report_token_count(report); i++) {
		struct token token;
		if (gate_identify(reading->gate, report_token(report, i), reading->record->received_us, &token) &&
		    token.scope_id == whom->scope_id && token.subscriber_id == whom->subscriber_id)
			return true;
	}
	return false;
}

/* Whether a report holds the message token of another copy and nothing of the address's own. */
static bool names_another(const struct reading *reading, struct token *ret_inside)
{
	enum bounce_kind kind = kind_of(reading);
	return (is_report_kind(kind) || kind == KIND_COMPLAINT) &&
	       !names(reading, &reading->destination->passage.token) && find_inside(reading, TOKEN_MESSAGE, ret_inside);
}

/* ---- by the address that the message came to ---- */

static void read_return_path(const struct reading *reading)
{
	struct token token;
	bool is_own = !names_another(reading, &token);
	if (is_own)
		token = reading->destination->passage.token;
	if (!is_own && !reading->record->may_report)
		add_letter(reading);
	else if (is_test(&token) && is_own)
		read_test(reading);
	else if (is_test(&token))
		read_about_test(reading, &token);
	else if (kind_of(reading) == KIND_NOT_BOUNCE && has_sender(reading) && !is_own_copy(reading))
		add_letter(reading);
	else
		add_event(reading, &token);
}

/* What a machine sent (a report, an automatic answer, anything without a sender) unsubscribes nobody. What is no automatic answer is
 * kept for a person: somebody may have pasted a report into the wish to leave. So is what nobody could read, and our own letter in a loop: who sent
 * it is not known. */
static void read_unsubscribe(const struct reading *reading)
{
	const struct token *token = &reading->destination->passage.token;
	enum bounce_kind kind = kind_of(reading);
	bool is_person = !reading->record->is_unread && has_sender(reading) && !is_own_copy(reading) &&
			 (kind == KIND_NOT_BOUNCE || kind == KIND_UNKNOWN || kind == KIND_COMPLAINT);
	if (is_person)
		reading->record->departures[reading->record->departure_count++] =
		    (struct departure){ .list_id = token->scope_id, .subscriber_id = token->subscriber_id };
	else if (kind != KIND_AUTO_REPLY)
		add_letter(reading);
}

/* A complaint that came to abuse@ or postmaster@ acts by the token of ours inside when it comes from where complaints are awaited: else
 * whoever has seen a Message-ID could complain in its recipient's name. */
static void read_mailbox(const struct reading *reading)
{
	struct token token;
	if (reading->record->may_report && kind_of(reading) == KIND_COMPLAINT &&
	    find_inside(reading, TOKEN_PURPOSE_COUNT, &token)) {
		if (is_test(&token))
			read_about_test(reading, &token);
		else
			add_event(reading, &token);
	} else {
		add_letter(reading);
	}
}

/* Automatic replies come here too when the address stands in MAIL FROM; they say nothing to anybody. */
static void read_reports(const struct reading *reading)
{
	struct token token;
	enum bounce_kind kind = kind_of(reading);
	bool acts =
	    (is_report_kind(kind) || kind == KIND_COMPLAINT) && find_inside(reading, TOKEN_PURPOSE_COUNT, &token);
	if (acts && !is_test(&token))
		add_event(reading, &token);
	else if (acts)
		read_about_test(reading, &token);
	else if (kind != KIND_AUTO_REPLY)
		add_letter(reading);
}

static void (*const readers[])(const struct reading *reading) = {
	[GATE_RETURN_PATH] = read_return_path,
	[GATE_UNSUBSCRIBE] = read_unsubscribe,
	[GATE_MAILBOX] = read_mailbox,
	[GATE_REPORTS] = read_reports,
};
static_assert(ARRAY_LEN(readers) == GATE_NO_SUCH, "one row for each verdict that lets in; they stand first");

enum err record_judge(struct record *record, struct gate *gate, struct insight *insight)
{
	record->is_unread = insight == NULL;
	if (record->is_unread) {
		enum err err = insight_of_unread(record->inquiry.word_count, &record->insight);
		if (err != ERR_OK)
			return err;
	} else {
		record->insight = *insight;
		*insight = (struct insight){ 0 };
	}
	for (size_t i = 0; i < record->destination_count; i++) {
		const struct reading reading = { .record = record,
						 .gate = gate,
						 .destination = &record->destinations[i] };
		readers[reading.destination->passage.verdict](&reading);
	}
	return ERR_OK;
}

void record_done(struct record *record)
{
	if (record == NULL)
		return;
	insight_done(&record->insight);
	buf_done(&record->message);
	buf_done(&record->names);
	buf_done(&record->tokens);
	free(record->words);
	free(record->destinations);
	free(record->events);
	free(record->departures);
	free(record->letters);
	free(record->tests);
	free(record);
}

bool record_is_empty(const struct record *record)
{
	return record->event_count + record->departure_count + record->letter_count + record->test_count == 0;
}
