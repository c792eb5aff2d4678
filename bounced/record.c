#include "bounced/record.h"

#include <stdlib.h>

#include "base/limits.h"

/* Each recipient gives at most one row of one kind. */
static bool make_room(struct record *record, size_t count)
{
	record->events = calloc(count + 1, sizeof(*record->events));
	record->departures = calloc(count + 1, sizeof(*record->departures));
	record->letters = calloc(count + 1, sizeof(*record->letters));
	return record->events != NULL && record->departures != NULL && record->letters != NULL;
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

static void add_event(struct record *record, const struct token *token, const unsigned char *hash, int64_t now_us)
{
	const struct report *report = record->report;
	struct bounce_event *event = &record->events[record->event_count++];
	*event = (struct bounce_event){
		.campaign_id = token->scope_id,
		.subscriber_id = token->subscriber_id,
		.source = BOUNCE_FROM_REPORT,
		.received_us = now_us,
		.finding = *report_finding(report),
		.diagnostic = report_diagnostic(report),
		.reporting_mta = report_reporting_mta(report),
		.message = buf_view(&record->message),
	};
	if (report_recipient_count(report) > 0)
		event->recipient = report_recipient(report, 0);
	for (size_t i = 0; i < BOUNCE_HASH_SIZE; i++)
		event->report_hash[i] = hash[i];
}

static void add_letter(struct record *record, struct view sender, struct view recipient, int64_t now_us)
{
	record->letters[record->letter_count++] = (struct mailbox_message){
		.recipient = recipient,
		.sender = sender,
		.message = buf_view(&record->message),
		.received_us = now_us,
	};
}

static void add_departure(struct record *record, const struct token *token)
{
	record->departures[record->departure_count++] =
	    (struct departure){ .list_id = token->scope_id, .subscriber_id = token->subscriber_id };
}

/* What a machine sent (a report, an automatic answer, anything without a sender) unsubscribes nobody. What is no automatic answer is
 * kept for a person: somebody may have pasted a report into the wish to leave. */
static bool is_from_person(const struct report *report, struct view sender)
{
	enum bounce_kind kind = report_finding(report)->kind;
	return sender.len > 0 && (kind == KIND_NOT_BOUNCE || kind == KIND_UNKNOWN || kind == KIND_COMPLAINT);
}

/* A complaint that came to abuse@ or postmaster@ acts when it holds a token of ours: who has it held the recipient's copy. */
static bool find_complaint(const struct report *report, struct gate *gate, int64_t now_us, struct token *ret_token)
{
	if (report_finding(report)->kind != KIND_COMPLAINT)
		return false;
	for (size_t i = 0; i < report_token_count(report); i++) {
		if (gate_identify(gate, report_token(report, i), now_us, ret_token))
			return true;
	}
	return false;
}

static void add_rows(struct record *record, struct gate *gate, const struct arrival *arrival, const unsigned char *hash)
{
	struct view names = buf_view(&record->names);
	struct view sender = view_head(names, arrival->sender.len);
	size_t at = sender.len;
	for (size_t i = 0; i < arrival->recipient_count; i++) {
		struct view recipient = view_slice(names, at, at + arrival->recipients[i].len);
		struct token token = arrival->passages[i].token;
		at += recipient.len;
		if (arrival->passages[i].verdict == GATE_UNSUBSCRIBE) {
			if (is_from_person(record->report, sender))
				add_departure(record, &token);
			else if (report_finding(record->report)->kind != KIND_AUTO_REPLY)
				add_letter(record, sender, recipient, arrival->now_us);
		} else if (arrival->passages[i].verdict == GATE_MAILBOX) {
			if (find_complaint(record->report, gate, arrival->now_us, &token))
				add_event(record, &token, hash, arrival->now_us);
			else
				add_letter(record, sender, recipient, arrival->now_us);
		} else if (report_finding(record->report)->kind == KIND_NOT_BOUNCE && sender.len > 0) {
			add_letter(record, sender, recipient, arrival->now_us);
		} else {
			add_event(record, &token, hash, arrival->now_us);
		}
	}
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
	free(record->events);
	free(record->departures);
	free(record->letters);
	free(record);
}

bool record_is_empty(const struct record *record)
{
	return record->event_count + record->departure_count + record->letter_count == 0;
}
