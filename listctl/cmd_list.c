#include "base/limits.h"
#include "listctl/call.h"
#include "listctl/letter_file.h"
#include "listctl/list_headers_options.h"
#include "listctl/reader_fields.h"
#include "listctl/sender_text.h"
#include "mail/address.h"
#include "mail/foreign_tag.h"
#include "mail/header.h"
#include "mail/layout.h"
#include "mail/lint_html.h"
#include "mail/mailbox_provider.h"
#include "store/audit.h"
#include "store/lists.h"

enum { NAME_MAX_SIZE = 64, TITLE_MAX_SIZE = 200, LIST_ID_MAX_SIZE = 255 };

/* The texts of a list being made or edited; the list's views point into them. */
struct draft {
	struct buf from_name, from_address, reply_to, list_id, scratch, layout, headers;
	struct list list;
};

static struct draft draft_empty(void)
{
	return (struct draft){
		.from_name = buf_with_ceiling(TITLE_MAX_SIZE),
		.from_address = buf_with_ceiling(LIMIT_ADDRESS),
		.reply_to = buf_with_ceiling(LIMIT_ADDRESS),
		.list_id = buf_with_ceiling(LIST_ID_MAX_SIZE),
		.scratch = buf_with_ceiling(TITLE_MAX_SIZE),
		.layout = buf_with_ceiling(LIMIT_TEMPLATE),
		.headers = buf_with_ceiling(LIMIT_INTAKE_HEAD),
	};
}

static void draft_done(struct draft *draft)
{
	buf_done(&draft->from_name);
	buf_done(&draft->from_address);
	buf_done(&draft->reply_to);
	buf_done(&draft->list_id);
	buf_done(&draft->scratch);
	buf_done(&draft->layout);
	buf_done(&draft->headers);
}

static bool is_name_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-';
}

static enum err check_name(struct call *call, struct view name)
{
	bool good = name.len > 0 && name.len <= NAME_MAX_SIZE && name.data[0] != '-' && name.data[name.len - 1] != '-';
	for (size_t i = 0; good && i < name.len; i++)
		good = is_name_byte(name.data[i]);
	if (good)
		return ERR_OK;
	return call_misused(call, "a list's name has 1 to 64 characters of a-z, 0-9 and -, the - not at its ends; the "
				  "name for readers is --title");
}

static enum err take_title(struct call *call, struct draft *draft)
{
	const char *title = call_option(call, "title");
	if (title == NULL)
		return ERR_OK;
	draft->list.title = view_trim(view_of(title));
	if (view_find(draft->list.title, VIEW_LIT("{{")) != VIEW_NONE)
		return call_misused(call, "--title takes no merge field, which would go out as it is");
	if (draft->list.title.len > 0 && draft->list.title.len <= TITLE_MAX_SIZE && header_takes(draft->list.title))
		return ERR_OK;
	return call_misused(call, "--title takes 1 to 200 octets of UTF-8 text without control characters");
}

static enum err take_from(struct call *call, struct draft *draft)
{
	const char *from = call_option(call, "from");
	if (from == NULL)
		return ERR_OK;
	enum err err = sender_text_parse(view_of(from), "--from", &draft->from_name, &draft->from_address, call->why);
	if (err == ERR_TOO_BIG)
		return call_misused(call, "--from: the name is longer than 200 octets");
	draft->list.from_name = buf_view(&draft->from_name);
	draft->list.from_address = buf_view(&draft->from_address);
	struct view domain = address_domain(draft->list.from_address);
	if (err == ERR_OK && mailbox_provider_has(domain))
		call_warn(call, "--from is at " VIEW_FMT ", " MAILBOX_PROVIDER_REASON "; " MAILBOX_PROVIDER_REMEDY,
			  VIEW_ARG(domain));
	return err;
}

static enum err take_reply_to(struct call *call, struct draft *draft)
{
	const char *reply_to = call_option(call, "reply-to");
	if (reply_to == NULL)
		return ERR_OK;
	enum err err = ERR_OK;
	if (reply_to[0] != '\0')
		err = sender_text_parse(view_of(reply_to), "--reply-to", &draft->scratch, &draft->reply_to, call->why);
	draft->list.reply_to = buf_view(&draft->reply_to);
	return err;
}

/* A layout that cannot be read for this was well for layout_check(). */
static void note_way_out(struct call *call, const char *path, struct view layout)
{
	struct lint_html facts;
	enum err err = lint_html_read(layout, NULL, 0, &facts);
	if (err == ERR_OK && !facts.has_way_out)
		call_warn(call,
			  "%s has no {{unsubscribe}} that every reader sees: they will look for a link to leave by",
			  path);
	lint_html_done(&facts);
}

