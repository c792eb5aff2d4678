#include "mail/template.h"

#include <stdlib.h>

#include "base/limits.h"
#include "mail/merge.h"
#include "mail/reference.h"
#include "mail/slot_walk.h"
#include "mail/template_private.h"

struct compiler {
	struct template *template;
	const struct merge_names *known;
	struct view source;
	size_t open[LIMIT_TEMPLATE_DEPTH]; /* the sections that are open, as indexes of their operations */
	size_t depth;
	struct slot_walk walk;
	struct buf *why;
};

/* {{...}}: where it stands and what is in it. */
struct tag {
	const struct tag_row *row;
	size_t start, end; /* from "{{" to behind "}}" */
	struct view name;
	struct view otherwise;
	bool has_default;
};

typedef enum err on_tag(struct compiler *compiler, const struct tag *tag);
static on_tag on_field, on_section, on_end, on_comment, on_unsupported;

/* The kinds of tags by the character behind the braces. */
static const struct tag_row {
	char sigil;      /* NUL: none of the others */
	bool standalone; /* a line that holds nothing else disappears */
	bool raw;        /* not escaped */
	on_tag *on;
	const char *closing;
	const char *refusal;
} tag_rows[] = {
	{ .sigil = '#', .standalone = true, .on = on_section, .closing = "}}" },
	{ .sigil = '^', .standalone = true, .on = on_section, .closing = "}}" },
	{ .sigil = '/', .standalone = true, .on = on_end, .closing = "}}" },
	{ .sigil = '!', .standalone = true, .on = on_comment, .closing = "}}" },
	{ .sigil = '{', .raw = true, .on = on_field, .closing = "}}}" },
	{ .sigil = '&', .raw = true, .on = on_field, .closing = "}}" },
	{ .sigil = '>',
	  .on = on_unsupported,
	  .closing = "}}",
	  .refusal = "partials are not supported; put the text here" },
	{ .sigil = '<',
	  .on = on_unsupported,
	  .closing = "}}",
	  .refusal = "parent templates are not supported; put the text here" },
	{ .sigil = '$',
	  .on = on_unsupported,
	  .closing = "}}",
	  .refusal = "blocks are not supported; put the text here" },
	{ .sigil = '=',
	  .on = on_unsupported,
	  .closing = "}}",
	  .refusal = "the delimiters cannot be changed; use {{ and }}" },
	{ .sigil = '\0', .on = on_field, .closing = "}}" },
};

/* ---- errors ---- */

static size_t position(const struct compiler *compiler, struct view part)
{
	return (size_t)(part.data - compiler->source.data);
}

/* ---- operations ---- */

size_t template_op_count(const struct template *template)
{
	return template->ops.len / sizeof(struct op);
}

struct op *template_op(const struct template *template, size_t index)
{
	return (struct op *)(void *)template->ops.data + index;
}

static enum err add_op(struct compiler *compiler, const struct op *op)
{
	struct op added = *op;
	added.in_section = compiler->depth > 0;
	return buf_add(&compiler->template->ops, view_from(&added, sizeof(added)));
}

static enum err add_literal(struct compiler *compiler, size_t from, size_t to)
{
	size_t at = 0;
	const char *wrong = NULL;
	if (from >= to)
		return ERR_OK;
	if (!slot_walk_text(&compiler->walk, view_slice(compiler->source, from, to), &at, &wrong))
		return template_refuse(compiler->source, from + at, compiler->why, "%s", wrong);
	return add_op(compiler, &(struct op){ .kind = OP_LITERAL,
					      .text = view_slice(compiler->source, from, to),
					      .number = compiler->template->literals++ });
}

/* ---- names ---- */

