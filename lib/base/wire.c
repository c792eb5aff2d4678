#include "base/wire.h"

static void add_number(struct buf *out, uint32_t number, unsigned octets)
{
	for (unsigned i = 0; i < octets; i++)
		buf_add_byte(out, (char)(number >> 8 * i & 0xff));
}

void wire_add_u8(struct buf *out, unsigned number)
{
	add_number(out, number, 1);
}

void wire_add_u16(struct buf *out, unsigned number)
{
	add_number(out, number, 2);
}

void wire_add_u32(struct buf *out, uint32_t number)
{
	add_number(out, number, 4);
}

void wire_add_text(struct buf *out, struct view text)
{
	wire_add_u16(out, (unsigned)text.len);
	buf_add(out, text);
}

struct view wire_octets(struct wire *wire, size_t count)
{
	if (wire->broken || count > wire->rest.len) {
		wire->broken = true;
		return view_of(NULL);
	}
	struct view octets = view_head(wire->rest, count);
	wire->rest = view_skip(wire->rest, count);
	return octets;
}

static uint32_t read_number(struct wire *wire, unsigned octets)
{
	struct view view = wire_octets(wire, octets);
	uint32_t number = 0;
	for (size_t i = 0; i < view.len; i++)
		number |= (uint32_t)(unsigned char)view.data[i] << 8 * i;
	return number;
}

uint32_t wire_u8(struct wire *wire)
{
	return read_number(wire, 1);
}

uint32_t wire_u16(struct wire *wire)
{
	return read_number(wire, 2);
}

uint32_t wire_u32(struct wire *wire)
{
	return read_number(wire, 4);
}

struct view wire_text(struct wire *wire, size_t most)
{
	size_t len = wire_u16(wire);
	if (len > most)
		wire->broken = true;
	return wire_octets(wire, len);
}

bool wire_is_whole(const struct wire *wire)
{
	return !wire->broken && wire->rest.len == 0;
}
