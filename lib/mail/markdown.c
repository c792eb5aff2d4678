#include "mail/markdown.h"

#include <md4c-html.h>

#include "base/limits.h"
#include "mail/merge.h"
#include "mail/slot_walk.h"
#include "mail/tag_cover.h"

/* A table's every row is filled up to the columns of its head, so that a few octets could become gigabytes. */
enum { COLUMNS_MOST = 128, LINE_MOST = 16 << 10 };

/* Before the word of a section's tag that takes its line: a heading ends a paragraph and a list before it, and in a table md4c takes
 * the line as a row. */
#define MARK "###### "

struct conversion {
	struct view source;
	struct tag_cover cover;
	struct buf marked; /* the source with words in place of tags */
	struct buf html;   /* what md4c makes of it */
	bool allow_html;
	struct buf *why;
};

static enum err refuse_at(const struct conversion *conversion, size_t at, const char *what)
{
	return template_refuse(conversion->source, at, conversion->why, "%s", what);
}

static enum err check_lines(const struct conversion *conversion)
{
	struct view rest = conversion->source, line;
	while (view_cut(&rest, '\n', &line)) {
		size_t bars = 0;
		size_t at = (size_t)(line.data - conversion->source.data);
		for (size_t i = 0; i < line.len; i++)
			bars += line.data[i] == '|';
		if (line.len > LINE_MOST)
			return refuse_at(conversion, at, "the line has more than 16384 octets; break it");
		if (bars > COLUMNS_MOST)
			return refuse_at(conversion, at,
					 "the line has more than 128 times \"|\"; a table has fewer columns");
	}
	return ERR_OK;
}

/* ---- before: words in place of tags ---- */

static enum err mark(struct conversion *conversion)
{
	struct buf *out = &conversion->marked;
	size_t done = 0;
	for (size_t i = 0; i < tag_cover_count(&conversion->cover); i++) {
		const struct template_tag *tag = tag_cover_tag(&conversion->cover, i);
		if (tag->sigil == '!') {
			buf_add(out, view_slice(conversion->source, done, tag->line_start));
			done = tag->line_end;
			continue;
		}
		buf_add(out, view_slice(conversion->source, done, tag->start));
		if (tag->takes_line)
			buf_add(out, VIEW_LIT(MARK));
		tag_cover_write(&conversion->cover, i, out);
		done = tag->end;
	}
	return buf_add(out, view_skip(conversion->source, done));
}

static void take_html(const MD_CHAR *text, MD_SIZE size, void *context)
{
	buf_add(context, view_from(text, size));
}

static enum err convert(struct conversion *conversion)
{
	unsigned flags = MD_FLAG_TABLES | MD_FLAG_STRIKETHROUGH | MD_FLAG_PERMISSIVEAUTOLINKS |
			 (conversion->allow_html ? 0 : MD_FLAG_NOHTML);
	if (md_html(conversion->marked.data, (MD_SIZE)conversion->marked.len, take_html, &conversion->html, flags, 0) !=
	    0)
		return ERR_MEMORY;
	return buf_err(&conversion->html);
}

/* ---- between: sections that end in another element than they began in ---- */

/* Goes through the HTML that md4c made: how many elements are open at a place. */
struct depth {
	size_t open;                        /* elements */
	size_t sections;                    /* sections */
	size_t began[LIMIT_TEMPLATE_DEPTH]; /* elements that were open where each began */
};

static bool is_void(struct view tag)
{
	static const char *const names[] = { "<br", "<hr", "<img", "<input" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (view_starts(tag, view_of(names[i])))
			return true;
	}
	return false;
}

static void count_elements(struct depth *depth, struct view html)
{
	for (size_t at = view_find_byte(html, '<'); at != VIEW_NONE; at = view_find_byte(html, '<')) {
		html = view_skip(html, at);
		if (view_starts(html, VIEW_LIT("</")))
			depth->open -= depth->open > 0;
		else if (!is_void(html))
			depth->open++;
		html = view_skip(html, 1);
	}
}

