#include "listctl/meant.h"

#include <string.h>

#include "base/edits.h"
#include "listctl/arguments.h"

enum { LONGEST_WORD = 32, SUGGESTED_MOST = 4 };

/* ---- by spelling ---- */

const char *meant_word(const char *noun, const char *word)
{
	const char *best = NULL;
	size_t best_edits = LONGEST_WORD;
	for (size_t i = 0; command_tables[i] != NULL; i++) {
		for (const struct command *row = command_tables[i]; row->verb != NULL; row++) {
			const char *known = row->verb;
			bool is_of_noun = noun != NULL && row->noun != NULL && strcmp(row->noun, noun) == 0;
			if (noun == NULL && row->noun != NULL)
				known = row->noun;
			else if (noun != NULL && !is_of_noun)
				continue;
			size_t edits = edits_between(view_of(word), view_of(known));
			if (edits < best_edits && edits_are_few(view_of(known), edits)) {
				best = known;
				best_edits = edits;
			}
		}
	}
	return best;
}

/* ---- by meaning ---- */

/* What other programs say, and what of it may be meant here, the likelier first. */
static const struct {
	const char *word, *verbs;
} alike[] = {
	{ "list", "ls show" },
	{ "get", "show" },
	{ "view", "show" },
	{ "info", "show status" },
	{ "ls", "show" },
	{ "show", "ls status" },
	{ "delete", "rm erase retire forget" },
	{ "remove", "rm delete unsubscribe erase retire forget" },
	{ "rm", "delete unsubscribe erase retire forget" },
	{ "del", "rm delete erase" },
	{ "drop", "rm delete" },
	{ "add", "create new set" },
	{ "create", "add new set" },
	{ "new", "create add" },
	{ "make", "create add new" },
	{ "write", "create edit" },
	{ "update", "edit set upgrade" },
	{ "change", "edit set" },
	{ "modify", "edit set" },
	{ "rename", "edit move" },
	{ "edit", "set" },
	{ "set", "edit" },
	{ "send", "start test" },
	{ "run", "start" },
	{ "launch", "start" },
	{ "stop", "pause cancel" },
	{ "abort", "cancel" },
	{ "continue", "resume" },
	{ "check", "lint" },
	{ "stats", "report status" },
	{ "size", "count" },
	{ "search", "find" },
	{ "subscribe", "add" },
	{ "migrate", "upgrade" },
	{ "setup", "init" },
};

/* Joined by commas and a last "or". */
struct suggestions {
	const char *nouns[SUGGESTED_MOST], *verbs[SUGGESTED_MOST];
	size_t count;
};

static void suggest(struct suggestions *list, const char *noun, const char *verb)
{
	if (list->count < SUGGESTED_MOST) {
		list->nouns[list->count] = noun;
		list->verbs[list->count] = verb;
	}
	list->count++;
}

static void write_suggestions(const struct suggestions *list, struct buf *out)
{
	for (size_t i = 0; i < list->count; i++) {
		buf_addf(out, "%s", i == 0 ? "; did you mean " : i + 1 < list->count ? ", " : " or ");
		buf_addf(out, "%s%s%s", list->nouns[i] == NULL ? "" : list->nouns[i], list->nouns[i] == NULL ? "" : " ",
			 list->verbs[i]);
	}
	buf_addf(out, "?");
}

/* Verbs of noun that mean what the word means elsewhere. */
static void suggest_alike(const char *noun, const char *word, struct suggestions *list)
{
	for (size_t i = 0; i < ARRAY_LEN(alike); i++) {
		if (strcmp(alike[i].word, word) != 0)
			continue;
		struct view rest = view_of(alike[i].verbs), verb;
		while (view_cut(&rest, ' ', &verb)) {
			for (size_t at = 0; command_tables[at] != NULL; at++) {
				for (const struct command *row = command_tables[at]; row->verb != NULL; row++) {
					if (row->noun != NULL && strcmp(row->noun, noun) == 0 &&
					    view_eq(verb, view_of(row->verb)))
						suggest(list, noun, row->verb);
				}
			}
		}
	}
}

/* Nouns that have the word as a verb. */
static void suggest_nouns(const char *word, struct suggestions *list)
{
	for (size_t at = 0; command_tables[at] != NULL; at++) {
		for (const struct command *row = command_tables[at]; row->verb != NULL; row++) {
			if (row->noun != NULL && strcmp(row->verb, word) == 0)
				suggest(list, row->noun, row->verb);
		}
	}
}

