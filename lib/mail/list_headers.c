#include "mail/list_headers.h"

#include <assert.h>

#include "base/limits.h"
#include "mail/address.h"
#include "mail/header.h"

/* ---- the fields of RFC 2369 ---- */

static const struct field_row {
	const char *name;
	bool takes_address; /* mail is meant: an address without mailto: will do */
	bool takes_no;      /* RFC 2369 section 3.4 */
} field_rows[] = {
	[LIST_HELP] = { .name = "List-Help" },
	[LIST_OWNER] = { .name = "List-Owner", .takes_address = true },
	[LIST_ARCHIVE] = { .name = "List-Archive" },
	[LIST_POST] = { .name = "List-Post", .takes_address = true, .takes_no = true },
};
static_assert(ARRAY_LEN(field_rows) == LIST_FIELD_COUNT, "one row a field");

const char *list_field_name(enum list_field field)
{
	return field_rows[field].name;
}

/* RFC 3986 section 2, and nothing that ends the brackets or parts two URLs (RFC 2369 section 2). */
static bool is_url_octet(char c)
{
	return c > ' ' && c <= '~' && c != '<' && c != '>' && c != '"' && c != '\\' && c != '^' && c != '`' &&
	       c != '{' && c != '}' && c != '|' && c != ',';
}

static bool is_url(struct view text)
{
	static const char *const schemes[] = { "https://", "http://", "mailto:" };
	bool good = false;
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		good = good || (view_starts_nocase(text, view_of(schemes[i])) && text.len > view_of(schemes[i]).len);
	for (size_t i = 0; good && i < text.len; i++)
		good = is_url_octet(text.data[i]);
	return good && text.len <= LIST_HEADERS_URL_MOST;
}

bool list_headers_is_web(struct view url)
{
	struct view scheme = VIEW_LIT("https://");
	struct view rest = view_skip(url, scheme.len);
	return is_url(url) && view_starts(url, scheme) && rest.data[0] != '/' &&
	       view_find_byte(rest, '?') == VIEW_NONE && view_find_byte(rest, '#') == VIEW_NONE;
}

static enum err add_address(struct view text, struct buf *out, struct buf *why)
{
	AUTO_BUF address = buf_with_ceiling(LIMIT_ADDRESS);
	AUTO_BUF url = buf_with_ceiling(LIMIT_ADDRESS_TEXT);
	enum err err = address_parse(text, &address, why);
	if (err != ERR_OK)
		return err;
	buf_addf(&url, "mailto:" VIEW_FMT, VIEW_ARG(buf_view(&address)));
	if (is_url(buf_view(&url)) && view_find_byte(buf_view(&address), '?') == VIEW_NONE &&
	    view_find_byte(buf_view(&address), '%') == VIEW_NONE)
		return buf_addf(out, "<" VIEW_FMT ">", VIEW_ARG(buf_view(&url)));
	buf_add(why, VIEW_LIT("the address has characters that a mailto: URL takes encoded only; give the URL"));
	return ERR_INVALID;
}

enum err list_field_value(enum list_field field, struct view text, struct buf *ret_value, struct buf *why)
{
	const struct field_row *row = &field_rows[field];
	struct view value = view_trim(text);
	if (row->takes_no && view_eq_nocase(value, VIEW_LIT("no")))
		return buf_add(ret_value, VIEW_LIT("NO"));
	if (is_url(value))
		return buf_addf(ret_value, "<" VIEW_FMT ">", VIEW_ARG(value));
	bool has_scheme =
	    view_find(value, VIEW_LIT("://")) != VIEW_NONE || view_starts_nocase(value, VIEW_LIT("mailto:"));
	if (row->takes_address && !has_scheme)
		return add_address(value, ret_value, why);
	buf_addf(
	    why,
	    "a URL with https://, http:// or mailto: is wanted%s, up to %d octets of ASCII without spaces, commas and "
	    "brackets (%%2C stands for a comma)",
	    row->takes_address ? ", or an address" : "", LIST_HEADERS_URL_MOST);
	return ERR_INVALID;
}

