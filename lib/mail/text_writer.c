#include "mail/text_writer.h"

#include "base/limits.h"

enum {
	WIDTH_LEAST = 24,
	PREFIX_MOST = 4096,
	VALUE_WIDTH = 10, /* of a field's value, which nobody knows yet */
};

#define STRIKE "~~"

void text_writer_open(struct text_writer *writer, const struct tag_cover *cover, size_t width, struct buf *out)
{
	*writer = (struct text_writer){
		.cover = cover,
		.width = width,
		.out = out,
		.start = out->len,
		.paragraph = buf_with_ceiling(2 * LIMIT_TEMPLATE),
		.prefix = buf_with_ceiling(PREFIX_MOST),
		.mark = buf_with_ceiling(PREFIX_MOST),
		.word = buf_with_ceiling(LIMIT_TEMPLATE),
	};
}

enum err text_writer_close(struct text_writer *writer)
{
	text_writer_flush(writer);
	struct buf *const bufs[] = { &writer->paragraph, &writer->prefix, &writer->mark, &writer->word };
	enum err err = buf_err(writer->out);
	for (size_t i = 0; i < ARRAY_LEN(bufs); i++) {
		if (err == ERR_OK)
			err = buf_err(bufs[i]);
		buf_done(bufs[i]);
	}
	return err;
}

/* ---- the paragraph ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static bool is_control(char c)
{
	return ((unsigned char)c < ' ' && !is_blank(c)) || c == 0x7f;
}

static bool is_of_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

static void add_byte(struct text_writer *writer, char c)
{
	struct buf *paragraph = &writer->paragraph;
	char last = paragraph->len > 0 ? paragraph->data[paragraph->len - 1] : '\n';
	bool begins_strike = writer->struck > 0 && !writer->strike_open;
	/* What takes the place of what is struck out may follow at once. */
	bool parts_strikes = writer->strike_closed && (is_of_word(c) || begins_strike);
	/* Two braces of the text's own are no tag. */
	bool parts_braces = c == '{' && last == '{';
	if (((writer->space || parts_strikes) && last != '\n') || parts_braces)
		buf_add_byte(paragraph, ' ');
	if (begins_strike)
		buf_add(paragraph, VIEW_LIT(STRIKE));
	writer->space = writer->strike_closed = false;
	writer->strike_open = writer->struck > 0;
	buf_add_byte(paragraph, c);
}

static void end_strike(struct text_writer *writer)
{
	if (!writer->strike_open)
		return;
	buf_add(&writer->paragraph, VIEW_LIT(STRIKE));
	writer->strike_open = false;
	writer->strike_closed = true;
}

void text_writer_strike(struct text_writer *writer)
{
	writer->struck++;
}

void text_writer_unstrike(struct text_writer *writer)
{
	if (--writer->struck == 0)
		end_strike(writer);
}

static bool begins_with_section(const struct text_writer *writer, struct view text)
{
	struct covered covered;
	size_t cursor = 0;
	return tag_cover_next(writer->cover, text, &cursor, &covered) && covered.start == 0 &&
	       tag_cover_is_section(writer->cover, covered.index);
}

void text_writer_add(struct text_writer *writer, struct view text)
{
	if (writer->strike_closed && begins_with_section(writer, text))
		writer->strike_closed = false;
	for (size_t i = 0; i < text.len; i++) {
		if (is_blank(text.data[i]))
			writer->space = true;
		else if (!is_control(text.data[i]))
			add_byte(writer, text.data[i]);
	}
}

void text_writer_add_unbroken(struct text_writer *writer, struct view text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (is_blank(text.data[i]))
			text_writer_add(writer, VIEW_LIT("%20"));
		else
			text_writer_add(writer, view_slice(text, i, i + 1));
	}
}

void text_writer_break(struct text_writer *writer)
{
	end_strike(writer);
	writer->space = writer->strike_closed = false;
	buf_add_byte(&writer->paragraph, '\n');
}

size_t text_writer_mark(const struct text_writer *writer)
{
	return writer->paragraph.len;
}

