/* Rules of an administrator: a text that is read into rows like those of classify_rules.h.
 *
 *     # Our neighbours' server has words of its own.
 *     rule: neighbours-left
 *     reason: user-unknown
 *     status: 5.7.*
 *     phrase: has left the building
 *     phrase: the * of * is history
 *     example: 550 5.7.1 Anna has left the building
 *
 * A line is `key: value`; empty lines and lines that begin with # are skipped. Each `rule:` begins another one, and the first
 * that matches decides. reason and example stand once, and so do status and code (one, both or none of them) and `vague: yes`;
 * phrase as often as wanted. A phrase is compared as phrase_text.h says and may be written in capitals; quotes around it keep
 * the spaces at its ends. */
#ifndef MAIL_RULE_TEXT_H
#define MAIL_RULE_TEXT_H

#include "base/buf.h"
#include "mail/classify_rules.h"

enum { RULE_NAME_MOST = 63, RULES_MOST = 250 };

/* Owns its rows and all that they point to. */
struct rule_text;

/* ERR_INVALID: `why` has the line and what to do. ERR_MEMORY. No text, no rules. */
enum err rule_text_read(struct view text, struct rule_text **ret_rules, struct buf *why) MUST_USE;
void rule_text_done(struct rule_text *rules); /* accepts NULL */

size_t rule_text_count(const struct rule_text *rules);
const struct rule *rule_text_rule(const struct rule_text *rules, size_t index);
/* The line on which it begins, from 1. */
size_t rule_text_line(const struct rule_text *rules, size_t index);

#endif