static void write_verbs(const char *noun, struct buf *out)
{
	const char *before = "; it has ";
	for (size_t at = 0; command_tables[at] != NULL; at++) {
		for (const struct command *row = command_tables[at]; row->verb != NULL; row++) {
			if (row->noun == NULL || strcmp(row->noun, noun) != 0)
				continue;
			buf_addf(out, "%s%s", before, row->verb);
			before = ", ";
		}
	}
}

void meant_command(const char *noun, const char *word, const char *next, struct buf *out)
{
	struct suggestions list = { 0 };
	const char *near = meant_word(noun, word);
	if (noun != NULL)
		suggest_alike(noun, word, &list);
	else if (next != NULL && command_find(next, word) != NULL)
		suggest(&list, next, word);
	else if (next != NULL)
		suggest_alike(next, word, &list);
	if (list.count == 0 && noun == NULL)
		suggest_nouns(word, &list);
	if (list.count == 0 && near != NULL)
		suggest(&list, noun, near);
	if (list.count > 0 && list.count <= SUGGESTED_MOST)
		write_suggestions(&list, out);
	else if (noun != NULL)
		write_verbs(noun, out);
}

/* ---- options ---- */

struct sought {
	struct view word;
	const char *nearest, *whole; /* the nearest by spelling; the one that is it */
	size_t edits, begin_so;      /* how many begin with it */
	struct buf *begun;           /* those, "--a or --b" */
	bool takes_value;            /* the whole one */
};

static void look_at(struct sought *sought, const char *name, const char *argument)
{
	size_t edits = edits_between(sought->word, view_of(name));
	if (edits < sought->edits && edits_are_few(view_of(name), edits)) {
		sought->edits = edits;
		sought->nearest = name;
	}
	if (sought->word.len > 0 && view_starts(view_of(name), sought->word))
		buf_addf(sought->begun, "%s--%s", sought->begin_so++ == 0 ? "" : " or ", name);
	if (view_eq(view_of(name), sought->word)) {
		sought->whole = name;
		sought->takes_value = argument != NULL;
	}
}

static void look_through(const struct command *command, struct sought *sought)
{
	size_t common = command != NULL ? common_of_verbs : SIZE_MAX;
	for (size_t i = 0; i < common && common_options[i].name != NULL; i++)
		look_at(sought, common_options[i].name, common_options[i].argument);
	for (const struct command_option *row = command == NULL ? NULL : command->options;
	     row != NULL && row->name != NULL; row++)
		look_at(sought, row->name, row->argument);
}

static void write_help(const struct command *command, struct buf *out)
{
	buf_addf(out, "; `listctl %s%s%s%s--help` shows those there are",
		 command == NULL || command->noun == NULL ? "" : command->noun,
		 command == NULL || command->noun == NULL ? "" : " ", command == NULL ? "" : command->verb,
		 command == NULL ? "" : " ");
}

/* An operand of that name: --list, where [LIST] is one. */
static bool is_operand(const struct command *command, struct view name)
{
	struct view rest = view_of(command == NULL ? "" : command->operands), word;
	while (view_cut(&rest, ' ', &word)) {
		word = view_starts(word, VIEW_LIT("[")) ? view_slice(word, 1, word.len - 1) : word;
		if (view_eq_nocase(word, name))
			return true;
	}
	return false;
}

void meant_option(const struct command *command, const char *given, struct buf *out)
{
	AUTO_BUF begun = buf_with_ceiling(1024);
	struct view name = view_of(given);
	bool is_long = view_starts(name, VIEW_LIT("--"));
	struct sought sought = { .word = view_skip(name, is_long ? 2 : 1), .edits = LONGEST_WORD, .begun = &begun };
	size_t value = view_find_byte(sought.word, '=');
	sought.word = view_head(sought.word, value == VIEW_NONE ? sought.word.len : value);
	if (sought.word.len > 1)
		look_through(command, &sought);
	if (sought.whole != NULL && !sought.takes_value)
		buf_addf(out, "; --%s takes no value", sought.whole);
	else if (sought.begin_so > 1)
		buf_addf(out, "; is it %s?", buf_text(&begun));
	else if (sought.nearest != NULL)
		buf_addf(out, "; did you mean --%s?", sought.nearest);
	else if (is_operand(command, sought.word))
		buf_addf(out, "; that stands without an option here");
	else
		write_help(command, out);
}
