/* Values as octets, for the same program on the other end of a socket: numbers with their low octet first, texts with their length in front.
 * What is read is hostile: the first value that is not there, or is longer than it may be, breaks the wire; all later ones are zero and
 * empty then, so that it is asked once at the end. */
#ifndef BASE_WIRE_H
#define BASE_WIRE_H

#include "base/buf.h"

void wire_add_u8(struct buf *out, unsigned number);
void wire_add_u16(struct buf *out, unsigned number);
void wire_add_u32(struct buf *out, uint32_t number);
void wire_add_text(struct buf *out, struct view text); /* up to 65535 octets */

/* struct wire wire = { .rest = octets }; */
struct wire {
	struct view rest; /* not yet read */
	bool broken;
};

uint32_t wire_u8(struct wire *wire);
uint32_t wire_u16(struct wire *wire);
uint32_t wire_u32(struct wire *wire);
/* Borrowed from the octets. */
struct view wire_octets(struct wire *wire, size_t count);
struct view wire_text(struct wire *wire, size_t most);
/* Everything was there, and nothing is left. */
bool wire_is_whole(const struct wire *wire);

#endif
