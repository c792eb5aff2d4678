/* The options of `listctl list edit` that set header fields of a list's copies, and how `show` tells them (mail/list_headers.h). */
#ifndef LISTCTL_LIST_HEADERS_OPTIONS_H
#define LISTCTL_LIST_HEADERS_OPTIONS_H

#include "listctl/call.h"
#include "mail/list_headers.h"

#define LIST_HEADERS_OPTIONS                                                                                           \
	{ "help-url", "URL", "List-Help: how the list is used; \"\" takes it away" },                                  \
	    { "owner", "ADDRESS|URL", "List-Owner: whom to ask about the list; \"\" takes it away" },                  \
	    { "archive-url", "URL", "List-Archive: where the list's letters are kept; \"\" takes it away" },           \
	    { "post", "no|ADDRESS", "List-Post: no, or where to write to the list; \"\" takes it away" },              \
	{                                                                                                              \
		"header", "\"NAME: VALUE\"",                                                                           \
		    "a header field of the list's own, may be given several times; \"NAME:\" takes it away"            \
	}

bool list_headers_given(const struct call *call);
/* Sets in lines what the options say. */
enum err list_headers_take(struct call *call, struct buf *lines) MUST_USE;

/* The option's text for one of RFC 2369's: the URL without brackets, an address without mailto:, "no"; borrowed. */
struct view list_headers_shown(struct view lines, enum list_field field);
/* Appends the others as a JSON object. */
void list_headers_json(struct view lines, struct buf *out);

#endif
