/* Places for connections that are left alone for a while, because a connection there has failed. */
#ifndef SENDER_VACANCIES_H
#define SENDER_VACANCIES_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Until when, the soonest first: all are left alone for the same time. */
struct vacancies {
	int64_t *until_us;
	size_t room, first, count;
};

enum err vacancies_new(size_t room, struct vacancies *ret_vacancies) MUST_USE;
void vacancies_done(struct vacancies *vacancies); /* accepts a zeroed object, may run twice */

/* A place is left alone. When more are than there is room for, there are too few places meanwhile for another connection anyway. */
void vacancies_add(struct vacancies *vacancies, int64_t until_us);
/* Those whose time is over may be taken again. */
void vacancies_end(struct vacancies *vacancies, int64_t now_us);

#endif
