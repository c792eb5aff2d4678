#include "mail/verp.h"

#include "base/limits.h"

enum { PREFIX_MOST = 5 };

enum err verp_write(struct view prefix, struct view token, struct view domain, struct buf *out)
{
	buf_add(out, prefix);
	buf_add_byte(out, '+');
	buf_add(out, token);
	buf_add_byte(out, '@');
	return buf_add(out, domain);
}

bool verp_split(struct view address, struct view prefix, struct view domain, struct view *ret_token)
{
	size_t at = view_find_last_byte(address, '@');
	if (at == VIEW_NONE)
		return false;
	struct view host = view_skip(address, at + 1);
	if (view_ends(host, VIEW_LIT(".")))
		host.len--;
	struct view local = view_head(address, at);
	if (!view_eq_nocase(host, domain) || !view_starts_nocase(local, prefix))
		return false;
	struct view rest = view_skip(local, prefix.len);
	if (!view_starts(rest, VIEW_LIT("+")))
		return false;
	*ret_token = view_skip(rest, 1);
	return true;
}

static bool is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool verp_prefix_is_valid(struct view prefix)
{
	if (prefix.len == 0 || prefix.len > PREFIX_MOST)
		return false;
	for (size_t i = 0; i < prefix.len; i++) {
		if (!is_letter_or_digit(prefix.data[i]))
			return false;
	}
	return true;
}

bool verp_domain_is_valid(struct view domain)
{
	if (domain.len == 0 || domain.len > LIMIT_DOMAIN || domain.data[0] == '.' || view_ends(domain, VIEW_LIT(".")))
		return false;
	for (size_t i = 0; i < domain.len; i++) {
		char c = domain.data[i];
		if (!is_letter_or_digit(c) && c != '-' && c != '.')
			return false;
	}
	return true;
}
