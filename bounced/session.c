#include "bounced/session.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "bounced/trace.h"
#include "smtp/server.h"

/* How long the peer may take to read the last reply and close: closing first, with bytes of his unread, could destroy it. */
static const int64_t linger_us = INT64_C(5) * CLOCK_US_PER_SECOND;
/* The same when bounced ends: what was written is on its way. */
static const int64_t stop_linger_us = CLOCK_US_PER_SECOND / 5;
/* How long a message that is being committed may hold up the end; then it hears 451 and comes again. */
static const int64_t stop_commit_us = INT64_C(3) * CLOCK_US_PER_SECOND;

struct session {
	const struct session_host *host;
	struct stream *stream;
	struct smtp_server *server;
	session_end *on_end;
	void *owner;
	struct record *waits_for; /* with the parsers, then with the committer */
	int64_t ends_at_us;       /* CLOCK_BOOTTIME: session_timeout */
	int64_t patience_ends_us; /* CLOCK_BOOTTIME: of waiting for it, or for the peer to close */
	struct endpoint peer;
	const struct gate_reply *late; /* to somebody who guesses, not said yet; NULL: none */
	int64_t content_since_us;      /* CLOCK_BOOTTIME: of the content that comes; 0: none does */
	uint64_t content_octets;
	bool may_report; /* its peer is in bounced.report_networks */
	bool is_lmtp;
	bool stopping;
	bool over;    /* nothing is said any more but what is still unwritten */
	bool lingers; /* and that is written: the peer is to close */
	size_t passage_count;
	struct passage passages[]; /* of the recipients accepted in this transaction: max_recipients */
};

static void release(struct session *self)
{
	if (self->waits_for != NULL)
		self->waits_for->owner = NULL;
	smtp_server_done(self->server);
	stream_done(self->stream);
	free(self);
}

static void end(struct session *self)
{
	session_end *on_end = self->on_end;
	void *owner = self->owner;
	release(self);
	on_end(owner);
}

static void set_deadline(struct session *self)
{
	int64_t now_us = clock_boot_us();
	int64_t at_us = now_us + self->host->settings->bounced_idle_timeout;
	if (self->over || self->waits_for != NULL || self->late != NULL)
		at_us = self->patience_ends_us;
	else if (at_us > self->ends_at_us)
		at_us = self->ends_at_us;
	stream_set_deadline(self->stream, at_us > now_us ? at_us - now_us : 1);
}

static void be_patient(struct session *self, int64_t for_us)
{
	self->patience_ends_us = clock_boot_us() + for_us;
	set_deadline(self);
}

/* ---- the owner's side of the protocol ---- */

static void answer(struct session *self, unsigned code, const char *status, const char *text)
{
	smtp_server_answer(self->server, &(struct smtp_server_answer){
					     .code = code, .status = view_of(status), .text = view_of(text) });
}

static void answer_as_usual(struct session *self)
{
	smtp_server_answer(self->server, &(struct smtp_server_answer){ 0 });
}

static void answer_outcome(struct session *self, enum err outcome)
{
	if (outcome == ERR_OK)
		answer(self, 250, "2.0.0", "stored");
	else
		answer(self, 451, "4.3.0", "cannot be stored now, try again later");
}

static void on_mail(struct session *self, struct view subject)
{
	(void)subject;
	self->passage_count = 0;
	answer_as_usual(self);
}

/* An MTA of this host speaks for whoever is at its own door. */
static bool is_for_others(const struct session *self)
{
	return self->is_lmtp || endpoint_is_unix(&self->peer);
}

/* Whose mail to a person is measured: strangers'. */
static bool is_measured(const struct session *self)
{
	return !self->may_report && !is_for_others(self);
}

