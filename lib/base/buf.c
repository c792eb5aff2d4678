#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 256 };

struct buf buf_with_ceiling(size_t ceiling)
{
	return (struct buf){ .ceiling = ceiling };
}

void buf_done(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf){ .ceiling = buf->ceiling };
}

void buf_wipe(struct buf *buf)
{
	if (buf->data != NULL)
		explicit_bzero(buf->data, buf->cap);
	buf_done(buf);
}

void buf_reset(struct buf *buf)
{
	buf->len = 0;
	buf->err = ERR_OK;
}

/* Room for one octet beyond the content is kept spare for the NUL of buf_text() and vsnprintf(). */
static bool grow(struct buf *buf, size_t wanted)
{
	size_t cap = buf->cap == 0 ? FIRST_CAPACITY : buf->cap * 2;
	if (cap < wanted)
		cap = wanted;
	char *data = realloc(buf->data, cap);
	if (data == NULL) {
		buf->err = ERR_MEMORY;
		return false;
	}
	buf->data = data;
	buf->cap = cap;
	return true;
}

char *buf_room(struct buf *buf, size_t count)
{
	if (buf->err != ERR_OK)
		return NULL;
	if (count > buf->ceiling - buf->len) {
		buf->err = ERR_TOO_BIG;
		return NULL;
	}
	size_t wanted = buf->len + count + 1;
	return wanted <= buf->cap || grow(buf, wanted) ? buf->data + buf->len : NULL;
}

void buf_grown(struct buf *buf, size_t count)
{
	buf->len += count;
}

enum err buf_add(struct buf *buf, struct view bytes)
{
	char *room = buf_room(buf, bytes.len);
	if (room != NULL && bytes.len > 0) {
		memcpy(room, bytes.data, bytes.len);
		buf_grown(buf, bytes.len);
	}
	return buf->err;
}

enum err buf_add_byte(struct buf *buf, char byte)
{
	char *room = buf_room(buf, 1);
	if (room != NULL) {
		*room = byte;
		buf_grown(buf, 1);
	}
	return buf->err;
}

enum err buf_add_u64(struct buf *buf, uint64_t number)
{
	char digits[20];
	size_t at = sizeof(digits);
	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	return buf_add(buf, view_from(digits + at, sizeof(digits) - at));
}

enum err buf_addv(struct buf *buf, const char *format, va_list values)
{
	va_list again;
	va_copy(again, values);
	int len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (len < 0) {
		buf->err = ERR_MEMORY;
		return buf->err;
	}
	char *room = buf_room(buf, (size_t)len);
	if (room != NULL) {
		vsnprintf(room, (size_t)len + 1, format, values);
		buf_grown(buf, (size_t)len);
	}
	return buf->err;
}

enum err buf_addf(struct buf *buf, const char *format, ...)
{
	va_list values;
	va_start(values, format);
	enum err err = buf_addv(buf, format, values);
	va_end(values);
	return err;
}

void buf_drop_front(struct buf *buf, size_t count)
{
	if (count == 0)
		return;
	if (count >= buf->len) {
		buf->len = 0;
		return;
	}
	memmove(buf->data, buf->data + count, buf->len - count);
	buf->len -= count;
}

void buf_cut(struct buf *buf, size_t len)
{
	if (len < buf->len)
		buf->len = len;
}

enum err buf_err(const struct buf *buf)
{
	return buf->err;
}

struct view buf_view(const struct buf *buf)
{
	return (struct view){ .data = buf->data, .len = buf->len };
}

const char *buf_text(struct buf *buf)
{
	if (buf->data == NULL)
		return "";
	buf->data[buf->len] = '\0';
	return buf->data;
}
