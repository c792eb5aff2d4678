#include "listctl/confirm.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum err confirm(struct call *call, const char *format, ...)
{
	if (call_has(call, "yes"))
		return ERR_OK;
	if (!isatty(STDIN_FILENO))
		return call_refuse(
		    call, ERR_REFUSED,
		    "this cannot be undone, and there is no terminal to ask on: say --yes; nothing was changed");
	va_list values;
	va_start(values, format);
	vfprintf(stderr, format, values);
	va_end(values);
	fputs(" [y/N] ", stderr);
	fflush(stderr);
	char answer[16];
	if (fgets(answer, sizeof(answer), stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y'))
		return ERR_OK;
	return call_refuse(call, ERR_REFUSED, "nothing was changed");
}
