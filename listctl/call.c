#include "listctl/call.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "listctl/safe_text.h"

enum { OPTION_NONE = COMMAND_OPTIONS };

/* Where the value of an option stands; OPTION_NONE when the verb's row does not have it. */
static size_t option_index(const struct call *call, const char *name)
{
	const struct command_option *rows = call->command->options;
	for (size_t i = 0; rows != NULL && rows[i].name != NULL; i++) {
		if (strcmp(rows[i].name, name) == 0)
			return i;
	}
	return OPTION_NONE;
}

bool call_takes(const struct call *call, const char *name)
{
	return option_index(call, name) != OPTION_NONE;
}

const char *call_option(const struct call *call, const char *name)
{
	size_t index = option_index(call, name);
	if (index == OPTION_NONE)
		abort(); /* the verb asks for an option that its row does not have */
	return call->values[index];
}

const char *call_option_at(const struct call *call, const char *name, size_t index)
{
	size_t option = option_index(call, name);
	if (option == OPTION_NONE)
		abort(); /* as above */
	for (size_t i = 0; i < call->given_count; i++) {
		if (call->given[i].option == option && index-- == 0)
			return call->given[i].value;
	}
	return NULL;
}

bool call_has(const struct call *call, const char *name)
{
	return call_option(call, name) != NULL;
}

bool call_has_any(const struct call *call)
{
	const struct command_option *options = call->command->options;
	for (size_t i = 0; options != NULL && options[i].name != NULL; i++) {
		if (call->values[i] != NULL)
			return true;
	}
	return false;
}

enum err call_number(struct call *call, const char *name, uint64_t max, uint64_t fallback, uint64_t *ret_number)
{
	const char *text = call_option(call, name);
	uint64_t number = fallback;
	if (text != NULL && !view_to_u64(view_of(text), max, &number))
		return call_misused(call, "--%s takes a number from 0 to %llu, not %s", name, (unsigned long long)max,
				    text);
	*ret_number = number;
	return ERR_OK;
}

enum err call_limit(struct call *call, uint64_t max, uint64_t fallback, uint64_t *ret_limit)
{
	uint64_t limit = fallback;
	const char *text = call_option(call, "limit");
	if (text != NULL && (!view_to_u64(view_of(text), max, &limit) || limit == 0))
		return call_misused(call, "--limit takes a number from 1 to %llu, not %s", (unsigned long long)max,
				    text);
	*ret_limit = limit;
	return ERR_OK;
}

enum err call_refuse(struct call *call, enum err err, const char *format, ...)
{
	va_list values;
	va_start(values, format);
	buf_addv(call->why, format, values);
	va_end(values);
	return err;
}

enum err call_misused(struct call *call, const char *format, ...)
{
	va_list values;
	va_start(values, format);
	buf_addv(call->why, format, values);
	va_end(values);
	call->misused = true;
	return ERR_INVALID;
}

static void say(const char *start, const char *format, va_list values) PRINTF_LIKE(2, 0);

static void say(const char *start, const char *format, va_list values)
{
	AUTO_BUF text = buf_with_ceiling(LIMIT_MESSAGE);
	buf_add(&text, view_of(start));
	buf_addv(&text, format, values);
	safe_text_print(buf_view(&text), stderr);
}

void call_note(const struct call *call, const char *format, ...)
{
	if (call->quiet)
		return;
	va_list values;
	va_start(values, format);
	say("", format, values);
	va_end(values);
}

void call_warn(const struct call *call, const char *format, ...)
{
	(void)call;
	va_list values;
	va_start(values, format);
	say("listctl: ", format, values);
	va_end(values);
}
