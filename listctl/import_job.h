/* One import: what it was told, what it has read, what it has changed. cmd_import.c runs it, import_report.c tells of it. */
#ifndef LISTCTL_IMPORT_JOB_H
#define LISTCTL_IMPORT_JOB_H

#include "listctl/address_warnings.h"
#include "listctl/erased.h"
#include "listctl/import_wishes.h"
#include "listctl/rejects.h"
#include "store/lists.h"

enum { FORMER_SHOWN = 5 };

struct import_job {
	struct call *call;
	struct import_wishes wishes;
	struct list list;
	struct db_rows *list_rows; /* owns list's views */
	bool in_transaction;
	bool is_taken; /* committed, or a dry run that has come as far */
	struct people_file *file;
	struct columns *columns; /* NULL until the header has been read */
	bool *states;            /* LIMIT_CSV_COLUMNS: see column_wishes */
	bool is_to_be_read_again;
	struct subscriber_import *import;
	struct buf canonical;  /* of the person at hand */
	struct erased *erased; /* NULL: nobody was */
	struct buf rejects_path;
	struct rejects *rejects;
	struct address_warnings *warnings;
	uint64_t rows;             /* taken or not, the header aside */
	uint64_t repeated_headers; /* left out */
	struct import_counts counts;
	struct db_rows *stays; /* the first of those who have left and stay so; NULL: none */
	struct buf former;     /* the first FORMER_SHOWN addresses that were left out as former ones */
};

/* For people on stderr, or as one object on stdout where --format says csv or json. */
enum err import_report(struct import_job *job) MUST_USE;
/* One sentence: why nothing was imported; and for programs the same object as ever, whose counts of what was done are 0. */
enum err import_report_refused(struct import_job *job);
/* What the audit keeps of it, as JSON. */
void import_report_audit(const struct import_job *job, struct buf *detail);

#endif
