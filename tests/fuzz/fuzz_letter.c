/* The input is a letter in Markdown with front matter. It becomes HTML, is put into the built-in layout, and becomes text; whatever
 * fields it had, no others come of it. */
#include <stdlib.h>

#include "base/limits.h"
#include "mail/front_matter.h"
#include "mail/html_letter.h"
#include "mail/layout.h"
#include "mail/markdown.h"
#include "mail/template.h"

enum { OUT_CEILING = 4 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool condition)
{
	if (!condition)
		abort();
}

static bool compiles(struct view source, enum slot_language language)
{
	static const struct {
		const char *name;
	} names[] = { { "a" }, { "b.c" }, { "unsubscribe" }, { "list.title" }, { "email" } };
	struct view known[ARRAY_LEN(names)];
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		known[i] = view_of(names[i].name);
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct template *template = NULL;
	enum err err =
	    template_compile(source, language, &(struct merge_names){ known, ARRAY_LEN(known) }, &template, &why);
	template_done(template);
	demand(err == ERR_OK || why.len > 0);
	return err == ERR_OK;
}

static void check_text(struct view html, bool must_compile)
{
	AUTO_BUF text = buf_with_ceiling(OUT_CEILING);
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	enum err err = html_letter_to_text(html, &text, &why);
	demand(err == ERR_OK || (why.len > 0 && text.len == 0));
	demand(view_is_utf8(buf_view(&text)));
	if (err == ERR_OK && must_compile)
		demand(compiles(buf_view(&text), SLOT_TEXT));
}

static void check_layout(struct view html, const struct front_matter *front)
{
	const struct layout_parts parts = { .content = html,
					    .subject = front->values[FRONT_SUBJECT].text,
					    .preheader = front->values[FRONT_PREHEADER].text };
	AUTO_BUF whole = buf_with_ceiling(OUT_CEILING);
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	enum err err = layout_fill(layout_builtin(), &parts, &whole, &why);
	demand(err == ERR_OK || why.len > 0);
	if (err == ERR_OK && compiles(html, SLOT_HTML) && compiles(parts.subject, SLOT_PLAIN) &&
	    compiles(parts.preheader, SLOT_PLAIN))
		demand(compiles(buf_view(&whole), SLOT_HTML));
}

/* A section that begins in something that the text does not show, such as a title, ends there too, or the campaign is refused. */
static bool has_sections(struct view source)
{
	struct template_tag tag;
	for (size_t cursor = 0; template_next_tag(source, &cursor, &tag);) {
		if (tag.sigil == '#' || tag.sigil == '^')
			return true;
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_BUF source = buf_with_ceiling(OUT_CEILING);
	AUTO_BUF html = buf_with_ceiling(OUT_CEILING);
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct front_matter front;
	if (!view_is_utf8(view_from(data, size)) || template_normalise(view_from(data, size), &source) != ERR_OK)
		return 0;
	if (front_matter_read(buf_view(&source), &front, &why) != ERR_OK) {
		demand(why.len > 0);
		return 0;
	}
	bool allow_html = view_eq(front.values[FRONT_HTML].text, VIEW_LIT("yes"));
	check_text(front.body, false);
	enum err err = markdown_to_html(front.body, allow_html, &html, &why);
	demand(err == ERR_OK || (why.len > 0 && html.len == 0));
	if (err != ERR_OK)
		return 0;
	bool good = compiles(front.body, SLOT_PLAIN) && compiles(buf_view(&html), SLOT_PLAIN);
	if (good && !has_sections(front.body))
		demand(compiles(buf_view(&html), SLOT_HTML));
	check_text(buf_view(&html), good && !allow_html && !has_sections(front.body));
	/* Whoever allows HTML may leave a tag open, and the layout's fields in it. */
	if (!allow_html)
		check_layout(buf_view(&html), &front);
	return 0;
}
