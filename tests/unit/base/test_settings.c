#include "base/settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "tests/support/unit.h"

static enum err parse(const char *text, struct settings *ret_settings, struct buf *why)
{
	return settings_parse(view_of(text), "verpost.conf", ret_settings, why);
}

START_TEST(defaults_and_lines)
	{
		struct settings settings = { 0 };
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		const char *text = "# a comment\n[relay]\nport = 2525\n[bounce]\ndomain = b.example.org\nwindow = 36h\n"
				   "[journal]\nsize = 2M\nsync = group\n[log]\naddresses = YES\n";
		ck_assert_int_eq(parse(text, &settings, &why), ERR_OK);
		ck_assert_uint_eq(settings.relay_port, 2525);
		ck_assert_str_eq(settings.relay_host, "127.0.0.1");
		ck_assert_str_eq(settings.bounce_domain, "b.example.org");
		ck_assert_int_eq(settings.bounce_window, INT64_C(36) * 3600 * CLOCK_US_PER_SECOND);
		ck_assert_uint_eq(settings.journal_size, 2 << 20);
		ck_assert_str_eq(settings.journal_sync, "group");
		ck_assert(settings.log_addresses);
		ck_assert_ptr_null(settings.keys_file);
		settings_done(&settings);
		settings_done(&settings);
	}
END_TEST

struct row {
	const char *label, *text, *why;
};

static const struct {
	const char *text;
	int64_t seconds, with_unit; /* -1: refused */
} durations[] = {
	{ "90s", 90, 90 },
	{ "5m", 300, 300 },
	{ "2h", 7200, 7200 },
	{ "7d", 604800, 604800 },
	{ "0s", 0, 0 },
	{ "8", 8, -1 },
	{ "0", 0, -1 },
	{ "", -1, -1 },
	{ "h", -1, -1 },
	{ "8x", -1, -1 },
	{ "-2h", -1, -1 },
	{ "2 h", -1, -1 },
	{ "2hh", -1, -1 },
	{ "99999999999999d", -1, -1 },
	{ "3650d", 315360000, 315360000 },
	{ "3651d", -1, 315446400 },
	{ "315360001s", -1, 315360001 },
};

START_TEST(durations_and_their_units)
	{
		for (size_t i = 0; i < ARRAY_LEN(durations); i++) {
			int64_t us = -1000000, span_us = -1000000;
			bool taken = settings_duration(view_of(durations[i].text), &us);
			ck_row(durations[i].text, taken == (durations[i].seconds >= 0));
			ck_row(durations[i].text, us == durations[i].seconds * 1000000);
			taken = settings_span(view_of(durations[i].text), &span_us);
			ck_row(durations[i].text, taken == (durations[i].with_unit >= 0));
			ck_row(durations[i].text, span_us == durations[i].with_unit * 1000000);
		}
	}
END_TEST

static const struct row refused[] = {
	{ "unknown name", "[relay]\nport = 25\nprot = 26\n", "line 3: there is no setting relay.prot" },
	{ "unknown section", "[rely]\nport = 25\n", "no setting rely.port" },
	{ "twice", "[relay]\nport = 25\nport = 26\n", "line 3: relay.port is set twice" },
	{ "not a number", "[relay]\nport = smtp\n", "relay.port must be a whole number" },
	{ "negative", "[relay]\nport = -1\n", "must be a whole number" },
	{ "not a time", "[bounce]\nwindow = a week\n", "must be a time such as" },
	{ "not a size", "[journal]\nsize = 8MB\n", "must be a size" },
	{ "not one of the words", "[journal]\nsync = always\n", "must be one of: none group" },
	{ "not a flag", "[log]\naddresses = 1\n", "must be yes or no" },
	{ "an empty path", "[keys]\nfile =\n", "keys.file must be a path" },
	{ "no ini file", "From: someone\n", "line 1" },
	{ "too large a time", "[bounce]\nwindow = 99999999999999d\n", "must be a time" },
	{ "more than ten years", "[sender]\nexpire = 3651d\n", "of at most 3650d, not \"3651d\"" },
};