/* The path of a name below the open section at `level`, left at the end of names when it is known. */
static bool find_below(struct compiler *compiler, size_t level, struct view name, struct op *op)
{
	struct buf *names = &compiler->template->names;
	const struct op *section = template_op(compiler->template, compiler->open[level]);
	if (section->kind != OP_SECTION)
		return false;
	op->path_at = names->len;
	/* The room first: what is copied must not move while it is read. */
	if (buf_room(names, section->path_len + 1 + name.len) == NULL)
		return false;
	buf_add(names, view_slice(buf_view(names), section->path_at, section->path_at + section->path_len));
	if (!view_eq(name, VIEW_LIT("."))) {
		buf_add_byte(names, '.');
		buf_add(names, name);
	}
	op->path_len = names->len - op->path_at;
	struct view path = view_skip(buf_view(names), op->path_at);
	if (buf_err(names) == ERR_OK && merge_names_know(compiler->known, path))
		return true;
	buf_cut(names, op->path_at);
	return false;
}

static enum err resolve(struct compiler *compiler, const struct tag *tag, struct op *op)
{
	const struct template_name name = { tag->row->sigil, tag->start, tag->name };
	enum err err = template_check_name(compiler->source, &name, compiler->known, compiler->why);
	if (err != ERR_OK)
		return err;
	for (size_t level = compiler->depth; level-- > 0;) {
		if (find_below(compiler, level, tag->name, op))
			return ERR_OK;
	}
	if (view_eq(tag->name, VIEW_LIT(".")))
		return template_refuse(compiler->source, tag->start, compiler->why,
				       "{{.}} stands in no section; write the name of a field");
	if (merge_names_know(compiler->known, tag->name)) {
		op->path_at = compiler->template->names.len;
		op->path_len = tag->name.len;
		return buf_add(&compiler->template->names, tag->name);
	}
	return template_refuse_unknown(compiler->source, &name, compiler->known, compiler->why);
}

/* ---- tags ---- */

/* Every reader without the field would be skipped. */
static enum err check_default(struct compiler *compiler, const struct tag *tag, const struct op *op)
{
	AUTO_BUF scratch = buf_with_ceiling(LIMIT_TEMPLATE);
	struct view text;
	const char *wish;
	struct view otherwise =
	    view_slice(buf_view(&compiler->template->names), op->default_at, op->default_at + op->default_len);
	if (otherwise.len == 0 || slot_escape_value(op->escape, otherwise, &scratch, &text, &wish) != ERR_INVALID)
		return ERR_OK;
	return template_refuse(compiler->source, tag->start, compiler->why, "the text behind | cannot stand here: %s",
			       wish);
}

/* In HTML it is a text of HTML, with references, unless it stands as it is. */
static enum err add_default(struct compiler *compiler, struct view otherwise, struct op *op)
{
	struct template *template = compiler->template;
	op->default_at = template->names.len;
	enum err err = template->language == SLOT_HTML && op->escape != ESCAPE_NOTHING
			   ? reference_decode(otherwise, "", &template->names)
			   : buf_add(&template->names, otherwise);
	op->default_len = template->names.len - op->default_at;
	return err;
}

static enum err on_field(struct compiler *compiler, const struct tag *tag)
{
	struct op op = { .kind = OP_FIELD, .text = tag->name, .has_default = tag->has_default };
	const char *wrong = NULL;
	enum err err = resolve(compiler, tag, &op);
	if (err != ERR_OK)
		return err;
	struct view path = view_slice(buf_view(&compiler->template->names), op.path_at, op.path_at + op.path_len);
	if (merge_is_object(path) && view_eq(path, tag->name))
		return template_refuse(compiler->source, tag->start, compiler->why,
				       "the field \"" VIEW_FMT "\" holds others and has no value; write {{" VIEW_FMT
				       ".name}}",
				       VIEW_ARG(path), VIEW_ARG(path));
	if (!slot_walk_field(&compiler->walk, merge_value_of(path, tag->row->raw), &op.escape, &wrong))
		err = template_refuse(compiler->source, tag->start, compiler->why, "%s", wrong);
	if (err == ERR_OK)
		err = add_default(compiler, tag->otherwise, &op);
	if (err == ERR_OK)
		err = check_default(compiler, tag, &op);
	return err != ERR_OK ? err : add_op(compiler, &op);
}

