#include "sender/checksum.h"

#include <string.h>

/* Four bits a step: the table is small enough to be read by a person. */
static const uint32_t steps[16] = {
	0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
	0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

uint32_t checksum_of_any(struct view bytes)
{
	uint32_t sum = 0xffffffff;
	for (size_t i = 0; i < bytes.len; i++) {
		sum ^= (unsigned char)bytes.data[i];
		sum = sum >> 4 ^ steps[sum & 15];
		sum = sum >> 4 ^ steps[sum & 15];
	}
	return ~sum;
}

#ifdef __x86_64__
/* SSE 4.2, which the first processors of this kind had not. */
__attribute__((target("sse4.2"))) static uint32_t by_instruction(struct view bytes)
{
	uint64_t sum = 0xffffffff;
	for (uint64_t word; bytes.len >= sizeof(word); bytes = view_skip(bytes, sizeof(word))) {
		memcpy(&word, bytes.data, sizeof(word));
		sum = __builtin_ia32_crc32di(sum, word);
	}
	uint32_t rest = (uint32_t)sum;
	for (size_t i = 0; i < bytes.len; i++)
		rest = __builtin_ia32_crc32qi(rest, (unsigned char)bytes.data[i]);
	return ~rest;
}

uint32_t checksum_of(struct view bytes)
{
	return __builtin_cpu_supports("sse4.2") ? by_instruction(bytes) : checksum_of_any(bytes);
}
#else
uint32_t checksum_of(struct view bytes)
{
	return checksum_of_any(bytes);
}
#endif
