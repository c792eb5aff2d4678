#include "mail/intake.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "mail/arf.h"
#include "mail/autoreply.h"
#include "mail/dsn.h"
#include "mail/fields.h"
#include "mail/marks.h"
#include "mail/own_copy.h"
#include "mail/parts.h"
#include "mail/phrases.h"
#include "mail/phrase_text.h"
#include "mail/report_private.h"
#include "mail/text_report.h"

struct intake {
	const struct classifier *classifier;
	struct phrases *marks;
	struct parts parts;
	struct buf lines;  /* a message stored with CR alone, with LF */
	struct buf notice; /* the text parts joined */
	struct buf unfolded;
	bool subject[MARK_COUNT], from[MARK_COUNT], text[MARK_COUNT];
	struct text_report text_report;
	/* Where the finding comes from. */
	const char *place;
	struct view ground;
};

enum err intake_new(const struct classifier *classifier, struct intake **ret_intake)
{
	struct intake *intake = calloc(1, sizeof(*intake));
	if (intake == NULL)
		return ERR_MEMORY;
	enum err err = phrases_new(marks, MARK_COUNT, &intake->marks);
	if (err != ERR_OK) {
		free(intake);
		return err;
	}
	parts_library_open();
	intake->classifier = classifier;
	intake->lines = buf_with_ceiling(LIMIT_INTAKE);
	intake->notice = buf_with_ceiling(LIMIT_INTAKE_TEXT);
	intake->unfolded = buf_with_ceiling(LIMIT_INTAKE_PART);
	*ret_intake = intake;
	return ERR_OK;
}

void intake_done(struct intake *intake)
{
	if (intake == NULL)
		return;
	phrases_done(intake->marks);
	parts_done(&intake->parts);
	buf_done(&intake->lines);
	buf_done(&intake->notice);
	buf_done(&intake->unfolded);
	free(intake);
}

/* ---- tokens ------------------------------------------------------------------------------------------------------ */

/* The part of an address before its @, and of that what follows the last plus. */
static void add_address_token(struct report *report, struct view address, bool needs_plus)
{
	struct view local = view_head(address, view_find_last_byte(address, '@'));
	size_t plus = view_find_last_byte(local, '+');
	if (plus != VIEW_NONE)
		report_add_token(report, view_skip(local, plus + 1));
	else if (!needs_plus)
		report_add_token(report, local);
}

/* A returned header, or a text that quotes one. */
static void add_returned_tokens(struct report *report, struct view returned)
{
	struct view rest = view_head(returned, LIMIT_INTAKE_HEAD), before, address;
	struct view fields = rest;
	struct field field;
	enum field_step step;
	while ((step = fields_next(&fields, &field)) != FIELD_END) {
		struct view value = field.value;
		if (step == FIELD_READ && field_is(&field, "Message-ID") && text_cut_address(&value, &before, &address))
			add_address_token(report, address, false);
	}
	while (text_cut_address(&rest, &before, &address))
		add_address_token(report, address, true);
}

static void add_tokens(struct intake *intake, struct report *report)
{
	for (size_t i = 0; i < intake->parts.count; i++) {
		if (intake->parts.parts[i].role == PART_RETURNED)
			add_returned_tokens(report, parts_text(&intake->parts, &intake->parts.parts[i]));
	}
	add_returned_tokens(report, intake->text_report.returned);
}

static void add_envelope_token(struct report *report, struct view envelope_id)
{
	struct view id = view_trim(envelope_id);
	report_add_token(report, view_head(id, view_find_byte(id, '@')));
}

/* ---- the text ---------------------------------------------------------------------------------------------------- */

static void join_text(struct intake *intake, bool is_html)
{
	buf_reset(&intake->notice);
	for (size_t i = 0; i < intake->parts.count; i++) {
		const struct part *part = &intake->parts.parts[i];
		if (part->role != PART_TEXT || part->was_html != is_html)
			continue;
		struct view text = parts_text(&intake->parts, part);
		if (view_trim(text).len == 0)
			continue;
		if (intake->notice.len > 0)
			buf_add(&intake->notice, VIEW_LIT("\n\n"));
		buf_add(&intake->notice, text);
	}
}