struct view text_writer_since(const struct text_writer *writer, size_t mark)
{
	return view_skip(buf_view(&writer->paragraph), mark);
}

/* ---- lines ---- */

static struct view without_end(struct view text)
{
	while (text.len > 0 && text.data[text.len - 1] == ' ')
		text.len--;
	return text;
}

static void write_gap(struct text_writer *writer)
{
	if (writer->gap && writer->out->len > writer->start) {
		buf_add(writer->out, without_end(view_head(buf_view(&writer->prefix), writer->gap_prefix)));
		buf_add_byte(writer->out, '\n');
	}
	writer->gap = false;
}

/* The gap and the prefix before a line. */
static void begin_line(struct text_writer *writer)
{
	write_gap(writer);
	struct view prefix = buf_view(&writer->prefix);
	buf_add(writer->out, view_head(prefix, prefix.len - writer->mark.len));
	buf_add(writer->out, writer->mark.len > 0 ? buf_view(&writer->mark) : VIEW_LIT(""));
	buf_reset(&writer->mark);
	writer->gap_prefix = prefix.len;
	writer->gap_taken = false;
}

static void end_line(struct text_writer *writer, size_t characters)
{
	struct view written = without_end(buf_view(writer->out));
	buf_cut(writer->out, written.len);
	buf_add_byte(writer->out, '\n');
	if (characters > writer->widest)
		writer->widest = characters;
}

static size_t count_characters(struct view text)
{
	size_t count = 0;
	for (size_t i = 0; i < text.len; i++)
		count += ((unsigned char)text.data[i] & 0xc0) != 0x80;
	return count;
}

/* A word with its tags as they will stand. */
static struct view uncover(struct text_writer *writer, struct view word)
{
	struct covered covered;
	size_t done = 0;
	buf_reset(&writer->word);
	for (size_t cursor = 0; tag_cover_next(writer->cover, word, &cursor, &covered);) {
		buf_add(&writer->word, view_slice(word, done, covered.start));
		/* A brace of the text's own is no part of the tag. */
		if (covered.start > 0 && word.data[covered.start - 1] == '{')
			buf_add_byte(&writer->word, ' ');
		buf_add(&writer->word, tag_cover_text(writer->cover, covered.index));
		done = covered.end;
		if (view_starts(view_skip(word, done), VIEW_LIT("}")))
			buf_add_byte(&writer->word, ' ');
	}
	buf_add(&writer->word, view_skip(word, done));
	return buf_view(&writer->word);
}

/* How wide a tag's value may be: a section's tag and a remark are nothing, a default says it. */
static size_t width_of_tag(const struct template_tag *tag)
{
	if (tag->sigil == '#' || tag->sigil == '^' || tag->sigil == '/' || tag->sigil == '!')
		return 0;
	return tag->otherwise.len > 0 ? count_characters(tag->otherwise) : VALUE_WIDTH;
}

static size_t width_of_word(const struct text_writer *writer, struct view word)
{
	struct covered covered;
	size_t width = 0, done = 0;
	for (size_t cursor = 0; tag_cover_next(writer->cover, word, &cursor, &covered);) {
		width += count_characters(view_slice(word, done, covered.start)) +
			 width_of_tag(tag_cover_tag(writer->cover, covered.index));
		done = covered.end;
	}
	return width + count_characters(view_skip(word, done));
}

static size_t width_of_line(const struct text_writer *writer)
{
	size_t width = writer->width > writer->prefix.len ? writer->width - writer->prefix.len : 0;
	return width > WIDTH_LEAST ? width : WIDTH_LEAST;
}

/* One stretch of a paragraph without a break in it. */
static void write_lines(struct text_writer *writer, struct view text)
{
	struct view word;
	size_t used = 0;
	begin_line(writer);
	while (view_cut(&text, ' ', &word)) {
		size_t characters = width_of_word(writer, word);
		if (used > 0 && used + 1 + characters > width_of_line(writer)) {
			end_line(writer, used);
			begin_line(writer);
			used = 0;
		}
		if (used > 0)
			buf_add_byte(writer->out, ' ');
		used += (used > 0) + characters;
		buf_add(writer->out, uncover(writer, word));
	}
	end_line(writer, used);
}

