/* The files beside a letter that it shows or sends: images by their names in its HTML, attachments by its front matter. Those of an .eml are
 * parts of it: its HTML shows them by their Content-IDs, and what it does not show is an attachment. */
#ifndef LISTCTL_LETTER_FILES_H
#define LISTCTL_LETTER_FILES_H

#include "base/limits.h"
#include "listctl/letter_file.h"
#include "mail/attachment.h"

struct letter_files {
	struct letter_file_beside {
		struct buf key; /* by which the letter names it */
		struct buf name, content_id, content;
	} kept[LIMIT_FILES];
	struct attachment items[LIMIT_FILES]; /* borrow from those */
	size_t count;
	size_t octets;
};

void letter_files_done(struct letter_files *files);

/* Appends the letter's HTML with cid: and an id in place of each file that it names: cid:NAME anywhere, and src="NAME" or background="NAME"
 * without a scheme. The domain is that of the ids. A refusal names the letter, and line and column where the name first stands. */
enum err letter_files_show(struct call *call, struct letter_file *letter, struct view domain, struct view html,
			   struct letter_files *files, struct buf *out) MUST_USE;
/* Takes those that the front matter names; of an .eml all that it does not show. */
enum err letter_files_attach(struct call *call, struct letter_file *letter, struct letter_files *files) MUST_USE;
/* Says which files of a letter's folder it does not use. */
void letter_files_note_unused(struct call *call, struct letter_file *letter, const struct letter_files *files);

#endif