static void read_notice(struct intake *intake)
{
	struct view ignored[2] = { view_of(NULL), view_of(NULL) }, before, rest = parts_head(&intake->parts, HEAD_FROM);
	if (!text_cut_address(&rest, &before, &ignored[0]))
		ignored[0] = view_of(NULL);
	rest = parts_head(&intake->parts, HEAD_TO);
	if (!text_cut_address(&rest, &before, &ignored[1]))
		ignored[1] = view_of(NULL);
	join_text(intake, false);
	if (view_trim(buf_view(&intake->notice)).len == 0)
		join_text(intake, true);
	text_report_read(buf_view(&intake->notice), ignored, ARRAY_LEN(ignored), &intake->text_report);
	phrases_find(intake->marks, view_head(intake->text_report.notice, LIMIT_INTAKE_HEAD), intake->text);
}

/* ---- the ways to read a message, surest first -------------------------------------------------------------------- */

static void conclude(struct report *report, enum bounce_kind kind, enum bounce_reason reason, const char *rule)
{
	struct finding finding = { .kind = kind, .reason = reason, .rule = rule };
	report_set_finding(report, &finding);
}

static bool read_own_copy(struct intake *intake, struct report *report)
{
	if (!own_copy_is(&intake->parts))
		return false;
	conclude(report, KIND_NOT_BOUNCE, REASON_OTHER, REPORT_OWN_COPY);
	return true;
}

static bool read_feedback(struct intake *intake, struct report *report)
{
	const struct part *part = parts_find(&intake->parts, PART_FEEDBACK);
	struct arf arf;
	if (part == NULL || !arf_read(parts_text(&intake->parts, part), &arf))
		return false;
	report_set_reporting_mta(report, arf.reporter);
	report_set_diagnostic(report, arf.type);
	report_add_recipient(report, arf.original_recipient);
	add_envelope_token(report, arf.envelope_id);
	if (arf.original_sender.len > 0)
		add_address_token(report, arf.original_sender, true);
	if (arf.is_complaint)
		conclude(report, KIND_COMPLAINT, REASON_COMPLAINT, "feedback-report");
	else
		conclude(report, KIND_NOT_BOUNCE, REASON_OTHER, "feedback-report");
	return true;
}

static void set_ground(struct intake *intake, const char *place, struct view text)
{
	intake->place = place;
	intake->ground = text;
}

/* Codes and text of one place; as long as they give no clear words, those of the notice around it are asked. The paragraph about the
 * recipient may overrule a clear code, the rest of the notice, with its disclaimers, and the subject may not. */
static struct finding classify_with_notice(struct intake *intake, struct evidence evidence, const char *place)
{
	struct finding best, wider;
	classify(intake->classifier, &evidence, &best);
	const struct further {
		const char *place;
		struct view text;
		enum certainty overrules; /* below this */
	} further[] = {
		{ "paragraph", intake->text_report.diagnostic, CERTAINTY_WORDS },
		{ "notice", view_head(intake->text_report.notice, LIMIT_INTAKE_HEAD), CERTAINTY_CODES },
		{ "subject", parts_head(&intake->parts, HEAD_SUBJECT), CERTAINTY_CODES },
	};
	set_ground(intake, place, evidence.text);
	for (size_t i = 0; i < ARRAY_LEN(further); i++) {
		if (best.certainty == CERTAINTY_WORDS && status_is_set(best.status))
			break;
		struct evidence more = { best.code, best.status, further[i].text, evidence.is_final };
		classify(intake->classifier, &more, &wider);
		if (wider.certainty > best.certainty && best.certainty < further[i].overrules) {
			best = wider;
			set_ground(intake, further[i].place, further[i].text);
		} else if (!status_is_set(best.status)) {
			best.status = wider.status;
		}
	}
	return best;
}

static enum dsn_action action_of(const struct dsn_recipient *recipient)
{
	static const enum dsn_action by_class[] = { [2] = DSN_DELIVERED, [4] = DSN_FAILED, [5] = DSN_FAILED };
	if (recipient->action != DSN_UNSTATED)
		return recipient->action;
	return status_is_set(recipient->status) ? by_class[recipient->status.class_digit] : DSN_FAILED;
}

