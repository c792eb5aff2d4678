/* Templates: a subset of Mustache (its specification's interpolation, sections, inverted and comments), compiled once to
 * a list of operations and rendered for each recipient.
 *
 *   {{x}}        the value, escaped as its place demands (mail/slot.h), never the data    {{{x}}} {{&x}}   the value as it is
 *   {{x|y z}}    the text "y z" where x is missing or empty   {{a.b}} {{.}}    inside an object; the present item
 *   {{#x}}...{{/x}}  for each item of a list, once for anything else that is not false
 *   {{^x}}...{{/x}}  when x is false: missing, null, false, "" or an empty list
 *   {{! ... }}   nothing
 *
 * No partials, no lambdas, no change of delimiters, and no field that is not known: a misspelt name is an error when the
 * campaign is written, not an empty place in a million letters. */
#ifndef MAIL_TEMPLATE_H
#define MAIL_TEMPLATE_H

#include "base/buf.h"
#include "mail/merge_names.h"
#include "mail/slot.h"

struct template;

/* Compiles a text in that language. Inside a section a name is known by itself or below the section: {{#orders}}{{sku}}{{/orders}} needs
 * "orders.sku". ERR_INVALID: `why` has line, column and remedy, also when a field stands where
 * none may (mail/slot.h). Line ends become LF. The caller releases *ret_template with
 * template_done(). */
enum err template_compile(struct view source, enum slot_language language, const struct merge_names *known,
			  struct template **ret_template, struct buf *why) MUST_USE;
void template_done(struct template *template); /* accepts NULL */

/* The texts between the tags, numbered from 0 in their order. A cursor begins at 0; false at the end. */
size_t template_literal_count(const struct template *template);
bool template_next_literal(const struct template *template, size_t *cursor, struct view *ret_text);

/* One use of a field: its path, with the enclosing section in front where only that makes it known. */
struct template_use {
	struct view path;
	bool has_default;
	bool in_section; /* within a section, or its condition */
};
/* The uses in their order; a cursor begins at 0; false at the end. */
bool template_next_use(const struct template *template, size_t *cursor, struct template_use *ret_use);

/* ---- a source as it stands ---- */

/* Appends it as template_compile() reads it: without a byte order mark, with LF line ends. */
enum err template_normalise(struct view source, struct buf *out);

/* Where an octet stands, as people count: from 1, columns in characters. */
struct template_place {
	size_t line, column;
};
struct template_place template_place(struct view source, size_t at);
/* Refuses what stands there: "line 3, column 7: " and the sentence are appended to why. Always ERR_INVALID. */
enum err template_refuse(struct view source, size_t at, struct buf *why, const char *format, ...) PRINTF_LIKE(4, 5);

/* A tag of a normalised source. */
struct template_tag {
	char sigil; /* # ^ / ! { & > < $ =, or NUL: a plain field */
	struct view name;
	struct view otherwise;       /* what stands behind |; empty: nothing */
	size_t start, end;           /* from the first brace to behind the last */
	bool takes_line;             /* a section's tag or a remark alone on its line, which goes with it */
	size_t line_start, line_end; /* that line with its LF; else as start and end */
};
/* The tags in their order, whether they are valid or not; a cursor begins at 0. False at the end, and at a tag that is not
 * closed. */
bool template_next_tag(struct view source, size_t *cursor, struct template_tag *ret_tag);

/* ---- data ---- */

enum value_kind {
	VALUE_NONE, /* missing or null */
	VALUE_FALSE,
	VALUE_TRUE,
	VALUE_TEXT,
	VALUE_NUMBER,
	VALUE_OBJECT,
	VALUE_LIST,
	VALUE_KIND_COUNT
};

struct value {
	enum value_kind kind;
	struct view text; /* VALUE_TEXT; stays valid while the template is rendered */
	const void *node; /* VALUE_NUMBER, VALUE_OBJECT, VALUE_LIST: the source's own */
	size_t count;     /* VALUE_LIST: items */
};

struct template_source {
	void *context;
	/* The member `name` of an object; node NULL: of the outermost one. */
	struct value (*field)(void *context, const void *node, struct view name);
	struct value (*item)(void *context, const void *list, size_t index);
	/* A number as people write it; valid until the next call. */
	struct view (*number)(void *context, const void *node);
};

/* ---- rendering ---- */

/* Takes the rendered text in its order. Whatever it returns but ERR_OK ends the rendering and is returned. */
struct template_sink {
	void *context;
	enum err (*literal)(void *context, size_t number, struct view text);
	/* `field` as written in the template; text is UTF-8 and escaped. */
	enum err (*value)(void *context, struct view field, struct view text);
};

/* Renders. ERR_INVALID when a value cannot stand where it is used (`why` names the field); ERR_TOO_BIG after
 * LIMIT_TEMPLATE_STEPS steps. `scratch` is the caller's, reused from one call to the next. */
enum err template_render(const struct template *template, const struct template_source *source,
			 const struct template_sink *sink, struct buf *scratch, struct buf *why) MUST_USE;

/* What a dotted path outside of all sections finds. */
struct value template_look_up(const struct template_source *source, struct view path);

#endif
