#include "bounced/record.h"

#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "mail/fields.h"
#include "mail/seal.h"

/* Each recipient gives at most one row of one kind. */
static bool make_room(struct record *record, size_t count)
{
	record->events = calloc(count + 1, sizeof(*record->events));
	record->departures = calloc(count + 1, sizeof(*record->departures));
	record->letters = calloc(count + 1, sizeof(*record->letters));
	record->tests = calloc(count + 1, sizeof(*record->tests));
	return record->events != NULL && record->departures != NULL && record->letters != NULL && record->tests != NULL;
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
static enum err keep_names(const struct arrival *arrival, struct buf *names)
{
	*names = buf_with_ceiling((arrival->recipient_count + 1) * LIMIT_COMMAND_LINE);
	add_clean(names, arrival->sender);
	for (size_t i = 0; i < arrival->recipient_count; i++)
		add_clean(names, arrival->recipients[i]);
	return buf_err(names);
}

/* The message as final delivery stores it (RFC 5321 section 4.4): the sender, which tells reports from letters, stands in front. */
static enum err keep_message(struct record *record, const struct arrival *arrival)
{
	struct view sender = view_head(buf_view(&record->names), arrival->sender.len);
	record->message = buf_with_ceiling(arrival->message.len + LIMIT_COMMAND_LINE);
	buf_addf(&record->message, "Return-Path: <" VIEW_FMT ">\r\n", VIEW_ARG(sender));
	return buf_add(&record->message, arrival->message);
}

/* One recipient of the message under way. */
struct reading {
	struct record *record;
	struct gate *gate;
	const struct arrival *arrival;
	const unsigned char *hash;
	struct view sender, recipient; /* kept with the record */
	struct token token;            /* of the recipient's address, when it has one */
};

static enum bounce_kind kind_of(const struct reading *reading)
{
	return report_finding(reading->record->report)->kind;
}

static void add_event(const struct reading *reading, const struct token *token)
{
	const struct report *report = reading->record->report;
	struct bounce_event *event = &reading->record->events[reading->record->event_count++];
	*event = (struct bounce_event){
		.campaign_id = token->scope_id,
		.subscriber_id = token->subscriber_id,
		.source = BOUNCE_FROM_REPORT,
		.received_us = reading->arrival->now_us,
		.finding = *report_finding(report),
		.diagnostic = report_diagnostic(report),
		.reporting_mta = report_reporting_mta(report),
		.message = buf_view(&reading->record->message),
	};
	if (report_recipient_count(report) > 0)
		event->recipient = report_recipient(report, 0);
	for (size_t i = 0; i < BOUNCE_HASH_SIZE; i++)
		event->report_hash[i] = reading->hash[i];
}

static void add_letter(const struct reading *reading)
{
	reading->record->letters[reading->record->letter_count++] = (struct mailbox_message){
		.recipient = reading->recipient,
		.sender = reading->sender,
		.message = buf_view(&reading->record->message),
		.received_us = reading->arrival->now_us,
	};
}

static bool is_test(const struct token *token)
{
	return token->scope_id == RELAY_TESTS_CAMPAIGN;
}

/* ---- tests of relays ---- */

static void add_test_report(const struct reading *reading, const struct token *token)
{
	const struct report *report = reading->record->report;
	const struct finding *finding = report_finding(report);
	struct view diagnostic = report_diagnostic(report);
	reading->record->tests[reading->record->test_count++] = (struct relay_test_return){
		.test_id = token->subscriber_id,
		.received_us = reading->arrival->now_us,
		.is_report = true,
		.kind = finding->kind,
		.diagnostic = diagnostic.len > 0 ? diagnostic : view_of(reason_explained(finding->reason)),
	};
}

static void add_test(const struct reading *reading, bool message_kept)
{
	reading->record->tests[reading->record->test_count++] = (struct relay_test_return){
		.test_id = reading->token.subscriber_id,
		.received_us = reading->arrival->now_us,
		.mail_from = reading->sender,
		.path_kept = gate_is_return_path(reading->gate, reading->arrival->sender, &reading->token,
						 reading->arrival->now_us),
		.message_kept = message_kept,
		.seal = buf_view(&reading->record->seal),
	};
}

static bool has_in_head(struct view message, const char *name, struct view token)
{
	struct field field;
	while (fields_next(&message, &field) == FIELD_READ) {
		if (field_is(&field, name) && view_find_nocase(field.value, token) != VIEW_NONE)
			return true;
	}
	return false;
}

/* The token is nowhere but in a line of its own. Who answers or returns the message quotes it, or has it in his own head as well. */
static bool has_only_in_text(struct view message, struct view token)
{
	size_t at = view_find_nocase(message, token);
	struct view line;
	if (at == VIEW_NONE || view_find_nocase(view_skip(message, at + token.len), token) != VIEW_NONE)
		return false;
	while (fields_cut_line(&message, &line)) {
		if (view_eq_nocase(view_trim(line), token))
			return true;
	}
	return false;
}

static bool is_report_kind(enum bounce_kind kind)
{
	return kind == KIND_HARD || kind == KIND_SOFT || kind == KIND_DELAY;
}

/* To the address of a test: the test itself, known by its message token, of which a relay may have left only the copy in a header of its
 * own, or that in the text; a report about it; or something else, which nobody sent because of a campaign. What is not understood is kept
 * for a person: it may say why a test is late. */
static void read_test(const struct reading *reading)
{
	AUTO_BUF token = buf_with_ceiling(LIMIT_TOKEN);
	enum bounce_kind kind = kind_of(reading);
	struct view message = reading->arrival->message, signed_by;
	bool is_signed = gate_message_token(reading->gate, &reading->token, &token) == ERR_OK;
	signed_by = buf_view(&token);
	if (is_signed && has_in_head(message, "Message-ID", signed_by))
		add_test(reading, true);
	else if (is_signed && has_in_head(message, "X-Verpost-Test", signed_by))
		add_test(reading, false);
	else if (is_report_kind(kind))
		add_test_report(reading, &reading->token);
	else if (is_signed && has_only_in_text(message, signed_by))
		add_test(reading, false);
	else if (kind == KIND_UNKNOWN && reading->sender.len == 0)
		add_test_report(reading, &reading->token);
	else if (kind == KIND_UNKNOWN || kind == KIND_NOT_BOUNCE)
		add_letter(reading);
}

/* ---- whom a report is about ---- */

/* The first token inside that is ours, of that purpose unless it is TOKEN_PURPOSE_COUNT. */
static bool find_inside(const struct reading *reading, enum token_purpose purpose, struct token *ret_token)
{
	const struct report *report = reading->record->report;
	for (size_t i = 0; i < report_token_count(report); i++) {
		struct token token;
		if (!gate_identify(reading->gate, report_token(report, i), reading->arrival->now_us, &token))
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
	const struct report *report = reading->record->report;
	for (size_t i = 0; i < report_token_count(report); i++) {
		struct token token;
		if (gate_identify(reading->gate, report_token(report, i), reading->arrival->now_us, &token) &&
		    token.scope_id == whom->scope_id && token.subscriber_id == whom->subscriber_id)
			return true;
	}
	return false;
}

/* The address's own token, unless a report holds the message token of another copy and nothing of this one. */
static struct token whom(const struct reading *reading)
{
	struct token inside;
	enum bounce_kind kind = kind_of(reading);
	if ((is_report_kind(kind) || kind == KIND_COMPLAINT) && !names(reading, &reading->token) &&
	    find_inside(reading, TOKEN_MESSAGE, &inside))
		return inside;
	return reading->token;
}

/* ---- by the address that the message came to ---- */

static void read_return_path(const struct reading *reading)
{
	struct token token = whom(reading);
	bool is_own = token.purpose == TOKEN_RETURN_PATH;
	if (is_test(&token) && is_own)
		read_test(reading);
	else if (is_test(&token) && is_report_kind(kind_of(reading)))
		add_test_report(reading, &token);
	else if (is_test(&token) || (kind_of(reading) == KIND_NOT_BOUNCE && reading->sender.len > 0))
		add_letter(reading);
	else
		add_event(reading, &token);
}

/* What a machine sent (a report, an automatic answer, anything without a sender) unsubscribes nobody. What is no automatic answer is
 * kept for a person: somebody may have pasted a report into the wish to leave. */
static void read_unsubscribe(const struct reading *reading)
{
	enum bounce_kind kind = kind_of(reading);
	bool is_person =
	    reading->sender.len > 0 && (kind == KIND_NOT_BOUNCE || kind == KIND_UNKNOWN || kind == KIND_COMPLAINT);
	if (is_person)
		reading->record->departures[reading->record->departure_count++] =
		    (struct departure){ .list_id = reading->token.scope_id,
					.subscriber_id = reading->token.subscriber_id };
	else if (kind != KIND_AUTO_REPLY)
		add_letter(reading);
}

/* A complaint that came to abuse@ or postmaster@ acts when it holds a token of ours: who has it held the recipient's copy. */
static void read_mailbox(const struct reading *reading)
{
	struct token token;
	if (kind_of(reading) == KIND_COMPLAINT && find_inside(reading, TOKEN_PURPOSE_COUNT, &token) && !is_test(&token))
		add_event(reading, &token);
	else
		add_letter(reading);
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
	else if (acts && is_report_kind(kind))
		add_test_report(reading, &token);
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

static void add_rows(struct record *record, struct gate *gate, const struct arrival *arrival, const unsigned char *hash)
{
	struct view names = buf_view(&record->names);
	struct reading reading = { .record = record, .gate = gate, .arrival = arrival, .hash = hash };
	size_t at = arrival->sender.len;
	reading.sender = view_head(names, at);
	for (size_t i = 0; i < arrival->recipient_count; i++) {
		reading.recipient = view_slice(names, at, at + arrival->recipients[i].len);
		reading.token = arrival->passages[i].token;
		at += reading.recipient.len;
		readers[arrival->passages[i].verdict](&reading);
	}
}

/* Before any row of it is made. */
static enum err seal_test(struct record *record, const struct arrival *arrival)
{
	record->seal = buf_with_ceiling(LIMIT_SEAL);
	for (size_t i = 0; i < arrival->recipient_count; i++) {
		if (arrival->passages[i].verdict == GATE_RETURN_PATH && is_test(&arrival->passages[i].token))
			return seal_write(arrival->message, &record->seal);
	}
	return ERR_OK;
}

enum err record_new(struct intake *intake, struct gate *gate, const struct arrival *arrival, struct record **ret_record)
{
	unsigned char hash[BOUNCE_HASH_SIZE];
	struct record *record = calloc(1, sizeof(*record));
	if (record == NULL)
		return ERR_MEMORY;
	enum err err = make_room(record, arrival->recipient_count) ? ERR_OK : ERR_MEMORY;
	if (err == ERR_OK)
		err = keep_names(arrival, &record->names);
	if (err == ERR_OK)
		err = keep_message(record, arrival);
	if (err == ERR_OK)
		err = seal_test(record, arrival);
	if (err == ERR_OK)
		err = intake_hash(arrival->message, hash);
	if (err == ERR_OK)
		err = intake_read(intake, buf_view(&record->message), &record->report);
	if (err != ERR_OK) {
		record_done(record);
		return err;
	}
	add_rows(record, gate, arrival, hash);
	*ret_record = record;
	return ERR_OK;
}

void record_done(struct record *record)
{
	if (record == NULL)
		return;
	report_done(record->report);
	buf_done(&record->message);
	buf_done(&record->names);
	buf_done(&record->seal);
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