/* A final recipient that is a file or a program was an address before. */
static struct view address_of(const struct dsn_recipient *recipient)
{
	bool is_address =
	    view_find_byte(recipient->final, '@') != VIEW_NONE && !view_starts(recipient->final, VIEW_LIT("|"));
	return is_address || recipient->original.len == 0 ? recipient->final : recipient->original;
}

static void take_recipients(const struct dsn *dsn, enum dsn_action action, struct report *report)
{
	for (size_t i = 0; i < dsn->count; i++) {
		const struct dsn_recipient *recipient = &dsn->recipients[i];
		if (action_of(recipient) == action)
			report_add_recipient(report, address_of(recipient));
	}
}

static void take_failure(struct intake *intake, const struct dsn_recipient *recipient, struct report *report)
{
	buf_reset(&intake->unfolded);
	field_unfold(recipient->diagnostic, &intake->unfolded);
	bool is_delay = action_of(recipient) == DSN_DELAYED;
	struct evidence evidence = { .status = recipient->status,
				     .text = buf_view(&intake->unfolded),
				     .is_final = !is_delay };
	struct finding finding = classify_with_notice(intake, evidence, "diagnostic");
	if (is_delay)
		finding.kind = KIND_DELAY;
	report_set_finding(report, &finding);
	report_set_diagnostic(report, evidence.text.len > 0 ? evidence.text : intake->text_report.diagnostic);
}

/* What failed goes before what is delayed, and both before what arrived. */
static bool take_dsn(struct intake *intake, struct view text, struct report *report)
{
	static const enum dsn_action order[] = { DSN_FAILED, DSN_DELAYED, DSN_DELIVERED, DSN_RELAYED, DSN_EXPANDED };
	struct dsn dsn;
	if (!dsn_read(text, &dsn))
		return false;
	report_set_reporting_mta(report, dsn.reporting_mta);
	add_envelope_token(report, dsn.envelope_id);
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		for (size_t j = 0; j < dsn.count; j++) {
			if (action_of(&dsn.recipients[j]) != order[i])
				continue;
			if (order[i] == DSN_FAILED || order[i] == DSN_DELAYED) {
				take_recipients(&dsn, order[i], report);
				take_failure(intake, &dsn.recipients[j], report);
			} else {
				conclude(report, KIND_NOT_BOUNCE, REASON_OTHER, dsn_action_name(order[i]));
			}
			return true;
		}
	}
	return false;
}

/* Notices have no return path (RFC 5321 section 4.5.5), or that of a daemon; some stores keep none. */
static bool has_path_of_person(const struct intake *intake)
{
	struct view path = parts_head(&intake->parts, HEAD_RETURN_PATH), before, address;
	return text_cut_address(&path, &before, &address) &&
	       view_find_nocase(address, VIEW_LIT("daemon")) == VIEW_NONE &&
	       view_find_nocase(address, VIEW_LIT("postmaster")) == VIEW_NONE;
}

/* What a person sends is no notice, whatever it says, quotes or carries along. */
static bool is_letter_of_person(const struct intake *intake)
{
	return has_path_of_person(intake) && !intake->from[MARK_FROM_DAEMON] && !intake->from[MARK_FROM_MACHINE] &&
	       !intake->parts.is_report && parts_head(&intake->parts, HEAD_X_FAILED_RECIPIENTS).len == 0;
}

static bool read_status(struct intake *intake, struct report *report)
{
	const struct part *part = parts_find(&intake->parts, PART_STATUS);
	return part != NULL && !is_letter_of_person(intake) &&
	       take_dsn(intake, parts_text(&intake->parts, part), report);
}

static bool read_disposition(struct intake *intake, struct report *report)
{
	if (parts_find(&intake->parts, PART_DISPOSITION) == NULL)
		return false;
	conclude(report, KIND_NOT_BOUNCE, REASON_OTHER, "disposition-notification");
	return true;
}

