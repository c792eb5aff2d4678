/* The exports of other list managers, known by their columns' names: what each column is. Pure. */
#ifndef LISTCTL_KNOWN_EXPORTS_H
#define LISTCTL_KNOWN_EXPORTS_H

#include "listctl/column_names.h"
#include "listctl/field_types.h"
#include "listctl/standing.h"

struct known_column {
	const char *name; /* normalised; NULL ends the array */
	enum role role;
	enum field_type type;
	bool in_capitals; /* else it is somebody's own: REGION, but not Region */
};

/* A file whose name says of all people in it what they are there. */
struct known_file {
	const char *start; /* of its name; NULL ends the array */
	enum standing standing;
};

struct known_export {
	const char *name;         /* "a Mailchimp export" */
	const char *consent;      /* the source of a consent whose time the export tells */
	const char *signature[4]; /* normalised names that all stand in its header; NULL behind the last */
	const struct known_column *columns;
	const struct known_file *files; /* NULL: names say nothing */
	bool tells_consent; /* whoever has subscribed has a time in one of its columns of consent or opt-in */
};

/* names are normalised. NULL: none that is known. */
const struct known_export *known_export_find(const char *const *names, size_t count);
/* What the name of the file, perhaps with folders, says of everybody in it; STANDING_UNKNOWN: nothing. */
enum standing known_export_standing(const struct known_export *known, const char *path);
/* header as it stands in the file, name normalised. NULL: the column is what its name says elsewhere too. */
const struct known_column *known_export_column(const struct known_export *known, struct view header, const char *name);

#endif
