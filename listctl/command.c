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
	prune_commands,
	explain_commands,
	policy_commands,
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

enum { LONGEST_WORD = 32 };

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Edits (one letter added, lost, changed, or two neighbours swapped) from a to b; words longer than the ceiling are far from all. */
static size_t distance(const char *a, const char *b)
{
	size_t a_len = strlen(a), b_len = strlen(b);
	if (a_len >= LONGEST_WORD || b_len >= LONGEST_WORD)
		return LONGEST_WORD;
	size_t rows[LONGEST_WORD + 1][LONGEST_WORD + 1];
	for (size_t i = 0; i <= a_len; i++)
		rows[i][0] = i;
	for (size_t j = 0; j <= b_len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		for (size_t j = 1; j <= b_len; j++) {
			size_t change = rows[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
			rows[i][j] = least(change, 1 + least(rows[i - 1][j], rows[i][j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				rows[i][j] = least(rows[i][j], rows[i - 2][j - 2] + 1);
		}
	}
	return rows[a_len][b_len];
}

/* A word is near when two thirds of it are right. */
static bool is_near(const char *word, size_t edits)
{
	return edits * 3 <= strlen(word);
}

const char *command_nearest(const char *noun, const char *word)
{
	const char *best = NULL;
	size_t best_edits = LONGEST_WORD;
	for (size_t i = 0; command_tables[i] != NULL; i++) {
		for (const struct command *row = command_tables[i]; row->verb != NULL; row++) {
			const char *known = row->verb;
			if (noun == NULL && row->noun != NULL)
				known = row->noun;
			else if (!same(row->noun, noun))
				continue;
			size_t edits = distance(word, known);
			if (edits < best_edits && is_near(known, edits)) {
				best = known;
				best_edits = edits;
			}
		}
	}
	return best;
}
