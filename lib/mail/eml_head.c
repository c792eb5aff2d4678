#include "mail/eml_head.h"

#include <assert.h>

#include <gmime/gmime.h>

#include "mail/charset.h"
#include "mail/fields.h"

typedef enum err take_field(struct view value, struct buf *out, struct buf *why);
static take_field take_text, take_mailbox;

static const struct {
	const char *name;
	take_field *take;
} taken[] = {
	[EML_SUBJECT] = { "Subject", take_text },
	[EML_FROM] = { "From", take_mailbox },
	[EML_REPLY_TO] = { "Reply-To", take_mailbox },
};
static_assert(ARRAY_LEN(taken) == EML_FIELD_COUNT, "one row per field");

const char *eml_field_name(enum eml_field field)
{
	return taken[field].name;
}

/* ---- values ---- */

/* The next =?charset? of encoded words (RFC 2047 section 2). */
static bool cut_charset(struct view *text, struct view *ret_charset)
{
	size_t at = view_find(*text, VIEW_LIT("=?"));
	if (at == VIEW_NONE)
		return false;
	struct view rest = view_skip(*text, at + 2);
	size_t end = view_find_byte(rest, '?');
	*text = rest;
	if (end == VIEW_NONE)
		return false;
	*ret_charset = view_head(rest, end);
	size_t language = view_find_byte(*ret_charset, '*'); /* RFC 2231 section 5 */
	*ret_charset = view_head(*ret_charset, language == VIEW_NONE ? end : language);
	return true;
}

static enum err check_value(struct view value, struct buf *why)
{
	struct view rest = value, charset;
	if (!view_is_utf8(value)) {
		buf_add(why, VIEW_LIT("it is neither ASCII nor UTF-8; write it anew"));
		return ERR_INVALID;
	}
	while (cut_charset(&rest, &charset)) {
		/* Not every =? begins a word. */
		if (charset.len == 0 || view_find_byte(charset, ' ') != VIEW_NONE || charset_is_known(charset))
			continue;
		buf_addf(why, "there is no charset " VIEW_FMT "; write it in UTF-8", VIEW_ARG(view_head(charset, 64)));
		return ERR_INVALID;
	}
	return ERR_OK;
}

static enum err take_text(struct view value, struct buf *out, struct buf *why)
{
	(void)why;
	AUTO_BUF unfolded = buf_with_ceiling(LIMIT_INTAKE_HEAD);
	field_unfold(value, &unfolded);
	char *decoded = g_mime_utils_header_decode_text(NULL, buf_text(&unfolded));
	enum err err = buf_add(out, view_trim(view_of(decoded)));
	g_free(decoded);
	return err;
}

static enum err add_mailbox(InternetAddressList *list, struct buf *out, struct buf *why)
{
	InternetAddress *first =
	    internet_address_list_length(list) == 1 ? internet_address_list_get_address(list, 0) : NULL;
	if (first == NULL || !INTERNET_ADDRESS_IS_MAILBOX(first)) {
		buf_add(why, VIEW_LIT("a letter has one address there; leave the others out"));
		return ERR_INVALID;
	}
	const char *name = internet_address_get_name(first);
	if (name != NULL && *name != '\0')
		buf_addf(out, "%s ", name);
	return buf_addf(out, "<%s>", internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(first)));
}

static enum err take_mailbox(struct view value, struct buf *out, struct buf *why)
{
	AUTO_BUF text = buf_with_ceiling(LIMIT_ADDRESS_TEXT);
	if (field_unfold(value, &text), buf_err(&text) != ERR_OK) {
		buf_add(why, VIEW_LIT("it is too long; write Name <address>"));
		return ERR_INVALID;
	}
	InternetAddressList *list = internet_address_list_parse(NULL, buf_text(&text));
	if (list == NULL) {
		buf_add(why, VIEW_LIT("it holds no address; write Name <address>"));
		return ERR_INVALID;
	}
	enum err err = add_mailbox(list, out, why);
	g_object_unref(list);
	return err;
}

/* ---- fields ---- */

static size_t line_of(struct view raw, struct view at)
{
	size_t line = 1;
	for (const char *c = raw.data; c < at.data; c++)
		line += *c == '\n';
	return line;
}

static enum err take(struct view raw, const struct field *field, size_t index, struct eml *eml, struct buf *why)
{
	struct eml_value *value = &eml->fields[index];
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	enum err err = ERR_INVALID;
	size_t line = line_of(raw, field->name);
	if (value->line > 0)
		buf_addf(&reason, "there is one in line %zu; leave one out", value->line);
	else
		err = check_value(field->value, &reason);
	value->line = line;
	if (err == ERR_OK)
		err = taken[index].take(field->value, &value->text, &reason);
	if (err == ERR_OK && (!view_is_utf8(buf_view(&value->text)) || view_has_control(buf_view(&value->text)))) {
		buf_add(&reason, VIEW_LIT("it holds control characters; write it anew"));
		err = ERR_INVALID;
	}
	if (err != ERR_OK)
		buf_addf(why, "line %zu: the field %s: " VIEW_FMT, line, taken[index].name,
			 VIEW_ARG(buf_view(&reason)));
	return err;
}

/* How the body is encoded; that is decided anew, and nothing to tell. */
static bool is_of_mime(struct view name)
{
	return view_eq_nocase(name, VIEW_LIT("MIME-Version")) || view_starts_nocase(name, VIEW_LIT("Content-"));
}

static bool names(struct view list, struct view name)
{
	struct view one;
	while (view_cut(&list, ',', &one)) {
		if (view_eq_nocase(view_trim(one), name))
			return true;
	}
	return false;
}

static void drop(struct view name, struct eml *eml)
{
	struct buf *dropped = &eml->dropped;
	if (!view_is_ascii(name) || names(buf_view(dropped), name) || dropped->len + name.len + 2 > dropped->ceiling)
		return;
	buf_add(dropped, dropped->len > 0 ? VIEW_LIT(", ") : VIEW_LIT(""));
	buf_add(dropped, name);
}

static enum err read_field(struct view raw, const struct field *field, struct eml *eml, struct buf *mime,
			   struct buf *why)
{
	if (is_of_mime(field->name))
		return buf_addf(mime, VIEW_FMT ": " VIEW_FMT "\n", VIEW_ARG(field->name), VIEW_ARG(field->value));
	for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
		if (field_is(field, taken[i].name))
			return take(raw, field, i, eml, why);
	}
	drop(field->name, eml);
	return ERR_OK;
}

enum err eml_head_read(struct view raw, struct eml *eml, struct buf *ret_mime, struct view *ret_body, struct buf *why)
{
	struct view rest = view_head(raw, LIMIT_INTAKE_HEAD);
	struct field field;
	enum err err = ERR_OK;
	enum field_step step = FIELD_END;
	while (err == ERR_OK && (step = fields_next(&rest, &field)) == FIELD_READ)
		err = read_field(raw, &field, eml, ret_mime, why);
	if (err != ERR_OK)
		return err;
	size_t head = (size_t)(rest.data - raw.data);
	if (step == FIELD_END && raw.len > LIMIT_INTAKE_HEAD) {
		buf_add(why, VIEW_LIT("its header has more than 64 KiB; take out what is not needed"));
		return ERR_TOO_BIG;
	}
	if (view_find_byte(view_head(raw, head), '\0') != VIEW_NONE) {
		buf_add(why, VIEW_LIT("the header holds a NUL octet: it is no message"));
		return ERR_INVALID;
	}
	*ret_body = view_skip(raw, head);
	return buf_add_byte(ret_mime, '\n');
}
