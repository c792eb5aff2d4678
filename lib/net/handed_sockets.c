#include "net/handed_sockets.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIRST = 3 };

static bool read_number(const char *variable, uint64_t most, uint64_t *ret_number)
{
	const char *text = getenv(variable);
	return text != NULL && view_to_u64(view_of(text), most, ret_number);
}

static void take_names(struct handed_sockets *handed)
{
	struct view rest = view_of(handed->names), name;
	for (size_t i = 0; i < handed->count && view_cut(&rest, ':', &name); i++)
		handed->sockets[i].name = name;
}

static enum err take(struct handed_sockets *handed, struct buf *why)
{
	uint64_t pid, count;
	if (!read_number("LISTEN_PID", INT32_MAX, &pid) || (pid_t)pid != getpid())
		return ERR_OK;
	if (!read_number("LISTEN_FDS", HANDED_SOCKETS_MOST, &count)) {
		buf_addf(why, "LISTEN_FDS is no number up to %d: so many sockets may be handed over",
			 HANDED_SOCKETS_MOST);
		return ERR_INVALID;
	}
	const char *names = getenv("LISTEN_FDNAMES");
	handed->names = strdup(names == NULL ? "" : names);
	if (handed->names == NULL)
		return ERR_MEMORY;
	handed->count = (size_t)count;
	for (size_t i = 0; i < handed->count; i++)
		handed->sockets[i].fd = FIRST + (int)i;
	take_names(handed);
	return ERR_OK;
}

enum err handed_sockets_take(struct handed_sockets *ret_handed, struct buf *why)
{
	static const char *const variables[] = { "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES" };
	*ret_handed = (struct handed_sockets){ 0 };
	enum err err = take(ret_handed, why);
	for (size_t i = 0; i < ARRAY_LEN(variables); i++)
		unsetenv(variables[i]);
	return err;
}

void handed_sockets_done(struct handed_sockets *handed)
{
	free(handed->names);
	*handed = (struct handed_sockets){ 0 };
}
