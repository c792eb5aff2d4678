/* One ini file for all programs; every setting is a row of base/settings_rows.h. Read once at start, passed on as
 * const struct settings *. Secrets are never settings: they come from files. */
#ifndef BASE_SETTINGS_H
#define BASE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"

#define SETTINGS_FIELD_TEXT const char *
#define SETTINGS_FIELD_PATH const char *
#define SETTINGS_FIELD_COUNT uint64_t
#define SETTINGS_FIELD_SIZE uint64_t
#define SETTINGS_FIELD_DURATION int64_t
#define SETTINGS_FIELD_FLAG bool
#define SETTINGS_FIELD_WORD const char *

/* Named section_name: settings->relay_port. */
struct settings {
#define SETTING(type, section, name, fallback, unit, manual) SETTINGS_FIELD_##type section##_##name;
#include "base/settings_rows.h"
#undef SETTING
};

/* The file used when no --config is given. */
#define SETTINGS_DEFAULT_PATH "/etc/verpost/verpost.conf"

/* All defaults, then the file's lines. Unknown sections and names, bad values and a repeated name are refused; `why` says file and
 * line. Required settings that are missing stay NULL: settings_require() refuses them where they are needed.
 * The caller releases *ret_settings with settings_done(). */
enum err settings_load(const char *path, struct settings *ret_settings, struct buf *why) MUST_USE;
enum err settings_parse(struct view text, const char *path, struct settings *ret_settings, struct buf *why) MUST_USE;
void settings_done(struct settings *settings);

/* Refuses when the setting ("section.name") is NULL or empty; names it, the file and what it is for. */
enum err settings_require(const struct settings *settings, const char *name, const char *path,
			  struct buf *why) MUST_USE;

/* What a program can work with: COUNT as it is, SIZE in octets, DURATION in microseconds. */
struct settings_range {
	const char *name;     /* "section.name" */
	uint64_t least, most; /* UINT64_MAX: whatever the type holds */
};
/* ERR_INVALID: `why` names the first that is out of its range, and the file. */
enum err settings_check(const struct settings *settings, const struct settings_range *ranges, size_t count,
			const char *path, struct buf *why) MUST_USE;

/* What is in force, as an ini file that reads back alike. For --check-config. */
void settings_print(const struct settings *settings, FILE *out);
/* Every row with default, unit and manual text, as scdoc source for verpost.conf(5). */
void settings_print_manual(FILE *out);

/* "90s", "5m", "2h", "7d", plain seconds; at most SETTINGS_DURATION_MOST, so that a time and some of them are a time that the database takes. */
#define SETTINGS_DURATION_MOST "3650d"
#define SETTINGS_DURATION_MOST_US (INT64_C(3650) * CLOCK_US_PER_DAY)
bool settings_duration(struct view text, int64_t *ret_us) MUST_USE;
/* The same, but the unit must be there: on a command line "--expire 8" means hours to who writes it. However long: who asks has a range. */
bool settings_span(struct view text, int64_t *ret_us) MUST_USE;

#endif
