#include "listctl/alert_command.h"
#include "listctl/alerts.h"
#include "listctl/command.h"
#include "store/alerts.h"

static enum err ls(struct call *call)
{
	static const struct output_column columns[] = {
		{ .name = "kind" },
		{ .name = "subject" },
		{ .name = "since", .type = OUTPUT_TIME },
		{ .name = "seen_at", .type = OUTPUT_TIME },
		{ .name = "told_at", .type = OUTPUT_TIME },
		{ .name = "ended_at", .type = OUTPUT_TIME },
		{ .name = "what", .wraps = true },
	};
	AUTO_DB_ROWS *rows = NULL;
	enum err err = alerts_list(call->db, call_has(call, "all"), &rows, call->why);
	if (err != ERR_OK)
		return err;
	output_begin(call->out, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < db_row_count(rows); i++) {
		struct alert alert;
		alert_at(rows, i, &alert);
		output_row(call->out, (struct output_cell[]){
					  cell_text(alert.kind), cell_text(alert.subject), cell_time(alert.first_us),
					  cell_time(alert.last_us), cell_time_or_null(alert.told_us),
					  cell_time_or_null(alert.ended_us), cell_text(alert.said) });
	}
	err = output_end(call->out, call->why);
	if (err == ERR_OK && db_row_count(rows) == 0)
		call_note(call, "nothing wanted a person when `listctl alert send` or `listctl maintain` ran last%s",
			  call_has(call, "all") ? ", nor in the 90 days before" : "; --all shows what has ended");
	return err;
}

static enum err send_alerts(struct call *call)
{
	size_t told = 0;
	enum err err = alerts_send(call, &told);
	if (told > 0)
		call_note(call, "told: %zu", told);
	if (err == ERR_OK && call->settings->alert_command[0] == '\0')
		call_note(call, "alert.command is not set: nobody was told; `listctl alert ls` shows what there is");
	return err;
}

static enum err test(struct call *call)
{
	const char *command = call->settings->alert_command;
	if (command[0] == '\0')
		return call_refuse(
		    call, ERR_REFUSED,
		    "alert.command is not set in %s: name a program there, such as a script that calls mail(1)",
		    call->settings_path);
	enum err err = alert_command_run(command,
					 &(struct alert_text){ VIEW_LIT("test"), VIEW_LIT("listctl"),
							       VIEW_LIT("verpost: this is a test, asked for by "
									"listctl alert test\n") },
					 call->why);
	if (err == ERR_OK)
		call_note(call, "%s was run and ended well: whether somebody was told, only they know", command);
	return err;
}

static const struct command_option ls_options[] = {
	{ "all", NULL, "those too that have ended, of the last 90 days" },
	{ 0 },
};

const struct command alert_commands[] = {
	{
	    .noun = "alert",
	    .verb = "ls",
	    .operands = "",
	    .help = "show what was found to want a person, and when it was told",
	    .details = "As it was when `listctl alert send` or `listctl maintain` ran last.\n",
	    .options = ls_options,
	    .needs = NEEDS_DATABASE,
	    .run = ls,
	},
	{
	    .noun = "alert",
	    .verb = "send",
	    .operands = "",
	    .help = "look what wants a person, and run alert.command for it",
	    .details = "Campaigns that a breaker has paused or that do not start, held groups, storms of bounces,\n"
		       "relays that take nothing, and (unless dns.check is off) the MX of the bounce domain.\n"
		       "Each is told once and, while it lasts, again after alert.interval. For a timer, every\n"
		       "few minutes. When the command fails, the exit is 1 and the next run tells it again.\n",
	    .needs = NEEDS_DATABASE,
	    .run = send_alerts,
	},
	{
	    .noun = "alert",
	    .verb = "test",
	    .operands = "",
	    .help = "run alert.command with a text that says so",
	    .needs = NEEDS_SETTINGS,
	    .run = test,
	},
	{ 0 },
};