/* ---- sections ---- */

/* Whether the paragraph is nothing but tags of sections. */
static bool is_sections(const struct text_writer *writer)
{
	struct view text = buf_view(&writer->paragraph);
	struct covered covered;
	size_t done = 0;
	for (size_t cursor = 0; tag_cover_next(writer->cover, text, &cursor, &covered);) {
		if (view_trim(view_slice(text, done, covered.start)).len > 0 ||
		    !tag_cover_is_section(writer->cover, covered.index))
			return false;
		done = covered.end;
	}
	return done > 0 && view_trim(view_skip(text, done)).len == 0;
}

/* Without a prefix: these lines go. The empty line that stands before the tag is the one before what follows. */
static void write_sections(struct text_writer *writer)
{
	struct view text = buf_view(&writer->paragraph);
	struct covered covered;
	writer->gap_taken = writer->gap_taken || writer->gap || writer->out->len == writer->start;
	write_gap(writer);
	for (size_t cursor = 0; tag_cover_next(writer->cover, text, &cursor, &covered);) {
		buf_add(writer->out, tag_cover_text(writer->cover, covered.index));
		buf_add_byte(writer->out, '\n');
	}
}

/* ---- blocks ---- */

/* True when there was a text, which was written. */
static bool write_paragraph(struct text_writer *writer)
{
	end_strike(writer);
	struct view text = buf_view(&writer->paragraph), line;
	bool is_text = view_trim(text).len > 0;
	writer->space = writer->strike_closed = false;
	writer->widest = 0;
	if (is_text && is_sections(writer)) {
		write_sections(writer);
		is_text = false;
	} else if (is_text) {
		while (view_cut(&text, '\n', &line))
			write_lines(writer, line);
	}
	buf_cut(&writer->paragraph, 0);
	return is_text;
}

void text_writer_flush(struct text_writer *writer)
{
	write_paragraph(writer);
}

void text_writer_gap(struct text_writer *writer)
{
	write_paragraph(writer);
	writer->gap = !writer->gap_taken;
	if (writer->gap_prefix > writer->prefix.len)
		writer->gap_prefix = writer->prefix.len;
}

void text_writer_underline(struct text_writer *writer, char line)
{
	if (!write_paragraph(writer))
		return;
	size_t count = writer->widest;
	begin_line(writer);
	for (size_t i = 0; i < count; i++)
		buf_add_byte(writer->out, line);
	buf_add_byte(writer->out, '\n');
}

void text_writer_verbatim(struct text_writer *writer, struct view line)
{
	write_paragraph(writer);
	begin_line(writer);
	AUTO_BUF clean = buf_with_ceiling(2 * LIMIT_TEMPLATE);
	for (size_t i = 0; i < line.len; i++) {
		if (line.data[i] == '{' && i > 0 && line.data[i - 1] == '{')
			buf_add_byte(&clean, ' ');
		if (line.data[i] == '\t' || (!is_control(line.data[i]) && line.data[i] != '\r'))
			buf_add_byte(&clean, line.data[i]);
	}
	buf_add(writer->out, uncover(writer, buf_view(&clean)));
	end_line(writer, 0);
}

struct text_level text_writer_indent(struct text_writer *writer, struct view first, struct view fill)
{
	struct text_level level = { .prefix = writer->prefix.len };
	/* A mark that waits for its line is followed by this one: "- - ". */
	if (writer->mark.len > 0 || !view_eq(first, fill))
		buf_add(&writer->mark, first);
	for (size_t i = 0; i < first.len; i += fill.len)
		buf_add(&writer->prefix, fill);
	return level;
}

void text_writer_outdent(struct text_writer *writer, struct text_level level)
{
	write_paragraph(writer);
	size_t gone = writer->prefix.len - level.prefix;
	buf_cut(&writer->mark, writer->mark.len > gone ? writer->mark.len - gone : 0);
	buf_cut(&writer->prefix, level.prefix);
	if (writer->gap_prefix > level.prefix)
		writer->gap_prefix = level.prefix;
}
