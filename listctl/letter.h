/* From a letter (listctl/letter_file.h) to what a campaign keeps: the front matter's values, the HTML in its layout, the text. */
#ifndef LISTCTL_LETTER_H
#define LISTCTL_LETTER_H

#include "listctl/letter_files.h"
#include "listctl/reader_fields.h"
#include "store/campaigns.h"
#include "store/lists.h"

/* Where its values that are no plain views are kept; the caller releases them. */
struct letter_values {
	struct buf from_name, from_address, reply_to;
};

/* Overlays content with the front matter. */
enum err letter_take_front(struct call *call, struct letter_file *file, struct letter_values *values,
			   struct campaign_content *content) MUST_USE;

/* Appends the HTML of a letter in the list's layout, and takes the images that it shows. The tags are checked where they stand in the file. */
enum err letter_html(struct call *call, struct letter_file *file, const struct campaign_content *content,
		     const struct list *list, struct reader_fields *fields, struct letter_files *files,
		     struct buf *ret_html) MUST_USE;
/* Appends its text: that of letter.txt, or made from its HTML. */
enum err letter_text(struct call *call, struct letter_file *file, const struct campaign_content *content,
		     const struct list *list, struct reader_fields *fields, struct buf *ret_text) MUST_USE;
/* Appends a text made from a template in HTML; where it has no {{unsubscribe}} for every reader there is one below. */
enum err letter_text_of(struct call *call, struct view html, struct buf *ret_text) MUST_USE;

#endif
