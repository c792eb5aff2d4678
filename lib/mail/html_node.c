#include "mail/html_node.h"

#include <string.h>

bool html_node_is(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

struct view html_node_attribute(const xmlNode *node, const char *name)
{
	for (const xmlAttr *attribute = node->properties; attribute != NULL; attribute = attribute->next) {
		if (strcmp((const char *)attribute->name, name) == 0)
			return attribute->children == NULL ? VIEW_LIT("")
							   : view_of((const char *)attribute->children->content);
	}
	return (struct view){ 0 };
}

bool html_node_is_program(struct view url)
{
	static const char *const schemes[] = { "javascript:", "vbscript:", "data:" };
	char start[16];
	size_t len = 0;
	for (size_t i = 0; i < url.len && len < sizeof(start); i++) {
		if ((unsigned char)url.data[i] > ' ')
			start[len++] = url.data[i];
	}
	bool is = false;
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		is = is || view_starts_nocase(view_from(start, len), view_of(schemes[i]));
	return is;
}