static enum err test_layout(void *context, const struct reader_fields *fields, const struct merge_names *known,
			    struct buf *why)
{
	const struct draft *draft = context;
	struct view layout = buf_view(&draft->layout);
	enum err err = layout_check(layout, fields->names, fields->count, why);
	return err == ERR_OK && known->are_some ? foreign_tag_refuse_own(layout, true, known, why) : err;
}

static enum err check_layout(struct call *call, const char *path, struct draft *draft)
{
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	struct reader_fields fields;
	const struct audience members = { .own_list = draft->list.id };
	enum err err = reader_fields_read(call, &members, &fields);
	if (err == ERR_OK)
		err = reader_fields_check(&fields, test_layout, draft, &reason);
	reader_fields_done(&fields);
	if (err != ERR_OK && reason.len > 0)
		return call_refuse(call, err, "--layout %s: %s", path, buf_text(&reason));
	if (err == ERR_OK)
		note_way_out(call, path, buf_view(&draft->layout));
	return err;
}

/* "" takes the list's own away. */
static enum err take_layout(struct call *call, struct draft *draft)
{
	const char *path = call_option(call, "layout");
	enum err err = ERR_OK;
	if (path == NULL)
		return ERR_OK;
	if (*path != '\0') {
		err = letter_file_read_text(call, path, &draft->layout);
		if (err == ERR_OK)
			err = check_layout(call, path, draft);
	}
	draft->list.layout = buf_view(&draft->layout);
	return err;
}

static enum err take_headers(struct call *call, struct draft *draft)
{
	buf_add(&draft->headers, draft->list.headers);
	enum err err = list_headers_take(call, &draft->headers);
	draft->list.headers = buf_view(&draft->headers);
	return err;
}

/* RFC 2919 section 2: dot-atom text of at least two parts; lower case, so that equal ones are equal octets. */
static bool is_list_id(struct view text)
{
	bool dot_before = true, any_dot = false;
	for (size_t i = 0; i < text.len; i++) {
		char byte = text.data[i];
		if (byte == '.' ? dot_before : !is_name_byte(byte) && byte != '_')
			return false;
		dot_before = byte == '.';
		any_dot = any_dot || dot_before;
	}
	return any_dot && !dot_before;
}

static enum err take_list_id(struct call *call, struct draft *draft)
{
	const char *given = call_option(call, "list-id");
	enum err err = ERR_OK;
	if (given == NULL) {
		err = settings_require(call->settings, "bounce.domain", call->settings_path, call->why);
		if (err != ERR_OK)
			return err;
		buf_addf(&draft->list_id, VIEW_FMT ".%s", VIEW_ARG(draft->list.name), call->settings->bounce_domain);
	} else {
		buf_addf(&draft->list_id, "%s", given);
	}
	draft->list.list_id = buf_view(&draft->list_id);
	if (buf_err(&draft->list_id) == ERR_OK && is_list_id(draft->list.list_id))
		return ERR_OK;
	return call_misused(call, "a list id looks like news.lists.example.org: up to 255 of a-z, 0-9, -, _ with dots "
				  "between");
}

/* The value, or several as an array. */
static void add_values(const struct call *call, const char *option, struct buf *out)
{
	const char *value;
	bool is_array = call_option_at(call, option, 1) != NULL;
	if (is_array)
		buf_add_byte(out, '[');
	for (size_t i = 0; (value = call_option_at(call, option, i)) != NULL; i++) {
		if (i > 0)
			buf_add_byte(out, ',');
		output_json_string(out, view_of(value));
	}
	if (is_array)
		buf_add_byte(out, ']');
}

static enum err audit_list(struct call *call, const char *action, struct view name)
{
	AUTO_BUF subject = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF detail = buf_with_ceiling(LIMIT_OUTPUT_LINE);
	buf_addf(&subject, "list:" VIEW_FMT, VIEW_ARG(name));
	buf_add_byte(&detail, '{');
	for (size_t i = 0; call->command->options[i].name != NULL; i++) {
		if (call->values[i] == NULL)
			continue;
		if (detail.len > 1)
			buf_add_byte(&detail, ',');
		output_json_string(&detail, view_of(call->command->options[i].name));
		buf_add_byte(&detail, ':');
		add_values(call, call->command->options[i].name, &detail);
	}
	buf_add_byte(&detail, '}');
	return audit_append(call->db, view_of(call->actor), action, buf_view(&subject), buf_view(&detail), call->why);
}

