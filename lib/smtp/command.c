#include "smtp/command.h"

#include "base/limits.h"

/* A parameter's value goes into *path; false when it cannot be. */
typedef bool take_value(struct view value, struct smtp_path *path);

struct parameter {
	const char *name;
	take_value *take;
};

/* The message counts, not what was said about it. */
static bool take_size(struct view value, struct smtp_path *path)
{
	uint64_t size;
	(void)path;
	return view_to_u64(value, UINT64_MAX, &size);
}

static bool take_body(struct view value, struct smtp_path *path)
{
	(void)path;
	return view_eq_nocase(value, VIEW_LIT("7BIT")) || view_eq_nocase(value, VIEW_LIT("8BITMIME"));
}

static bool take_smtputf8(struct view value, struct smtp_path *path)
{
	path->smtputf8 = true;
	return value.len == 0;
}

/* DSN is not offered, yet some clients name it from habit: it does no harm. */
static bool take_and_forget(struct view value, struct smtp_path *path)
{
	(void)path;
	return value.len > 0;
}

static const struct parameter mail_parameters[] = {
	{ "SIZE", take_size },      { "BODY", take_body },        { "SMTPUTF8", take_smtputf8 },
	{ "RET", take_and_forget }, { "ENVID", take_and_forget },
};

static const struct parameter rcpt_parameters[] = {
	{ "NOTIFY", take_and_forget },
	{ "ORCPT", take_and_forget },
};

/* Index of the bracket that closes a path which begins behind the opening one; a quoted local part may hold
 * brackets. */
static size_t find_close(struct view text)
{
	bool is_quoted = false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		if (is_quoted && c == '\\')
			i++;
		else if (c == '"')
			is_quoted = !is_quoted;
		else if (c == '>' && !is_quoted)
			return i;
		else if ((c == ' ' || c == '<') && !is_quoted)
			return VIEW_NONE;
	}
	return VIEW_NONE;
}

static struct view without_route(struct view address)
{
	if (!view_starts(address, VIEW_LIT("@")))
		return address;
	size_t colon = view_find_byte(address, ':');
	return colon == VIEW_NONE ? address : view_skip(address, colon + 1);
}

/* Cuts the path off the argument. */
static bool cut_path(struct view *argument, struct view keyword, struct view *ret_address)
{
	if (!view_starts_nocase(*argument, keyword))
		return false;
	struct view rest = view_trim(view_skip(*argument, keyword.len));
	if (!view_starts(rest, VIEW_LIT("<")))
		return false;
	rest = view_skip(rest, 1);
	size_t close = find_close(rest);
	if (close == VIEW_NONE)
		return false;
	struct view address = without_route(view_head(rest, close));
	rest = view_skip(rest, close + 1);
	bool is_ended = rest.len == 0 || rest.data[0] == ' ';
	if (!is_ended || address.len > LIMIT_ADDRESS || view_has_control(address) || !view_is_utf8(address) ||
	    view_starts(address, VIEW_LIT("@")))
		return false;
	*argument = rest;
	*ret_address = address;
	return true;
}

static enum path_verdict take_parameter(struct view text, const struct parameter *parameters, size_t count,
					struct smtp_path *path)
{
	struct view name;
	struct view value = text;
	if (!view_cut(&value, '=', &name))
		return PATH_VALID;
	for (size_t i = 0; i < count; i++) {
		if (view_eq_nocase(name, view_of(parameters[i].name)))
			return parameters[i].take(value, path) ? PATH_VALID : PATH_BAD_VALUE;
	}
	return PATH_UNKNOWN_PARAMETER;
}

static enum path_verdict read_path(struct view argument, struct view keyword, const struct parameter *parameters,
				   size_t count, struct smtp_path *ret_path)
{
	struct smtp_path path = { 0 };
	if (!cut_path(&argument, keyword, &path.address))
		return PATH_MALFORMED;
	struct view text;
	while (view_cut(&argument, ' ', &text)) {
		enum path_verdict verdict = take_parameter(text, parameters, count, &path);
		if (verdict != PATH_VALID)
			return verdict;
	}
	*ret_path = path;
	return PATH_VALID;
}

enum path_verdict smtp_path_of_mail(struct view argument, struct smtp_path *ret_path)
{
	return read_path(argument, VIEW_LIT("FROM:"), mail_parameters, ARRAY_LEN(mail_parameters), ret_path);
}

enum path_verdict smtp_path_of_rcpt(struct view argument, struct smtp_path *ret_path)
{
	struct smtp_path path;
	enum path_verdict verdict =
	    read_path(argument, VIEW_LIT("TO:"), rcpt_parameters, ARRAY_LEN(rcpt_parameters), &path);
	if (verdict == PATH_VALID && path.address.len == 0)
		return PATH_MALFORMED;
	if (verdict == PATH_VALID)
		*ret_path = path;
	return verdict;
}
