#include <assert.h>

#include "base/limits.h"
#include "mail/template_private.h"

/* What a name is looked up in: the item of a section. */
struct frame {
	struct value value;
	struct value list; /* VALUE_LIST while its items are gone through */
	size_t index;
};

struct render {
	const struct template *template;
	const struct template_source *source;
	const struct template_sink *sink;
	struct buf *scratch;
	struct buf *why;
	struct frame frames[LIMIT_TEMPLATE_DEPTH];
	size_t depth;
	size_t next; /* the operation to come */
};

/* ---- names ---- */

static struct value member(const struct render *render, const struct value *value, struct view name)
{
	if (value->kind != VALUE_OBJECT)
		return (struct value){ .kind = VALUE_NONE };
	return render->source->field(render->source->context, value->node, name);
}

/* The innermost object that has the name decides, as the specification says. */
static struct value first_part(const struct render *render, struct view name)
{
	for (size_t level = render->depth; level-- > 0;) {
		struct value found = member(render, &render->frames[level].value, name);
		if (found.kind != VALUE_NONE)
			return found;
	}
	return render->source->field(render->source->context, NULL, name);
}

static struct value look_up(const struct render *render, struct view path)
{
	if (view_eq(path, VIEW_LIT(".")))
		return render->depth > 0 ? render->frames[render->depth - 1].value
					 : (struct value){ .kind = VALUE_NONE };
	struct view part;
	if (!view_cut(&path, '.', &part))
		return (struct value){ .kind = VALUE_NONE };
	struct value value = first_part(render, part);
	while (view_cut(&path, '.', &part))
		value = member(render, &value, part);
	return value;
}

struct value template_look_up(const struct template_source *source, struct view path)
{
	struct render render = { .source = source };
	return look_up(&render, path);
}

/* False for missing, null, false, "" and an empty list. */
static bool is_true(const struct value *value)
{
	static const bool kinds[] = {
		[VALUE_NONE] = false,  [VALUE_FALSE] = false, [VALUE_TRUE] = true, [VALUE_TEXT] = true,
		[VALUE_NUMBER] = true, [VALUE_OBJECT] = true, [VALUE_LIST] = true,
	};
	static_assert(ARRAY_LEN(kinds) == VALUE_KIND_COUNT, "one row per kind");
	if (value->kind == VALUE_TEXT)
		return value->text.len > 0;
	if (value->kind == VALUE_LIST)
		return value->count > 0;
	return kinds[value->kind];
}

/* ---- values ---- */

static enum err text_of(const struct render *render, const struct op *op, const struct value *value,
			struct view *ret_text)
{
	static const char *const words[VALUE_KIND_COUNT] = {
		[VALUE_NONE] = "",
		[VALUE_FALSE] = "false",
		[VALUE_TRUE] = "true",
	};
	if (value->kind == VALUE_OBJECT || value->kind == VALUE_LIST) {
		buf_addf(render->why, "the field \"" VIEW_FMT "\" is %s; use it as a section, {{#" VIEW_FMT "}}",
			 VIEW_ARG(op->text), value->kind == VALUE_LIST ? "a list" : "an object", VIEW_ARG(op->text));
		return ERR_INVALID;
	}
	if (value->kind == VALUE_TEXT)
		*ret_text = value->text;
	else if (value->kind == VALUE_NUMBER)
		*ret_text = render->source->number(render->source->context, value->node);
	else
		*ret_text = view_of(words[value->kind]);
	if (ret_text->len == 0 && op->has_default)
		*ret_text =
		    view_slice(buf_view(&render->template->names), op->default_at, op->default_at + op->default_len);
	return ERR_OK;
}

/* ---- operations ---- */

static enum err do_literal(struct render *render, const struct op *op)
{
	return render->sink->literal(render->sink->context, op->number, op->text);
}

static enum err do_field(struct render *render, const struct op *op)
{
	struct value value = look_up(render, op->text);
	struct view text = { 0 };
	enum err err = text_of(render, op, &value, &text);
	if (err != ERR_OK)
		return err;
	if (!view_is_utf8(text)) {
		buf_addf(render->why, "the field \"" VIEW_FMT "\" is not UTF-8; correct it", VIEW_ARG(op->text));
		return ERR_INVALID;
	}
	const char *wish = NULL;
	err = slot_escape_value(op->escape, text, render->scratch, &text, &wish);
	if (err == ERR_INVALID)
		buf_addf(render->why, "the field \"" VIEW_FMT "\" cannot stand where it is used: %s",
			 VIEW_ARG(op->text), wish);
	return err != ERR_OK ? err : render->sink->value(render->sink->context, op->text, text);
}

static enum err do_section(struct render *render, const struct op *op)
{
	struct value value = look_up(render, op->text);
	if (!is_true(&value)) {
		render->next = op->partner + 1;
		return ERR_OK;
	}
	struct frame *frame = &render->frames[render->depth++];
	*frame = (struct frame){ .value = value };
	if (value.kind == VALUE_LIST) {
		frame->list = value;
		frame->value = render->source->item(render->source->context, value.node, 0);
	}
	return ERR_OK;
}

static enum err do_inverted(struct render *render, const struct op *op)
{
	struct value value = look_up(render, op->text);
	if (is_true(&value))
		render->next = op->partner + 1;
	return ERR_OK;
}

static enum err do_end(struct render *render, const struct op *op)
{
	if (template_op(render->template, op->partner)->kind == OP_INVERTED)
		return ERR_OK;
	struct frame *frame = &render->frames[render->depth - 1];
	if (frame->list.kind == VALUE_LIST && ++frame->index < frame->list.count) {
		frame->value = render->source->item(render->source->context, frame->list.node, frame->index);
		render->next = op->partner + 1;
	} else {
		render->depth--;
	}
	return ERR_OK;
}

typedef enum err do_op(struct render *render, const struct op *op);

static do_op *const operations[] = {
	[OP_LITERAL] = do_literal,   [OP_FIELD] = do_field, [OP_SECTION] = do_section,
	[OP_INVERTED] = do_inverted, [OP_END] = do_end,
};
static_assert(ARRAY_LEN(operations) == OP_KIND_COUNT, "one row per operation");

enum err template_render(const struct template *template, const struct template_source *source,
			 const struct template_sink *sink, struct buf *scratch, struct buf *why)
{
	struct render render = { .template = template, .source = source, .sink = sink, .scratch = scratch, .why = why };
	size_t count = template_op_count(template);
	/* Lists in lists multiply, even where they write nothing. */
	for (size_t steps = 0; render.next < count; steps++) {
		if (steps == LIMIT_TEMPLATE_STEPS) {
			buf_add(why, VIEW_LIT("this recipient's lists make the text too long to render; shorten them"));
			return ERR_TOO_BIG;
		}
		const struct op *op = template_op(template, render.next++);
		enum err err = operations[op->kind](&render, op);
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}
