#include "mail/storm_text.h"

#include <string.h>

#include "base/digest.h"
#include "base/limits.h"
#include "mail/phrase_text.h"

enum { WORD_MOST = 40, LOCAL_LEAST = 3 };

static void take(void *context, unsigned char octet)
{
	buf_add_byte(context, (char)octet);
}

static bool has_digit(struct view word)
{
	for (size_t i = 0; i < word.len; i++)
		if (word.data[i] >= '0' && word.data[i] <= '9')
			return true;
	return false;
}

/* local is normalised as the word is. */
static bool names(struct view word, struct view local)
{
	if (local.len < LOCAL_LEAST || local.len > word.len)
		return false;
	for (size_t i = 0; i + local.len <= word.len; i++)
		if (memcmp(word.data + i, local.data, local.len) == 0)
			return true;
	return false;
}

/* "smtp;" stands in front of what a remote host said (RFC 3464 section 2.3.6). */
static bool is_left_out(struct view word, struct view local)
{
	return word.len == 0 || word.len > WORD_MOST || has_digit(word) || view_eq(word, VIEW_LIT("smtp;")) ||
	       names(word, local);
}

static enum err write_words(struct view text, struct view local, struct buf *out)
{
	size_t room = LIMIT_STORM_TEXT;
	enum err err = ERR_OK;
	while (err == ERR_OK && text.len > 0) {
		struct view word = { 0 };
		if (!view_cut(&text, ' ', &word)) {
			word = text;
			text = view_skip(text, text.len);
		}
		if (is_left_out(word, local))
			continue;
		size_t space = room < LIMIT_STORM_TEXT;
		if (word.len + space > room)
			break;
		room -= word.len + space;
		if (space > 0)
			err = buf_add_byte(out, ' ');
		if (err == ERR_OK)
			err = buf_add(out, word);
	}
	return err;
}

enum err storm_text_write(struct view said, struct view recipient, struct buf *out)
{
	AUTO_BUF text = buf_with_ceiling(LIMIT_DIAGNOSTIC + 2);
	AUTO_BUF local = buf_with_ceiling(LIMIT_ADDRESS_TEXT + 2);
	size_t at = view_find_last_byte(recipient, '@');
	phrase_text_walk(view_head(said, LIMIT_DIAGNOSTIC), take, &text);
	if (at != VIEW_NONE && at <= LIMIT_ADDRESS_TEXT)
		phrase_text_walk(view_head(recipient, at), take, &local);
	if (buf_err(&text) != ERR_OK)
		return buf_err(&text);
	/* A space stands at either end. */
	return write_words(buf_view(&text), view_trim(buf_view(&local)), out);
}

bool storm_text_hash(struct view reason, struct view text, int64_t *ret_hash)
{
	unsigned char digest[DIGEST_SIZE];
	const struct view parts[] = { reason, text };
	if (!digest_of_parts(parts, ARRAY_LEN(parts), digest))
		return false;
	uint64_t hash = 0;
	for (size_t i = 0; i < sizeof(hash); i++)
		hash = hash << 8 | digest[i];
	memcpy(ret_hash, &hash, sizeof(hash));
	return true;
}
