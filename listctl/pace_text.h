/* What slows or stops sending, in words for people: with the reply that did it and the command that ends it. */
#ifndef LISTCTL_PACE_TEXT_H
#define LISTCTL_PACE_TEXT_H

#include "store/budgets.h"

/* Appends "slowed to 18/s: 421 4.7.0 ...; `listctl pace open relay:r` ends it", or "closed until ..."; nothing where nothing is cut. */
void pace_text_add_cut(const struct budget_standing *standing, struct buf *out);
/* Appends "300 wait for group:gmail, closed until ...", "70 wait for the warm-up of relay new (50 today)", "300 wait for relay r, which takes nobody now", "relay:r is slowed to ...":
 * one sentence without a full stop. */
void pace_text_add_wait(const struct budget_wait *wait, struct buf *out);

#endif
