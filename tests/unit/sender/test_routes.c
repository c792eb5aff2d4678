#include "sender/routes.h"

#include "tests/support/unit.h"

START_TEST(patterns_match_names)
	{
		static const struct row {
			const char *pattern, *name;
			bool matches;
		} rows[] = {
			{ "news", "news", true },
			{ "news", "news2", false },
			{ "news", "new", false },
			{ "*", "anything", true },
			{ "*", "", true },
			{ "news-*", "news-", true },
			{ "news-*", "news-2026", true },
			{ "news-*", "news", false },
			{ "*-test", "a-test", true },
			{ "*-test", "a-test-b", false },
			{ "*-test", "-test-test", true },
			{ "a*b*c", "abc", true },
			{ "a*b*c", "axxbxxbc", true },
			{ "a*b*c", "axxbxxb", false },
			{ "**", "x", true },
			{ "a**", "a", true },
			{ "", "", true },
			{ "", "a", false },
			{ "a", "", false },
		};
		for (size_t i = 0; i < ARRAY_LEN(rows); i++)
			ck_assert_msg(routes_matches(view_of(rows[i].pattern), view_of(rows[i].name)) ==
					  rows[i].matches,
				      "%s and %s", rows[i].pattern, rows[i].name);
	}
END_TEST

enum { ALL = 1 << 0, ALL_TOO = 1 << 1, OF_LIST = 1 << 2, OF_CAMPAIGN = 1 << 3, OF_DOMAIN = 1 << 4, OF_BOTH = 1 << 5 };

static struct routes *begin(bool with_all)
{
	static const struct route_terms terms[] = {
		{ { 0 }, { 0 }, { 0 } },
		{ { 0 }, { 0 }, { 0 } },
		{ { 0 }, { "news club", 9 }, { 0 } },
		{ { "big-* huge", 10 }, { 0 }, { 0 } },
		{ { 0 }, { 0 }, { "a.test .b.test @group", 21 } },
		{ { "huge", 4 }, { "club", 4 }, { "c.test a.test", 13 } },
	};
	struct routes *routes = NULL;
	ck_assert(routes_new(&routes) == ERR_OK);
	for (unsigned i = with_all ? 0 : 2; i < ARRAY_LEN(terms); i++)
		ck_assert(routes_add(routes, i, &terms[i]) == ERR_OK);
	return routes;
}

START_TEST(the_most_specific_are_used)
	{
		static const struct row {
			const char *label, *campaign, *list, *domain;
			uint64_t with_all, without;
		} rows[] = {
			{ "nothing special", "small", "other", "x.test", ALL | ALL_TOO, 0 },
			{ "a list", "small", "news", "x.test", OF_LIST, OF_LIST },
			{ "a campaign beats a list", "big-1", "news", "x.test", OF_CAMPAIGN, OF_CAMPAIGN },
			{ "a domain beats both", "big-1", "news", "a.test", OF_DOMAIN, OF_DOMAIN },
			{ "all of its restrictions fit", "huge", "club", "c.test", OF_BOTH, OF_BOTH },
			{ "two of the same rank", "huge", "club", "a.test", OF_DOMAIN | OF_BOTH, OF_DOMAIN | OF_BOTH },
			{ "one restriction does not fit", "huge", "news", "c.test", OF_CAMPAIGN, OF_CAMPAIGN },
			{ "below a domain", "small", "other", "x.b.test", OF_DOMAIN, OF_DOMAIN },
			{ "far below it", "small", "other", "x.y.b.test", OF_DOMAIN, OF_DOMAIN },
			{ "not the domain itself", "small", "other", "b.test", ALL | ALL_TOO, 0 },
			{ "not one that only ends so", "small", "other", "xb.test", ALL | ALL_TOO, 0 },
			{ "a group's name is no domain", "small", "other", "group", ALL | ALL_TOO, 0 },
			{ "no domain", "small", "other", "", ALL | ALL_TOO, 0 },
		};
		struct routes *with_all = begin(true), *without = begin(false);
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct view campaign = view_of(rows[i].campaign), list = view_of(rows[i].list);
			struct view domain = view_of(rows[i].domain);
			ck_row(rows[i].label, routes_find(with_all, routes_of_campaign(with_all, campaign, list),
							  domain) == rows[i].with_all);
			ck_row(rows[i].label, routes_find(without, routes_of_campaign(without, campaign, list),
							  domain) == rows[i].without);
		}
		routes_done(with_all);
		routes_done(without);
	}
END_TEST

START_TEST(many_domains_are_found)
	{
		AUTO_BUF text = buf_with_ceiling(1 << 20);
		struct routes *routes = NULL;
		enum { COUNT = 3000 };
		for (int i = 0; i < COUNT; i++)
			buf_addf(&text, "%sd%d.test", i > 0 ? " " : "", i);
		ck_assert(routes_new(&routes) == ERR_OK);
		const struct route_terms of_domains = { .domains = buf_view(&text) }, of_all = { 0 };
		ck_assert(routes_add(routes, 63, &of_domains) == ERR_OK);
		ck_assert(routes_add(routes, 0, &of_all) == ERR_OK);
		uint64_t all = routes_of_campaign(routes, VIEW_LIT("c"), VIEW_LIT("l"));
		struct view rest = buf_view(&text), domain;
		while (view_cut(&rest, ' ', &domain))
			ck_assert_uint_eq(routes_find(routes, all, domain), UINT64_C(1) << 63);
		ck_assert_uint_eq(routes_find(routes, all, VIEW_LIT("d3000.test")), 1);
		routes_done(routes);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { patterns_match_names, the_most_specific_are_used, many_domains_are_found };
	return suite_of("routes", tests, ARRAY_LEN(tests));
}