/* What is kept has a measure: NULL, or what the peer hears instead. */
static const struct gate_reply *refusal_of(const struct session *self, const struct passage *passage)
{
	static const struct gate_reply enough_of_copy = { 450, "4.7.1", "enough about this copy for today" },
				       enough_of_network = { 450, "4.7.1", "enough mail from your network for today" },
				       full = { 452, "4.2.2", "mailbox full, try again later" };
	const struct session_host *host = self->host;
	int64_t now_us = clock_boot_us();
	if (passage->verdict == GATE_RETURN_PATH || passage->verdict == GATE_UNSUBSCRIBE)
		return allowance_has_copy(host->allowance, &passage->token, now_us) ? NULL : &enough_of_copy;
	if (passage->verdict != GATE_MAILBOX)
		return NULL;
	if (committer_mailbox_octets(host->committer) >= host->settings->bounced_mailbox_size)
		return &full;
	bool has = !is_measured(self) || allowance_has_network(host->allowance, &self->peer, now_us);
	return has ? NULL : &enough_of_network;
}

static void note_message(const struct session *self)
{
	int64_t now_us = clock_boot_us();
	for (size_t i = 0; i < self->passage_count; i++) {
		const struct passage *passage = &self->passages[i];
		if (passage->verdict == GATE_RETURN_PATH || passage->verdict == GATE_UNSUBSCRIBE)
			allowance_note_copy(self->host->allowance, &passage->token, now_us);
		else if (passage->verdict == GATE_MAILBOX && is_measured(self))
			allowance_note_network(self->host->allowance, &self->peer, now_us);
	}
}

static void on_recipient(struct session *self, struct view recipient)
{
	struct passage passage;
	gate_ask(self->host->gate, recipient, self->may_report, clock_wall_us(), &passage);
	const struct gate_reply *refusal = refusal_of(self, &passage);
	if (refusal != NULL) {
		answer(self, refusal->code, refusal->status, refusal->text);
		return;
	}
	if (gate_lets_in(passage.verdict) && self->passage_count < self->host->settings->bounced_max_recipients)
		self->passages[self->passage_count++] = passage;
	const struct gate_reply *reply = gate_reply(passage.verdict);
	/* To let it wait hurts the others. */
	int64_t late_us = gate_is_guess(passage.verdict) && !is_for_others(self)
			      ? guesses_note(self->host->guesses, &self->peer, passage.verdict, clock_boot_us())
			      : 0;
	if (late_us == 0) {
		answer(self, reply->code, reply->status, reply->text);
		return;
	}
	self->late = reply;
	be_patient(self, late_us);
}

static void answer_late(struct session *self)
{
	const struct gate_reply *reply = self->late;
	self->late = NULL;
	answer(self, reply->code, reply->status, reply->text);
}

static void on_data(struct session *self, struct view subject)
{
	(void)subject;
	if (committer_is_away(self->host->committer))
		answer_outcome(self, ERR_UNAVAILABLE);
	else
		answer_as_usual(self);
}

static enum err make_record(struct session *self, const struct smtp_server_message *message, struct record **ret_record)
{
	AUTO_BUF received = buf_with_ceiling(TRACE_MOST);
	int64_t now_us = clock_wall_us();
	const struct trace trace = { .helo = message->helo,
				     .peer = &self->peer,
				     .hostname = self->host->hostname,
				     .recipient = message->recipient_count == 1 ? message->recipients[0] : VIEW_LIT(""),
				     .is_lmtp = self->is_lmtp,
				     .is_extended = message->extended,
				     .is_secure = message->secure,
				     .is_utf8 = message->smtputf8,
				     .at_us = now_us };
	/* The gate and the machine keep the same list. Should they ever differ, nothing is guessed. */
	if (message->recipient_count != self->passage_count)
		return ERR_REFUSED;
	enum err err = trace_write(&trace, &received);
	if (err != ERR_OK)
		return err;
	const struct arrival arrival = { .sender = message->from,
					 .may_report = self->may_report && !is_for_others(self),
					 .recipients = message->recipients,
					 .passages = self->passages,
					 .recipient_count = message->recipient_count,
					 .trace = buf_view(&received),
					 .message = message->content,
					 .now_us = now_us };
	return record_new(self->host->gate, &arrival, ret_record);
}

