/* The options of `relay add` and `relay edit`, read into a row and checked as a person would want it: with the remedy. */
#ifndef LISTCTL_RELAY_OPTIONS_H
#define LISTCTL_RELAY_OPTIONS_H

#include "listctl/call.h"
#include "store/relays.h"

/* A row that is being changed, and the texts that it borrows from. */
struct relay_draft {
	struct relay_row row;
	struct buf campaigns, lists, domains;
};

/* As the schema says it. */
bool relay_name_is_valid(struct view name);
struct relay_draft relay_draft_new(const struct relay_row *row);
void relay_draft_done(struct relay_draft *draft);

/* Takes what was given. The call's database is asked for the lists and groups that are named. Misuse (exit 2) for a value that cannot be;
 * ERR_NOT_FOUND for a list or group that is not there. */
enum err relay_options_take(struct call *call, struct relay_draft *draft) MUST_USE;

/* One option for each, ended by a row without a name. */
extern const struct command_option relay_options[];

#endif
