#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "listctl/call.h"
#include "listctl/command.h"
#include "listctl/letter_file.h"
#include "listctl/safe_text.h"
#include "listctl/subscriber_steps.h"
#include "mail/compose.h"
#include "mail/probe_text.h"
#include "store/audit.h"
#include "store/lists.h"
#include "store/probe_letters.h"
#include "store/probe_texts.h"

enum { DEFAULT_LIMIT = 100, LIMIT_MOST = 1000000 };

/* ---- ls ---- */

static const struct output_column columns[] = {
	{ "probe", OUTPUT_INT, false },       { "list", OUTPUT_TEXT, false },    { "email", OUTPUT_TEXT, false },
	{ "because_of", OUTPUT_TEXT, false }, { "state", OUTPUT_TEXT, false },   { "asked_at", OUTPUT_TIME, false },
	{ "sent_at", OUTPUT_TIME, false },    { "until", OUTPUT_TIME, false },   { "tries", OUTPUT_INT, false },
	{ "relay", OUTPUT_TEXT, false },      { "outcome", OUTPUT_TEXT, false }, { "answer", OUTPUT_TEXT, true },
};

static const char *const states[] = { "due", "sending", "sent", "doubtful", "silent", "bounced", "void" };

static enum err read_state(struct call *call, struct view *ret_state)
{
	const char *text = call_option(call, "state");
	*ret_state = (struct view){ 0 };
	if (text == NULL)
		return ERR_OK;
	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		if (strcmp(states[i], text) == 0) {
			*ret_state = view_of(text);
			return ERR_OK;
		}
	}
	return call_misused(call, "--state is due, sending, sent, doubtful, silent, bounced or void, not %s", text);
}

static void write_probe(struct call *call, const struct db_rows *rows, size_t row)
{
	struct probe_told p;
	probe_letters_told(rows, row, &p);
	const struct output_cell cells[] = { cell_int(p.id),
					     cell_text(p.list),
					     cell_text(p.address),
					     cell_text(p.reason),
					     cell_text(p.state),
					     cell_time(p.asked_us),
					     cell_time_or_null(p.sent_us),
					     cell_time_or_null(p.until_us),
					     cell_int(p.tries),
					     cell_text_or_null(p.relay),
					     cell_text_or_null(p.word),
					     cell_text_or_null(p.answer) };
	static_assert(ARRAY_LEN(cells) == ARRAY_LEN(columns), "one cell per column");
	output_row(call->out, cells);
}

static enum err find_list(struct call *call, struct db_rows **ret_rows, struct list *ret_list)
{
	return lists_find(call->db, view_of(call->operands[0]), ret_rows, ret_list, call->why);
}

static enum err ls(struct call *call)
{
	AUTO_DB_ROWS *list_rows = NULL;
	AUTO_DB_ROWS *rows = NULL;
	struct list list = { 0 };
	uint64_t limit = 0;
	struct probe_scope scope = { 0 };
	enum err err = read_state(call, &scope.state);
	if (err == ERR_OK)
		err = call_limit(call, LIMIT_MOST, DEFAULT_LIMIT, &limit);
	if (err == ERR_OK && call->operand_count > 0)
		err = find_list(call, &list_rows, &list);
	scope.list_id = list.id;
	scope.limit = (size_t)limit;
	if (err == ERR_OK)
		err = probe_letters_list(call->db, &scope, &rows, call->why);
	if (err != ERR_OK)
		return err;
	output_begin(call->out, columns, ARRAY_LEN(columns));
	for (size_t row = 0; row < db_row_count(rows); row++)
		write_probe(call, rows, row);
	if (db_row_count(rows) == limit)
		call_note(call, "the newest %llu; --limit shows more", (unsigned long long)limit);
	err = output_end(call->out, call->why);
	if (err == ERR_OK && db_row_count(rows) == 0)
		call_note(call,
			  "there is no such probe; lists send them when `listctl policy set LIST probe=on` says so");
	return err;
}

/* ---- the letter ---- */

static enum err show_text(struct call *call, const struct probe_text *text)
{
	static const struct output_column text_columns[] = {
		{ "subject", OUTPUT_TEXT, false },
		{ "is_own", OUTPUT_BOOL, false },
		{ "text", OUTPUT_TEXT, true },
	};
	bool is_own = text->body.len > 0;
	if (output_format_of(call->out) == FORMAT_TABLE) {
		AUTO_BUF subject = buf_with_ceiling(LIMIT_TEMPLATE);
		buf_addf(&subject, "Subject: " VIEW_FMT "\n\n", VIEW_ARG(is_own ? text->subject : probe_text_subject));
		safe_text_print(buf_view(&subject), stdout);
		safe_text_print(is_own ? text->body : probe_text_body, stdout);
		call_note(call, is_own ? "the list's own words; --default takes the built-in ones again"
				       : "the built-in words; --subject and --text give the list its own");
		return ERR_OK;
	}
	const struct output_cell cells[] = { cell_text(is_own ? text->subject : probe_text_subject), cell_bool(is_own),
					     cell_text(is_own ? text->body : probe_text_body) };
	return output_object(call->out, text_columns, ARRAY_LEN(text_columns), cells, call->why);
}

