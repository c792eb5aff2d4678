#include "base/edits.h"

#include <string.h>

#include "base/limits.h"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool alike(struct view a, size_t i, struct view b, size_t j)
{
	return lower(a.data[i]) == lower(b.data[j]);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The optimal string alignment distance, of which two rows back are enough. */
size_t edits_between(struct view a, struct view b)
{
	size_t rows[3][LIMIT_FIELD_NAME + 1];
	size_t *before = rows[0], *last = rows[1], *row = rows[2];
	if (a.len > LIMIT_FIELD_NAME || b.len > LIMIT_FIELD_NAME)
		return SIZE_MAX;
	for (size_t j = 0; j <= b.len; j++)
		before[j] = last[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t changed = last[j - 1] + !alike(a, i - 1, b, j - 1);
			row[j] = least(changed, 1 + least(last[j], row[j - 1]));
			if (i > 1 && j > 1 && alike(a, i - 1, b, j - 2) && alike(a, i - 2, b, j - 1))
				row[j] = least(row[j], before[j - 2] + 1);
		}
		size_t *free_row = before;
		before = last;
		last = row;
		row = free_row;
	}
	return last[b.len];
}
