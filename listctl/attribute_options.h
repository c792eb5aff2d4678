/* Attributes as options say them: --set name=text, --set age:number=42, --unset name. */
#ifndef LISTCTL_ATTRIBUTE_OPTIONS_H
#define LISTCTL_ATTRIBUTE_OPTIONS_H

#include "listctl/call.h"

struct attribute_options {
	struct buf set;        /* a JSON object; "{}": none */
	struct buf names;      /* what is changed, ", " between */
	struct db_array unset; /* names */
	bool any;
};

/* Misuse: no name, one that templates know, a value that is none of its type or that no letter can show. */
enum err attribute_options_read(struct call *call, struct attribute_options *ret_options) MUST_USE;
void attribute_options_done(struct attribute_options *options); /* accepts a zeroed one */
/* A text that may stand in a letter's header, as names and attributes do; misuse otherwise. */
enum err attribute_text_check(struct call *call, const char *option, struct view text) MUST_USE;

#endif
