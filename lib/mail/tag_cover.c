#include "mail/tag_cover.h"

#include "base/limits.h"

enum {
	WORD_CEILING = 32,
	DIGITS_MOST = 6, /* LIMIT_TEMPLATE_OPS has as many */
};

/* What stands in front of the digits and behind them; the latter keeps 1 and 10 apart. */
#define WORD_START "vpq"
#define WORD_END 'z'

/* The first of vpqa, vpqb ... vpqaa ... with a q behind that the source does not hold. */
static enum err find_word(struct tag_cover *cover)
{
	for (size_t candidate = 0;; candidate++) {
		buf_reset(&cover->word);
		buf_add(&cover->word, VIEW_LIT(WORD_START));
		for (size_t rest = candidate + 1; rest > 0; rest = (rest - 1) / 26)
			buf_add_byte(&cover->word, (char)('a' + (rest - 1) % 26));
		if (buf_add_byte(&cover->word, 'q') != ERR_OK)
			return buf_err(&cover->word);
		if (view_find(cover->source, buf_view(&cover->word)) == VIEW_NONE)
			return ERR_OK;
	}
}

enum err tag_cover_open(struct tag_cover *cover, struct view source)
{
	*cover = (struct tag_cover){
		.source = source,
		.word = buf_with_ceiling(WORD_CEILING),
		.tags = buf_with_ceiling(LIMIT_TEMPLATE_OPS * sizeof(struct template_tag)),
	};
	struct template_tag tag;
	for (size_t cursor = 0; template_next_tag(source, &cursor, &tag);) {
		if (buf_add(&cover->tags, view_from(&tag, sizeof(tag))) != ERR_OK)
			return buf_err(&cover->tags);
	}
	return find_word(cover);
}

void tag_cover_done(struct tag_cover *cover)
{
	buf_done(&cover->word);
	buf_done(&cover->tags);
}

size_t tag_cover_count(const struct tag_cover *cover)
{
	return cover->tags.len / sizeof(struct template_tag);
}

const struct template_tag *tag_cover_tag(const struct tag_cover *cover, size_t index)
{
	return (const struct template_tag *)(const void *)cover->tags.data + index;
}

struct view tag_cover_text(const struct tag_cover *cover, size_t index)
{
	const struct template_tag *tag = tag_cover_tag(cover, index);
	return view_slice(cover->source, tag->start, tag->end);
}

bool tag_cover_is_section(const struct tag_cover *cover, size_t index)
{
	char sigil = tag_cover_tag(cover, index)->sigil;
	return sigil == '#' || sigil == '^' || sigil == '/';
}

enum err tag_cover_write(const struct tag_cover *cover, size_t index, struct buf *out)
{
	buf_add(out, buf_view(&cover->word));
	buf_add_u64(out, index);
	return buf_add_byte(out, WORD_END);
}

/* The digits at the start of a text, and the end of the word behind them. */
static bool read_index(struct view text, size_t count, size_t *ret_index, size_t *ret_len)
{
	size_t len = 0;
	uint64_t index = 0;
	while (len < text.len && len <= DIGITS_MOST && text.data[len] >= '0' && text.data[len] <= '9')
		len++;
	if (len == text.len || text.data[len] != WORD_END || count == 0 ||
	    !view_to_u64(view_head(text, len), count - 1, &index))
		return false;
	*ret_index = (size_t)index;
	*ret_len = len + 1;
	return true;
}

bool tag_cover_next(const struct tag_cover *cover, struct view text, size_t *cursor, struct covered *ret_covered)
{
	struct view word = buf_view(&cover->word);
	for (;;) {
		size_t offset = view_find(view_skip(text, *cursor), word);
		if (offset == VIEW_NONE)
			return false;
		struct covered found = { .start = *cursor + offset };
		size_t len;
		*cursor = found.start + word.len;
		if (!read_index(view_skip(text, *cursor), tag_cover_count(cover), &found.index, &len))
			continue;
		*cursor += len;
		found.end = *cursor;
		*ret_covered = found;
		return true;
	}
}

enum err tag_cover_restore(const struct tag_cover *cover, struct view text, struct buf *out)
{
	size_t done = 0;
	struct covered covered;
	for (size_t cursor = 0; tag_cover_next(cover, text, &cursor, &covered);) {
		buf_add(out, view_slice(text, done, covered.start));
		buf_add(out, tag_cover_text(cover, covered.index));
		done = covered.end;
	}
	return buf_add(out, view_skip(text, done));
}
