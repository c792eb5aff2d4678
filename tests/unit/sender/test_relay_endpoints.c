#include "sender/relay_endpoints.h"

#include <stdio.h>
#include <sys/socket.h>

#include "base/limits.h"
#include "tests/support/unit.h"

static struct relay_terms terms_of(const char *host, int source_family)
{
	struct relay_terms terms = { .port = 2525, .has_source = source_family != AF_UNSPEC };
	snprintf(terms.host, sizeof(terms.host), "%s", host);
	terms.socket.address.any.sa_family = AF_UNIX;
	terms.source.address.any.sa_family = (sa_family_t)source_family;
	return terms;
}

START_TEST(found_or_not)
	{
		static const struct {
			const char *label, *host;
			int source_family, family; /* family AF_UNSPEC: none */
		} rows[] = {
			{ "a socket", "", AF_UNSPEC, AF_UNIX },
			{ "a socket has no source address", "", AF_INET, AF_UNIX },
			{ "an address", "127.0.0.1", AF_UNSPEC, AF_INET },
			{ "one that the source reaches", "127.0.0.1", AF_INET, AF_INET },
			{ "one that it does not", "127.0.0.1", AF_INET6, AF_UNSPEC },
			{ "the other family", "::1", AF_INET6, AF_INET6 },
		};
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct relay_endpoints endpoints = { .count = 0 };
			const struct relay_terms terms = terms_of(rows[i].host, rows[i].source_family);
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			bool is_found = relay_endpoints_find(&endpoints, &terms, &why);
			ck_row(rows[i].label, is_found == (rows[i].family != AF_UNSPEC));
			ck_row(rows[i].label, is_found == (why.len == 0));
			if (!is_found)
				continue;
			const struct endpoint *one = relay_endpoints_next(&endpoints);
			ck_row(rows[i].label, one->address.any.sa_family == rows[i].family);
		}
	}
END_TEST

/* In turn; and looked up once only, until it is to be done again. */
START_TEST(in_turn)
	{
		struct relay_endpoints endpoints = { .count = 2 };
		const struct relay_terms terms = terms_of("127.0.0.1", AF_UNSPEC);
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		ck_assert(relay_endpoints_find(&endpoints, &terms, &why) && endpoints.count == 2);
		for (size_t i = 0; i < 5; i++)
			ck_assert(relay_endpoints_next(&endpoints) == &endpoints.endpoints[i % 2]);
		relay_endpoints_forget(&endpoints);
		ck_assert(relay_endpoints_find(&endpoints, &terms, &why) && endpoints.count == 1);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { found_or_not, in_turn };
	return suite_of("relay_endpoints", tests, ARRAY_LEN(tests));
}