static bool read_complaint(struct intake *intake, struct report *report)
{
	if (!intake->subject[MARK_SUBJECT_COMPLAINT] && !intake->text[MARK_TEXT_COMPLAINT])
		return false;
	conclude(report, KIND_COMPLAINT, REASON_COMPLAINT, "complaint-text");
	return true;
}

static bool is_list_mail(const struct intake *intake)
{
	return parts_head(&intake->parts, HEAD_LIST_ID).len > 0 ||
	       parts_head(&intake->parts, HEAD_LIST_UNSUBSCRIBE).len > 0;
}

static bool answers_something(const struct intake *intake)
{
	struct view subject = parts_head(&intake->parts, HEAD_SUBJECT);
	return view_starts_nocase(subject, VIEW_LIT("Re:")) || view_starts_nocase(subject, VIEW_LIT("Fw")) ||
	       parts_head(&intake->parts, HEAD_IN_REPLY_TO).len > 0;
}

/* People write about bounces too, and send them on; so do their vacation programs, without a return path. */
static bool is_like_letter(const struct intake *intake, bool subject_says)
{
	if (intake->from[MARK_FROM_MACHINE])
		return false;
	if (has_path_of_person(intake))
		return !subject_says || !intake->text[MARK_TEXT_BOUNCE] || answers_something(intake);
	return !subject_says && answers_something(intake) && intake->text_report.count == 0;
}

static bool is_bounce_text(const struct intake *intake)
{
	if (parts_head(&intake->parts, HEAD_X_FAILED_RECIPIENTS).len > 0)
		return true;
	bool is_daemon = intake->from[MARK_FROM_DAEMON];
	bool has_null_path = view_eq(view_trim(parts_head(&intake->parts, HEAD_RETURN_PATH)), VIEW_LIT("<>"));
	bool subject_says = intake->subject[MARK_SUBJECT_BOUNCE] || intake->subject[MARK_SUBJECT_DELAY];
	bool text_says = intake->text[MARK_TEXT_BOUNCE] || intake->text[MARK_TEXT_DELAY];
	bool is_answer = intake->subject[MARK_SUBJECT_AUTO_REPLY] ||
			 (intake->text[MARK_TEXT_AUTO_REPLY] && !(is_daemon && text_says));
	if (is_answer && !subject_says)
		return false;
	if (!is_daemon && (is_list_mail(intake) || is_like_letter(intake, subject_says)))
		return false;
	if (has_path_of_person(intake) && intake->text_report.count == 0 && intake->text_report.diagnostic.len == 0 &&
	    parts_find(&intake->parts, PART_RETURNED) == NULL)
		return false;
	if (text_says)
		return is_daemon || has_null_path || intake->parts.is_status || subject_says ||
		       intake->from[MARK_FROM_MACHINE];
	if (is_daemon)
		/* In a language that is not known here, the one address tells. */
		return subject_says || intake->text[MARK_TEXT_FAILURE] ||
		       (has_null_path && intake->text_report.count == 1) ||
		       phrase_text_code(intake->text_report.diagnostic) != 0;
	return (has_null_path && subject_says) || intake->parts.is_status;
}

/* To whom the returned message went. */
static void add_returned_recipients(struct report *report, struct view returned)
{
	struct view before, address;
	struct field field;
	while (fields_next(&returned, &field) == FIELD_READ) {
		struct view value = field.value;
		while (field_is(&field, "To") && text_cut_address(&value, &before, &address))
			report_add_recipient(report, address);
	}
}

static void take_text_recipients(struct intake *intake, struct report *report)
{
	struct view failed = parts_head(&intake->parts, HEAD_X_FAILED_RECIPIENTS), before, address;
	while (text_cut_address(&failed, &before, &address))
		report_add_recipient(report, address);
	if (report_recipient_count(report) > 0)
		return;
	for (size_t i = 0; i < intake->text_report.count; i++)
		report_add_recipient(report, intake->text_report.recipients[i]);
	if (report_recipient_count(report) > 0)
		return;
	const struct part *returned = parts_find(&intake->parts, PART_RETURNED);
	add_returned_recipients(report,
				returned != NULL ? parts_text(&intake->parts, returned) : intake->text_report.returned);
}

