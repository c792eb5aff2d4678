/* status-code = class "." subject "." detail (RFC 3463 section 2)
 * class       = "2" / "4" / "5"
 * subject     = 1*3DIGIT
 * detail      = 1*3DIGIT */
#include "mail/status.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* 1*3DIGIT at *at without a superfluous leading zero; moves *at behind it. */
static bool read_number(struct view text, size_t *at, unsigned short *ret_number)
{
	unsigned number = 0;
	size_t start = *at;
	while (*at < text.len && is_digit(text.data[*at]) && *at - start < 3)
		number = number * 10 + (unsigned)(text.data[(*at)++] - '0');
	size_t digits = *at - start;
	if (digits == 0 || (digits > 1 && text.data[start] == '0'))
		return false;
	*ret_number = (unsigned short)number;
	return true;
}

/* A code at *at; moves *at behind it. */
static bool read_status(struct view text, size_t *at, struct status *ret_status)
{
	struct status status = { 0 };
	size_t i = *at;
	if (i + 5 > text.len || (text.data[i] != '2' && text.data[i] != '4' && text.data[i] != '5'))
		return false;
	status.class_digit = (unsigned char)(text.data[i] - '0');
	i++;
	if (text.data[i++] != '.' || !read_number(text, &i, &status.subject))
		return false;
	if (i >= text.len || text.data[i++] != '.' || !read_number(text, &i, &status.detail))
		return false;
	*at = i;
	*ret_status = status;
	return true;
}

bool status_parse(struct view text, struct status *ret_status)
{
	struct status status;
	size_t at = 0;
	if (!read_status(text, &at, &status) || at != text.len)
		return false;
	*ret_status = status;
	return true;
}

/* What makes a digit part of something longer when it stands directly before or behind: an address literal, a version, a
 * host name, a time, an amount. A dot counts only when a digit or letter follows it: "5.1.1." ends a sentence. */
static bool is_part(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '/' || c == '@';
}

static bool stands_free(struct view text, size_t from, size_t to)
{
	if (from > 0 && (is_part(text.data[from - 1]) || text.data[from - 1] == '.'))
		return false;
	/* "host-5.1.1" is a name, "550-5.1.1" is a reply line. */
	if (from > 1 && text.data[from - 1] == '-' && !is_digit(text.data[from - 2]) && is_part(text.data[from - 2]))
		return false;
	if (to >= text.len)
		return true;
	if (text.data[to] == '.' || text.data[to] == '-')
		return to + 1 >= text.len || !is_part(text.data[to + 1]);
	return !is_part(text.data[to]);
}

bool status_find(struct view text, struct status *ret_status)
{
	for (size_t i = 0; i + 5 <= text.len; i++) {
		if (text.data[i + 1] != '.')
			continue;
		struct status status;
		size_t end = i;
		if (read_status(text, &end, &status) && stands_free(text, i, end)) {
			*ret_status = status;
			return true;
		}
	}
	return false;
}

bool status_is(struct status status, unsigned class_digit, unsigned subject, unsigned detail)
{
	return status.class_digit == class_digit && status.subject == subject && status.detail == detail;
}

bool status_is_set(struct status status)
{
	return status.class_digit != 0;
}

enum err status_write(struct status status, struct buf *out)
{
	if (!status_is_set(status))
		return out->err;
	return buf_addf(out, "%u.%u.%u", (unsigned)status.class_digit, (unsigned)status.subject,
			(unsigned)status.detail);
}
