#include "sender/checksum.h"

/* Four bits a step: the table is small enough to be read by a person and fast enough for a journal. */
static const uint32_t steps[16] = {
	0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
	0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

uint32_t checksum_of(struct view bytes)
{
	uint32_t sum = 0xffffffff;
	for (size_t i = 0; i < bytes.len; i++) {
		sum ^= (unsigned char)bytes.data[i];
		sum = sum >> 4 ^ steps[sum & 15];
		sum = sum >> 4 ^ steps[sum & 15];
	}
	return ~sum;
}
