#include "store/db_files.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libpq-fe.h>

static void add_path(const char *folder, const char *name, struct buf *out)
{
	buf_addf(out, "%s%s", folder, name);
	buf_add_byte(out, '\0');
}

static bool is_file(const char *keyword)
{
	static const char *const keywords[] = { "passfile", "sslcert", "sslkey", "sslrootcert", "sslcrl", "sslcrldir" };
	for (size_t i = 0; i < ARRAY_LEN(keywords); i++) {
		if (strcmp(keyword, keywords[i]) == 0)
			return true;
	}
	return false;
}

/* sslrootcert=system, and the like, name no file. */
static void add_given(PQconninfoOption *options, struct buf *out)
{
	for (const PQconninfoOption *option = options; option != NULL && option->keyword != NULL; option++) {
		if (option->val != NULL && strchr(option->val, '/') != NULL && is_file(option->keyword))
			add_path(option->val, "", out);
	}
	PQconninfoFree(options);
}

void db_files(const char *conninfo, struct buf *out)
{
	const struct passwd *user = getpwuid(geteuid());
	const char *home = getenv("HOME"), *service = getenv("PGSERVICEFILE");
	add_given(PQconninfoParse(conninfo, NULL), out);
	add_given(PQconndefaults(), out);
	if (service != NULL)
		add_path(service, "", out);
	if ((home == NULL || *home != '/') && user != NULL)
		home = user->pw_dir;
	if (home != NULL && *home == '/') {
		add_path(home, "/.postgresql", out);
		add_path(home, "/.pgpass", out);
		add_path(home, "/.pg_service.conf", out);
	}
}
