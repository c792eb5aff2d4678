/* Spreadsheets run a cell that begins with = + - @ as a formula. What listctl writes as CSV gets an apostrophe in front of such
 * text, which spreadsheets do not show; what it reads loses just that apostrophe again. */
#ifndef LISTCTL_CSV_GUARD_H
#define LISTCTL_CSV_GUARD_H

#include "base/view.h"

/* Text that begins with = + - @ TAB or CR and is no plain number, apostrophes before it aside (so that guarding can be undone). */
bool csv_guard_is_needed(struct view text);
/* The text without the apostrophe that guarding has put there; else the text itself. */
struct view csv_guard_removed(struct view text);

#endif
