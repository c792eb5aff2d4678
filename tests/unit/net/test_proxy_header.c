#include "net/proxy_header.h"

#include <string.h>

#include "tests/support/unit.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V4 "\xc0\x00\x02\x07\x7f\x00\x00\x01\x04\x01\x00\x19"
#define V6                                                                                                             \
	"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x09"                                                                   \
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x04\x01\x00\x19"
#define ROW(label, bytes, verdict, len, client)                                                                        \
	{                                                                                                              \
		label, bytes, sizeof(bytes) - 1, verdict, len, client                                                  \
	}

static const struct {
	const char *label, *bytes;
	size_t size;
	enum proxy_verdict verdict;
	size_t len;
	const char *client;
} rows[] = {
	ROW("IPv4", SIGNATURE "\x21\x11\0\x0c" V4 "EHLO", PROXY_CLIENT, 28, "192.0.2.7:1025"),
	ROW("IPv6", SIGNATURE "\x21\x21\0\x24" V6, PROXY_CLIENT, 52, "[2001:db8::9]:1025"),
	ROW("with something appended", SIGNATURE "\x21\x11\0\x10" V4 "\x04\0\x01x", PROXY_CLIENT, 32, "192.0.2.7:1025"),
	ROW("the proxy itself", SIGNATURE "\x20\0\0\0", PROXY_ITSELF, 16, ""),
	ROW("the proxy itself, with an address", SIGNATURE "\x20\x11\0\x0c" V4, PROXY_ITSELF, 28, ""),
	ROW("unspecified", SIGNATURE "\x21\0\0\0", PROXY_ITSELF, 16, ""),
	ROW("too short for IPv4", SIGNATURE "\x21\x11\0\x0b" V4, PROXY_REFUSED, 0, ""),
	ROW("too short for IPv6", SIGNATURE "\x21\x21\0\x0c" V4, PROXY_REFUSED, 0, ""),
	ROW("datagrams", SIGNATURE "\x21\x12\0\x0c" V4, PROXY_REFUSED, 0, ""),
	ROW("version 3", SIGNATURE "\x31\x11\0\x0c" V4, PROXY_REFUSED, 0, ""),
	ROW("an unknown command", SIGNATURE "\x22\x11\0\x0c" V4, PROXY_REFUSED, 0, ""),
	ROW("too long", SIGNATURE "\x21\x11\xff\xff" V4, PROXY_REFUSED, 0, ""),
	ROW("version 1", "PROXY TCP4 192.0.2.7 127.0.0.1 1025 25\r\n", PROXY_REFUSED, 0, ""),
	ROW("none at all", "EHLO me\r\n", PROXY_REFUSED, 0, ""),
};

static void check(size_t i)
{
	struct endpoint client = { 0 };
	size_t len = 0;
	struct view bytes = view_from(rows[i].bytes, rows[i].size);
	ck_row(rows[i].label, proxy_header_read(bytes, &len, &client) == rows[i].verdict);
	if (rows[i].verdict == PROXY_REFUSED)
		return;
	ck_assert_uint_eq(len, rows[i].len);
	if (rows[i].verdict == PROXY_CLIENT) {
		AUTO_BUF text = buf_with_ceiling(100);
		ck_assert(endpoint_write(&client, &text) == ERR_OK);
		ck_view_eq(buf_view(&text), rows[i].client);
	}
	for (size_t cut = 0; cut < rows[i].len; cut++)
		ck_row(rows[i].label, proxy_header_read(view_head(bytes, cut), &len, &client) == PROXY_WANTS_MORE);
}

START_TEST(headers)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++)
			check(i);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { headers };
	return suite_of("proxy header", tests, ARRAY_LEN(tests));
}
