#include <unistd.h>

#include "base/limits.h"
#include "listctl/call.h"
#include "listctl/safe_text.h"
#include "store/audit.h"
#include "store/mailboxes.h"

enum { PAGE_SIZE = 1000 };

static enum err say_size(struct call *call)
{
	uint64_t count = 0, octets = 0;
	enum err err = mailboxes_size(call->db, &count, &octets, call->why);
	if (err == ERR_OK)
		call_note(call, "%llu messages, %llu octets of %llu (bounced.mailbox_size)", (unsigned long long)count,
			  (unsigned long long)octets, (unsigned long long)call->settings->bounced_mailbox_size);
	return err;
}

static enum err ls(struct call *call)
{
	static const struct output_column columns[] = {
		{ .name = "id", .type = OUTPUT_INT },
		{ .name = "received_at", .type = OUTPUT_TIME },
		{ .name = "recipient" },
		{ .name = "sender", .wraps = true },
		{ .name = "octets", .type = OUTPUT_INT },
	};
	int64_t last_id = 0;
	size_t got;
	enum err err;
	output_begin(call->out, columns, ARRAY_LEN(columns));
	do {
		AUTO_DB_ROWS *rows = NULL;
		err = mailboxes_page(call->db, last_id, PAGE_SIZE, &rows, call->why);
		got = err == ERR_OK ? db_row_count(rows) : 0;
		for (size_t i = 0; i < got; i++) {
			const struct mailbox_row row = mailboxes_get(rows, i);
			last_id = row.id;
			output_row(call->out, (struct output_cell[]){ cell_int(row.id), cell_time(row.received_us),
								      cell_text(row.recipient), cell_text(row.sender),
								      cell_int(row.size) });
		}
	} while (got > 0);
	if (err == ERR_OK)
		err = output_end(call->out, call->why);
	return err == ERR_OK ? say_size(call) : err;
}

static enum err take_id(struct call *call, const char *text, int64_t *ret_id)
{
	uint64_t id;
	if (!view_to_u64(view_of(text), INT64_MAX, &id))
		return call_misused(call, "a message's id is a number, not %s; `listctl mailbox ls` shows them", text);
	*ret_id = (int64_t)id;
	return ERR_OK;
}

/* To a terminal without what could upset it; to a file or a pipe as it came. */
static enum err show(struct call *call)
{
	int64_t id = 0;
	enum err err = take_id(call, call->operands[0], &id);
	AUTO_DB_ROWS *rows = NULL;
	if (err == ERR_OK)
		err = mailboxes_find(call->db, id, &rows, call->why);
	if (err != ERR_OK)
		return err;
	const struct mailbox_row row = mailboxes_get(rows, 0);
	if (isatty(STDOUT_FILENO) == 1)
		safe_text_print(row.message, stdout);
	else
		fwrite(row.message.data, 1, row.message.len, stdout);
	return ERR_OK; /* whether standard output took it is asked at the end of the program */
}

static enum err remove_each(struct call *call)
{
	for (size_t i = 0; i < call->operand_count; i++) {
		int64_t id = 0;
		AUTO_BUF subject = buf_with_ceiling(LIMIT_WHY);
		enum err err = take_id(call, call->operands[i], &id);
		if (err == ERR_OK)
			err = mailboxes_remove(call->db, id, call->why);
		if (err != ERR_OK)
			return err;
		buf_addf(&subject, "mailbox:%lld", (long long)id);
		err = audit_append(call->db, view_of(call->actor), "mailbox.rm", buf_view(&subject), VIEW_LIT(""),
				   call->why);
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

static enum err rm(struct call *call)
{
	enum err err = db_begin(call->db, call->why);
	if (err != ERR_OK)
		return err;
	err = remove_each(call);
	if (err == ERR_OK)
		return db_commit(call->db, call->why);
	db_rollback(call->db);
	return err;
}

const struct command mailbox_commands[] = {
	{
	    .noun = "mailbox",
	    .verb = "ls",
	    .operands = "",
	    .help = "show the mail that waits for a person: to postmaster, abuse and by hand",
	    .needs = NEEDS_DATABASE,
	    .run = ls,
	},
	{
	    .noun = "mailbox",
	    .verb = "show",
	    .operands = "ID",
	    .help = "write one of these messages as it came",
	    .details = "To a terminal, control characters are shown as \\xHH.\n",
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = show,
	},
	{
	    .noun = "mailbox",
	    .verb = "rm",
	    .operands = "ID...",
	    .help = "throw messages away that have been read",
	    .least = 1,
	    .most = OPERANDS_ANY,
	    .needs = NEEDS_DATABASE,
	    .run = rm,
	},
	{ 0 },
};
