/* CRC-32C (Castagnoli), the checksum of journal records. */
#ifndef SENDER_CHECKSUM_H
#define SENDER_CHECKSUM_H

#include "base/view.h"

uint32_t checksum_of(struct view bytes);

#endif
