/* The files that connecting to PostgreSQL reads, for a program that is to read no others. */
#ifndef STORE_DB_FILES_H
#define STORE_DB_FILES_H

#include "base/buf.h"

/* Appends each path that the connection string or the environment names (passfile, sslcert, sslkey, sslrootcert, sslcrl, sslcrldir, the service
 * file), and where libpq looks without being told in the home folder of this process, each ended by a NUL. What cannot be parsed names none. */
void db_files(const char *conninfo, struct buf *out);

#endif
