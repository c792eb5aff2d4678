/* Which database this is, and which programs it serves. Key files name the instance, so that a token made for one database never
 * meets a person of another. */
#ifndef STORE_INSTANCE_H
#define STORE_INSTANCE_H

#include "store/db.h"

enum { INSTANCE_ID_SIZE = 37 };

struct instance {
	char id[INSTANCE_ID_SIZE]; /* uuid in text form */
	int schema_version;        /* the last migration applied */
	int oldest_program;        /* the oldest program version it serves */
	int64_t created_us;
};

/* ERR_NOT_FOUND when the database is not initialised (`why` stays as it was). */
enum err instance_read(struct db *db, struct instance *ret_instance, struct buf *why) MUST_USE;

#endif
