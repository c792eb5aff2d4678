/* The options of `listctl import`, as a person has given them. */
#ifndef LISTCTL_IMPORT_WISHES_H
#define LISTCTL_IMPORT_WISHES_H

#include "listctl/call.h"
#include "listctl/columns.h"
#include "listctl/people_file.h"
#include "store/subscriber_import.h"

struct import_wishes {
	struct people_file_wishes file;
	struct column_wishes columns;
	bool takes_good_rows; /* --skip-bad; else one refused row refuses all */
	bool is_dry;
	struct import_options options; /* what becomes of people and of their memberships */
	const char *warnings_path;     /* NULL: not said */
};

extern const struct command_option import_options_rows[];

/* ERR_INVALID: a misuse, and call->why says which. */
enum err import_wishes_read(struct call *call, struct import_wishes *ret_wishes) MUST_USE;

#endif
