/* What the verbs of `listctl suppress` share: what is suppressed, for which list, why, and until when. */
#ifndef LISTCTL_SUPPRESS_TERMS_H
#define LISTCTL_SUPPRESS_TERMS_H

#include "listctl/call.h"
#include "listctl/erased.h"
#include "store/suppressions.h"

enum { SUPPRESS_REASON_SIZE = 200 };

/* Options that `add` and `import` have. */
#define SUPPRESS_TERM_OPTIONS                                                                                          \
	{ "list", "LIST", "for this list only, not for the whole installation" },                                      \
	    { "reason", "TEXT", "why; shown by `suppress ls` and `explain`" },                                         \
	    { "until", "DAY", "it ends when this day begins (UTC), such as 2027-01-31" },                              \
	{                                                                                                              \
		"for", "TIME", "it ends after this time, such as 90d"                                                  \
	}

struct suppress_terms {
	int64_t list_id; /* 0: the whole installation */
	struct view reason;
	int64_t expires_us; /* 0: never */
};
/* From the verb's options. */
enum err suppress_terms_read(struct call *call, struct suppress_terms *ret_terms) MUST_USE;
/* --reason, or what stands for it when it is not given. */
enum err suppress_reason(struct call *call, const char *fallback, struct view *ret_reason) MUST_USE;
/* --list as an id, 0 when it is not given. */
enum err suppress_find_list(struct call *call, int64_t *ret_list_id) MUST_USE;

/* What a person writes: an address, or a domain (with @ or *@ in front or without). Appends the form that is compared: of an address its mailbox, so that
 * all its spellings are meant. */
enum err suppress_value(struct view text, struct buf *ret_value, enum suppression_kind *ret_kind,
			struct buf *why) MUST_USE;
/* The hash of an address's mailbox, for suppressions_add(); nothing where erased is NULL: nobody was erased, or nobody can tell. */
enum err suppress_hash(struct erased *erased, const struct suppression *row, struct buf *ret_hash) MUST_USE;
/* As erased_open_if_known(); warns of what follows where nobody can tell. */
enum err suppress_open_erased(struct call *call, struct erased **ret_erased) MUST_USE;
/* When one ends, exactly: RFC 3339 in UTC, with the fraction of a second where there is one. */
void suppress_end(struct buf *text, int64_t expires_us);
/* Begins the audit's detail, a JSON object whose end is for the caller: the list, and the reason if there is one. */
void suppress_detail(struct buf *detail, int64_t list_id, struct view reason);
/* The audit row of a change; its subject is the value, or what many of them have in common. */
enum err suppress_audit(struct call *call, const char *action, struct view value, const struct buf *detail) MUST_USE;
/* Commits, or rolls back after a failure. */
enum err suppress_finish(struct call *call, enum err err) MUST_USE;

#endif
