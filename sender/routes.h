/* Which relays a recipient may go through. A relay may be only for some campaigns, some lists, some recipient domains; of those that fit a
 * recipient the most specific ones are used: for domains beats for campaigns, that beats for lists, that beats for all. Pure.
 *
 * Relays are numbers below ROUTES_RELAYS; a set of them is a bit each. */
#ifndef SENDER_ROUTES_H
#define SENDER_ROUTES_H

#include <stdint.h>

#include "base/view.h"
#include "base/err.h"

enum { ROUTES_RELAYS = 64 };

struct routes;

/* Each separated by spaces; empty: for all. `*` in a campaign's name stands for any run of characters; ".example.org" is for the domains
 * below it; "@name" (a domain group, whose domains stand beside it) matches nothing by itself. */
struct route_terms {
	struct view campaigns, lists, domains;
};

enum err routes_new(struct routes **ret_routes) MUST_USE;
void routes_done(struct routes *routes); /* accepts NULL */
/* The views are borrowed as long as the routes live. ERR_MEMORY. */
enum err routes_add(struct routes *routes, unsigned relay, const struct route_terms *terms) MUST_USE;

/* Those whose campaigns and lists fit. */
uint64_t routes_of_campaign(const struct routes *routes, struct view campaign, struct view list);
/* Of these, the most specific ones that fit a domain in lower case; 0: none fits. */
uint64_t routes_find(const struct routes *routes, uint64_t of_campaign, struct view domain);

/* The pattern of a campaign's name. */
bool routes_matches(struct view pattern, struct view name);

#endif
