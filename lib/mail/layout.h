/* A layout: the HTML around the letters of a list. It is a template (mail/template.h) with three more fields, which are filled when
 * a letter is written; the rest is left for each copy:
 *
 *   {{{content}}}    the letter's HTML; exactly once
 *   {{subject}}      its subject
 *   {{preheader}}    the line that mailboxes show beside the subject; {{#preheader}} and {{^preheader}} ask for it
 *
 * Subject and preheader are templates of plain text, whose words and values are escaped here for where they stand: text, or part of a link. Around a
 * subject stand two remarks of the template, {{! subject}} or {{! subject in a link}} and {{! /subject}}, so that it can be found again. */
#ifndef MAIL_LAYOUT_H
#define MAIL_LAYOUT_H

#include "base/buf.h"

struct layout_parts {
	struct view content;   /* a template in HTML */
	struct view subject;   /* a template of text */
	struct view preheader; /* the same; empty: none */
};

/* The layout of a list that has none of its own. */
struct view layout_builtin(void);

/* Whether it is a good layout for readers with these attributes. ERR_INVALID: `why` has line, column and remedy. */
enum err layout_check(struct view layout, const struct view *attributes, size_t count, struct buf *why) MUST_USE;

/* Appends the layout (normalised, template_normalise()) with its fields filled, a template. ERR_INVALID: content does not stand there
 * just once, or a preheader is given and has no place. */
enum err layout_fill(struct view layout, const struct layout_parts *parts, struct buf *out, struct buf *why) MUST_USE;

/* The same for a letter that is a whole HTML document: it has no {{{content}}}, and may have the other two. */
enum err layout_fill_document(struct view document, const struct layout_parts *parts, struct buf *out,
			      struct buf *why) MUST_USE;

/* Appends a filled layout or document, or the text that was made of one, with another subject where it shows one. ERR_TOO_BIG, ERR_MEMORY: nothing is
 * appended. */
enum err layout_renew_subject(struct view filled, bool is_html, struct view subject, struct buf *out) MUST_USE;

/* Whether this tag is one of the remarks around a subject. */
bool layout_marks_subject(struct view tag);

/* True for HTML that brings its own <html> or <!DOCTYPE>. */
bool layout_is_document(struct view html);

/* A field of layouts, such as "content"; the empty view beyond the last. */
struct view layout_field(size_t index);

#endif
