/* The input is an administrator's rules, an octet 0x1e, and a text to be judged. Rules that are accepted are as their contract says, each
 * decides its example, and what is found in the text for people lies in it; with the built-in rules alone any text comes to a finding. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "mail/classify.h"
#include "mail/rule_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A classifier takes the time of hundreds of other inputs to make. */
enum { SEPARATOR = 0x1e, RARELY = 16 };

static void demand(bool condition)
{
	if (!condition)
		abort();
}

static void check_rule(const struct rule *rule)
{
	demand(rule->name != NULL && strlen(rule->name) <= RULE_NAME_MOST && rule->example != NULL);
	demand(rule->phrases != NULL || rule->status != NULL || rule->code != 0);
	demand(rule->reason < REASON_COUNT && rule->reason != REASON_COMPLAINT);
	for (size_t i = 0; rule->phrases != NULL && rule->phrases[i] != NULL; i++) {
		struct view phrase = view_of(rule->phrases[i]);
		demand(view_is_utf8(phrase) && !view_has_control(phrase) && phrase.len >= 3);
		demand(view_find(phrase, VIEW_LIT("  ")) == VIEW_NONE);
	}
}

static void judge(const struct classifier *classifier, struct view text)
{
	const struct evidence evidence = { .text = text, .is_final = true };
	struct finding finding, again;
	classify(classifier, &evidence, &finding);
	classify(classifier, &evidence, &again);
	demand(finding.kind < KIND_COUNT && finding.kind == again.kind && finding.rule == again.rule);
	struct view line = classify_line(classifier, finding.rule, text);
	demand(line.len == 0 || (line.data >= text.data && line.data + line.len <= text.data + text.len));
}

static void try_rules(struct view rules, struct view text)
{
	struct buf why = buf_with_ceiling(LIMIT_WHY);
	struct rule_text *read;
	struct classifier *classifier;
	if (rule_text_read(rules, &read, &why) == ERR_OK) {
		for (size_t i = 0; i < rule_text_count(read); i++)
			check_rule(rule_text_rule(read, i));
		bool is_chosen = rule_text_count(read) > 0 && rules.len % RARELY == 0;
		rule_text_done(read);
		if (is_chosen && classifier_new_with(rules, &classifier, &why) == ERR_OK) {
			judge(classifier, text);
			classifier_done(classifier);
		}
	} else {
		demand(view_starts(buf_view(&why), VIEW_LIT("line ")));
	}
	buf_done(&why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct classifier *built_in; /* making it costs more than a text */
	struct view rest = view_from(data, size), rules;
	if (built_in == NULL && classifier_new(&built_in) != ERR_OK)
		abort();
	if (!view_cut(&rest, SEPARATOR, &rules))
		return 0;
	judge(built_in, rest);
	try_rules(rules, rest);
	return 0;
}
