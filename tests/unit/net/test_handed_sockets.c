#include "net/handed_sockets.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "tests/support/unit.h"

static const struct {
	const char *label, *pid, *count, *names; /* pid "": ours */
	enum err err;
	size_t found;
	const char *second;
} rows[] = {
	{ "nothing", NULL, NULL, NULL, ERR_OK, 0, "" },     { "named", "", "2", "a:lmtp", ERR_OK, 2, "lmtp" },
	{ "without names", "", "2", NULL, ERR_OK, 2, "" },  { "fewer names", "", "2", "a", ERR_OK, 2, "" },
	{ "more names", "", "2", "a:b:c", ERR_OK, 2, "b" }, { "somebody else's", "1", "2", "a:b", ERR_OK, 0, "" },
	{ "too many", "", "17", "", ERR_INVALID, 0, "" },   { "no number", "", "two", "", ERR_INVALID, 0, "" },
	{ "no count", "", NULL, "", ERR_INVALID, 0, "" },
};

static void set(const char *variable, const char *value)
{
	if (value == NULL)
		unsetenv(variable);
	else
		setenv(variable, value, 1);
}

START_TEST(variables)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			struct handed_sockets handed;
			char pid[20];
			snprintf(pid, sizeof(pid), "%d", (int)getpid());
			set("LISTEN_PID", rows[i].pid != NULL && *rows[i].pid == '\0' ? pid : rows[i].pid);
			set("LISTEN_FDS", rows[i].count);
			set("LISTEN_FDNAMES", rows[i].names);
			ck_row(rows[i].label, handed_sockets_take(&handed, &why) == rows[i].err);
			ck_row(rows[i].label, handed.count == rows[i].found);
			ck_row(rows[i].label, (why.len > 0) == (rows[i].err != ERR_OK));
			ck_row(rows[i].label, getenv("LISTEN_FDS") == NULL && getenv("LISTEN_PID") == NULL);
			if (handed.count > 1) {
				ck_assert_int_eq(handed.sockets[1].fd, 4);
				ck_view_eq(handed.sockets[1].name, rows[i].second);
			}
			handed_sockets_done(&handed);
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { variables };
	return suite_of("handed sockets", tests, ARRAY_LEN(tests));
}
