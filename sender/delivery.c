#include "sender/delivery.h"

#include <string.h>

#include "base/clock.h"

enum { CODE_PERMANENT = 500 };

/* UTF-8 without control characters goes to the database; whatever else a relay says is shown as '?'. */
static struct view keep_text(struct view text, char *room, size_t size)
{
	text = view_head(text, size);
	while (text.len > 0 && (text.data[text.len - 1] & 0xc0) == 0x80 && !view_is_utf8(text))
		text.len--;
	if (text.len > 0 && (unsigned char)text.data[text.len - 1] >= 0xc0)
		text.len--;
	bool is_good = view_is_utf8(text);
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];
		room[i] = c < ' ' || c == 0x7f ? ' ' : !is_good && c >= 0x80 ? '?' : (char)c;
	}
	return view_from(room, text.len);
}

static struct view keep_status(struct status status, struct recipient *recipient)
{
	AUTO_BUF text = buf_with_ceiling(sizeof(recipient->status));
	if (!status_is_set(status) || status_write(status, &text) != ERR_OK)
		return VIEW_LIT("");
	memcpy(recipient->status, text.data, text.len);
	return view_from(recipient->status, text.len);
}

static void begin_row(struct recipient *recipient, int64_t now_us)
{
	const struct opened *opened = &recipient->opened;
	recipient->row = (struct ledger_row){
		.campaign_id = opened->campaign_id,
		.subscriber_id = opened->subscriber_id,
		.attempts = opened->attempts + 1,
		.at_us = now_us,
		.from_queue = opened->window_first == 0,
		.first_attempt_us = opened->first_attempt_us == 0 ? now_us : opened->first_attempt_us,
		.terms = opened->terms,
	};
}

static struct finding find(const struct smtp_event *event, const struct delivery_terms *terms, bool is_final)
{
	const struct evidence evidence = {
		.code = event->reply.code,
		.status = event->reply.status,
		.text = event->reply.text,
		.is_final = is_final,
	};
	struct finding finding;
	classify(terms->classifier, &evidence, &finding);
	return finding;
}

static enum bounce_reason reason_of(const struct smtp_event *event, const struct delivery_terms *terms, bool is_final)
{
	return find(event, terms, is_final).reason;
}

bool delivery_is_throttled(const struct smtp_event *event, const struct delivery_terms *terms)
{
	enum { CODE_CLOSING = 421, SUBJECT_SYSTEM = 3, SUBJECT_NETWORK = 4, SUBJECT_POLICY = 7 };
	const struct status *status = &event->reply.status;
	bool is_refusal = event->type == SMTP_REFUSED || event->type == SMTP_TROUBLE;
	if (!is_refusal || event->reply.code == 0 || event->reply.code >= CODE_PERMANENT)
		return false;
	bool asks_for_less = status_is_set(*status)
				 ? status->subject == SUBJECT_POLICY ||
				       (event->reply.code == CODE_CLOSING && status->subject != SUBJECT_SYSTEM &&
					status->subject != SUBJECT_NETWORK)
				 : event->reply.code == CODE_CLOSING;
	return asks_for_less && !view_eq(view_of(find(event, terms, false).rule), VIEW_LIT("greylisted"));
}

static bool names_no_address(const struct smtp_event *event)
{
	return event->type == SMTP_REFUSED && event->reply.code >= CODE_PERMANENT &&
	       (event->step == SMTP_STEP_MAIL || event->step == SMTP_STEP_DATA);
}

bool delivery_is_deferral(const struct smtp_event *event)
{
	return event->type == SMTP_REFUSED && event->reply.code != 0 && event->reply.code < CODE_PERMANENT;
}

bool delivery_blames_nobody(const struct smtp_event *event, const struct delivery_terms *terms)
{
	if (event->type != SMTP_REFUSED || event->reply.code < CODE_PERMANENT || event->step != SMTP_STEP_RCPT)
		return names_no_address(event);
	return !reason_counts_from_relay(reason_of(event, terms, true));
}

static bool refuse(struct recipient *recipient, const struct smtp_event *event, const struct delivery_terms *terms)
{
	struct ledger_row *row = &recipient->row;
	enum bounce_reason reason = reason_of(event, terms, true);
	/* The address was not asked about there: it is a rule that forbids the message. */
	if (reason == REASON_OTHER && names_no_address(event))
		reason = REASON_POLICY;
	row->outcome = LEDGER_REFUSED;
	row->reason = view_of(reason_name(reason));
	return !reason_counts_from_relay(reason);
}

/* True when it has expired instead. */
static bool defer(struct recipient *recipient, const struct delivery_terms *terms)
{
	struct ledger_row *row = &recipient->row;
	int64_t expire_us = recipient->run == NULL ? 0 : recipient->run->expire_us;
	row->outcome = LEDGER_DEFERRED;
	row->next_attempt_us = retry_next(terms->retry, expire_us, row->attempts, row->first_attempt_us, terms->now_us);
	if (row->next_attempt_us != 0)
		return false;
	row->outcome = LEDGER_EXPIRED;
	return true;
}