/* As sender will. */
static enum err check(struct call *call, const struct list *list, const struct probe_text *text)
{
	const struct composition composition = {
		.subject = text->subject,
		.text_body = text->body,
		.from_name = list->from_name,
		.from_address = list->from_address,
		.reply_to = list->reply_to,
		.list_id = list->list_id,
		.list_title = list->title,
		.list_name = list->name,
		.list_headers = list->headers,
		.campaign_name = VIEW_LIT(PROBE_TEXT_CAMPAIGN),
		.bounce_domain = view_of(call->settings->bounce_domain),
		.web_base_url = view_of(call->settings->web_base_url),
	};
	struct composer *composer = NULL;
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	enum err err = composer_compile(&composition, NULL, 0, &composer, &reason);
	composer_done(composer);
	if (err == ERR_INVALID)
		return call_refuse(call, ERR_REFUSED,
				   "%s; a probe knows {{name}}, {{email}}, {{unsubscribe}}, {{list.title}} and "
				   "{{list.name}} only",
				   buf_text(&reason));
	if (err == ERR_OK && view_find(text->body, VIEW_LIT("unsubscribe")) == VIEW_NONE)
		call_warn(call, "the text has no {{unsubscribe}}: only the header lets its reader leave");
	return err;
}

/* What is not given stays, or begins as the built-in one. */
static enum err take_text(struct call *call, const struct probe_text *before, struct buf *file,
			  struct probe_text *ret_text)
{
	const char *subject = call_option(call, "subject");
	const char *path = call_option(call, "text");
	*ret_text = before->body.len > 0 ? *before : (struct probe_text){ probe_text_subject, probe_text_body };
	if (subject != NULL)
		ret_text->subject = view_of(subject);
	if (path != NULL) {
		enum err err = letter_file_read_text(call, path, file);
		if (err != ERR_OK)
			return err;
		ret_text->body = buf_view(file);
	}
	if (view_trim(ret_text->subject).len == 0 || view_trim(ret_text->body).len == 0)
		return call_refuse(call, ERR_REFUSED,
				   "a probe without a %s says nothing; --default is the built-in one",
				   view_trim(ret_text->subject).len == 0 ? "subject" : "text");
	return ERR_OK;
}

static enum err note_change(struct call *call, const struct list *list)
{
	AUTO_BUF subject = buf_with_ceiling(LIMIT_WHY);
	buf_addf(&subject, "list:" VIEW_FMT, VIEW_ARG(list->name));
	return audit_append(call->db, view_of(call->actor), "probe.letter", buf_view(&subject), VIEW_LIT(""),
			    call->why);
}

static enum err change_text(struct call *call, const struct list *list, const struct probe_text *before)
{
	AUTO_BUF file = buf_with_ceiling(LIMIT_TEMPLATE);
	struct probe_text text;
	enum err err = ERR_OK;
	if (call_has(call, "default")) {
		err = probe_texts_set(call->db, list->id, NULL, call->why);
	} else {
		err = take_text(call, before, &file, &text);
		if (err == ERR_OK)
			err = check(call, list, &text);
		if (err == ERR_OK)
			err = probe_texts_set(call->db, list->id, &text, call->why);
	}
	return err == ERR_OK ? note_change(call, list) : err;
}

static enum err letter(struct call *call)
{
	AUTO_DB_ROWS *list_rows = NULL;
	AUTO_DB_ROWS *rows = NULL;
	struct list list = { 0 };
	struct probe_text text = { 0 };
	if (call_has(call, "default") && (call_has(call, "subject") || call_has(call, "text")))
		return call_misused(call, "--default takes the list's own words away: it stands alone");
	enum err err = db_begin(call->db, call->why);
	if (err == ERR_OK)
		err = find_list(call, &list_rows, &list);
	if (err == ERR_OK)
		err = probe_texts_find(call->db, list.id, &rows, &text, call->why);
	if (err == ERR_OK && call_has_any(call))
		return subscriber_finish(call, change_text(call, &list, &text));
	db_rollback(call->db);
	return err == ERR_OK ? show_text(call, &text) : err;
}

static const char ls_details[] =
    "A probe is a letter that asks one address whether it still receives, before repeated failures\n"
    "disable it (`listctl policy set LIST probe=on`). Until it is answered, campaigns pass the\n"
    "member over. due: it waits for the list's budget or another try. sending, sent: nothing has\n"
    "come back yet; until tells when silence answers it. doubtful: a sender began with it and what\n"
    "became of it is not known, so that only a bounce decides. bounced: its report disables.\n"
    "silent: the count begins anew. void: it decides nothing, outcome tells why.\n";

static const char letter_details[] =
    "Without an option the letter of the list is shown. It is plain text; {{name}}, {{email}},\n"
    "{{list.title}}, {{list.name}} and {{unsubscribe}} stand for what is its reader's. Sender,\n"
    "reply address, header fields and signature are the list's.\n";

static const struct command_option ls_options[] = {
	{ "state", "STATE", "only due, sending, sent, doubtful, silent, bounced or void" },
	{ "limit", "COUNT", "at most so many, the newest; 100 unless told" },
	{ NULL, NULL, NULL },
};

static const struct command_option letter_options[] = {
	{ "subject", "TEXT", "the list's own subject" },
	{ "text", "FILE|-", "the list's own text, UTF-8" },
	{ "default", NULL, "the built-in letter again" },
	{ NULL, NULL, NULL },
};

const struct command probe_commands[] = {
	{
	    .noun = "probe",
	    .verb = "ls",
	    .operands = "[LIST]",
	    .help = "show the letters that ask whether an address still receives, newest first",
	    .details = ls_details,
	    .options = ls_options,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = ls,
	},
	{
	    .noun = "probe",
	    .verb = "letter",
	    .operands = "LIST",
	    .help = "show or change what these letters of a list say",
	    .details = letter_details,
	    .options = letter_options,
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = letter,
	},
	{ 0 },
};
