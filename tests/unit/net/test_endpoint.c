#include "net/endpoint.h"

#include "base/limits.h"
#include "tests/support/unit.h"

struct row {
	const char *label, *text;
	enum err err;
	const char *written, *host;
	unsigned port;
};

static const struct row rows[] = {
	{ "IPv4", "127.0.0.1:25", ERR_OK, "127.0.0.1:25", "127.0.0.1", 25 },
	{ "IPv6", "[::1]:65535", ERR_OK, "[::1]:65535", "::1", 65535 },
	{ "all", "*:0", ERR_OK, "[::]:0", "::", 0 },
	{ "IPv4 in IPv6", "[::ffff:192.0.2.1]:25", ERR_OK, "192.0.2.1:25", "192.0.2.1", 25 },
	{ "no port", "127.0.0.1", ERR_INVALID, "", "", 0 },
	{ "empty port", "127.0.0.1:", ERR_INVALID, "", "", 0 },
	{ "port too large", "127.0.0.1:65536", ERR_INVALID, "", "", 0 },
	{ "bare IPv6", "::1:25", ERR_INVALID, "", "", 0 },
	{ "empty", "", ERR_INVALID, "", "", 0 },
	{ "empty brackets", "[]:25", ERR_INVALID, "", "", 0 },
	{ "a name", "localhost:25", ERR_INVALID, "", "", 0 },
	{ "too long", "0000000000000000000000000000000000000000000000000000000000001:25", ERR_INVALID, "", "", 0 },
};

START_TEST(parse_and_write)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			AUTO_BUF written = buf_with_ceiling(100);
			AUTO_BUF host = buf_with_ceiling(100);
			struct endpoint endpoint;
			ck_row(rows[i].label, endpoint_parse(view_of(rows[i].text), &endpoint, &why) == rows[i].err);
			ck_row(rows[i].label, (why.len > 0) == (rows[i].err != ERR_OK));
			if (rows[i].err != ERR_OK)
				continue;
			endpoint_write(&endpoint, &written);
			endpoint_write_host(&endpoint, &host);
			ck_view_eq(buf_view(&written), rows[i].written);
			ck_view_eq(buf_view(&host), rows[i].host);
			ck_row(rows[i].label, endpoint_port(&endpoint) == rows[i].port);
		}
	}
END_TEST

static const struct {
	const char *label, *path;
	enum err err;
} path_rows[] = {
	{ "a path", "/run/relay.sock", ERR_OK },
	{ "not from the root", "run/relay.sock", ERR_INVALID },
	{ "empty", "", ERR_INVALID },
	{ "control", "/run/\nrelay", ERR_INVALID },
};

START_TEST(paths)
	{
		for (size_t i = 0; i < ARRAY_LEN(path_rows); i++) {
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			AUTO_BUF written = buf_with_ceiling(LIMIT_WHY);
			AUTO_BUF expected = buf_with_ceiling(LIMIT_WHY);
			struct endpoint endpoint;
			ck_row(path_rows[i].label,
			       endpoint_unix(view_of(path_rows[i].path), &endpoint, &why) == path_rows[i].err);
			ck_row(path_rows[i].label, (why.len > 0) == (path_rows[i].err != ERR_OK));
			if (path_rows[i].err != ERR_OK)
				continue;
			ck_row(path_rows[i].label, endpoint_is_unix(&endpoint) && endpoint_port(&endpoint) == 0);
			buf_addf(&expected, "unix:%s", path_rows[i].path);
			endpoint_write(&endpoint, &written);
			ck_view_eq(buf_view(&written), buf_text(&expected));
			buf_reset(&written);
			endpoint_write_host(&endpoint, &written);
			ck_view_eq(buf_view(&written), buf_text(&expected));
		}
	}
END_TEST

START_TEST(the_longest_path)
	{
		AUTO_BUF path = buf_with_ceiling(200);
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		AUTO_BUF written = buf_with_ceiling(200);
		struct endpoint endpoint;
		for (buf_add_byte(&path, '/'); path.len < 107;)
			buf_add_byte(&path, 'x');
		ck_assert(endpoint_unix(buf_view(&path), &endpoint, &why) == ERR_OK);
		endpoint_write(&endpoint, &written);
		ck_assert(view_ends(buf_view(&written), buf_view(&path)));
		buf_add_byte(&path, 'x');
		ck_assert(endpoint_unix(buf_view(&path), &endpoint, &why) == ERR_TOO_BIG);
	}
END_TEST

START_TEST(hosts_alone)
	{
		struct endpoint endpoint;
		ck_assert(endpoint_parse_host(view_of("192.0.2.1"), &endpoint));
		ck_assert(!endpoint_is_unix(&endpoint) && endpoint_port(&endpoint) == 0);
		ck_assert(endpoint_parse_host(view_of("2001:db8::1"), &endpoint));
		ck_assert(!endpoint_parse_host(view_of("[2001:db8::1]"), &endpoint));
		ck_assert(!endpoint_parse_host(view_of("localhost"), &endpoint));
		ck_assert(!endpoint_parse_host(view_of("192.0.2.1:25"), &endpoint));
	}
END_TEST

START_TEST(resolve_what_needs_no_network)
	{
		static const char *const hosts[] = { "127.0.0.1", "::1", "[::1]", "localhost" };
		for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			struct endpoint found[4];
			size_t count = 0;
			ck_row(hosts[i], endpoint_resolve(view_of(hosts[i]), 2525, found, ARRAY_LEN(found), &count,
							  &why) == ERR_OK);
			ck_row(hosts[i], count > 0 && endpoint_port(&found[0]) == 2525);
		}
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct endpoint found[1];
		size_t count = 7;
		ck_assert(endpoint_resolve(view_of("a\nb"), 25, found, 1, &count, &why) == ERR_INVALID);
		ck_assert(count == 7 && why.len > 0);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { parse_and_write, paths, the_longest_path, hosts_alone,
				       resolve_what_needs_no_network };
	return suite_of("endpoint", tests, ARRAY_LEN(tests));
}