static enum err check_section(const struct conversion *conversion, struct depth *depth, const struct template_tag *tag)
{
	if (tag->sigil != '/') {
		if (depth->sections < ARRAY_LEN(depth->began))
			depth->began[depth->sections] = depth->open;
		depth->sections++;
		return ERR_OK;
	}
	if (depth->sections == 0 || depth->sections-- > ARRAY_LEN(depth->began) ||
	    depth->began[depth->sections] == depth->open)
		return ERR_OK;
	return refuse_at(
	    conversion, tag->start,
	    "the section that ends here began in another paragraph, list, table or emphasis; put an empty line "
	    "before this tag, or both tags into one");
}

/* ---- after: tags in place of words ---- */

/* Where a table's row begins whose first cell ends the text. */
static size_t find_row(struct view text)
{
	size_t cell = view_find_last_byte(text, '<');
	if (cell == VIEW_NONE || !view_ends(text, VIEW_LIT(">")) ||
	    !view_starts(view_skip(text, cell), VIEW_LIT("<td")) ||
	    !view_ends(view_head(text, cell), VIEW_LIT("<tr>\n")))
		return VIEW_NONE;
	return cell - (sizeof("<tr>\n") - 1);
}

/* What md4c made of the mark around a word, which goes with it: html[start, end). */
struct frame {
	size_t start, end;
	bool is_line; /* the tag takes a line of its own again */
};

static struct frame frame_of(const struct conversion *conversion, struct view html, const struct covered *covered)
{
	struct frame frame = { .start = covered->start, .end = covered->end };
	struct view before = view_head(html, covered->start), behind = view_skip(html, covered->end);
	if (!tag_cover_tag(&conversion->cover, covered->index)->takes_line)
		return frame;
	if (view_ends(before, VIEW_LIT("<h6>")) && view_starts(behind, VIEW_LIT("</h6>\n"))) {
		frame.start -= sizeof("<h6>") - 1;
		frame.end += sizeof("</h6>\n") - 1;
		frame.is_line = true;
		return frame;
	}
	if (!view_ends(before, VIEW_LIT(MARK)))
		return frame;
	frame.start -= sizeof(MARK) - 1;
	size_t row = find_row(view_head(html, frame.start));
	size_t row_end = view_find(view_head(behind, LINE_MOST), VIEW_LIT("</tr>\n"));
	if (row == VIEW_NONE || row_end == VIEW_NONE)
		return frame;
	frame.start = row;
	frame.end += row_end + sizeof("</tr>\n") - 1;
	frame.is_line = true;
	return frame;
}