static void on_message(struct session *self, struct view subject)
{
	(void)subject;
	struct smtp_server_message message;
	struct record *record = NULL;
	smtp_server_message(self->server, &message);
	/* A report is about one copy, so this is odd, and no reason to lose it. */
	if (message.from.len == 0 && message.recipient_count > 1)
		log_event(LOG_INFO, "report.shared", "recipients=%zu", message.recipient_count);
	enum err err = make_record(self, &message, &record);
	if (err == ERR_OK)
		err = parsers_put(self->host->parsers, record);
	if (err != ERR_OK) {
		record_done(record);
		answer_outcome(self, err);
		return;
	}
	note_message(self);
	record->owner = self;
	self->waits_for = record;
	be_patient(self, self->host->settings->bounced_commit_timeout);
}

typedef void ask_handler(struct session *self, struct view subject);

static ask_handler *const handlers[SMTP_SERVER_STEP_COUNT] = {
	[SMTP_SERVER_MAIL] = on_mail,
	[SMTP_SERVER_RCPT] = on_recipient,
	[SMTP_SERVER_DATA] = on_data,
	[SMTP_SERVER_MESSAGE] = on_message,
};

static unsigned asked_steps(void)
{
	unsigned steps = 0;
	for (unsigned i = 0; i < SMTP_SERVER_STEP_COUNT; i++)
		steps |= handlers[i] == NULL ? 0 : 1u << i;
	return steps;
}

/* ---- moving bytes ---- */

static void start_tls(struct session *self)
{
	if (stream_start_tls(self->stream, self->host->tls, VIEW_LIT("")) != ERR_OK)
		smtp_server_shut(self->server, VIEW_LIT("no memory for TLS"));
}

/* Works off what the machine has to say; true when the session is over. */
static bool work_off(struct session *self)
{
	for (;;) {
		struct smtp_server_event event;
		smtp_server_next(self->server, &event);
		if (event.type == SMTP_SERVER_ASKS)
			handlers[event.step](self, event.subject);
		else if (event.type == SMTP_SERVER_STARTS_TLS)
			start_tls(self);
		else
			return event.type == SMTP_SERVER_CLOSED;
	}
}

static size_t flush(struct session *self)
{
	struct view output = smtp_server_output(self->server);
	if (output.len == 0)
		return 0;
	size_t written = stream_write(self->stream, output);
	smtp_server_written(self->server, written);
	return written;
}

/* A peer that never stops talking is never late: it would be heard again and again before its deadline is told. */
static bool is_outlived(const struct session *self)
{
	return !self->over && self->waits_for == NULL && self->late == NULL && clock_boot_us() >= self->ends_at_us;
}

/* Somebody who sends an octet now and then would hold his place for as long as a session may last. */
static bool is_slow(struct session *self, size_t octets)
{
	int64_t now_us = clock_boot_us();
	if (!smtp_server_is_in_data(self->server)) {
		self->content_since_us = 0;
		return false;
	}
	if (self->content_since_us == 0) {
		self->content_since_us = now_us;
		self->content_octets = 0;
	}
	self->content_octets += octets;
	int64_t us = now_us - self->content_since_us;
	const struct settings *settings = self->host->settings;
	return us > settings->bounced_least_rate_time &&
	       self->content_octets < settings->bounced_least_rate * (uint64_t)us / CLOCK_US_PER_SECOND;
}

/* The peer has a while to read what is left, and to close. */
static void finish(struct session *self)
{
	if (!self->over) {
		self->over = true;
		be_patient(self, self->stopping ? stop_linger_us : linger_us);
	}
	if (smtp_server_output(self->server).len > 0)
		return;
	self->lingers = true;
	stream_pause_input(self->stream, false);
	stream_shut(self->stream);
}

static void pump(struct session *self)
{
	bool over;
	do {
		over = work_off(self);
	} while (flush(self) > 0);
	if (over) {
		finish(self);
		return;
	}
	set_deadline(self);
	stream_pause_input(self->stream, !smtp_server_wants_input(self->server));
}

