/* The rule file: what the mail world does with each recipient and each session. RULES_HELP is its manual. */
#ifndef MAILWORLD_RULES_H
#define MAILWORLD_RULES_H

#include "base/buf.h"
#include "tests/support/mailworld/shapes.h"

#define RULES_HELP                                                                                                     \
	"The rule file has one rule a line; # begins a comment; \"...\" holds words together.\n"                       \
	"\n"                                                                                                           \
	"    WHO ACTION [OPTION VALUE]...\n"                                                                           \
	"\n"                                                                                                           \
	"WHO is a pattern for the recipient's address (* any run, ? one character, any case), such as\n"               \
	"gone*@*, or *@slow.example; or the word session, for what happens before there is a recipient.\n"             \
	"The first rule that matches wins; who matches none is accepted. Actions:\n"                                   \
	"\n"                                                                                                           \
	"    accept                            250 after the dot\n"                                                    \
	"    refuse POINT CODE STATUS TEXT     such as: refuse rcpt 550 5.1.1 \"No such user\"\n"                      \
	"    defer N CODE STATUS TEXT          refused at rcpt N times per recipient, then accepted\n"                 \
	"    drop POINT                        the connection is closed without a word\n"                              \
	"\n"                                                                                                           \
	"POINT: rcpt, data, dot; for session banner, ehlo, mail, rcpt, data, dot, quit. drop knows two more: content " \
	"(as soon\n"                                                                                                   \
	"as content arrives) and kept (like dot, but the message is accepted and logged before).\n"                    \
	"\n"                                                                                                           \
	"Options:\n"                                                                                                   \
	"    every N        the rule matches each Nth time only, else the next rules are asked\n"                      \
	"    share F        it matches this share (0 to 1): of addresses, the same ones each time; for drop and\n"     \
	"                   for session, of occasions. Fixed by --seed\n"                                              \
	"    slow MS        the answer takes this long\n"                                                              \
	"    report SHAPE   (accept, drop kept) a report goes back to the envelope sender (itself: no report, but "    \
	"the\n"                                                                                                        \
	"                   message, to its recipient, by --reports-to): "

#define RULES_HELP_END                                                                                                 \
	"\n"                                                                                                           \
	"    after MS       so much later\n"                                                                           \
	"    status S       enhanced status in it (default 5.1.1; 4.4.1 for delay)\n"                                  \
	"    text T         diagnostic text in it (default: user unknown; timed out for delay)\n"                      \
	"    copies N       sent so many times\n"                                                                      \
	"SIGHUP reads the file again.\n"

enum rule_action { RULE_ACCEPT, RULE_REFUSE, RULE_DEFER, RULE_DROP };
enum rule_point {
	POINT_BANNER,
	POINT_EHLO,
	POINT_MAIL,
	POINT_RCPT,
	POINT_DATA,
	POINT_CONTENT,
	POINT_DOT,
	POINT_KEPT,
	POINT_QUIT,
	POINT_COUNT
};

struct rule {
	struct view who; /* "session" or a pattern */
	bool is_session;
	enum rule_action action;
	enum rule_point point;
	unsigned code;
	struct view status, text; /* of the refusal */
	uint64_t times;           /* of defer */
	uint64_t every;           /* 0: each time */
	double share;             /* of 1 */
	uint64_t slow_ms;
	const struct shape *report; /* NULL: none */
	uint64_t after_ms, copies;
	struct view report_status, report_text;
	uint64_t occasions; /* how often it was asked */
	size_t line;
};

struct rules;
/* ERR_INVALID: `why` names the file and the line. The caller releases *ret_rules. */
enum err rules_parse(struct view text, const char *path, uint64_t seed, struct rules **ret_rules,
		     struct buf *why) MUST_USE;
void rules_done(struct rules *rules); /* accepts NULL */
bool rules_have_reports(const struct rules *rules);

/* The rule for a recipient, never NULL. */
const struct rule *rules_for_recipient(struct rules *rules, struct view address);
/* The session rule at this point, or NULL. */
const struct rule *rules_for_session(struct rules *rules, enum rule_point point);

#endif
