/* A letter that is a complete message, FILE.eml: what of it stands where that of other letters does. */
#ifndef LISTCTL_LETTER_EML_H
#define LISTCTL_LETTER_EML_H

#include "listctl/letter_file.h"

/* Reads it into the letter, whose path is set, and tells on stderr which fields of its header are left out. */
enum err letter_eml_read(struct call *call, struct letter_file *file) MUST_USE;

#endif