static void on_input(void *owner, struct view bytes)
{
	struct session *self = owner;
	if (self->lingers)
		return;
	smtp_server_input(self->server, bytes);
	if (is_outlived(self))
		smtp_server_shut(self->server, VIEW_LIT("idle for too long"));
	else if (is_slow(self, bytes.len))
		smtp_server_shut(self->server, VIEW_LIT("the content comes too slowly"));
	pump(self);
}

static void on_secured(void *owner)
{
	struct session *self = owner;
	log_event(LOG_DEBUG, "session.secured", "version=" VIEW_FMT, VIEW_ARG(stream_tls_version(self->stream)));
	smtp_server_secured(self->server);
	if (!self->lingers)
		pump(self);
}

static void on_writable(void *owner)
{
	struct session *self = owner;
	if (!self->lingers)
		pump(self);
}

/* The record goes its way without us: should it be committed after all, the peer's next attempt finds it there. */
static void stop_waiting(struct session *self)
{
	self->waits_for->owner = NULL;
	self->waits_for = NULL;
}

static void on_deadline(void *owner)
{
	struct session *self = owner;
	if (self->over) {
		end(self);
		return;
	}
	if (self->late != NULL) {
		answer_late(self);
	} else if (self->waits_for != NULL) {
		log_event(LOG_WARNING, "commit.late", "%s", "");
		stop_waiting(self);
		answer_outcome(self, ERR_UNAVAILABLE);
		if (self->stopping)
			smtp_server_shut(self->server, VIEW_LIT("shutting down"));
	} else {
		smtp_server_shut(self->server, VIEW_LIT("idle for too long"));
	}
	pump(self);
}

static void on_closed(void *owner, int errno_value)
{
	struct session *self = owner;
	log_event(LOG_DEBUG, "session.closed", "errno=%d", errno_value);
	end(self);
}

static const struct stream_handlers stream_handlers = {
	.on_input = on_input,
	.on_writable = on_writable,
	.on_deadline = on_deadline,
	.on_closed = on_closed,
	.on_secured = on_secured,
};

enum err session_start(const struct session_host *host, const struct visitor *visitor, session_end *on_end, void *owner,
		       struct session **ret_session)
{
	const struct settings *settings = host->settings;
	struct session *self = calloc(1, sizeof(*self) + settings->bounced_max_recipients * sizeof(struct passage));
	if (self == NULL)
		return ERR_MEMORY;
	self->host = host;
	self->on_end = on_end;
	self->owner = owner;
	self->peer = visitor->peer;
	self->is_lmtp = visitor->is_lmtp;
	self->may_report = networks_have(host->report_networks, &self->peer);
	self->ends_at_us = clock_boot_us() + settings->bounced_session_timeout;
	const struct smtp_server_options options = { .hostname = host->hostname,
						     .asks = asked_steps(),
						     .max_message = settings->bounced_max_message,
						     .max_recipients = settings->bounced_max_recipients,
						     .max_messages = settings->bounced_max_messages,
						     .max_errors = settings->bounced_max_errors,
						     .offers_tls = host->tls != NULL,
						     .is_lmtp = visitor->is_lmtp };
	enum err err = smtp_server_new(&options, &self->server);
	if (err != ERR_OK) {
		free(self);
		return err;
	}
	self->stream = visitor->stream;
	stream_start(self->stream, &stream_handlers, self);
	if (visitor->early.len > 0)
		smtp_server_input(self->server, visitor->early);
	pump(self);
	*ret_session = self;
	return ERR_OK;
}

void session_committed(struct session *session, const struct record *record)
{
	session->waits_for = NULL;
	answer_outcome(session, record->outcome);
	if (session->stopping)
		smtp_server_shut(session->server, VIEW_LIT("shutting down"));
	pump(session);
}

void session_stop(struct session *session)
{
	session->stopping = true;
	if (session->over) {
		be_patient(session, stop_linger_us);
	} else if (session->waits_for != NULL) {
		be_patient(session, stop_commit_us);
	} else {
		session->late = NULL;
		smtp_server_shut(session->server, VIEW_LIT("shutting down"));
		pump(session);
	}
}

void session_drop(struct session *session)
{
	release(session);
}
