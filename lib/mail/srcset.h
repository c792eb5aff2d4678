/* The candidates of a srcset (the HTML standard, section 4.8.4.2): addresses of images, each with the width or density it is for. Pure. */
#ifndef MAIL_SRCSET_H
#define MAIL_SRCSET_H

#include "base/view.h"

/* Cuts the next candidate's address off. False at the end. */
bool srcset_cut(struct view *candidates, struct view *ret_address);

#endif
