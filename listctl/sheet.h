/* The columns that attributes take in a CSV file: one a name, and what kind of values it holds, so that import makes the same attributes of
 * the cells. A column of texts is called by its name alone; one of numbers, booleans or anything else by name:number, name:boolean or
 * name:json, and then each cell holds what JSON writes. A name by which import would take the column for something else (full_name, status) or for
 * another attribute (City Name) gets attribute: in front, so that it comes back as it is. Columns follow from the objects that are shown to it. */
#ifndef LISTCTL_SHEET_H
#define LISTCTL_SHEET_H

#include <stdbool.h>

#include "base/buf.h"

enum { SHEET_COLUMNS_MOST = 1000 };

struct sheet;

struct sheet *sheet_new(void);        /* NULL: no memory */
void sheet_free(struct sheet *sheet); /* accepts NULL */
/* Takes in the names and kinds of a JSON object. ERR_TOO_BIG beyond SHEET_COLUMNS_MOST, ERR_INVALID: no JSON object. */
enum err sheet_learn(struct sheet *sheet, struct view object, struct buf *why) MUST_USE;
/* Puts the columns in the order of their names; before the first sheet_header() or sheet_row(), and after more was learned. */
void sheet_arrange(struct sheet *sheet);
/* Appends ",name" for each column. With guard, what a spreadsheet would run is made harmless. */
void sheet_header(const struct sheet *sheet, bool guard, struct buf *line);
/* Appends "," and the cell for each column. False when the object has a name or a kind of value that was not learned: *line is as it was. */
bool sheet_row(struct sheet *sheet, struct view object, bool guard, struct buf *line);

#endif
