#include "base/base32.h"

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
static const char digits[] = "0123456789abcdef";

enum { BITS_PER_CHARACTER = 5 };

enum err base32_encode(struct view bytes, struct buf *out)
{
	uint32_t bits = 0;
	unsigned have = 0;
	for (size_t i = 0; i < bytes.len; i++) {
		bits = bits << 8 | (unsigned char)bytes.data[i];
		have += 8;
		while (have >= BITS_PER_CHARACTER) {
			have -= BITS_PER_CHARACTER;
			buf_add_byte(out, alphabet[bits >> have & 31]);
		}
	}
	if (have > 0)
		buf_add_byte(out, alphabet[bits << (BITS_PER_CHARACTER - have) & 31]);
	return buf_err(out);
}

static int value32(char c)
{
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= '2' && c <= '7')
		return c - '2' + 26;
	return -1;
}

bool base32_decode(struct view text, void *ret_bytes, size_t size)
{
	unsigned char *out = ret_bytes;
	uint32_t bits = 0;
	unsigned have = 0;
	size_t written = 0;
	if (text.len != (size * 8 + BITS_PER_CHARACTER - 1) / BITS_PER_CHARACTER)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		int value = value32(text.data[i]);
		if (value < 0)
			return false;
		bits = bits << BITS_PER_CHARACTER | (uint32_t)value;
		have += BITS_PER_CHARACTER;
		if (have >= 8) {
			have -= 8;
			out[written++] = (unsigned char)(bits >> have & 0xff);
		}
	}
	return (bits & ((1U << have) - 1)) == 0;
}

enum err hex_encode(struct view bytes, struct buf *out)
{
	for (size_t i = 0; i < bytes.len; i++) {
		unsigned char byte = (unsigned char)bytes.data[i];
		buf_add_byte(out, digits[byte >> 4]);
		buf_add_byte(out, digits[byte & 15]);
	}
	return buf_err(out);
}

static int value16(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool hex_decode(struct view text, void *ret_bytes, size_t size)
{
	unsigned char *out = ret_bytes;
	if (text.len != 2 * size)
		return false;
	for (size_t i = 0; i < size; i++) {
		int high = value16(text.data[2 * i]);
		int low = value16(text.data[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		out[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}
