#include "sender/uuid.h"

#include <stddef.h>
#include <sys/random.h>

bool uuid_make(char ret_uuid[UUID_TEXT + 1])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char octets[16];
	if (getrandom(octets, sizeof(octets), 0) != (ssize_t)sizeof(octets))
		return false;
	octets[6] = (unsigned char)((octets[6] & 0x0f) | 0x40);
	octets[8] = (unsigned char)((octets[8] & 0x3f) | 0x80);
	size_t out = 0;
	for (size_t i = 0; i < sizeof(octets); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			ret_uuid[out++] = '-';
		ret_uuid[out++] = digits[octets[i] >> 4];
		ret_uuid[out++] = digits[octets[i] & 15];
	}
	ret_uuid[out] = '\0';
	return true;
}
