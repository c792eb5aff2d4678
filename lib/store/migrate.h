/* The schema's versions. A migration is applied in one transaction with the row that records it, under a lock, so that two who
 * begin at once do no harm. Version rule: the database records its version and the oldest program version it serves, and a
 * program refuses only below that; a program's version is the number of the last migration it was built with. */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include "store/instance.h"
#include "store/migrations.h"

/* The number of the last migration in this program. */
int migrate_program_version(void);

/* Makes the roles verpost_sender and verpost_bounced when missing, the schema, all tables, and the instance with its random id.
 * ERR_EXISTS when the database is initialised already; ERR_DENIED when the role may not do it. */
enum err migrate_init(struct db *db, struct instance *ret_instance, struct buf *why) MUST_USE;

/* Applies what is missing; *ret_applied counts it. ERR_REFUSED: not initialised, an applied migration is not the one this
 * program knows, or the database no longer serves this program. */
enum err migrate_upgrade(struct db *db, size_t *ret_applied, struct buf *why) MUST_USE;

enum migrate_state {
	MIGRATE_EMPTY,   /* not initialised */
	MIGRATE_CURRENT, /* the database is as this program knows it */
	MIGRATE_BEHIND,  /* `listctl db upgrade` has something to do */
	MIGRATE_AHEAD,   /* newer than this program, and serves it */
	MIGRATE_TOO_NEW, /* newer than this program, and does not serve it */
	MIGRATE_ALTERED, /* an applied migration differs from this program's */
	MIGRATE_STATE_COUNT
};
const char *migrate_state_name(enum migrate_state state);

enum { MIGRATE_NAME_SIZE = 64 };

/* One migration, known to the database or to the program. */
struct migrate_row {
	int version;
	char name[MIGRATE_NAME_SIZE];
	int64_t applied_us; /* 0: not yet */
	bool known;         /* this program has it */
	bool altered;       /* applied with another text than this program's */
};

struct migrate_status {
	enum migrate_state state;
	struct instance instance; /* zero when MIGRATE_EMPTY */
	struct migrate_row *rows; /* by version */
	size_t count;
};
/* The caller releases *ret_status. */
enum err migrate_status(struct db *db, struct migrate_status *ret_status, struct buf *why) MUST_USE;
void migrate_status_done(struct migrate_status *status);

#endif
