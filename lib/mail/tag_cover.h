/* Merge tags on their way through a language that does not know them (Markdown, HTML): each is covered by a word of lower-case
 * letters and digits that the source does not hold, which both take as a word, also in a link's target or in code; afterwards the
 * tags are put back. */
#ifndef MAIL_TAG_COVER_H
#define MAIL_TAG_COVER_H

#include "base/buf.h"
#include "mail/template.h"

struct tag_cover {
	struct view source; /* borrowed; normalised (template_normalise()) */
	struct buf word;    /* every covering word begins so */
	struct buf tags;    /* an array of struct template_tag */
};

/* Finds the tags and a word for them. Release with tag_cover_done(), also after a failure. ERR_TOO_BIG, ERR_MEMORY. */
enum err tag_cover_open(struct tag_cover *cover, struct view source) MUST_USE;
void tag_cover_done(struct tag_cover *cover); /* accepts a zeroed one */

size_t tag_cover_count(const struct tag_cover *cover);
const struct template_tag *tag_cover_tag(const struct tag_cover *cover, size_t index);
/* The tag as it stands in the source. */
struct view tag_cover_text(const struct tag_cover *cover, size_t index);

/* {{#x}}, {{^x}} or {{/x}}. */
bool tag_cover_is_section(const struct tag_cover *cover, size_t index);

/* Appends the word for a tag. */
enum err tag_cover_write(const struct tag_cover *cover, size_t index, struct buf *out);

/* A covering word in a text. */
struct covered {
	size_t index;      /* of its tag */
	size_t start, end; /* in the text */
};
/* The words in their order; a cursor begins at 0; false at the end. */
bool tag_cover_next(const struct tag_cover *cover, struct view text, size_t *cursor, struct covered *ret_covered);

/* Appends the text with the tags in place of their words. */
enum err tag_cover_restore(const struct tag_cover *cover, struct view text, struct buf *out);

#endif
