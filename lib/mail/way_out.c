#include "mail/way_out.h"

#include "base/limits.h"
#include "mail/template.h"

enum {
	WAYS_MOST = 64, /* those behind count for nobody */
	KEYS_MOST = 8,  /* likewise those in sections of more fields: all that readers may have is gone through */
	NO_KEY = KEYS_MOST,
};

#define FIELD VIEW_LIT("unsubscribe")
#define NUMBERED VIEW_LIT("unsubscribe.") /* and the number; no field is called so */

static bool is_field(const struct template_tag *tag)
{
	return tag->sigil == '\0' || tag->sigil == '{' || tag->sigil == '&';
}

static bool is_way_out(const struct template_tag *tag)
{
	return is_field(tag) && view_eq(tag->name, FIELD);
}

enum err way_out_number(struct view source, struct buf *out)
{
	struct template_tag tag;
	size_t number = 0, done = 0;
	for (size_t cursor = 0; template_next_tag(source, &cursor, &tag);) {
		if (!is_way_out(&tag))
			continue;
		buf_add(out, view_slice(source, done, tag.start));
		buf_addf(out, "{{" VIEW_FMT "%zu}}", VIEW_ARG(NUMBERED), number++);
		done = tag.end;
	}
	return buf_add(out, view_skip(source, done));
}

enum err way_out_unnumber(struct view part, struct buf *out)
{
	size_t at;
	while ((at = view_find(part, NUMBERED)) != VIEW_NONE) {
		buf_add(out, view_head(part, at));
		buf_add(out, FIELD);
		part = view_skip(part, at + NUMBERED.len);
		while (part.len > 0 && part.data[0] >= '0' && part.data[0] <= '9')
			part = view_skip(part, 1);
	}
	return buf_add(out, part);
}

uint64_t way_out_seen(struct view part)
{
	struct template_tag tag;
	uint64_t seen = 0, number;
	for (size_t cursor = 0; template_next_tag(part, &cursor, &tag);) {
		if (is_field(&tag) && view_starts(tag.name, NUMBERED) &&
		    view_to_u64(view_skip(tag.name, NUMBERED.len), WAYS_MOST - 1, &number))
			seen |= UINT64_C(1) << number;
	}
	return seen;
}

/* ---- who gets it ---- */

/* What a section asks of a reader. Inside of another section a name may be looked up in that one's value: then it is another field. */
struct key {
	unsigned inside; /* the key of the innermost {{#...}} around, or NO_KEY */
	struct view name;
};

struct section {
	bool is_inverted;
	struct view name;
};

struct way {
	unsigned needs, bars; /* keys that must be true and false, a bit each */
};

struct ways {
	struct key keys[KEYS_MOST];
	unsigned key_count;
	struct section open[LIMIT_TEMPLATE_DEPTH];
	size_t depth;
	struct way seen[WAYS_MOST];
	size_t seen_count;
};

/* NO_KEY: there are too many. */
static unsigned key_of(struct ways *ways, unsigned inside, struct view name)
{
	for (unsigned i = 0; i < ways->key_count; i++) {
		if (ways->keys[i].inside == inside && view_eq(ways->keys[i].name, name))
			return i;
	}
	if (ways->key_count == KEYS_MOST)
		return NO_KEY;
	ways->keys[ways->key_count] = (struct key){ inside, name };
	return ways->key_count++;
}

static void add_way(struct ways *ways)
{
	struct way way = { 0 };
	unsigned inside = NO_KEY;
	for (size_t i = 0; i < ways->depth; i++) {
		const struct section *section = &ways->open[i];
		if (!section->is_inverted && view_eq(section->name, FIELD))
			continue; /* every reader has one */
		unsigned key = key_of(ways, inside, section->name);
		if (key == NO_KEY)
			return;
		*(section->is_inverted ? &way.bars : &way.needs) |= 1U << key;
		inside = section->is_inverted ? inside : key;
	}
	ways->seen[ways->seen_count++] = way;
}

/* False: sections stand deeper than a template may have them. */
static bool follow(struct ways *ways, const struct template_tag *tag)
{
	if (tag->sigil == '/' && ways->depth > 0)
		ways->depth--;
	if (tag->sigil != '#' && tag->sigil != '^')
		return true;
	if (ways->depth == LIMIT_TEMPLATE_DEPTH)
		return false;
	ways->open[ways->depth++] = (struct section){ .is_inverted = tag->sigil == '^', .name = tag->name };
	return true;
}

static bool has_one(const struct ways *ways, unsigned truth)
{
	bool has = false;
	for (size_t i = 0; i < ways->seen_count; i++)
		has |= (truth & ways->seen[i].needs) == ways->seen[i].needs && (truth & ways->seen[i].bars) == 0;
	return has;
}

bool way_out_for_all(struct view source, uint64_t seen)
{
	struct ways ways = { 0 };
	struct template_tag tag;
	size_t number = 0;
	for (size_t cursor = 0; number < WAYS_MOST && template_next_tag(source, &cursor, &tag);) {
		if (!follow(&ways, &tag))
			return false;
		if (is_way_out(&tag) && (seen >> number++ & 1) != 0)
			add_way(&ways);
	}
	bool all = true;
	for (unsigned truth = 0; truth < 1U << ways.key_count; truth++)
		all &= has_one(&ways, truth);
	return all;
}

bool way_out_in(struct view source)
{
	return way_out_for_all(source, UINT64_MAX);
}