static enum err store_new(struct call *call, const struct draft *draft)
{
	int64_t id;
	enum err err = db_begin(call->db, call->why);
	if (err != ERR_OK)
		return err;
	AUTO_BUF text = buf_with_ceiling(LIMIT_WHY);
	err = lists_create(call->db, &draft->list, &id, &text);
	if (err == ERR_EXISTS)
		call_refuse(call, err, "there is a list " VIEW_FMT " or one with the list id " VIEW_FMT " already",
			    VIEW_ARG(draft->list.name), VIEW_ARG(draft->list.list_id));
	else if (err != ERR_OK)
		buf_add(call->why, buf_view(&text));
	else
		err = audit_list(call, "list.create", draft->list.name);
	if (err == ERR_OK)
		return db_commit(call->db, call->why);
	db_rollback(call->db);
	return err;
}

static enum err fill_new(struct call *call, struct draft *draft)
{
	draft->list.name = view_of(call->operands[0]);
	draft->list.title = draft->list.name;
	enum err err = check_name(call, draft->list.name);
	if (err == ERR_OK && !call_has(call, "from"))
		err = call_misused(call, "needs --from \"Name <address>\": who the letters come from");
	if (err == ERR_OK)
		err = take_title(call, draft);
	if (err == ERR_OK)
		err = take_from(call, draft);
	if (err == ERR_OK)
		err = take_reply_to(call, draft);
	return err == ERR_OK ? take_list_id(call, draft) : err;
}

static enum err create(struct call *call)
{
	struct draft draft = draft_empty();
	enum err err = fill_new(call, &draft);
	if (err == ERR_OK)
		err = store_new(call, &draft);
	if (err == ERR_OK)
		call_note(call, "list " VIEW_FMT " is there, its list id is " VIEW_FMT, VIEW_ARG(draft.list.name),
			  VIEW_ARG(draft.list.list_id));
	draft_done(&draft);
	return err;
}

static enum err store_edited(struct call *call, struct draft *draft)
{
	AUTO_DB_ROWS *rows = NULL;
	enum err err = lists_find(call->db, view_of(call->operands[0]), &rows, &draft->list, call->why);
	if (err == ERR_OK)
		err = take_title(call, draft);
	if (err == ERR_OK)
		err = take_from(call, draft);
	if (err == ERR_OK)
		err = take_reply_to(call, draft);
	if (err == ERR_OK)
		err = take_layout(call, draft);
	if (err == ERR_OK)
		err = take_headers(call, draft);
	if (err == ERR_OK)
		err = lists_update(call->db, &draft->list, call->why);
	return err == ERR_OK ? audit_list(call, "list.edit", draft->list.name) : err;
}

static enum err edit(struct call *call)
{
	if (!call_has_any(call))
		return call_misused(call,
				    "nothing to change: give one of the options that `listctl list edit --help` shows");
	enum err err = db_begin(call->db, call->why);
	if (err != ERR_OK)
		return err;
	struct draft draft = draft_empty();
	err = store_edited(call, &draft);
	draft_done(&draft);
	if (err == ERR_OK)
		return db_commit(call->db, call->why);
	db_rollback(call->db);
	return err;
}

static enum err show_layout(struct call *call)
{
	AUTO_DB_ROWS *rows = NULL;
	struct list list;
	enum err err = lists_find(call->db, view_of(call->operands[0]), &rows, &list, call->why);
	if (err != ERR_OK)
		return err;
	struct view layout = list.layout.len > 0 ? list.layout : layout_builtin();
	fwrite(layout.data, 1, layout.len, stdout);
	return ERR_OK;
}

static enum err show(struct call *call)
{
	if (call_has(call, "layout"))
		return show_layout(call);
	static const struct output_column columns[] = {
		{ .name = "name" },
		{ .name = "title" },
		{ .name = "list_id" },
		{ .name = "from_name" },
		{ .name = "from_address" },
		{ .name = "reply_to" },
		{ .name = "help_url" },
		{ .name = "owner" },
		{ .name = "archive_url" },
		{ .name = "post" },
		{ .name = "headers", .type = OUTPUT_JSON },
		{ .name = "created_at", .type = OUTPUT_TIME },
		{ .name = "active", .type = OUTPUT_INT },
		{ .name = "unconfirmed", .type = OUTPUT_INT },
		{ .name = "unsubscribed", .type = OUTPUT_INT },
		{ .name = "disabled", .type = OUTPUT_INT },
		{ .name = "removed", .type = OUTPUT_INT },
	};
	AUTO_DB_ROWS *rows = NULL;
	enum err err = lists_counted(call->db, view_of(call->operands[0]), &rows, call->why);
	if (err != ERR_OK)
		return err;
	const struct list list = lists_get(rows, 0);
	AUTO_BUF headers = buf_with_ceiling(LIMIT_OUTPUT_LINE);
	list_headers_json(list.headers, &headers);
	const struct output_cell cells[] = {
		cell_text(list.name),
		cell_text(list.title),
		cell_text(list.list_id),
		cell_text(list.from_name),
		cell_text(list.from_address),
		cell_text_or_null(list.reply_to),
		cell_text_or_null(list_headers_shown(list.headers, LIST_HELP)),
		cell_text_or_null(list_headers_shown(list.headers, LIST_OWNER)),
		cell_text_or_null(list_headers_shown(list.headers, LIST_ARCHIVE)),
		cell_text_or_null(list_headers_shown(list.headers, LIST_POST)),
		cell_text(buf_view(&headers)),
		cell_time(list.created_us),
		cell_int(list.active),
		cell_int(list.unconfirmed),
		cell_int(list.unsubscribed),
		cell_int(list.disabled),
		cell_int(list.removed),
	};
	return output_object(call->out, columns, ARRAY_LEN(columns), cells, call->why);
}

