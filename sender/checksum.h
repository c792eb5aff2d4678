/* CRC-32C (Castagnoli), the checksum of journal records. */
#ifndef SENDER_CHECKSUM_H
#define SENDER_CHECKSUM_H

#include "base/view.h"

/* By the processor's instruction where it has one. */
uint32_t checksum_of(struct view bytes);
/* The same number on any machine. */
uint32_t checksum_of_any(struct view bytes);

#endif
