/* The operations of a compiled template, shared by its compiler and its renderer and by nobody else. */
#ifndef MAIL_TEMPLATE_OPS_H
#define MAIL_TEMPLATE_OPS_H

#include "mail/template.h"

enum op_kind { OP_LITERAL, OP_FIELD, OP_SECTION, OP_INVERTED, OP_END, OP_KIND_COUNT };

struct op {
	enum op_kind kind;
	enum slot_escape escape; /* OP_FIELD */
	bool has_default;        /* OP_FIELD */
	bool in_section;         /* stands within a section */
	struct view text;        /* OP_LITERAL: the text; else the name; borrows from the template's source */
	size_t path_at;          /* OP_FIELD, OP_SECTION, OP_INVERTED: the path of struct template_use, in names */
	size_t path_len;
	size_t default_at; /* OP_FIELD: its default, in names, as it will be escaped */
	size_t default_len;
	size_t number;  /* OP_LITERAL: its number */
	size_t partner; /* OP_SECTION, OP_INVERTED: its OP_END and the other way round */
};

struct template
{
	enum slot_language language;
	struct buf source; /* with LF line ends */
	struct buf names;  /* paths put together from section and name, and defaults */
	struct buf ops;    /* an array of struct op */
	size_t literals;
};

/* template_source.c. ERR_INVALID: it is no UTF-8, or holds a control character. */
enum err template_check_source(struct view source, struct buf *why) MUST_USE;

/* template_name.c: what stands in a tag as a name. */
struct template_name {
	char sigil;   /* as in struct template_tag */
	size_t start; /* of the tag */
	struct view text;
};
/* ERR_INVALID: it can be no name. What else is known may be one. */
enum err template_check_name(struct view source, const struct template_name *name, const struct merge_names *known,
			     struct buf *why) MUST_USE;
/* Says of a name that is unknown what it may have been meant for. Always ERR_INVALID. */
enum err template_refuse_unknown(struct view source, const struct template_name *name, const struct merge_names *known,
				 struct buf *why);
/* Without the blanks around it, those included that nobody sees: no-break and zero-width ones, also as references (&nbsp;), which
 * editors put there. */
struct view template_trim_name(struct view name);
/* Without those in front, which hide the sigil. */
struct view template_skip_invisible(struct view text);

size_t template_op_count(const struct template *template);
/* Borrowed until the next operation is added. */
struct op *template_op(const struct template *template, size_t index);

#endif