static enum err on_section(struct compiler *compiler, const struct tag *tag)
{
	struct op op = { .kind = tag->row->sigil == '#' ? OP_SECTION : OP_INVERTED, .text = tag->name };
	if (tag->has_default)
		return template_refuse(compiler->source, tag->start, compiler->why,
				       "a section takes no default; remove the | and what follows it");
	enum err err = resolve(compiler, tag, &op);
	if (err != ERR_OK)
		return err;
	if (compiler->depth == LIMIT_TEMPLATE_DEPTH)
		return template_refuse(compiler->source, tag->start, compiler->why,
				       "more than %d sections stand in each other; use fewer", LIMIT_TEMPLATE_DEPTH);
	const char *wrong = NULL;
	size_t index = template_op_count(compiler->template);
	if (!slot_walk_open(&compiler->walk, tag->name, op.kind == OP_INVERTED, &wrong))
		return template_refuse(compiler->source, tag->start, compiler->why, "%s", wrong);
	err = add_op(compiler, &op);
	if (err == ERR_OK)
		compiler->open[compiler->depth++] = index;
	return err;
}

static enum err on_end(struct compiler *compiler, const struct tag *tag)
{
	if (compiler->depth == 0)
		return template_refuse(compiler->source, tag->start, compiler->why,
				       "{{/" VIEW_FMT "}} closes no section; remove it or open one",
				       VIEW_ARG(tag->name));
	size_t opened = compiler->open[compiler->depth - 1];
	struct view name = template_op(compiler->template, opened)->text;
	if (!view_eq(name, tag->name))
		return template_refuse(compiler->source, tag->start, compiler->why,
				       "{{/" VIEW_FMT "}} stands where {{/" VIEW_FMT
				       "}} is due; close that section first",
				       VIEW_ARG(view_head(tag->name, LIMIT_FIELD_NAME)), VIEW_ARG(name));
	const char *wrong = NULL;
	if (!slot_walk_close(&compiler->walk, &wrong))
		return template_refuse(compiler->source, tag->start, compiler->why, "%s", wrong);
	size_t index = template_op_count(compiler->template);
	enum err err = add_op(compiler, &(struct op){ .kind = OP_END, .text = tag->name, .partner = opened });
	if (err == ERR_OK) {
		template_op(compiler->template, opened)->partner = index;
		compiler->depth--;
	}
	return err;
}

static enum err on_comment(struct compiler *compiler, const struct tag *tag)
{
	(void)compiler;
	(void)tag;
	return ERR_OK;
}

static enum err on_unsupported(struct compiler *compiler, const struct tag *tag)
{
	return template_refuse(compiler->source, tag->start, compiler->why, "%s", tag->row->refusal);
}

static const struct tag_row *find_row(struct view inside)
{
	const struct tag_row *row = tag_rows;
	/* <b>name</b>, by pasting */
	bool is_markup = view_find_byte(view_head(inside, view_find(inside, VIEW_LIT("}}"))), '>') != VIEW_NONE;
	while (row->sigil != '\0' &&
	       (inside.len == 0 || inside.data[0] != row->sigil || (row->sigil == '<' && is_markup)))
		row++;
	return row;
}

/* False when the tag is not closed. */
static bool scan_tag(struct view source, size_t start, struct tag *ret_tag)
{
	struct view inside = template_skip_invisible(view_skip(source, start + 2));
	struct tag tag = { .start = start, .row = find_row(inside) };
	if (tag.row->sigil != '\0')
		inside = view_skip(inside, 1);
	struct view closing = view_of(tag.row->closing);
	size_t len = view_find(inside, closing);
	*ret_tag = tag;
	if (len == VIEW_NONE)
		return false;
	struct view content = view_head(inside, len);
	size_t bar = view_find_byte(content, '|');
	ret_tag->name = template_trim_name(view_head(content, bar));
	ret_tag->has_default = bar != VIEW_NONE;
	if (ret_tag->has_default)
		ret_tag->otherwise = view_trim(view_skip(content, bar + 1));
	ret_tag->end = (size_t)(inside.data - source.data) + len + closing.len;
	return true;
}

