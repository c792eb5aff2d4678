/* What of a letter's HTML is likely to fail at readers: links, images, what mailboxes strip. By libxml2, which reads what browsers read; nothing is
 * fetched. The HTML may be a template: a merge tag stands for whatever it becomes. */
#ifndef MAIL_LINT_HTML_H
#define MAIL_LINT_HTML_H

#include "mail/attachment.h"

/* What was found: the first LINT_HTML_SHOWN, quoted, ", " between, and how many in all. */
enum { LINT_HTML_SHOWN = 3 };
struct lint_html_list {
	struct buf shown;
	size_t count;
};
struct lint_html {
	bool has_way_out;  /* {{unsubscribe}} shows to every reader: as text, or as a link's target */
	bool has_link_out; /* the latter */
	size_t images;
	size_t words;                           /* that a reader sees */
	struct lint_html_list without_alt;      /* images' files or sources */
	struct lint_html_list broken_images;    /* sources that no mailbox can show */
	struct lint_html_list broken_links;     /* no URL, or one that leads nowhere */
	struct lint_html_list misleading_links; /* their text names another host than the one they lead to */
	struct lint_html_list shortened_links;  /* through services that filters distrust */
	struct lint_html_list markup;           /* of HTML or Markdown that a reader sees as text */
	struct lint_html_list stripped;         /* elements and attributes that mailboxes take out */
};

/* The files: those that go with it; an image among them is called by its file's name. ERR_INVALID: libxml2 cannot read it; ERR_MEMORY. The caller releases with lint_html_done(), also after a failure. */
enum err lint_html_read(struct view html, const struct attachment *files, size_t file_count,
			struct lint_html *ret_facts) MUST_USE;
void lint_html_done(struct lint_html *facts);

/* A link that may work: https, http with a host, mailto, tel, sms, a place within the letter, or a merge tag. */
bool lint_html_is_link(struct view url);

#endif
