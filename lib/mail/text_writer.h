/* Writes plain text for people: words gathered to paragraphs and broken into lines, with a prefix for lists and quotations. Words may
 * be covered merge tags (mail/tag_cover.h), which become tags again when a line is written. */
#ifndef MAIL_TEXT_WRITER_H
#define MAIL_TEXT_WRITER_H

#include "base/buf.h"
#include "mail/tag_cover.h"

struct text_writer {
	const struct tag_cover *cover;
	size_t width; /* characters of a line */
	struct buf *out;
	size_t start;         /* where out began */
	struct buf paragraph; /* words with one space between, LF where a line must end */
	bool space;           /* before the next word */
	unsigned struck;      /* elements that strike out what stands in them */
	bool strike_open;     /* a ~~ waits for its end */
	bool strike_closed;   /* one has just ended */
	struct buf prefix;    /* of each line */
	struct buf mark;      /* instead of the end of the prefix, once: "- " */
	bool gap;             /* an empty line is due before the next one */
	bool gap_taken;       /* it stands before the tags of sections that were written last */
	size_t gap_prefix;    /* how much of the prefix it has */
	size_t widest;        /* characters of the widest line of the last paragraph */
	struct buf word;      /* one word with its tags */
};

/* Appends to out (borrowed, as the cover). */
void text_writer_open(struct text_writer *writer, const struct tag_cover *cover, size_t width, struct buf *out);
/* Ends the last paragraph and releases the writer's memory. ERR_TOO_BIG, ERR_MEMORY. */
enum err text_writer_close(struct text_writer *writer) MUST_USE;

/* Text of the present paragraph; blanks and line ends of any number are one space. */
void text_writer_add(struct text_writer *writer, struct view text);
/* A text that must stay in one piece, as a URL: its blanks become %20. */
void text_writer_add_unbroken(struct text_writer *writer, struct view text);
/* The line ends here, the paragraph does not. */
void text_writer_break(struct text_writer *writer);

/* What stands between the two is struck out: ~~so~~, in each line anew. */
void text_writer_strike(struct text_writer *writer);
void text_writer_unstrike(struct text_writer *writer);

/* How long the present paragraph is, and what of it stands behind that point. */
size_t text_writer_mark(const struct text_writer *writer);
struct view text_writer_since(const struct text_writer *writer, size_t mark);

/* Ends the paragraph. One that is nothing but tags of sections becomes lines of their own, which go when the text is rendered. */
void text_writer_flush(struct text_writer *writer);
/* The same, with an empty line before what follows. */
void text_writer_gap(struct text_writer *writer);
/* The same as flush, with a line below as wide as the paragraph. */
void text_writer_underline(struct text_writer *writer, char line);
/* Ends the paragraph and writes one line as it is. */
void text_writer_verbatim(struct text_writer *writer, struct view line);

struct text_level {
	size_t prefix; /* its length outside */
};
/* Lines from here on begin with `first` (the first one), the others with as many times `fill` as make them as wide, or with `fill` itself
 * when it is as long. */
struct text_level text_writer_indent(struct text_writer *writer, struct view first, struct view fill) MUST_USE;
/* Ends the paragraph, and what indent() began. */
void text_writer_outdent(struct text_writer *writer, struct text_level level);

#endif
