#include "sender/routes.h"

#include <stdlib.h>

#include "base/err.h"

/* The more specific, the later. */
enum rank { RANK_ALL, RANK_LISTS, RANK_CAMPAIGNS, RANK_DOMAINS, RANK_COUNT };

struct domain_relays {
	struct view domain; /* empty: free */
	uint64_t relays;
};

struct routes {
	struct route_terms terms[ROUTES_RELAYS];
	uint64_t relays;
	uint64_t of_rank[RANK_COUNT];
	/* Open addressing, at most half full. */
	struct domain_relays *domains;
	size_t domain_count, domain_room;
};

enum err routes_new(struct routes **ret_routes)
{
	struct routes *routes = calloc(1, sizeof(*routes));
	if (routes == NULL)
		return ERR_MEMORY;
	*ret_routes = routes;
	return ERR_OK;
}

void routes_done(struct routes *routes)
{
	if (routes == NULL)
		return;
	free(routes->domains);
	free(routes);
}

/* FNV-1a. */
static uint64_t hash_of(struct view text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < text.len; i++)
		hash = (hash ^ (unsigned char)text.data[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static struct domain_relays *place_of(struct domain_relays *domains, size_t room, struct view domain)
{
	size_t at = hash_of(domain) & (room - 1);
	while (domains[at].domain.len > 0 && !view_eq(domains[at].domain, domain))
		at = (at + 1) & (room - 1);
	return &domains[at];
}

static bool grow(struct routes *routes)
{
	if (2 * (routes->domain_count + 1) <= routes->domain_room)
		return true;
	size_t room = routes->domain_room == 0 ? 64 : 2 * routes->domain_room;
	struct domain_relays *domains = calloc(room, sizeof(*domains));
	if (domains == NULL)
		return false;
	for (size_t i = 0; i < routes->domain_room; i++) {
		if (routes->domains[i].domain.len > 0)
			*place_of(domains, room, routes->domains[i].domain) = routes->domains[i];
	}
	free(routes->domains);
	routes->domains = domains;
	routes->domain_room = room;
	return true;
}

static enum err add_domain(struct routes *routes, uint64_t relay, struct view domain)
{
	if (!grow(routes))
		return ERR_MEMORY;
	struct domain_relays *place = place_of(routes->domains, routes->domain_room, domain);
	if (place->domain.len == 0)
		routes->domain_count++;
	place->domain = domain;
	place->relays |= relay;
	return ERR_OK;
}

enum err routes_add(struct routes *routes, unsigned relay, const struct route_terms *terms)
{
	uint64_t bit = UINT64_C(1) << relay;
	struct view rest = terms->domains, domain;
	while (view_cut(&rest, ' ', &domain)) {
		enum err err = domain.len == 0 ? ERR_OK : add_domain(routes, bit, domain);
		if (err != ERR_OK)
			return err;
	}
	enum rank rank = terms->domains.len > 0     ? RANK_DOMAINS
			 : terms->campaigns.len > 0 ? RANK_CAMPAIGNS
			 : terms->lists.len > 0     ? RANK_LISTS
						    : RANK_ALL;
	routes->terms[relay] = *terms;
	routes->relays |= bit;
	routes->of_rank[rank] |= bit;
	return ERR_OK;
}

/* Each `*` takes as little as it can; when the rest does not fit, the last one takes an octet more. */
bool routes_matches(struct view pattern, struct view name)
{
	size_t p = 0, n = 0, star = VIEW_NONE, taken = 0;
	while (n < name.len) {
		if (p < pattern.len && pattern.data[p] == '*') {
			star = p++;
			taken = n;
		} else if (p < pattern.len && pattern.data[p] == name.data[n]) {
			p++;
			n++;
		} else if (star != VIEW_NONE) {
			p = star + 1;
			n = ++taken;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.data[p] == '*')
		p++;
	return p == pattern.len;
}

static bool any_matches(struct view patterns, struct view name)
{
	struct view pattern;
	if (patterns.len == 0)
		return true;
	while (view_cut(&patterns, ' ', &pattern)) {
		if (routes_matches(pattern, name))
			return true;
	}
	return false;
}

uint64_t routes_of_campaign(const struct routes *routes, struct view campaign, struct view list)
{
	uint64_t found = 0;
	for (unsigned relay = 0; relay < ROUTES_RELAYS; relay++) {
		const struct route_terms *terms = &routes->terms[relay];
		uint64_t bit = UINT64_C(1) << relay;
		if ((routes->relays & bit) != 0 && any_matches(terms->campaigns, campaign) &&
		    any_matches(terms->lists, list))
			found |= bit;
	}
	return found;
}

static uint64_t named(const struct routes *routes, struct view domain)
{
	return place_of(routes->domains, routes->domain_room, domain)->relays;
}

/* The domain itself, and ".example.org" of each domain above it. */
static uint64_t of_domain(const struct routes *routes, struct view domain)
{
	uint64_t found = named(routes, domain);
	for (size_t i = 1; i < domain.len; i++) {
		if (domain.data[i] == '.')
			found |= named(routes, view_skip(domain, i));
	}
	return found;
}

uint64_t routes_find(const struct routes *routes, uint64_t of_campaign, struct view domain)
{
	if (routes->domain_count > 0) {
		uint64_t found = of_campaign & of_domain(routes, domain);
		if (found != 0)
			return found;
	}
	for (enum rank rank = RANK_CAMPAIGNS; rank > RANK_ALL; rank--) {
		if ((of_campaign & routes->of_rank[rank]) != 0)
			return of_campaign & routes->of_rank[rank];
	}
	return of_campaign & routes->of_rank[RANK_ALL];
}
