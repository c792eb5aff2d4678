/* A file of people, whatever it is: packed or not, in one of several encodings, CSV by any delimiter, with or without a header, or lines of addresses.
 * Its first part is looked at, what was found is stated, and it is given as rows under a header. */
#ifndef LISTCTL_PEOPLE_FILE_H
#define LISTCTL_PEOPLE_FILE_H

#include "listctl/csv_import.h"
#include "listctl/input.h"
#include "listctl/json_lines.h"

/* What a person has said about the file; the rest is found out. */
struct people_file_wishes {
	enum encoding encoding; /* ENCODING_AUTO: not said */
	char delimiter;         /* '\0': not said */
	enum { HEADER_UNSAID, HEADER_YES, HEADER_NO } header;
	bool names_columns; /* he knows columns of names that only a header can have */
	const struct json_lines_kind *
	    objects; /* what JSON lines, or the objects of an array, hold, also where he has said how CSV is; NULL: people */
};

/* Where rows go. header comes once, before the others: the first row, or one made up when there is none: email for the column in which an
 * address stands, name for the other one of two, else #2 and so on. */
struct people_handlers {
	csv_handler *header, *row;
	csv_fault_handler *fault;
	void *context;
};

struct people_file;

/* Opens the file and reads its first part. `why` begins with its name: what input_open() refuses, and what is no text. The caller frees it. */
enum err people_file_open(const char *path, const struct people_file_wishes *wishes, bool quiet,
			  struct people_file **ret_file, struct buf *why) MUST_USE;
void people_file_free(struct people_file *file); /* accepts NULL */
const char *people_file_name(const struct people_file *file);
/* All of it. ERR_INVALID with an empty file. */
enum err people_file_read(struct people_file *file, const struct people_handlers *handlers, struct buf *why) MUST_USE;
/* So many rows came of it so far, for the progress bar. */
void people_file_count(struct people_file *file, uint64_t rows);

/* After reading: what it was found to be. */
struct people_file_finding {
	const char *encoding;  /* "Windows-1252" */
	const char *delimiter; /* "semicolons"; NULL: none */
	uint64_t header_line;  /* 0: there is none */
	bool is_packed;
	const char *layout; /* "CSV", "addresses, one a line" */
};
struct people_file_finding people_file_finding(const struct people_file *file);
/* "read as Windows-1252, parted by semicolons, header in line 1" */
void people_file_describe(const struct people_file *file, struct buf *out);

#endif