static void keep_reply(struct recipient *recipient, const struct smtp_event *event)
{
	struct ledger_row *row = &recipient->row;
	row->code = event->reply.code;
	row->status = keep_status(event->reply.status, recipient);
	row->reply = keep_text(event->reply.text, recipient->reply, sizeof(recipient->reply));
}

bool delivery_disbelieve(struct recipient *recipient, const struct smtp_event *event,
			 const struct delivery_terms *terms)
{
	struct ledger_row *row = &recipient->row;
	begin_row(recipient, terms->now_us);
	keep_reply(recipient, event);
	if (defer(recipient, terms)) {
		refuse(recipient, event, terms);
		return false;
	}
	row->next_attempt_us = retry_sooner(terms->soon_us, row->attempts, terms->now_us, row->next_attempt_us);
	return true;
}

bool delivery_decide(struct recipient *recipient, const struct smtp_event *event, const struct delivery_terms *terms)
{
	struct ledger_row *row = &recipient->row;
	begin_row(recipient, terms->now_us);
	keep_reply(recipient, event);
	if (event->type == SMTP_ACCEPTED)
		row->outcome = LEDGER_ACCEPTED;
	else if (event->reply.code >= CODE_PERMANENT)
		return refuse(recipient, event, terms);
	else if (defer(recipient, terms))
		row->reason = view_of(reason_name(reason_of(event, terms, true)));
	return false;
}

void delivery_doubt(struct recipient *recipient, const char *connection, const struct delivery_terms *terms)
{
	struct ledger_row *row = &recipient->row;
	struct view name = view_head(view_of(connection), sizeof(recipient->connection));
	begin_row(recipient, terms->now_us);
	memcpy(recipient->connection, name.data, name.len);
	row->outcome = LEDGER_IN_DOUBT;
	row->next_attempt_us = clock_after(terms->now_us, terms->soon_us);
	row->connection = view_from(recipient->connection, name.len);
}

static bool is_about_address(const struct ledger_row *row)
{
	enum bounce_reason reason;
	return reason_from_name(row->reason, &reason) && reason_counts_from_relay(reason);
}

bool delivery_keep_doubt(struct recipient *recipient, const char *relay)
{
	static const char words[] = " (not taken)";
	struct ledger_row *row = &recipient->row;
	bool is_open = row->outcome == LEDGER_EXPIRED ||
		       (row->outcome == LEDGER_DEFERRED && row->code >= CODE_PERMANENT) ||
		       (row->outcome == LEDGER_REFUSED && !is_about_address(row));
	if (!recipient->opened.has_doubt || !is_open)
		return false;
	struct view name = view_head(view_of(relay), sizeof(recipient->connection) - sizeof(words) + 1);
	AUTO_BUF connection = buf_with_ceiling(sizeof(recipient->connection));
	buf_addf(&connection, VIEW_FMT "%s", VIEW_ARG(name), words);
	memcpy(recipient->connection, connection.data, connection.len);
	row->outcome = LEDGER_IN_DOUBT;
	row->next_attempt_us = 0;
	row->reason = VIEW_LIT("");
	row->connection = view_from(recipient->connection, connection.len);
	return true;
}

void delivery_put_off(struct recipient *recipient, struct view why, const struct delivery_terms *terms)
{
	begin_row(recipient, terms->now_us);
	recipient->row.reply = keep_text(why, recipient->reply, sizeof(recipient->reply));
	if (defer(recipient, terms))
		recipient->row.reason = view_of(reason_name(REASON_NETWORK));
}

void delivery_skip(struct recipient *recipient, const char *reason, struct view why, int64_t now_us)
{
	begin_row(recipient, now_us);
	recipient->row.outcome = recipient->opened.has_doubt ? LEDGER_HELD : LEDGER_SKIPPED;
	recipient->row.attempts = recipient->opened.attempts;
	recipient->row.reason = view_of(reason);
	recipient->row.reply = keep_text(why, recipient->reply, sizeof(recipient->reply));
}

bool delivery_counts(const struct classifier *classifier, const struct ledger_row *row, struct finding *ret_finding)
{
	enum bounce_reason reason;
	if (row->outcome != LEDGER_REFUSED || !reason_from_name(row->reason, &reason) ||
	    !reason_counts_from_relay(reason))
		return false;
	struct evidence evidence = { .code = row->code, .text = row->reply, .is_final = true };
	if (!status_parse(row->status, &evidence.status))
		evidence.status = (struct status){ 0 };
	classify(classifier, &evidence, ret_finding);
	/* What was decided then stays so, whatever a newer table of rules makes of a text that was cut. */
	ret_finding->reason = reason;
	return true;
}
