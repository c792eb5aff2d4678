/* What is known: groups, their domains, limits and holds. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "mail/address.h"
#include "sender/pace_private.h"

enum { FIRST_SLOTS = 256, NAMES_MOST = 64 << 20, CUT_DOMAINS_MOST = 10000 };

static const char group_prefix[] = "group:", domain_prefix[] = "domain:", relay_prefix[] = "relay:",
		  warmup_prefix[] = "warmup:";

/* FNV-1a: the domains are other people's, but a table that is slow for some of them harms nobody else. */
static uint32_t hash_of(struct view domain)
{
	uint32_t hash = 2166136261U;
	for (size_t i = 0; i < domain.len; i++)
		hash = (hash ^ (unsigned char)domain.data[i]) * 16777619U;
	return hash;
}

struct pace_mark pace_mark(struct view address)
{
	return (struct pace_mark){ .hash = hash_of(address_domain(address)) };
}

enum err pace_new(struct pace **ret_pace)
{
	struct pace *pace = calloc(1, sizeof(*pace));
	if (pace == NULL)
		return ERR_MEMORY;
	pace->names = buf_with_ceiling(NAMES_MOST);
	pace->generation = 1;
	*ret_pace = pace;
	return ERR_OK;
}

void pace_done(struct pace *pace)
{
	if (pace == NULL)
		return;
	while (pace->destinations != NULL) {
		struct destination *next = pace->destinations->next;
		free(pace->destinations);
		pace->destinations = next;
	}
	while (pace->relays != NULL) {
		struct pace_relay *next = pace->relays->next;
		free(pace->relays);
		pace->relays = next;
	}
	while (pace->warmups != NULL) {
		struct warmup *next = pace->warmups->next;
		free(pace->warmups);
		pace->warmups = next;
	}
	free(pace->holds);
	free(pace->slots);
	buf_done(&pace->names);
	free(pace);
}

static bool set_key(struct bucket *bucket, const char *prefix, struct view name, struct view *ret_name)
{
	size_t prefix_len = strlen(prefix);
	if (prefix_len + name.len >= sizeof(bucket->key))
		return false;
	memcpy(bucket->key, prefix, prefix_len);
	memcpy(bucket->key + prefix_len, name.data, name.len);
	bucket->key[prefix_len + name.len] = '\0';
	*ret_name = view_from(bucket->key + prefix_len, name.len);
	return true;
}

/* ---- the table of domains ---- */

static struct domain_slot *slot_of(const struct pace *pace, struct view domain, uint32_t hash)
{
	size_t at = hash & (pace->slot_count - 1);
	for (;;) {
		struct domain_slot *slot = &pace->slots[at];
		if (slot->destination == NULL)
			return slot;
		if (slot->hash == hash && view_eq(domain, view_from(pace->names.data + slot->at, slot->len)))
			return slot;
		at = (at + 1) & (pace->slot_count - 1);
	}
}

static bool grow(struct pace *pace)
{
	size_t count = pace->slot_count == 0 ? FIRST_SLOTS : pace->slot_count * 2;
	struct domain_slot *old = pace->slots, *slots = calloc(count, sizeof(*slots));
	size_t old_count = pace->slot_count;
	if (slots == NULL)
		return false;
	pace->slots = slots;
	pace->slot_count = count;
	for (size_t i = 0; i < old_count; i++) {
		if (old[i].destination != NULL)
			*slot_of(pace, view_from(pace->names.data + old[i].at, old[i].len), old[i].hash) = old[i];
	}
	free(old);
	return true;
}

static enum err put(struct pace *pace, struct view domain, struct destination *destination)
{
	if (pace->slot_used * 2 >= pace->slot_count && !grow(pace))
		return ERR_MEMORY;
	uint32_t hash = hash_of(domain);
	struct domain_slot *slot = slot_of(pace, domain, hash);
	if (slot->destination != NULL)
		return ERR_OK;
	size_t at = pace->names.len;
	enum err err = buf_add(&pace->names, domain);
	if (err != ERR_OK)
		return err;
	*slot = (struct domain_slot){ .hash = hash, .at = at, .len = domain.len, .destination = destination };
	pace->slot_used++;
	return ERR_OK;
}

struct destination *pace_find(struct pace *pace, struct view address, struct pace_mark *mark)
{
	if (mark->generation == pace->generation)
		return mark->destination;
	mark->destination =
	    pace->slot_count == 0 ? NULL : slot_of(pace, address_domain(address), mark->hash)->destination;
	mark->generation = pace->generation;
	return mark->destination;
}

