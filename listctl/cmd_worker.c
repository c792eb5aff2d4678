#include "base/limits.h"
#include "listctl/confirm.h"
#include "store/audit.h"
#include "store/workers.h"

static enum err ls(struct call *call)
{
	static const struct output_column columns[] = {
		{ .name = "id" },
		{ .name = "host" },
		{ .name = "pid", .type = OUTPUT_INT },
		{ .name = "started_at", .type = OUTPUT_TIME },
		{ .name = "seen_at", .type = OUTPUT_TIME },
		{ .name = "windows", .type = OUTPUT_INT },
		{ .name = "in_hand", .type = OUTPUT_INT },
		{ .name = "journal", .wraps = true },
	};
	AUTO_DB_ROWS *rows = NULL;
	enum err err = workers_list(call->db, &rows, call->why);
	if (err != ERR_OK)
		return err;
	output_begin(call->out, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < db_row_count(rows); i++) {
		const struct worker_row row = workers_get(rows, i);
		output_row(call->out, (struct output_cell[]){ cell_text(row.id), cell_text(row.host),
							      row.pid == 0 ? cell_null() : cell_int(row.pid),
							      cell_time(row.started_us), cell_time(row.seen_us),
							      cell_int(row.windows), cell_int(row.opened),
							      cell_text(row.journal) });
	}
	return output_end(call->out, call->why);
}

static bool is_uuid(struct view text)
{
	for (size_t i = 0; i < text.len; i++) {
		char byte = text.data[i];
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		bool hex = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f');
		if (dash ? byte != '-' : !hex)
			return false;
	}
	return text.len == 36;
}

static enum err forget(struct call *call)
{
	const char *id = call->operands[0];
	if (!is_uuid(view_of(id)))
		return call_misused(call,
				    "a worker's id looks like 0b1e0d5c-7b5e-4f64-9f0c-d6a1c0b7e1aa, in lower case; "
				    "`listctl worker ls` shows them");
	int64_t doubtful;
	int64_t quiet_us = 2 * call->settings->sender_lease;
	enum err err = workers_may_forget(call->db, id, quiet_us, call->why);
	if (err == ERR_OK)
		err = confirm_first(
		    call,
		    "whom worker %s had opened comes in doubt for good, and its journal, which knows better, "
		    "is void afterwards: where its disk may come back, start sender there instead. Forget it?",
		    id);
	if (err == ERR_OK)
		err = workers_forget(call->db, id, quiet_us, &doubtful, call->why);
	if (err == ERR_NOT_FOUND && call->why->len == 0)
		call_refuse(call, err, "there is no worker %s; `listctl worker ls` shows those there are", id);
	else if (err == ERR_REFUSED && call->why->len == 0)
		call_refuse(call, err, "worker %s was seen only now: stop it first", id);
	if (err != ERR_OK)
		return err;
	AUTO_BUF subject = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF detail = buf_with_ceiling(LIMIT_WHY);
	buf_addf(&subject, "worker:%s", id);
	buf_addf(&detail, "{\"doubtful\": %lld}", (long long)doubtful);
	err = audit_append(call->db, view_of(call->actor), "worker.forget", buf_view(&subject), buf_view(&detail),
			   call->why);
	if (err == ERR_OK)
		call_note(call, "worker %s is forgotten; recipients now in doubt: %lld", id, (long long)doubtful);
	return err;
}

static const struct command_option forget_options[] = {
	{ "yes", NULL, "do not ask" },
	{ 0 },
};

const struct command worker_commands[] = {
	{
	    .noun = "worker",
	    .verb = "ls",
	    .operands = "",
	    .help = "show sender's workers on all hosts and what they have in hand",
	    .needs = NEEDS_DATABASE,
	    .run = ls,
	},
	{
	    .noun = "worker",
	    .verb = "forget",
	    .operands = "WORKER",
	    .help = "give up a worker whose host is lost with its disk",
	    .details = "Whom it had opened and not finished comes in doubt, each named, and is sent to again or\n"
		       "held as the campaign says. Never do this while its journal may come back: start sender on\n"
		       "that host instead. Possible when nothing was heard of it for twice sender.lease. Asks first;\n"
		       "without a terminal it needs --yes.\n",
	    .options = forget_options,
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = forget,
	},
	{ 0 },
};
