#include "listctl/confirm.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/limits.h"
#include "listctl/safe_text.h"

/* Y or N; ERR_REFUSED with the question when nobody can answer. */
static enum err ask(struct call *call, const char *unasked, const char *question)
{
	AUTO_BUF shown = buf_with_ceiling(LIMIT_MESSAGE);
	if (!isatty(STDIN_FILENO))
		return call_refuse(call, ERR_REFUSED, "%s", unasked);
	safe_text_add(view_of(question), &shown);
	fprintf(stderr, "%s [y/N] ", buf_text(&shown));
	fflush(stderr);
	char answer[16];
	if (fgets(answer, sizeof(answer), stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y'))
		return ERR_OK;
	return call_refuse(call, ERR_REFUSED, "nothing was changed");
}

enum err confirm(struct call *call, const char *format, ...)
{
	AUTO_BUF question = buf_with_ceiling(LIMIT_WHY);
	if (call_has(call, "yes"))
		return ERR_OK;
	va_list values;
	va_start(values, format);
	buf_addv(&question, format, values);
	va_end(values);
	return ask(call, "this cannot be undone, and there is no terminal to ask on: say --yes; nothing was changed",
		   buf_text(&question));
}

enum err confirm_first(struct call *call, const char *format, ...)
{
	AUTO_BUF question = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF unasked = buf_with_ceiling(2 * LIMIT_WHY);
	if (call_has(call, "yes"))
		return ERR_OK;
	va_list values;
	va_start(values, format);
	buf_addv(&question, format, values);
	va_end(values);
	buf_addf(&unasked, "%s There is no terminal to ask on: say --yes; nothing was changed", buf_text(&question));
	return ask(call, buf_text(&unasked), buf_text(&question));
}