static enum err check_sections(const struct conversion *conversion)
{
	struct depth depth = { 0 };
	struct view html = buf_view(&conversion->html);
	struct covered covered;
	size_t done = 0;
	for (size_t cursor = 0; tag_cover_next(&conversion->cover, html, &cursor, &covered);) {
		struct frame frame = frame_of(conversion, html, &covered);
		count_elements(&depth, view_slice(html, done, frame.start));
		done = frame.end;
		cursor = frame.end;
		if (!tag_cover_is_section(&conversion->cover, covered.index))
			continue;
		enum err err = check_section(conversion, &depth, tag_cover_tag(&conversion->cover, covered.index));
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

/* ---- between: fields where none may stand, in the target of a link ---- */

/* False: *ret_why says why the tag may not stand there; tags that do not belong together are template_compile()'s. */
static bool walk_tag(struct slot_walk *walk, const struct template_tag *tag, const char **ret_why)
{
	enum slot_escape escape;
	if (tag->sigil == '/')
		return walk->depth == 0 || slot_walk_close(walk, ret_why);
	if (tag->sigil == '#' || tag->sigil == '^')
		return walk->depth == ARRAY_LEN(walk->open) ||
		       slot_walk_open(walk, tag->name, tag->sigil == '^', ret_why);
	enum slot_value value = merge_value_of(tag->name, tag->sigil == '{' || tag->sigil == '&');
	return slot_walk_field(walk, value, &escape, ret_why);
}

static enum err check_slots(const struct conversion *conversion)
{
	struct slot_walk walk;
	struct view html = buf_view(&conversion->html);
	struct covered covered;
	size_t done = 0, at, last = 0;
	const char *wrong = NULL;
	slot_walk_begin(&walk, SLOT_HTML);
	for (size_t cursor = 0; tag_cover_next(&conversion->cover, html, &cursor, &covered);) {
		struct frame frame = frame_of(conversion, html, &covered);
		const struct template_tag *tag = tag_cover_tag(&conversion->cover, covered.index);
		/* A text breaks what the tag before it began. */
		if (!slot_walk_text(&walk, view_slice(html, done, frame.start), &at, &wrong))
			return refuse_at(conversion, last, wrong);
		if (!walk_tag(&walk, tag, &wrong))
			return refuse_at(conversion, tag->start, wrong);
		last = tag->start;
		done = frame.end;
		cursor = frame.end;
	}
	if (!slot_walk_text(&walk, view_skip(html, done), &at, &wrong))
		return refuse_at(conversion, last, wrong);
	return ERR_OK;
}

static void add_line_end(struct buf *out, size_t start)
{
	if (out->len > start && out->data[out->len - 1] != '\n')
		buf_add_byte(out, '\n');
}

/* A brace of the text's own must not become half of a tag's: "\\{\\{x}}" in Markdown is text. */
static void add_literal(struct view text, bool is_behind_tag, bool tag_follows, struct buf *out)
{
	if (is_behind_tag && view_starts(text, VIEW_LIT("}"))) {
		buf_add(out, VIEW_LIT("&#125;"));
		text = view_skip(text, 1);
	}
	for (size_t at = view_find_byte(text, '{'); at != VIEW_NONE; at = view_find_byte(text, '{')) {
		bool last = at + 1 == text.len;
		bool doubled = last ? tag_follows : text.data[at + 1] == '{';
		buf_add(out, view_head(text, at));
		buf_add(out, doubled ? VIEW_LIT("&#123;") : VIEW_LIT("{"));
		text = view_skip(text, at + 1);
	}
	buf_add(out, text);
}

static enum err restore(const struct conversion *conversion, struct buf *out)
{
	struct view html = buf_view(&conversion->html);
	struct covered covered;
	size_t start = out->len, done = 0;
	for (size_t cursor = 0; tag_cover_next(&conversion->cover, html, &cursor, &covered);) {
		struct frame frame = frame_of(conversion, html, &covered);
		add_literal(view_slice(html, done, frame.start), done > 0, true, out);
		if (frame.is_line)
			add_line_end(out, start);
		buf_add(out, tag_cover_text(&conversion->cover, covered.index));
		if (frame.is_line)
			buf_add_byte(out, '\n');
		done = frame.end;
		cursor = frame.end;
	}
	add_literal(view_skip(html, done), done > 0, false, out);
	return buf_err(out);
}

static enum err run(struct conversion *conversion, struct buf *out)
{
	enum err err = check_lines(conversion);
	if (err == ERR_OK)
		err = tag_cover_open(&conversion->cover, conversion->source);
	if (err == ERR_OK)
		err = mark(conversion);
	if (err == ERR_OK)
		err = convert(conversion);
	/* HTML of a person's own need not be in order; whoever allows it answers for it. */
	if (err == ERR_OK && !conversion->allow_html)
		err = check_sections(conversion);
	if (err == ERR_OK)
		err = check_slots(conversion);
	return err != ERR_OK ? err : restore(conversion, out);
}

enum err markdown_to_html(struct view source, bool allow_html, struct buf *out, struct buf *why)
{
	if (source.len > LIMIT_LETTER) {
		buf_addf(why, "the letter has more than %d octets; shorten it", LIMIT_LETTER);
		return ERR_TOO_BIG;
	}
	struct conversion conversion = {
		.source = source,
		.marked = buf_with_ceiling(LIMIT_TEMPLATE),
		.html = buf_with_ceiling(LIMIT_TEMPLATE),
		.allow_html = allow_html,
		.why = why,
	};
	size_t before = out->len;
	enum err err = run(&conversion, out);
	if (err == ERR_TOO_BIG)
		buf_add(why, VIEW_LIT("the letter makes too much HTML; shorten it"));
	if (err != ERR_OK)
		buf_cut(out, before);
	tag_cover_done(&conversion.cover);
	buf_done(&conversion.marked);
	buf_done(&conversion.html);
	return err;
}
