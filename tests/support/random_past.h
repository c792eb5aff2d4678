/* A past without a pattern, as SQL for an empty database: forty campaigns of ten days to two lists; who of them got a copy, what became of it, and
 * what came back. By setseed() it is the same each time. */
#ifndef TESTS_SUPPORT_RANDOM_PAST_H
#define TESTS_SUPPORT_RANDOM_PAST_H

enum { RANDOM_PAST_PEOPLE = 400, RANDOM_PAST_LISTS = 2, RANDOM_PAST_CAMPAIGNS = 40 };

extern const char random_past[];

#endif
