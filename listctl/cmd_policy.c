#include "listctl/call.h"

#include "listctl/command.h"
#include "mail/policy.h"

static const struct output_column columns[] = {
	{ "reason", OUTPUT_TEXT, false }, { "failures", OUTPUT_INT, false },
	{ "days", OUTPUT_INT, false },    { "counts_from_relay", OUTPUT_BOOL, false },
	{ "meaning", OUTPUT_TEXT, true },
};

static enum err policy_show(struct call *call)
{
	output_begin(call->out, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < REASON_COUNT; i++) {
		enum bounce_reason reason = (enum bounce_reason)i;
		struct policy_row row = policy_default.rows[reason];
		bool counts = row.failures > 0;
		output_row(call->out, (struct output_cell[]){ cell_text(view_of(reason_name(reason))),
							      counts ? cell_int(row.failures) : cell_null(),
							      counts ? cell_int(row.days) : cell_null(),
							      cell_bool(counts && reason_counts_from_relay(reason)),
							      cell_text(view_of(reason_explained(reason))) });
	}
	return output_end(call->out, call->why);
}

static const char details[] =
    "A membership is disabled after so many failed messages in a row to its address, over all\n"
    "lists, if at least so many days lie between the first and the last. Reasons without a number\n"
    "never count. counts_from_relay: also when our own relay says it in the SMTP session; the\n"
    "others count only when the receiving side reports them.\n";

const struct command policy_commands[] = {
	{
	    .noun = "policy",
	    .verb = "show",
	    .operands = "",
	    .help = "show which bounces disable an address, and when",
	    .details = details,
	    .needs = NEEDS_NOTHING,
	    .run = policy_show,
	},
	{ 0 },
};