/* Braces that belong to no tag, by a slip that Mustache would send to everybody. */
static enum err check_braces(const struct compiler *compiler, const struct tag *tag)
{
	struct view source = compiler->source, name = tag->name;
	bool is_remark = tag->row->sigil == '!';
	for (size_t i = 0; !is_remark && i < tag->otherwise.len; i++) {
		if (tag->otherwise.data[i] == '{' || tag->otherwise.data[i] == '}')
			return template_refuse(source, position(compiler, tag->otherwise) + i, compiler->why,
					       "the text behind | holds a brace; another field takes the place of "
					       "\"" VIEW_FMT "\" as {{#" VIEW_FMT "}}{{" VIEW_FMT "}}{{/" VIEW_FMT
					       "}}{{^" VIEW_FMT "}}...{{/" VIEW_FMT "}}",
					       VIEW_ARG(name), VIEW_ARG(name), VIEW_ARG(name), VIEW_ARG(name),
					       VIEW_ARG(name), VIEW_ARG(name));
	}
	if (is_remark || tag->end == source.len || source.data[tag->end] != '}')
		return ERR_OK;
	struct view shown = view_head(view_slice(source, tag->start, tag->end), LIMIT_FIELD_NAME);
	return template_refuse(source, tag->end, compiler->why,
			       "a } too many stands behind " VIEW_FMT "; remove it, or put a blank before it",
			       VIEW_ARG(shown));
}

static enum err parse_tag(const struct compiler *compiler, size_t start, struct tag *ret_tag)
{
	if (scan_tag(compiler->source, start, ret_tag))
		return check_braces(compiler, ret_tag);
	return template_refuse(compiler->source, start, compiler->why, "the tag that begins here is not closed; add %s",
			       ret_tag->row->closing);
}

static size_t skip_blanks(struct view source, size_t at)
{
	while (at < source.len && (source.data[at] == ' ' || source.data[at] == '\t'))
		at++;
	return at;
}

/* Whether nothing else stands on the tag's line; then *ret_start is the beginning of the line and *ret_end behind its end. */
static bool is_alone(struct view source, const struct tag *tag, size_t *ret_start, size_t *ret_end)
{
	size_t newline = view_find_last_byte(view_head(source, tag->start), '\n');
	size_t line = newline == VIEW_NONE ? 0 : newline + 1;
	size_t behind = skip_blanks(source, tag->end);
	if (skip_blanks(source, line) != tag->start || (behind < source.len && source.data[behind] != '\n'))
		return false;
	*ret_start = line;
	*ret_end = behind == source.len ? behind : behind + 1;
	return true;
}

bool template_next_tag(struct view source, size_t *cursor, struct template_tag *ret_tag)
{
	size_t offset = view_find(view_skip(source, *cursor), VIEW_LIT("{{"));
	struct tag tag;
	if (offset == VIEW_NONE || !scan_tag(source, *cursor + offset, &tag))
		return false;
	size_t start = tag.start, end = tag.end;
	bool takes_line = tag.row->standalone && is_alone(source, &tag, &start, &end);
	*ret_tag = (struct template_tag){ .sigil = tag.row->sigil,
					  .name = tag.name,
					  .otherwise = tag.otherwise,
					  .start = tag.start,
					  .end = tag.end,
					  .takes_line = takes_line,
					  .line_start = start,
					  .line_end = end };
	*cursor = tag.end;
	return true;
}

