/* JSON lines that could not be read stand in the first cell of a rejects file (listctl/rejects.h). Mended there, each is an object again, and is given as
 * the row of cells that it would have been at first. Pure. */
#ifndef LISTCTL_JSON_CELLS_H
#define LISTCTL_JSON_CELLS_H

#include "listctl/csv_import.h"

/* True for the header of a rejects file that was made of JSON lines. */
bool json_cells_is_header(const struct csv_row *row);
/* True for a row under such a header that holds nothing but an object, mended or not. */
bool json_cells_is_object(const struct csv_row *row);

struct json_cells;

/* NULL: no memory. */
struct json_cells *json_cells_new(csv_handler *handler, csv_fault_handler *on_fault, void *context);
void json_cells_free(struct json_cells *cells); /* accepts NULL */
/* Gives the row to one of the handlers, whose errors it returns, or ERR_MEMORY. */
enum err json_cells_take(struct json_cells *cells, const struct csv_row *row, struct buf *why) MUST_USE;

#endif
