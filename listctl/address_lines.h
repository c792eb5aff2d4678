/* Addresses as other list managers list them, one a line with or without a name, or the stanzas of a Sympa dump, read in pieces with constant memory and
 * given as rows: email and name, or what a dump tells (email, gecos, date, and whether
 * mail is received). Comments are left out. Pure. */
#ifndef LISTCTL_ADDRESS_LINES_H
#define LISTCTL_ADDRESS_LINES_H

#include "listctl/csv_import.h"
#include "listctl/sniff.h"

enum { ADDRESS_LINES_FIELDS = 7 };

struct address_lines;

/* layout is LAYOUT_LINES or LAYOUT_STANZAS. encoding as csv_reader_set_encoding(). NULL: no memory. */
struct address_lines *address_lines_new(enum layout layout, enum encoding encoding, bool guessed, csv_handler *handler,
					csv_fault_handler *on_fault, void *context);
void address_lines_free(struct address_lines *lines); /* accepts NULL */
/* The row of names that belongs to the rows of this layout. */
struct csv_row address_lines_header(enum layout layout);
enum encoding address_lines_encoding(const struct address_lines *lines);
/* A line that holds no address is a row whose email is the whole line. Errors are the handlers', or ERR_MEMORY. */
enum err address_lines_feed(struct address_lines *lines, struct view bytes, struct buf *why) MUST_USE;
enum err address_lines_finish(struct address_lines *lines, struct buf *why) MUST_USE;

#endif
