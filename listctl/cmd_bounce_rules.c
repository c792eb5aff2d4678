#include "listctl/bounce_verbs.h"

#include <string.h>

#include "base/limits.h"
#include "listctl/own_rules.h"

/* One cell: more than these are not shown in a table. */
enum { PHRASES_ROOM = 64 << 10, PHRASES_OF_TABLE = 3 };

static struct view where_of(const struct rule_trial *trial, struct buf *room)
{
	buf_reset(room);
	if (trial->line == 0)
		return VIEW_LIT("built in");
	buf_addf(room, "line %zu", trial->line);
	return buf_view(room);
}

/* ---- ls ---- */

static const struct output_column ls_columns[] = {
	{ "rule", OUTPUT_TEXT, false }, { "reason", OUTPUT_TEXT, false }, { "status", OUTPUT_TEXT, false },
	{ "code", OUTPUT_INT, false },  { "where", OUTPUT_TEXT, false },  { "phrases", OUTPUT_INT, false },
	{ "words", OUTPUT_TEXT, true }, { "example", OUTPUT_TEXT, true },
};

static size_t add_phrases(const struct rule *rule, size_t most, struct buf *words)
{
	size_t count = 0;
	for (; rule->phrases != NULL && rule->phrases[count] != NULL; count++) {
		if (count < most)
			buf_addf(words, "%s\"%s\"", count == 0 ? "" : ", ", rule->phrases[count]);
		else if (count == most)
			buf_addf(words, ", ...");
	}
	return count;
}

static enum err list(struct call *call, const struct classifier *classifier)
{
	size_t most = output_format_of(call->out) == FORMAT_TABLE ? PHRASES_OF_TABLE : SIZE_MAX;
	AUTO_BUF where = buf_with_ceiling(LIMIT_WHY);
	output_begin(call->out, ls_columns, ARRAY_LEN(ls_columns));
	for (size_t i = 0; i < classifier_rule_count(classifier); i++) {
		AUTO_BUF words = buf_with_ceiling(PHRASES_ROOM);
		struct rule_trial trial;
		classifier_try(classifier, i, &trial);
		const struct rule *rule = trial.rule;
		size_t count = add_phrases(rule, most, &words);
		output_row(call->out, (struct output_cell[]){
					  cell_text(view_of(rule->name)), cell_text(view_of(reason_name(rule->reason))),
					  cell_text_or_null(view_of(rule->status)),
					  rule->code == 0 ? cell_null() : cell_int(rule->code),
					  cell_text(where_of(&trial, &where)), cell_int((int64_t)count),
					  cell_text_or_null(buf_view(&words)), cell_text(view_of(rule->example)) });
	}
	return output_end(call->out, call->why);
}

/* ---- check ---- */

static const struct output_column check_columns[] = {
	{ "rule", OUTPUT_TEXT, false },   { "where", OUTPUT_TEXT, false },      { "reason", OUTPUT_TEXT, false },
	{ "result", OUTPUT_TEXT, false }, { "decided_by", OUTPUT_TEXT, false }, { "example", OUTPUT_TEXT, true },
};

/* An administrator's rules have passed when they were read. A built-in example that one of them decides now is for him to know. */
static enum err check(struct call *call, const struct classifier *classifier)
{
	AUTO_BUF where = buf_with_ceiling(LIMIT_WHY);
	size_t own = 0, overruled = 0, count = classifier_rule_count(classifier);
	output_begin(call->out, check_columns, ARRAY_LEN(check_columns));
	for (size_t i = 0; i < count; i++) {
		struct rule_trial trial;
		classifier_try(classifier, i, &trial);
		bool is_right = strcmp(trial.decided_by, trial.rule->name) == 0;
		own += trial.line > 0;
		overruled += !is_right;
		output_row(call->out,
			   (struct output_cell[]){
			       cell_text(view_of(trial.rule->name)), cell_text(where_of(&trial, &where)),
			       cell_text(view_of(reason_name(trial.rule->reason))),
			       cell_text(is_right ? VIEW_LIT("ok") : VIEW_LIT("overruled")),
			       cell_text(view_of(trial.decided_by)), cell_text(view_of(trial.rule->example)) });
	}
	enum err err = output_end(call->out, call->why);
	if (err == ERR_OK)
		call_note(call, "%zu rules, %zu of them of the file: each example of it is decided by its rule", count,
			  own);
	if (err == ERR_OK && overruled > 0)
		call_warn(call, "%zu built-in examples are decided by rules of the file", overruled);
	return err;
}

/* ---- the verb ---- */

static const struct rules_row {
	const char *word;
	enum err (*run)(struct call *call, const struct classifier *classifier);
} rows[] = { { "check", check }, { "ls", list } };

enum err bounce_rules(struct call *call)
{
	struct classifier *classifier = NULL;
	size_t row = 0;
	while (row < ARRAY_LEN(rows) && strcmp(call->operands[0], rows[row].word) != 0)
		row++;
	if (row == ARRAY_LEN(rows))
		return call_misused(call, "rules are to check or to ls, not to %s", call->operands[0]);
	const char *path = call->operand_count > 1 ? call->operands[1] : own_rules_path(call);
	enum err err = own_rules_load(call, path, &classifier);
	if (err == ERR_OK)
		err = rows[row].run(call, classifier);
	classifier_done(classifier);
	return err;
}
