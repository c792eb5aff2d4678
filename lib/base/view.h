/* struct view borrows bytes that somebody else owns; it has a length and no terminator. All functions are pure. */
#ifndef BASE_VIEW_H
#define BASE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"

struct view {
	const char *data;
	size_t len;
};

#define VIEW_LIT(literal) ((struct view){ .data = (literal), .len = sizeof(literal) - 1 })
#define VIEW_FMT "%.*s"
#define VIEW_ARG(view) (int)(view).len, (view).data

/* The octets of a C string; NULL gives the empty view. */
struct view view_of(const char *text);
static inline struct view view_from(const void *data, size_t len)
{
	return (struct view){ .data = (const char *)data, .len = len };
}

bool view_eq(struct view a, struct view b);
/* ASCII case folding only (RFC 5321 section 2.4). */
bool view_eq_nocase(struct view a, struct view b);
bool view_starts(struct view text, struct view start);
bool view_starts_nocase(struct view text, struct view start);
bool view_ends(struct view text, struct view end);
bool view_ends_nocase(struct view text, struct view end);

/* Index of the first occurrence, or VIEW_NONE. */
#define VIEW_NONE SIZE_MAX
size_t view_find(struct view text, struct view what);
size_t view_find_nocase(struct view text, struct view what);
size_t view_find_byte(struct view text, char byte);
size_t view_find_last_byte(struct view text, char byte);

/* Parts of a view; indexes beyond the end are clamped. Here, since they stand in every loop over a text. */
static inline struct view view_skip(struct view text, size_t count)
{
	if (count == 0)
		return text;
	if (count > text.len)
		count = text.len;
	return (struct view){ .data = text.data == NULL ? NULL : text.data + count, .len = text.len - count };
}

static inline struct view view_head(struct view text, size_t count)
{
	return (struct view){ .data = text.data, .len = count < text.len ? count : text.len };
}

static inline struct view view_slice(struct view text, size_t from, size_t to)
{
	return to <= from ? view_head(view_skip(text, from), 0) : view_head(view_skip(text, from), to - from);
}

/* Without SP, HT, CR and LF at both ends. */
struct view view_trim(struct view text);

/* Cuts *text at the first separator: *ret_head is what stood before, *text what stands after. Without a separator
 * the head is all and the rest is empty. False when *text was empty at the call. */
bool view_cut(struct view *text, char separator, struct view *ret_head);
/* The next line of *text without its LF or CRLF; false at the end. */
bool view_cut_line(struct view *text, struct view *ret_line);

/* Whole view as an unsigned decimal number up to max; false on anything else (empty, sign, space, overflow). */
bool view_to_u64(struct view text, uint64_t max, uint64_t *ret_number) MUST_USE;

/* True when the bytes are UTF-8 as RFC 3629 defines it (no surrogates, no overlong forms). */
bool view_is_utf8(struct view text);
bool view_is_ascii(struct view text);
/* True when a C0 control or DEL is in it, tabs included. */
bool view_has_control(struct view text);

#endif
