#include "tests/support/rendering.h"

#include "base/limits.h"
#include "mail/attributes.h"

enum { CEILING = 1 << 20, KNOWN_MOST = 64 };

static struct value field(void *context, const void *node, struct view name)
{
	return attributes_field(context, node, name);
}

static struct value item(void *context, const void *list, size_t index)
{
	return attributes_item(context, list, index);
}

static struct view number(void *context, const void *node)
{
	return attributes_number(context, node);
}

static enum err add_literal(void *context, size_t at, struct view text)
{
	(void)at;
	return buf_add(context, text);
}

static enum err add_value(void *context, struct view name, struct view text)
{
	(void)name;
	return buf_add(context, text);
}

enum err rendering_compile(const char *source, enum slot_language language, const char *known,
			   struct template **ret_template, struct buf *why)
{
	struct view names[KNOWN_MOST], rest = view_of(known);
	size_t count = 0;
	while (count < KNOWN_MOST && view_cut(&rest, ' ', &names[count]))
		count++;
	return template_compile(view_of(source), language, &(struct merge_names){ .names = names, .count = count },
				ret_template, why);
}

enum err rendering_render(const struct template *template, const char *json, struct buf *out, struct buf *why)
{
	struct attributes attributes = { 0 };
	struct template_source source = { &attributes, field, item, number };
	struct template_sink sink = { out, add_literal, add_value };
	AUTO_BUF scratch = buf_with_ceiling(CEILING);
	enum err err = attributes_parse(&attributes, view_of(json), why);
	if (err == ERR_OK)
		err = template_render(template, &source, &sink, &scratch, why);
	attributes_done(&attributes);
	return err;
}
