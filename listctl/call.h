/* What a verb receives when it runs, and how it answers: data through call->out, everything else to stderr. */
#ifndef LISTCTL_CALL_H
#define LISTCTL_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/settings.h"
#include "listctl/command.h"
#include "listctl/output.h"
#include "store/db.h"

struct call {
	const struct command *command;
	const char *settings_path;
	const struct settings *settings; /* NULL with NEEDS_NOTHING; see NEEDS_NO_SETTINGS */
	struct db *db;                   /* NULL unless the verb needs it */
	struct output *out;
	char **operands; /* operand_count of them, within the row's limits */
	size_t operand_count;
	const char *const *values; /* of the verb's own options, in its row order; "" for a flag that was given */
	const struct given_option *given; /* every one that was given, in order */
	size_t given_count;
	const char *actor; /* who asks, for the audit: SUDO_USER or the login name */
	struct db_rows *
	    known_fields; /* what reader_fields.c has read once of so many lists, of which one is the campaign's own; NULL: nothing yet */
	int64_t known_fields_list;
	size_t known_fields_lists;
	bool known_fields_are_some; /* of some of its members: there may be others */
	bool quiet;
	bool is_page; /* --format html; only where the row writes pages */
	bool misused;
	struct buf *why;
};

/* True when the verb's row has this option. */
bool call_takes(const struct call *call, const char *name);
/* The value of one of the verb's own options, NULL when it was not given; "" for a flag. The last one counts. A name that is
 * not in the row is a mistake of the program and aborts. */
const char *call_option(const struct call *call, const char *name);
/* The values of an option that may be given several times: the first is 0; NULL after the last. */
const char *call_option_at(const struct call *call, const char *name, size_t index);
bool call_has(const struct call *call, const char *name);
/* Some option of the verb's own was given. */
bool call_has_any(const struct call *call);
/* An unsigned number up to max; fallback when not given. Misuse when it is no such number. */
enum err call_number(struct call *call, const char *name, uint64_t max, uint64_t fallback,
		     uint64_t *ret_number) MUST_USE;
/* --limit: of how many rows at most; none at all is refused. */
enum err call_limit(struct call *call, uint64_t max, uint64_t fallback, uint64_t *ret_limit) MUST_USE;

/* Appends the sentence to call->why and returns err. */
enum err call_refuse(struct call *call, enum err err, const char *format, ...) PRINTF_LIKE(3, 4);
/* The same for a wrong use of the verb: exit 2, and the usage line is shown. */
enum err call_misused(struct call *call, const char *format, ...) PRINTF_LIKE(2, 3);
/* One line to stderr: what was done (not with --quiet), or what the person should know although it went well. */
void call_note(const struct call *call, const char *format, ...) PRINTF_LIKE(2, 3);
void call_warn(const struct call *call, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
