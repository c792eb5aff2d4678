/* The facts of a segment as options say them: `segment create` and `segment edit`. */
#ifndef LISTCTL_SEGMENT_FACTS_H
#define LISTCTL_SEGMENT_FACTS_H

#include "listctl/call.h"
#include "store/segments.h"

/* Rows for a verb's table of options. */
#define SEGMENT_FACT_OPTIONS                                                                                           \
	{ "where", "JSONPATH", "a predicate over attributes: '$.country == \"ID\" && $.age > 20'" },                   \
	    { "joined-before", "DAY|AGE", "joined before 2026-01-31, or longer ago than 90d" },                        \
	    { "joined-after", "DAY|AGE", "joined on 2026-01-31 or later, or in the last 90d" },                        \
	    { "accepted-within", "AGE", "a message for them was accepted in the last 90d" },                           \
	    { "not-accepted-within", "AGE", "none was" },                                                              \
	    { "bounced", "REASON,...", "something came back for one of these reasons" },                               \
	    { "bounced-within", "AGE", "and it came in the last 90d" },                                                \
	    { "member-of", "LIST,...", "active in each of these lists" },                                              \
	    { "not-member-of", "LIST,...", "active in none of these lists" },                                          \
	{                                                                                                              \
		"about", "TEXT", "what it is for"                                                                      \
	}

/* Whether --where, if given, is a predicate; what is wrong is told with its place. Not in a transaction: the server is asked, and may refuse. */
enum err segment_facts_check(struct call *call) MUST_USE;
/* Sets in *segment what the options say; the empty text takes a fact away. Lists and reasons are looked up. Views borrow from the command line and from *texts. */
enum err segment_facts_read(struct call *call, struct segment *segment, struct buf *texts) MUST_USE;
/* Warns of fields in the predicate that no subscriber among the first ones has. */
enum err segment_facts_warn(struct call *call, struct view predicate) MUST_USE;

#endif