static struct destination *add_destination(struct pace *pace, bool is_group, struct view name)
{
	struct destination *destination = calloc(1, sizeof(*destination));
	if (destination == NULL)
		return NULL;
	if (!set_key(&destination->bucket, is_group ? group_prefix : domain_prefix, name, &destination->name)) {
		free(destination);
		return NULL;
	}
	destination->is_group = is_group;
	destination->hash = hash_of(name);
	destination->next = pace->destinations;
	pace->destinations = destination;
	return destination;
}

static struct destination *find_destination(const struct pace *pace, bool is_group, struct view name)
{
	struct destination *at = pace->destinations;
	while (at != NULL && (at->is_group != is_group || !view_eq(at->name, name)))
		at = at->next;
	return at;
}

struct destination *pace_learn(struct pace *pace, struct view address, struct pace_mark *mark)
{
	struct destination *known = pace_find(pace, address, mark);
	size_t domains = 0;
	if (known != NULL)
		return known;
	for (const struct destination *at = pace->destinations; at != NULL; at = at->next)
		domains += !at->is_group;
	struct view domain = address_domain(address);
	struct destination *made = domains < CUT_DOMAINS_MOST ? add_destination(pace, false, domain) : NULL;
	if (made == NULL || put(pace, domain, made) != ERR_OK)
		return NULL;
	/* The others of this domain were told that nothing is known. */
	pace->generation++;
	return pace_find(pace, address, mark);
}

/* ---- loading ---- */

struct pace_relay *pace_relay(struct pace *pace, struct view name)
{
	for (struct pace_relay *at = pace->relays; at != NULL; at = at->next) {
		if (view_eq(at->name, name))
			return at;
	}
	struct pace_relay *relay = calloc(1, sizeof(*relay));
	if (relay == NULL)
		return NULL;
	if (!set_key(&relay->bucket, relay_prefix, name, &relay->name)) {
		free(relay);
		return NULL;
	}
	relay->next = pace->relays;
	pace->relays = relay;
	return relay;
}

void pace_load_begin(struct pace *pace)
{
	for (struct destination *at = pace->destinations; at != NULL; at = at->next)
		at->bucket.is_named = false;
	for (struct pace_relay *at = pace->relays; at != NULL; at = at->next)
		at->bucket.is_named = false;
	for (struct warmup *at = pace->warmups; at != NULL; at = at->next)
		at->bucket.is_named = false;
	pace->hold_count = 0;
	pace->slot_used = 0;
	if (pace->slot_count > 0)
		memset(pace->slots, 0, pace->slot_count * sizeof(*pace->slots));
	buf_reset(&pace->names);
	pace->generation++;
}

static struct destination *group_of(struct pace *pace, struct view name)
{
	struct destination *group = find_destination(pace, true, name);
	return group != NULL ? group : add_destination(pace, true, name);
}

enum err pace_load_domain(struct pace *pace, struct view domain, struct view group)
{
	struct destination *destination = group_of(pace, group);
	return destination == NULL ? ERR_MEMORY : put(pace, domain, destination);
}

static struct warmup *warmup_of(struct pace *pace, struct view id)
{
	for (struct warmup *at = pace->warmups; at != NULL; at = at->next) {
		if (view_eq(view_skip(view_of(at->bucket.key), strlen(warmup_prefix)), id))
			return at;
	}
	struct warmup *warmup = calloc(1, sizeof(*warmup));
	struct view name;
	if (warmup == NULL || !set_key(&warmup->bucket, warmup_prefix, id, &name)) {
		free(warmup);
		return NULL;
	}
	warmup->next = pace->warmups;
	pace->warmups = warmup;
	return warmup;
}

static struct bucket *load_warmup(struct pace *pace, const struct budget_limit *limit, struct view id)
{
	struct warmup *warmup = warmup_of(pace, id);
	if (warmup == NULL)
		return NULL;
	warmup->relay = limit->relay.len == 0 ? NULL : pace_relay(pace, limit->relay);
	warmup->destination = limit->group.len == 0 ? NULL : group_of(pace, limit->group);
	bool is_whole =
	    (limit->relay.len == 0 || warmup->relay != NULL) && (limit->group.len == 0 || warmup->destination != NULL);
	return is_whole ? &warmup->bucket : NULL;
}

