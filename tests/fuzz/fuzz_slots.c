/* The input is a value. It is rendered into every kind of place of a page, and libxml2, which is no part of what escapes it, must find the
 * elements, attributes and links that the page has, whatever the value is, or the rendering is refused. */
#include <stdlib.h>
#include <string.h>

#include <libxml/HTMLparser.h>

#include "base/limits.h"
#include "mail/template.h"

enum { ELEMENTS = 10, ATTRIBUTES = 7, LINKS = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char page[] = "<html><head><title>{{v}}{{{v}}}</title><style>p { color: red }</style></head><body>"
			   "<p title=\"{{v}}\" lang='{{{v}}}'>{{v}}</p><!-- x -->"
			   "<a href=\"{{v}}\">a</a><a href=\"https://a.test/{{v}}?q={{{v}}}\">b</a>"
			   "<a href='mailto:{{v}}'>c</a><img src=\"java{{{v}}}\" alt=\"{{v}}\">{{v}}</body></html>";

static void demand(bool condition)
{
	if (!condition)
		abort();
}

static struct value field(void *context, const void *node, struct view name)
{
	(void)node;
	(void)name;
	return (struct value){ .kind = VALUE_TEXT, .text = *(const struct view *)context };
}

static enum err add_literal(void *context, size_t number, struct view text)
{
	(void)number;
	return buf_add(context, text);
}

static enum err add_value(void *context, struct view name, struct view text)
{
	(void)name;
	return buf_add(context, text);
}

struct found {
	size_t elements, attributes, links;
};

static void check_link(const char *link, size_t number)
{
	static const char *const starts[] = { "", "https://a.test/", "mailto:", "java" };
	demand(strncmp(link, starts[number], strlen(starts[number])) == 0);
	struct view value = view_of(link);
	bool is_empty = value.len == 0;
	bool is_good = view_starts_nocase(value, VIEW_LIT("https://")) ||
		       view_starts_nocase(value, VIEW_LIT("http://")) || view_starts_nocase(value, VIEW_LIT("mailto:"));
	demand(number != 0 || is_empty || is_good);
	demand(number != 3 || view_find_byte(value, ':') == VIEW_NONE);
}

static void walk(const xmlNode *node, struct found *found)
{
	for (; node != NULL; node = node->next) {
		if (node->type != XML_ELEMENT_NODE)
			continue;
		found->elements++;
		for (const xmlAttr *at = node->properties; at != NULL; at = at->next) {
			const char *name = (const char *)at->name;
			found->attributes++;
			if (strcmp(name, "href") == 0 || strcmp(name, "src") == 0)
				check_link(at->children == NULL ? "" : (const char *)at->children->content,
					   found->links++);
		}
		walk(node->children, found);
	}
}

static void check_page(struct view html)
{
	htmlDocPtr document = htmlReadMemory(html.data, (int)html.len, NULL, "UTF-8",
					     HTML_PARSE_NONET | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING);
	struct found found = { 0 };
	demand(document != NULL);
	walk(xmlDocGetRootElement(document), &found);
	demand(found.elements == ELEMENTS && found.attributes == ATTRIBUTES && found.links == LINKS);
	xmlFreeDoc(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view value = view_from(data, size), name = VIEW_LIT("v");
	AUTO_BUF out = buf_with_ceiling(LIMIT_MESSAGE);
	AUTO_BUF scratch = buf_with_ceiling(LIMIT_MESSAGE);
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct template *template = NULL;
	const struct template_source source = { .context = &value, .field = field };
	const struct template_sink sink = { &out, add_literal, add_value };
	/* libxml2 ends a text at a NUL, which JSON attributes cannot hold. */
	if (view_find_byte(value, '\0') != VIEW_NONE)
		return 0;
	demand(template_compile(view_of(page), SLOT_HTML, &(struct merge_names){ &name, 1 }, &template, &why) ==
	       ERR_OK);
	enum err err = template_render(template, &source, &sink, &scratch, &why);
	demand(err == ERR_OK || why.len > 0);
	if (err == ERR_OK)
		check_page(buf_view(&out));
	template_done(template);
	return 0;
}
