/* Merge tags of other programs, such as *|FNAME|* and %%first_name%%, which here are plain text and go out as they stand; and {{name |
 * default: "you"}}, {{name|upcase}} and {{name|"you"}}, which are defaults here, but other ones than were meant; and any, our own too, whose marks are spelt %7B or &#123;. What could as well be text counts only with a name that is
 * a reader's: [EMAIL] does, [1] does not. Pure. */
#ifndef MAIL_FOREIGN_TAG_H
#define MAIL_FOREIGN_TAG_H

#include "base/buf.h"
#include "mail/merge_names.h"

struct foreign_tag {
	size_t start;
	struct view text; /* all of it */
	struct view name;
	struct view otherwise; /* of a default */
};

/* The tags of a template in their order, outside of its own tags, and of styles, scripts and comments where it is HTML. A cursor begins at
 * 0; false at the end. */
bool foreign_tag_next(struct view source, bool is_html, size_t *cursor, struct foreign_tag *ret_tag);

/* Appends what to write instead: "{{first_name}}". */
enum err foreign_tag_suggest(const struct foreign_tag *tag, struct buf *out);

/* Refuses the first of our own tags that names a known field in braces that are spelt otherwise: %7B%7Bemail%7D%7D, &#123;&#123;#vip&#125;&#125;.
 * Where only some fields are known any name may be one. ERR_INVALID: `why` has line, column and remedy. The source is normalised (template_normalise()). */
enum err foreign_tag_refuse_own(struct view source, bool is_html, const struct merge_names *known,
				struct buf *why) MUST_USE;

#endif
