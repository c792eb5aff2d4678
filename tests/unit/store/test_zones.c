#include "store/zones.h"

#include "base/clock.h"
#include "base/limits.h"
#include "tests/support/database.h"
#include "tests/support/unit.h"

struct row {
	const char *label, *local, *zone;
	enum err err;
	size_t count;
	bool exact;
	int64_t instants_s[2];
	int offsets_s[2];
};

/* All in the past, so that no later change of a zone's rules can move them. */
static const struct row rows[] = {
	{ "east", "2024-12-24 18:00:00", "Asia/Jakarta", ERR_OK, 1, true, { 1735038000 }, { 25200 } },
	{ "any case", "2024-12-24 18:00:00", "asia/JAKARTA", ERR_OK, 1, true, { 1735038000 }, { 25200 } },
	{ "half hours", "2024-01-01 00:00:00", "Asia/Kolkata", ERR_OK, 1, true, { 1704047400 }, { 19800 } },
	{ "UTC", "2024-01-01 00:00:00", "UTC", ERR_OK, 1, true, { 1704067200 }, { 0 } },
	{ "summer", "2024-07-01 12:00:00", "Europe/Berlin", ERR_OK, 1, true, { 1719828000 }, { 7200 } },
	{ "set forward: never shown",
	  "2024-03-31 02:30:00",
	  "Europe/Berlin",
	  ERR_OK,
	  2,
	  false,
	  { 1711845000, 1711848600 },
	  { 7200, 3600 } },
	{ "the last second before it",
	  "2024-03-31 01:59:59",
	  "Europe/Berlin",
	  ERR_OK,
	  1,
	  true,
	  { 1711846799 },
	  { 3600 } },
	{ "the first second after it",
	  "2024-03-31 03:00:00",
	  "Europe/Berlin",
	  ERR_OK,
	  1,
	  true,
	  { 1711846800 },
	  { 7200 } },
	{ "set back: shown twice",
	  "2024-10-27 02:30:00",
	  "Europe/Berlin",
	  ERR_OK,
	  2,
	  true,
	  { 1729989000, 1729992600 },
	  { 7200, 3600 } },
	{ "half an hour back",
	  "2024-04-07 01:45:00",
	  "Australia/Lord_Howe",
	  ERR_OK,
	  2,
	  true,
	  { 1712414700, 1712416500 },
	  { 39600, 37800 } },
	{ "a day that never was",
	  "2011-12-30 12:00:00",
	  "Pacific/Apia",
	  ERR_OK,
	  2,
	  false,
	  { 1325196000, 1325282400 },
	  { 50400, -36000 } },
	{ "no such zone", "2024-01-01 00:00:00", "Europe/Belin", ERR_NOT_FOUND, 0, false, { 0 }, { 0 } },
	{ "no abbreviations", "2024-01-01 00:00:00", "CEST", ERR_NOT_FOUND, 0, false, { 0 }, { 0 } },
	{ "no POSIX rules", "2024-01-01 00:00:00", "FOO+3", ERR_NOT_FOUND, 0, false, { 0 }, { 0 } },
	{ "not the server's own", "2024-01-01 00:00:00", "localtime", ERR_NOT_FOUND, 0, false, { 0 }, { 0 } },
	{ "no other spelling", "2024-01-01 00:00:00", "posix/Europe/Berlin", ERR_NOT_FOUND, 0, false, { 0 }, { 0 } },
	{ "no default of rules", "2024-01-01 00:00:00", "posixrules", ERR_NOT_FOUND, 0, false, { 0 }, { 0 } },
	{ "no place", "2024-01-01 00:00:00", "Factory", ERR_NOT_FOUND, 0, false, { 0 }, { 0 } },
	{ "empty", "2024-01-01 00:00:00", "", ERR_NOT_FOUND, 0, false, { 0 }, { 0 } },
	{ "no such day", "2024-02-30 00:00:00", "UTC", ERR_INVALID, 0, false, { 0 }, { 0 } },
	{ "no such hour", "2024-02-20 25:00:00", "UTC", ERR_INVALID, 0, false, { 0 }, { 0 } },
};

START_TEST(local_times_mean_what_the_zone_says)
	{
		struct db *db = database_open();
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			const struct row *row = &rows[i];
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			struct zone_readings readings = { 0 };
			enum err err = zones_read(db, view_of(row->local), view_of(row->zone), &readings, &why);
			ck_assert_msg(err == row->err, "%s: %s %s", row->label, err_name(err), buf_text(&why));
			ck_row(row->label, (why.len > 0) == (err != ERR_OK));
			ck_row(row->label, readings.count == row->count && readings.exact == row->exact);
			for (size_t at = 0; at < row->count; at++) {
				ck_row(row->label,
				       readings.at[at].instant_us == row->instants_s[at] * CLOCK_US_PER_SECOND);
				ck_row(row->label, readings.at[at].offset_s == row->offsets_s[at]);
				ck_row(row->label,
				       view_eq(view_of(readings.at[at].shows), view_of(row->local)) == row->exact);
			}
		}
		db_close(db);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { local_times_mean_what_the_zone_says };
	return suite_of("zones", tests, database_start() ? ARRAY_LEN(tests) : 0);
}