static enum err ls(struct call *call)
{
	static const struct output_column columns[] = {
		{ .name = "name" },
		{ .name = "title", .wraps = true },
		{ .name = "from_address" },
		{ .name = "active", .type = OUTPUT_INT },
		{ .name = "unsubscribed", .type = OUTPUT_INT },
		{ .name = "disabled", .type = OUTPUT_INT },
		{ .name = "removed", .type = OUTPUT_INT },
	};
	AUTO_DB_ROWS *rows = NULL;
	enum err err = lists_counted(call->db, VIEW_LIT(""), &rows, call->why);
	if (err != ERR_OK)
		return err;
	output_begin(call->out, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < db_row_count(rows); i++) {
		const struct list list = lists_get(rows, i);
		output_row(call->out, (struct output_cell[]){ cell_text(list.name), cell_text(list.title),
							      cell_text(list.from_address), cell_int(list.active),
							      cell_int(list.unsubscribed), cell_int(list.disabled),
							      cell_int(list.removed) });
	}
	return output_end(call->out, call->why);
}

static const struct command_option create_options[] = {
	{ "title", "TEXT", "the list's name for its readers; NAME unless told" },
	{ "from", "SENDER", "who the letters come from, \"Name <address>\"; required" },
	{ "reply-to", "ADDRESS", "where answers go, when not to the sender" },
	{ "list-id", "ID", "the List-Id (RFC 2919), for life; NAME.BOUNCE-DOMAIN unless told" },
	{ NULL, NULL, NULL },
};

static const struct command_option edit_options[] = {
	{ "title", "TEXT", "the list's name for its readers" },
	{ "from", "SENDER", "who the letters come from, \"Name <address>\"" },
	{ "reply-to", "ADDRESS", "where answers go; \"\" for the sender" },
	{ "layout", "FILE", "the HTML around the list's letters, with {{{content}}} in it; \"\" for the built-in one" },
	LIST_HEADERS_OPTIONS,
	{ NULL, NULL, NULL },
};

static const struct command_option show_options[] = {
	{ "layout", NULL, "print the HTML around the list's letters" },
	{ NULL, NULL, NULL },
};

const struct command list_commands[] = {
	{
	    .noun = "list",
	    .verb = "create",
	    .surplus = "title",
	    .operands = "NAME",
	    .help = "make a mailing list",
	    .details = "NAME is of a-z, 0-9 and -, and stays for the life of the list, as its list id does.\n",
	    .options = create_options,
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = create,
	},
	{
	    .noun = "list",
	    .verb = "edit",
	    .surplus = "title",
	    .operands = "NAME",
	    .help = "change a list's title, sender, reply address, layout or header fields",
	    .details =
		"A campaign keeps the sender, the reply address and the layout that the list had when it was\n"
		"written, and the title and header fields that it had when the campaign started.\n"
		"Header fields: RFC 2369 says what List-Help and the like are for; --post no tells programs that\n"
		"nobody writes to this list. Those of your own (--header \"X-Team: letters\") may not be ones that "
		"the\n"
		"program writes, or that belong to the message's way. All of them are in every copy.\n"
		"A layout is an HTML template: {{{content}}} is where the letter stands, {{subject}} and\n"
		"{{preheader}} are the letter's, and merge fields such as {{list.title}} and {{unsubscribe}} are\n"
		"each copy's. `show --layout` prints the present one to start from; verpost-template(7).\n",
	    .options = edit_options,
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = edit,
	},
	{
	    .noun = "list",
	    .verb = "show",
	    .operands = "NAME",
	    .help = "show one list and how many members it has in each state",
	    .options = show_options,
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = show,
	},
	{
	    .noun = "list",
	    .verb = "ls",
	    .operands = "",
	    .help = "show all lists",
	    .needs = NEEDS_DATABASE,
	    .run = ls,
	},
	{ 0 },
};
