#include "mail/merge.h"

static const char list_object[] = "list";
static const char campaign_object[] = "campaign";

/* VIEW_LIT() is no constant. */
#define TEXT(literal)                                                                                                  \
	{                                                                                                              \
		(literal), sizeof(literal) - 1                                                                         \
	}

static const struct builtin {
	const char *path;
	const char *object; /* NULL: the outermost */
	struct view name;
	size_t offset; /* of its view in struct merge */
} builtins[] = {
	{ "name", NULL, TEXT("name"), offsetof(struct merge, name) },
	{ "email", NULL, TEXT("email"), offsetof(struct merge, email) },
	{ "unsubscribe", NULL, TEXT("unsubscribe"), offsetof(struct merge, unsubscribe) },
	{ "list.name", list_object, TEXT("name"), offsetof(struct merge, list_name) },
	{ "list.title", list_object, TEXT("title"), offsetof(struct merge, list_title) },
	{ "campaign.name", campaign_object, TEXT("name"), offsetof(struct merge, campaign_name) },
};

struct view merge_builtin(size_t index)
{
	return index < ARRAY_LEN(builtins) ? view_of(builtins[index].path) : (struct view){ 0 };
}

bool merge_is_object(struct view path)
{
	return view_eq(path, view_of(list_object)) || view_eq(path, view_of(campaign_object));
}

enum slot_value merge_value_of(struct view path, bool as_is)
{
	if (view_eq(path, VIEW_LIT("unsubscribe")))
		return SLOT_VALUE_LINK;
	return as_is ? SLOT_VALUE_AS_IS : SLOT_VALUE;
}

bool merge_is_builtin(struct view path)
{
	struct view first = view_head(path, view_find_byte(path, '.'));
	for (size_t i = 0; i < ARRAY_LEN(builtins); i++) {
		const struct builtin *row = &builtins[i];
		if (view_eq(first, row->object == NULL ? row->name : view_of(row->object)))
			return true;
	}
	return false;
}

enum err merge_known(const struct view *attributes, size_t count, struct buf *names, struct merge_names *ret_known)
{
	for (size_t i = 0; merge_builtin(i).len > 0; i++) {
		struct view name = merge_builtin(i);
		buf_add(names, view_from(&name, sizeof(name)));
	}
	for (size_t i = 0; i < count; i++) {
		if (!merge_is_builtin(attributes[i]))
			buf_add(names, view_from(&attributes[i], sizeof(attributes[i])));
	}
	enum err err = buf_err(names);
	if (err == ERR_OK)
		*ret_known = (struct merge_names){ .names = (const struct view *)(const void *)names->data,
						   .count = names->len / sizeof(struct view) };
	return err;
}

static struct view view_at(const struct merge *merge, size_t offset)
{
	return *(const struct view *)(const void *)((const char *)merge + offset);
}

static struct value find_builtin(const struct merge *merge, const void *node, struct view name)
{
	for (size_t i = 0; i < ARRAY_LEN(builtins); i++) {
		const struct builtin *row = &builtins[i];
		if (row->object == node && view_eq(row->name, name))
			return (struct value){ .kind = VALUE_TEXT, .text = view_at(merge, row->offset) };
		if (row->object != NULL && node == NULL && view_eq(view_of(row->object), name))
			return (struct value){ .kind = VALUE_OBJECT, .node = row->object };
	}
	return (struct value){ .kind = VALUE_NONE };
}

static struct value field(void *context, const void *node, struct view name)
{
	const struct merge *merge = context;
	struct value value = find_builtin(merge, node, name);
	if (value.kind != VALUE_NONE || node == list_object || node == campaign_object)
		return value;
	return attributes_field(&merge->attributes, node, name);
}

static struct value item(void *context, const void *list, size_t index)
{
	const struct merge *merge = context;
	return attributes_item(&merge->attributes, list, index);
}

static struct view number(void *context, const void *node)
{
	struct merge *merge = context;
	return attributes_number(&merge->attributes, node);
}

struct template_source merge_source(struct merge *merge)
{
	return (struct template_source){ .context = merge, .field = field, .item = item, .number = number };
}
