#include "listctl/gunzip.h"

#include <stdint.h>
#include <stdlib.h>

#include <zlib.h>

enum { GZIP_ONLY = 16 + MAX_WBITS };

struct gunzip {
	z_stream stream;
	bool is_over;   /* a member has ended */
	bool is_padded; /* and zeros follow, as on tapes */
};

bool gunzip_is_magic(struct view start)
{
	return view_starts(start, VIEW_LIT("\x1f\x8b"));
}

struct gunzip *gunzip_new(void)
{
	struct gunzip *gunzip = calloc(1, sizeof(*gunzip));
	if (gunzip != NULL && inflateInit2(&gunzip->stream, GZIP_ONLY) != Z_OK) {
		free(gunzip);
		return NULL;
	}
	return gunzip;
}

void gunzip_free(struct gunzip *gunzip)
{
	if (gunzip == NULL)
		return;
	inflateEnd(&gunzip->stream);
	free(gunzip);
}

/* What follows a member: another one, or zeros up to the end. */
static enum err next_member(struct gunzip *gunzip, struct view *bytes, struct buf *why)
{
	if (bytes->data[0] == '\0' || gunzip->is_padded) {
		gunzip->is_padded = true;
		while (bytes->len > 0 && bytes->data[0] == '\0')
			*bytes = view_skip(*bytes, 1);
		if (bytes->len == 0)
			return ERR_OK;
	}
	if (gunzip->is_padded || bytes->data[0] != '\x1f') {
		buf_add(why, VIEW_LIT("something that is no gzip stands behind its end"));
		return ERR_INVALID;
	}
	gunzip->is_over = false;
	return inflateReset(&gunzip->stream) == Z_OK ? ERR_OK : ERR_MEMORY;
}

enum err gunzip_step(struct gunzip *gunzip, struct view *bytes, char *room, size_t size, size_t *ret_got,
		     struct buf *why)
{
	z_stream *stream = &gunzip->stream;
	*ret_got = 0;
	while (*ret_got == 0) {
		if (gunzip->is_over && bytes->len > 0) {
			enum err err = next_member(gunzip, bytes, why);
			if (err != ERR_OK)
				return err;
		}
		if (gunzip->is_over)
			return ERR_OK;
		stream->next_in = (Bytef *)(uintptr_t)bytes->data;
		stream->avail_in = (uInt)bytes->len;
		stream->next_out = (Bytef *)room;
		stream->avail_out = (uInt)size;
		int result = inflate(stream, Z_NO_FLUSH);
		*ret_got = size - stream->avail_out;
		*bytes = view_skip(*bytes, bytes->len - stream->avail_in);
		gunzip->is_over = result == Z_STREAM_END;
		if (result == Z_MEM_ERROR)
			return ERR_MEMORY;
		if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
			buf_addf(why, "its gzip is damaged (%s)", stream->msg == NULL ? "no gzip" : stream->msg);
			return ERR_INVALID;
		}
		if (result == Z_BUF_ERROR || (*ret_got == 0 && bytes->len == 0))
			return ERR_OK;
	}
	return ERR_OK;
}

bool gunzip_is_whole(const struct gunzip *gunzip)
{
	return gunzip->is_over;
}