/* A domain that was put into a group since it was cut is the group's. */
static struct bucket *load_domain_limit(struct pace *pace, struct view domain)
{
	struct destination *destination = find_destination(pace, false, domain);
	if (destination == NULL)
		destination = add_destination(pace, false, domain);
	return destination == NULL || put(pace, domain, destination) != ERR_OK ? NULL : &destination->bucket;
}

static struct bucket *bucket_for(struct pace *pace, const struct budget_limit *limit)
{
	struct view key = limit->key;
	if (view_starts(key, view_of(group_prefix))) {
		struct destination *group = group_of(pace, view_skip(key, strlen(group_prefix)));
		return group == NULL ? NULL : &group->bucket;
	}
	if (view_starts(key, view_of(relay_prefix))) {
		struct pace_relay *relay = pace_relay(pace, view_skip(key, strlen(relay_prefix)));
		return relay == NULL ? NULL : &relay->bucket;
	}
	if (view_starts(key, view_of(warmup_prefix)))
		return load_warmup(pace, limit, view_skip(key, strlen(warmup_prefix)));
	return load_domain_limit(pace, view_skip(key, strlen(domain_prefix)));
}

enum err pace_load_limit(struct pace *pace, const struct budget_limit *limit)
{
	struct bucket *bucket = bucket_for(pace, limit);
	if (bucket == NULL)
		return ERR_MEMORY;
	/* It may be another limit: asked for anew, and nothing that was foreseen holds. */
	bucket->is_named = true;
	bucket->is_asked = false;
	bucket->opens_us = bucket->parked_until_us = 0;
	bucket->has_tokens = limit->has_tokens;
	bucket->has_slots = limit->has_slots;
	return ERR_OK;
}

enum err pace_load_hold(struct pace *pace, int64_t campaign_id, struct view group)
{
	struct destination *destination = group_of(pace, group);
	if (pace->hold_count == pace->hold_room) {
		size_t room = pace->hold_room == 0 ? 8 : pace->hold_room * 2;
		struct hold *holds = realloc(pace->holds, room * sizeof(*holds));
		if (holds == NULL)
			return ERR_MEMORY;
		pace->holds = holds;
		pace->hold_room = room;
	}
	if (destination == NULL || group.len > PACE_GROUP_MOST)
		return ERR_MEMORY;
	struct hold *hold = &pace->holds[pace->hold_count++];
	*hold = (struct hold){ .campaign_id = campaign_id, .destination = destination };
	static const char prefix[] = "hold:";
	memcpy(hold->key, prefix, strlen(prefix));
	memcpy(hold->key + strlen(prefix), group.data, group.len);
	return ERR_OK;
}

/* Not in what was loaded: without a limit, save for what the worker learnt itself and has not told yet. */
static void end_bucket(struct pace *pace, struct bucket *bucket)
{
	if (!bucket->is_named && !bucket_has_news(bucket))
		bucket->has_tokens = bucket->has_slots = bucket->is_asked = false;
	pace->limited += bucket_is_limited(bucket);
}

static void sweep_destinations(struct pace *pace)
{
	struct destination **at = &pace->destinations;
	while (*at != NULL) {
		struct destination *destination = *at;
		bool has_news = bucket_has_news(&destination->bucket);
		end_bucket(pace, &destination->bucket);
		bool is_used = destination->is_group || destination->bucket.under_way > 0 || has_news ||
			       bucket_is_limited(&destination->bucket) || destination->bucket.is_leased;
		if (is_used) {
			/* No memory: it is found again when the next refusal is heard. */
			if (!destination->is_group && put(pace, destination->name, destination) != ERR_OK)
				destination->bucket.learnt.refused = 0;
			at = &destination->next;
			continue;
		}
		*at = destination->next;
		free(destination);
	}
}

void pace_load_end(struct pace *pace)
{
	pace->limited = 0;
	struct warmup **at = &pace->warmups;
	while (*at != NULL) {
		struct warmup *warmup = *at;
		end_bucket(pace, &warmup->bucket);
		if (warmup->bucket.is_named || warmup->bucket.is_leased) {
			at = &warmup->next;
			continue;
		}
		*at = warmup->next;
		free(warmup);
	}
	for (struct pace_relay *relay = pace->relays; relay != NULL; relay = relay->next)
		end_bucket(pace, &relay->bucket);
	sweep_destinations(pace);
}

struct view pace_group(struct pace *pace, struct view address, struct pace_mark *mark)
{
	const struct destination *destination = pace_find(pace, address, mark);
	return destination != NULL && destination->is_group ? destination->name : VIEW_LIT("");
}