/* ---- names ---- */

/* What a list may not say: a name, or with is_family all that begin so. */
static const struct taken_row {
	const char *name;
	bool is_family;
	const char *why;
} taken_rows[] = {
	{ "List-", true,
	  "the program writes it; --help-url, --owner, --archive-url and --post set those a list may set" },
	{ "Content-", true, "it says how the body is built, which the program decides" },
	{ "MIME-Version", false, "it says how the body is built, which the program decides" },
	{ "From", false, "a message has one; --from sets it" },
	{ "Sender", false, "it would stand between From and the return path" },
	{ "Reply-To", false, "a message has one; --reply-to sets it" },
	{ "To", false, "a message has one: its recipient" },
	{ "Cc", false, "a copy has one recipient" },
	{ "Bcc", false, "a copy has one recipient" },
	{ "Apparently-To", false, "a copy has one recipient" },
	{ "Subject", false, "a message has one: the campaign's" },
	{ "Date", false, "a message has one, and the program writes it" },
	{ "Message-ID", false, "a message has one, and the program writes it" },
	{ "In-Reply-To", false, "a newsletter answers nobody" },
	{ "References", false, "a newsletter answers nobody" },
	{ "Feedback-ID", false, "a message has one, and the program writes it" },
	{ "Precedence", false, "the program writes it" },
	{ "Auto-Submitted", false, "it says that nobody wrote it, which is not so of a newsletter" },
	{ "X-Auto-Response-Suppress", false, "the program writes it" },
	{ "Received", true, "it belongs to the message's way" },
	{ "Return-Path", false, "it belongs to the message's way" },
	{ "Delivered-To", false, "it belongs to the message's way" },
	{ "X-Original-To", false, "it belongs to the message's way" },
	{ "Original-Recipient", false, "it belongs to the message's way" },
	{ "Require-Recipient-Valid-Since", false, "it changes how the message is delivered" },
	{ "TLS-Required", false, "it changes how the message is delivered" },
	{ "Lines", false, "it says how the body is built, which the program decides" },
	{ "Encoding", false, "it says how the body is built, which the program decides" },
	{ "Errors-To", false, "errors go to the return path" },
	{ "Resent-", true, "it belongs to the message's way" },
	{ "DKIM-", true, "only a signer writes it" },
	{ "DomainKey-", true, "only a signer writes it" },
	{ "ARC-", true, "only a signer writes it" },
	{ "Authentication-Results", false, "only a receiver writes it" },
	{ "X-Verpost-Test", false, "the program writes it" },
};

static bool is_taken(const struct taken_row *row, struct view name)
{
	struct view taken = view_of(row->name);
	return row->is_family ? view_starts_nocase(name, taken) : view_eq_nocase(name, taken);
}

/* ftext of RFC 5322 section 3.6.8. */
static bool is_name(struct view name)
{
	for (size_t i = 0; i < name.len; i++) {
		if (name.data[i] <= ' ' || name.data[i] > '~' || name.data[i] == ':')
			return false;
	}
	return name.len > 0 && name.len <= LIST_HEADERS_NAME_MOST;
}

enum err list_headers_check_name(struct view name, struct buf *why)
{
	if (!is_name(name)) {
		buf_addf(why,
			 "a header field's name has 1 to %d characters of printable ASCII without spaces and colons",
			 LIST_HEADERS_NAME_MOST);
		return ERR_INVALID;
	}
	for (size_t i = 0; i < ARRAY_LEN(taken_rows); i++) {
		if (!is_taken(&taken_rows[i], name))
			continue;
		buf_addf(why, "a list cannot have a " VIEW_FMT " of its own: %s", VIEW_ARG(name), taken_rows[i].why);
		return ERR_INVALID;
	}
	return ERR_OK;
}

/* ---- lines ---- */

bool list_headers_next(struct view *lines, struct view *ret_name, struct view *ret_value)
{
	struct view line;
	if (!view_cut_line(lines, &line))
		return false;
	size_t colon = view_find_byte(line, ':');
	*ret_name = view_head(line, colon);
	*ret_value = colon == VIEW_NONE ? view_skip(line, line.len) : view_trim(view_skip(line, colon + 1));
	return true;
}

