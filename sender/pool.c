#include "sender/pool.h"

void pool_put(struct pool *pool, struct pool_member *member, enum pool_line line)
{
	if (member->places[line].is_in)
		return;
	struct pool_member *last = pool->lines[line].last;
	member->places[line].is_in = true;
	member->places[line].prev = last;
	member->places[line].next = NULL;
	if (last != NULL)
		last->places[line].next = member;
	else
		pool->lines[line].first = member;
	pool->lines[line].last = member;
	pool->lines[line].count++;
}

void pool_take(struct pool *pool, struct pool_member *member, enum pool_line line)
{
	if (!member->places[line].is_in)
		return;
	struct pool_member *prev = member->places[line].prev, *next = member->places[line].next;
	member->places[line].is_in = false;
	if (prev != NULL)
		prev->places[line].next = next;
	else
		pool->lines[line].first = next;
	if (next != NULL)
		next->places[line].prev = prev;
	else
		pool->lines[line].last = prev;
	pool->lines[line].count--;
}

void pool_leave(struct pool *pool, struct pool_member *member)
{
	for (enum pool_line line = 0; line < POOL_LINE_COUNT; line++)
		pool_take(pool, member, line);
}

struct connection *pool_first(const struct pool *pool, enum pool_line line)
{
	return pool->lines[line].first == NULL ? NULL : pool->lines[line].first->connection;
}

struct connection *pool_next(const struct pool_member *member, enum pool_line line)
{
	return member->places[line].next == NULL ? NULL : member->places[line].next->connection;
}

size_t pool_count(const struct pool *pool, enum pool_line line)
{
	return pool->lines[line].count;
}
