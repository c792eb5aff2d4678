#include "bounced/trace.h"

#include <string.h>

#include "base/limits.h"
#include "tests/support/unit.h"

#define DATE "\r\n\tThu, 1 Jan 1970 00:00:00 +0000\r\n"

static const struct row {
	const char *helo, *peer, *recipient;
	bool is_lmtp, is_extended, is_secure, is_utf8;
	const char *field;
} rows[] = {
	{ "a.test", "192.0.2.1", "", false, false, false, false,
	  "Received: from a.test ([192.0.2.1])\r\n\tby mx.test with SMTP;" DATE },
	{ "a.test", "2001:db8::1", "", false, true, false, false,
	  "Received: from a.test ([IPv6:2001:db8::1])\r\n\tby mx.test with ESMTP;" DATE },
	{ "a.test", "::ffff:192.0.2.1", "", false, true, true, false,
	  "Received: from a.test ([192.0.2.1])\r\n\tby mx.test with ESMTPS;" DATE },
	{ "a.test", "192.0.2.1", "", false, true, true, true,
	  "Received: from a.test ([192.0.2.1])\r\n\tby mx.test with UTF8SMTPS;" DATE },
	{ "a.test", NULL, "", true, true, false, false,
	  "Received: from a.test (local)\r\n\tby mx.test with LMTP;" DATE },
	{ "a.test", "192.0.2.1", "", true, true, true, true,
	  "Received: from a.test ([192.0.2.1])\r\n\tby mx.test with UTF8LMTPS;" DATE },
	{ "a.test", "192.0.2.1", "b+x@bounce.test", false, true, false, false,
	  "Received: from a.test ([192.0.2.1])\r\n\tby mx.test with ESMTP\r\n\tfor <b+x@bounce.test>;" DATE },
	{ "a.test", "192.0.2.1", "b>;\r\n\xc3\xbc@bounce.test", false, true, false, false,
	  "Received: from a.test ([192.0.2.1])\r\n\tby mx.test with ESMTP\r\n\tfor <b??????@bounce.test>;" DATE },
	{ "a;(b)\\<\"\x01\xc3\xbc>", "192.0.2.1", "", false, true, false, false,
	  "Received: from a??b???????? ([192.0.2.1])\r\n\tby mx.test with ESMTP;" DATE },
};

START_TEST(received)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			AUTO_BUF out = buf_with_ceiling(TRACE_MOST);
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			struct endpoint peer;
			if (rows[i].peer == NULL)
				ck_assert(endpoint_unix(view_of("/run/x"), &peer, &why) == ERR_OK);
			else
				ck_assert(endpoint_parse_host(view_of(rows[i].peer), &peer));
			const struct trace trace = { .helo = view_of(rows[i].helo),
						     .peer = &peer,
						     .hostname = view_of("mx.test"),
						     .recipient = view_of(rows[i].recipient),
						     .is_lmtp = rows[i].is_lmtp,
						     .is_extended = rows[i].is_extended,
						     .is_secure = rows[i].is_secure,
						     .is_utf8 = rows[i].is_utf8 };
			ck_assert(trace_write(&trace, &out) == ERR_OK);
			ck_view_eq(buf_view(&out), rows[i].field);
		}
	}
END_TEST

START_TEST(longest)
	{
		char helo[LIMIT_DOMAIN], hostname[LIMIT_DOMAIN], recipient[LIMIT_ADDRESS];
		memset(helo, 'h', sizeof(helo));
		memset(hostname, 'm', sizeof(hostname));
		memset(recipient, 'r', sizeof(recipient));
		AUTO_BUF out = buf_with_ceiling(TRACE_MOST);
		struct endpoint peer;
		ck_assert(endpoint_parse_host(view_of("2001:db8:1111:2222:3333:4444:5555:6666"), &peer));
		const struct trace trace = { .helo = view_from(helo, sizeof(helo)),
					     .peer = &peer,
					     .hostname = view_from(hostname, sizeof(hostname)),
					     .recipient = view_from(recipient, sizeof(recipient)) };
		ck_assert(trace_write(&trace, &out) == ERR_OK);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { received, longest };
	return suite_of("trace", tests, ARRAY_LEN(tests));
}
