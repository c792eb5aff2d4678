/* A private PostgreSQL cluster for unit tests of lib/store: started by the first test that asks, stopped when the test program
 * ends. */
#ifndef TESTS_SUPPORT_DATABASE_H
#define TESTS_SUPPORT_DATABASE_H

#include "store/db.h"

/* Call this before the first test runs (in test_suite()). False, with a line that says so, when PostgreSQL 15 is not installed:
 * the suite then has no tests. */
bool database_start(void);
/* The conninfo of a fresh, empty database; valid until the next call. */
const char *database_fresh(void);
/* The conninfo of the database made last, fresh or opened. */
const char *database_last(void);
/* Connected to a fresh, initialised database. The caller closes it. */
struct db *database_open(void);
/* Connects to a conninfo without any check; aborts the test on failure. */
struct db *database_connect(const char *conninfo);
/* Runs scripts/pg VERB on the cluster: "start", "stop", "kill". */
void database_control(const char *verb);

#endif
