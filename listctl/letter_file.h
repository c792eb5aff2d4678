/* A letter as a person keeps it: a file FILE.md or FILE.html, or a folder with letter.md or letter.html and perhaps letter.txt, with
 * front matter (mail/front_matter.h) at the top of the .md or .html; or a complete message FILE.eml (mail/eml.h). */
#ifndef LISTCTL_LETTER_FILE_H
#define LISTCTL_LETTER_FILE_H

#include "listctl/call.h"
#include "mail/eml.h"
#include "mail/front_matter.h"

struct letter_file {
	bool given;
	bool is_markdown;        /* else HTML */
	bool is_eml;             /* HTML, perhaps none, or text, with its files; sent as it is, without layout */
	struct eml eml;          /* of one; front borrows from it */
	bool is_folder;          /* what was named is a folder */
	struct buf path, source; /* normalised; front borrows from it */
	struct front_matter front;
	struct buf body;            /* without the front matter, but on the lines where it stands in the file */
	struct buf body_path;       /* what errors call it: the path, or that and the part */
	struct buf text_path, text; /* of letter.txt or of an .eml; text_path empty: there is none */
};

/* An empty one. */
void letter_file_open(struct letter_file *file);
/* Reads what stands at the path. A refusal names file, line, column and remedy. Release with letter_file_done(), also after a
 * failure. */
enum err letter_file_read(struct call *call, const char *path, struct letter_file *file) MUST_USE;
void letter_file_done(struct letter_file *file);

/* Appends the text behind so many line ends and blanks that it stands where it stands in the file: what a parser says of its place is
 * then true of the file. */
enum err letter_file_place(struct view text, size_t line, size_t column, struct buf *out);

/* Whether the path is a link that leads out of the folder it stands in; then ret_target says where to. A folder may come from somebody else,
 * and what it names goes to a whole list. */
bool letter_file_leads_out(const char *path, struct buf *ret_target);

/* Reads a text in UTF-8, normalised. */
enum err letter_file_read_text(struct call *call, const char *path, struct buf *ret_text) MUST_USE;

#endif
