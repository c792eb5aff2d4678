#include "listctl/command.h"

#include <string.h>

#include "base/view.h"

const struct command *const command_tables[] = {
	db_commands,
	list_commands,
	import_commands,
	export_commands,
	segment_commands,
	suppress_commands,
	suppress_import_commands,
	subscriber_commands,
	subscriber_erase_commands,
	key_commands,
	dkim_commands,
	dns_commands,
	worker_commands,
	mailbox_commands,
	campaign_commands,
	campaign_audience_commands,
	bounce_commands,
	report_commands,
	prune_commands,
	maintain_commands,
	alert_commands,
	explain_commands,
	policy_commands,
	storm_commands,
	probe_commands,
	relay_commands,
	relay_test_commands,
	group_commands,
	pace_commands,
	address_commands,
	address_rule_commands,
	NULL,
};

static bool same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

const struct command *command_find(const char *noun, const char *verb)
{
	const char *row_noun = verb == NULL ? NULL : noun;
	const char *row_verb = verb == NULL ? noun : verb;
	for (size_t i = 0; command_tables[i] != NULL; i++) {
		for (const struct command *row = command_tables[i]; row->verb != NULL; row++) {
			if (same(row->noun, row_noun) && same(row->verb, row_verb))
				return row;
		}
	}
	return NULL;
}

bool command_has_noun(const char *noun)
{
	for (size_t i = 0; command_tables[i] != NULL; i++) {
		for (const struct command *row = command_tables[i]; row->verb != NULL; row++) {
			if (row->noun != NULL && same(row->noun, noun))
				return true;
		}
	}
	return false;
}