static enum err compile_all(struct compiler *compiler)
{
	size_t at = 0;
	while (at < compiler->source.len) {
		size_t offset = view_find(view_skip(compiler->source, at), VIEW_LIT("{{"));
		if (offset == VIEW_NONE)
			return add_literal(compiler, at, compiler->source.len);
		struct tag tag;
		enum err err = parse_tag(compiler, at + offset, &tag);
		if (err != ERR_OK)
			return err;
		size_t start = tag.start, end = tag.end;
		/* A section's tag or a remark alone on its line takes the line with it. */
		if (tag.row->standalone)
			is_alone(compiler->source, &tag, &start, &end);
		err = add_literal(compiler, at, start);
		if (err == ERR_OK)
			err = tag.row->on(compiler, &tag);
		if (err != ERR_OK)
			return err;
		at = end;
	}
	return ERR_OK;
}

/* ---- the whole ---- */

static enum err check_closed(const struct compiler *compiler)
{
	if (compiler->depth == 0)
		return ERR_OK;
	struct view name = template_op(compiler->template, compiler->open[compiler->depth - 1])->text;
	size_t tag = view_find_last_byte(view_head(compiler->source, position(compiler, name)), '{') - 1;
	return template_refuse(compiler->source, tag, compiler->why,
			       "the section \"" VIEW_FMT "\" is not closed; add {{/" VIEW_FMT "}}", VIEW_ARG(name),
			       VIEW_ARG(name));
}

static enum err compile(struct compiler *compiler, struct view source)
{
	struct template *template = compiler->template;
	enum err err = template_normalise(source, &template->source);
	compiler->source = buf_view(&template->source);
	if (err == ERR_OK)
		err = template_check_source(compiler->source, compiler->why);
	if (err == ERR_OK)
		err = compile_all(compiler);
	if (err == ERR_OK)
		err = check_closed(compiler);
	if (err == ERR_TOO_BIG)
		buf_add(compiler->why, VIEW_LIT("the text is too long or has too many tags; shorten it"));
	return err;
}

enum err template_compile(struct view source, enum slot_language language, const struct merge_names *known,
			  struct template **ret_template, struct buf *why)
{
	struct template *template = malloc(sizeof(*template));
	if (template == NULL)
		return ERR_MEMORY;
	*template = (struct template){
		.language = language,
		.source = buf_with_ceiling(LIMIT_TEMPLATE),
		.names = buf_with_ceiling(2 * LIMIT_TEMPLATE),
		.ops = buf_with_ceiling(LIMIT_TEMPLATE_OPS * sizeof(struct op)),
	};
	struct compiler compiler = { .template = template, .known = known, .why = why };
	slot_walk_begin(&compiler.walk, language);
	enum err err = compile(&compiler, source);
	if (err != ERR_OK)
		template_done(template);
	else
		*ret_template = template;
	return err;
}

void template_done(struct template *template)
{
	if (template == NULL)
		return;
	buf_done(&template->source);
	buf_done(&template->names);
	buf_done(&template->ops);
	free(template);
}

size_t template_literal_count(const struct template *template)
{
	return template->literals;
}

bool template_next_literal(const struct template *template, size_t *cursor, struct view *ret_text)
{
	while (*cursor < template_op_count(template)) {
		const struct op *op = template_op(template, (*cursor)++);
		if (op->kind == OP_LITERAL) {
			*ret_text = op->text;
			return true;
		}
	}
	return false;
}

bool template_next_use(const struct template *template, size_t *cursor, struct template_use *ret_use)
{
	while (*cursor < template_op_count(template)) {
		const struct op *op = template_op(template, (*cursor)++);
		if (op->kind == OP_LITERAL || op->kind == OP_END)
			continue;
		*ret_use = (struct template_use){
			.path = view_slice(buf_view(&template->names), op->path_at, op->path_at + op->path_len),
			.has_default = op->has_default,
			.in_section = op->in_section || op->kind != OP_FIELD,
		};
		return true;
	}
	return false;
}
