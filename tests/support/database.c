#include "tests/support/database.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "store/migrate.h"
#include "tests/support/unit.h"

enum { PATH_SIZE = 80, CONNINFO_SIZE = 256 };

static const char template_name[] = "verpost_template";

/* Check runs each test in a child: what the parent set up is there, what a child sets up is not. */
static char dir[PATH_SIZE], conninfo[CONNINFO_SIZE];
static pid_t owner;

static bool pg(const char *verb)
{
	char command[PATH_SIZE + 64];
	snprintf(command, sizeof command, "scripts/pg %s %s/pg >/dev/null", verb, dir);
	return system(command) == 0;
}

static void end(void)
{
	char command[PATH_SIZE + 64];
	if (getpid() != owner)
		return;
	pg("kill");
	snprintf(command, sizeof command, "rm -rf %s", dir);
	if (system(command) != 0)
		fprintf(stderr, "%s is left behind\n", dir);
}

static const char *conninfo_of(const char *database)
{
	static char text[CONNINFO_SIZE];
	snprintf(text, sizeof text, "host=%s/pg port=5432 user=postgres dbname=%s", dir, database);
	return text;
}

struct db *database_connect(const char *where)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct db *db = NULL;
	const struct db_options options = { .conninfo = where, .program = "unit" };
	if (db_open(&options, &db, &why) != ERR_OK) {
		fprintf(stderr, "no database for the tests: %s\n", buf_text(&why));
		abort();
	}
	return db;
}

static void run_on(const char *database, const char *sql)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct db *db = database_connect(conninfo_of(database));
	if (db_run_script(db, view_of(sql), &why) != ERR_OK) {
		fprintf(stderr, "%s: %s\n", sql, buf_text(&why));
		abort();
	}
	db_close(db);
}

static void make_template(void)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct instance instance;
	run_on("postgres", "CREATE DATABASE verpost_template");
	struct db *db = database_connect(conninfo_of(template_name));
	if (migrate_init(db, &instance, &why) != ERR_OK) {
		fprintf(stderr, "db init: %s\n", buf_text(&why));
		abort();
	}
	db_close(db);
}

bool database_start(void)
{
	if (access("/usr/lib/postgresql/15/bin/initdb", X_OK) != 0 && getenv("PG_BIN") == NULL) {
		printf("skip database: PostgreSQL 15 is not installed\n");
		return false;
	}
	const char *scratch = getenv("TMPDIR");
	snprintf(dir, sizeof dir, "%s/verpost-unit-XXXXXX", scratch == NULL ? "/tmp" : scratch);
	if (mkdtemp(dir) == NULL || chmod(dir, 0755) != 0) {
		perror(dir);
		abort();
	}
	owner = getpid();
	atexit(end);
	if (!pg("start"))
		abort();
	make_template();
	return true;
}

static const char *new_database(const char *from)
{
	static unsigned count;
	char name[48], sql[128];
	snprintf(name, sizeof name, "t%ld_%u", (long)getpid(), count++);
	snprintf(sql, sizeof sql, "CREATE DATABASE %s TEMPLATE %s", name, from);
	run_on("postgres", sql);
	strcpy(conninfo, conninfo_of(name));
	return conninfo;
}

const char *database_fresh(void)
{
	return new_database("template1");
}

const char *database_last(void)
{
	return conninfo;
}

struct db *database_open(void)
{
	return database_connect(new_database(template_name));
}

void database_control(const char *verb)
{
	if (!pg(verb))
		abort();
}