struct view list_headers_get(struct view lines, struct view name)
{
	struct view found, value;
	while (list_headers_next(&lines, &found, &value)) {
		if (view_eq_nocase(found, name))
			return value;
	}
	return (struct view){ 0 };
}

static bool find_field(struct view name, enum list_field *ret_field)
{
	for (size_t i = 0; i < LIST_FIELD_COUNT; i++) {
		if (view_eq_nocase(name, view_of(field_rows[i].name))) {
			*ret_field = (enum list_field)i;
			return true;
		}
	}
	return false;
}

/* "<URL>", or NO. */
static bool is_field_value(enum list_field field, struct view value)
{
	if (field_rows[field].takes_no && view_eq(value, VIEW_LIT("NO")))
		return true;
	return view_starts(value, VIEW_LIT("<")) && view_ends(value, VIEW_LIT(">")) &&
	       is_url(view_slice(value, 1, value.len - 1));
}

static enum err check_line(struct view name, struct view value, struct buf *why)
{
	AUTO_BUF what = buf_with_ceiling(LIMIT_WHY);
	enum list_field field;
	if (find_field(name, &field)) {
		if (is_field_value(field, value))
			return ERR_OK;
		buf_addf(why, "%s holds no URL in brackets", list_field_name(field));
		return ERR_INVALID;
	}
	enum err err = list_headers_check_name(name, why);
	if (err != ERR_OK)
		return err;
	buf_addf(&what, "the header field " VIEW_FMT, VIEW_ARG(name));
	if (value.len == 0) {
		buf_addf(why, VIEW_FMT " has no value", VIEW_ARG(buf_view(&what)));
		return ERR_INVALID;
	}
	return header_check(buf_view(&what), value, why);
}

enum err list_headers_set(struct buf *lines, struct view name, struct view value, struct buf *why)
{
	AUTO_BUF others = buf_with_ceiling(lines->ceiling);
	struct view rest = buf_view(lines), found, old;
	size_t count = 0;
	enum err err = value.len > 0 ? check_line(name, value, why) : ERR_OK;
	if (err != ERR_OK)
		return err;
	if (view_find(value, VIEW_LIT("{{")) != VIEW_NONE) {
		buf_addf(why,
			 "the header field " VIEW_FMT
			 " takes no merge field, which would go out as it is; write what is the "
			 "same for all readers",
			 VIEW_ARG(name));
		return ERR_INVALID;
	}
	while (list_headers_next(&rest, &found, &old)) {
		if (view_eq_nocase(found, name))
			continue;
		buf_addf(&others, VIEW_FMT ": " VIEW_FMT "\n", VIEW_ARG(found), VIEW_ARG(old));
		count++;
	}
	if (value.len > 0 && count == LIST_HEADERS_MOST) {
		buf_addf(why, "a list has at most %d header fields of its own; remove one", LIST_HEADERS_MOST);
		return ERR_TOO_BIG;
	}
	if (value.len > 0)
		buf_addf(&others, VIEW_FMT ": " VIEW_FMT "\n", VIEW_ARG(name), VIEW_ARG(value));
	if (buf_err(&others) != ERR_OK)
		return buf_err(&others);
	buf_reset(lines);
	return buf_add(lines, buf_view(&others));
}

enum err list_headers_write(struct view lines, struct buf *out, struct buf *why)
{
	struct view name, value;
	enum list_field field;
	enum err err = ERR_OK;
	for (size_t count = 0; err == ERR_OK && list_headers_next(&lines, &name, &value); count++) {
		err = check_line(name, value, why);
		if (err == ERR_OK && count == LIST_HEADERS_MOST)
			err = ERR_INVALID;
		if (err == ERR_OK)
			err = find_field(name, &field) ? header_write_plain(name, value, out)
						       : header_write_text(name, value, out);
	}
	return err;
}