START_TEST(bad_lines_are_refused_by_number)
	{
		for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
			struct settings settings = { .relay_port = 7 };
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			ck_row(refused[i].label, parse(refused[i].text, &settings, &why) == ERR_INVALID);
			ck_row(refused[i].label, settings.relay_port == 7);
			ck_assert_msg(view_find(buf_view(&why), view_of(refused[i].why)) != VIEW_NONE, "%s: %s",
				      refused[i].label, buf_text(&why));
		}
	}
END_TEST

START_TEST(what_is_printed_reads_back)
	{
		struct settings settings, again;
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		ck_assert_int_eq(
		    parse("[bounce]\ndomain = b.example\nwindow = 90s\n[keys]\nfile = /k\n", &settings, &why), ERR_OK);
		char *text = NULL, *text_again = NULL;
		size_t len = 0, len_again = 0;
		FILE *out = open_memstream(&text, &len);
		settings_print(&settings, out);
		fclose(out);
		ck_assert_msg(parse(text, &again, &why) == ERR_OK, "%s", buf_text(&why));
		out = open_memstream(&text_again, &len_again);
		settings_print(&again, out);
		fclose(out);
		ck_assert_str_eq(text, text_again);
		ck_assert_ptr_nonnull(strstr(text, "window = 90s"));
		free(text);
		free(text_again);
		settings_done(&settings);
		settings_done(&again);
	}
END_TEST

START_TEST(required_ones_are_named)
	{
		struct settings settings;
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		ck_assert_int_eq(parse("[keys]\nfile = /k\n", &settings, &why), ERR_OK);
		ck_assert_int_eq(settings_require(&settings, "keys.file", "verpost.conf", &why), ERR_OK);
		ck_assert_int_eq(settings_require(&settings, "bounce.domain", "verpost.conf", &why), ERR_INVALID);
		ck_assert(view_find(buf_view(&why), VIEW_LIT("verpost.conf does not set domain in [bounce]")) !=
			  VIEW_NONE);
		settings_done(&settings);
	}
END_TEST

START_TEST(numbers_are_held_to_their_ranges)
	{
		static const struct {
			const char *label;
			struct settings_range range;
			const char *told; /* NULL: fits */
		} rows[] = {
			{ "at the least", { "relay.port", 25, 25 }, NULL },
			{ "too low",
			  { "relay.port", 26, UINT64_MAX },
			  "f.conf: relay.port must be at least 26, not 25" },
			{ "too high", { "relay.port", 0, 24 }, "f.conf: relay.port must be at most 24, not 25" },
			{ "a time",
			  { "relay.retry", 60000000, UINT64_MAX },
			  "relay.retry must be at least 60s, not 30s" },
			{ "a size", { "journal.size", 0, 4096 }, "journal.size must be at most 4096, not 8388608" },
			{ "no such", { "relay.ports", 0, 1 }, "there is no number relay.ports" },
			{ "no number", { "relay.host", 0, 1 }, "there is no number relay.host" },
		};
		struct settings settings;
		AUTO_BUF none = buf_with_ceiling(LIMIT_WHY);
		ck_assert_int_eq(parse("", &settings, &none), ERR_OK);
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			enum err err = settings_check(&settings, &rows[i].range, 1, "f.conf", &why);
			ck_row(rows[i].label, (err == ERR_OK) == (rows[i].told == NULL));
			ck_row(rows[i].label,
			       err == ERR_OK || view_find(buf_view(&why), view_of(rows[i].told)) != VIEW_NONE);
		}
		settings_done(&settings);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = {
		defaults_and_lines,      bad_lines_are_refused_by_number,  what_is_printed_reads_back,
		required_ones_are_named, numbers_are_held_to_their_ranges, durations_and_their_units
	};
	return suite_of("settings", tests, ARRAY_LEN(tests));
}