static bool read_bounce_text(struct intake *intake, struct report *report)
{
	if (is_letter_of_person(intake) || !is_bounce_text(intake))
		return false;
	if (intake->subject[MARK_SUBJECT_RECEIPT]) {
		conclude(report, KIND_NOT_BOUNCE, REASON_OTHER, "receipt-text");
		return true;
	}
	struct view notice = intake->text_report.notice;
	struct view all = buf_view(&intake->notice);
	size_t fields = view_find_nocase(all, VIEW_LIT("\nFinal-Recipient:"));
	if (fields != VIEW_NONE && take_dsn(intake, view_skip(all, fields), report))
		return true;
	bool is_delay = intake->text[MARK_TEXT_DELAY] || intake->subject[MARK_SUBJECT_DELAY];
	struct evidence evidence = { .text = intake->text_report.diagnostic, .is_final = !is_delay };
	struct finding finding = classify_with_notice(intake, evidence, "paragraph");
	if (is_delay)
		finding.kind = KIND_DELAY;
	report_set_finding(report, &finding);
	report_set_diagnostic(report, intake->text_report.diagnostic.len > 0 ? intake->text_report.diagnostic : notice);
	take_text_recipients(intake, report);
	return true;
}

static bool read_auto_reply(struct intake *intake, struct report *report)
{
	if (!autoreply_is(&intake->parts, intake->subject[MARK_SUBJECT_AUTO_REPLY], intake->text[MARK_TEXT_AUTO_REPLY]))
		return false;
	conclude(report, KIND_AUTO_REPLY, REASON_AUTO_REPLY, "auto-reply");
	return true;
}

static bool (*const readers[])(struct intake *intake, struct report *report) = {
	read_own_copy, read_feedback, read_status, read_disposition, read_complaint, read_bounce_text, read_auto_reply,
};

/* ---- the message ------------------------------------------------------------------------------------------------- */

/* A message stored with CR alone gets LF. */
static struct view with_line_feeds(struct intake *intake, struct view raw)
{
	if (view_find_byte(raw, '\n') != VIEW_NONE || view_find_byte(raw, '\r') == VIEW_NONE)
		return raw;
	buf_reset(&intake->lines);
	buf_add(&intake->lines, raw);
	for (size_t i = 0; i < intake->lines.len; i++) {
		if (intake->lines.data[i] == '\r')
			intake->lines.data[i] = '\n';
	}
	return buf_view(&intake->lines);
}

/* An address is one word to the phrases: apart, its local part can be found. */
static void find_sender_marks(struct intake *intake)
{
	buf_reset(&intake->unfolded);
	buf_add(&intake->unfolded, parts_head(&intake->parts, HEAD_FROM));
	for (size_t i = 0; i < intake->unfolded.len; i++) {
		if (intake->unfolded.data[i] == '@' || intake->unfolded.data[i] == '<')
			intake->unfolded.data[i] = ' ';
	}
	phrases_find(intake->marks, buf_view(&intake->unfolded), intake->from);
}

static void read_message(struct intake *intake, struct report *report)
{
	set_ground(intake, "structure", (struct view){ 0 });
	phrases_find(intake->marks, parts_head(&intake->parts, HEAD_SUBJECT), intake->subject);
	find_sender_marks(intake);
	read_notice(intake);
	for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
		if (readers[i](intake, report))
			break;
	}
	add_tokens(intake, report);
}

struct intake_ground intake_ground(const struct intake *intake, const struct finding *finding)
{
	return (struct intake_ground){ intake->place,
				       classify_line(intake->classifier, finding->rule, intake->ground) };
}

enum err intake_read(struct intake *intake, struct view raw, struct report **ret_report)
{
	struct report *report;
	enum err err = report_new(&report);
	if (err != ERR_OK)
		return err;
	err = parts_read(&intake->parts, with_line_feeds(intake, view_head(raw, LIMIT_INTAKE)));
	if (err == ERR_OK)
		read_message(intake, report);
	else if (err == ERR_INVALID)
		conclude(report, KIND_UNKNOWN, REASON_OTHER, "unreadable");
	if (err == ERR_MEMORY) {
		report_done(report);
		return err;
	}
	*ret_report = report;
	return ERR_OK;
}
