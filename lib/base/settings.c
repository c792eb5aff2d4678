#include "base/settings.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <ini.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"

enum type { TYPE_TEXT, TYPE_PATH, TYPE_COUNT, TYPE_SIZE, TYPE_DURATION, TYPE_FLAG, TYPE_WORD, TYPE_COUNT_OF };

/* Octets. inih reads lines of 200 with their ends; a value of this size prints into one. */
enum { LINE_MOST = 190, VALUE_MOST = 160 };

struct row {
	enum type type;
	const char *section;
	const char *name;
	size_t offset;
	const char *fallback;
	const char *unit;
	const char *manual;
};

static const struct row rows[] = {
#define SETTING(type, section, name, fallback, unit, manual)                                                           \
	{ TYPE_##type, #section, #name, offsetof(struct settings, section##_##name), fallback, unit, manual },
#include "base/settings_rows.h"
#undef SETTING
};

struct reading {
	struct settings *settings;
	bool seen[ARRAY_LEN(rows)];
	struct buf *why;
	enum err err;
};

static void *field(const struct settings *settings, const struct row *row)
{
	return (char *)(uintptr_t)settings + row->offset;
}

struct suffix {
	char letter;
	uint64_t factor;
};

static bool number_with_suffix(struct view text, const struct suffix *suffixes, size_t count, uint64_t *ret_number)
{
	uint64_t factor = 1;
	for (size_t i = 0; text.len > 0 && i < count; i++) {
		if (text.data[text.len - 1] == suffixes[i].letter) {
			factor = suffixes[i].factor;
			text.len--;
			break;
		}
	}
	uint64_t number;
	if (!view_to_u64(text, (uint64_t)INT64_MAX / CLOCK_US_PER_SECOND / factor, &number))
		return false;
	*ret_number = number * factor;
	return true;
}

static bool read_duration(struct view text, int64_t *ret_us)
{
	static const struct suffix suffixes[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	uint64_t seconds;
	if (!number_with_suffix(text, suffixes, ARRAY_LEN(suffixes), &seconds))
		return false;
	*ret_us = (int64_t)seconds * CLOCK_US_PER_SECOND;
	return true;
}

bool settings_duration(struct view text, int64_t *ret_us)
{
	int64_t us;
	if (!read_duration(text, &us) || us > SETTINGS_DURATION_MOST_US)
		return false;
	*ret_us = us;
	return true;
}

bool settings_span(struct view text, int64_t *ret_us)
{
	return text.len > 0 && (text.data[text.len - 1] < '0' || text.data[text.len - 1] > '9') &&
	       read_duration(text, ret_us);
}

static bool size_of(struct view text, uint64_t *ret_octets)
{
	static const struct suffix suffixes[] = { { 'K', 1 << 10 }, { 'M', 1 << 20 }, { 'G', 1 << 30 } };
	return number_with_suffix(text, suffixes, ARRAY_LEN(suffixes), ret_octets);
}

/* A value that begins with ; would read back as a comment. */
static bool set_text(const struct row *row, struct view value, void *ret_field)
{
	if (row->type == TYPE_PATH && value.len == 0)
		return false;
	if (value.len > VALUE_MOST || view_starts(value, VIEW_LIT(";")) || view_has_control(value))
		return false;
	char *copy = strndup(value.len == 0 ? "" : value.data, value.len);
	if (copy == NULL)
		return false;
	free(*(char **)ret_field);
	*(char **)ret_field = copy;
	return true;
}

static bool set_count(const struct row *row, struct view value, void *ret_field)
{
	(void)row;
	return view_to_u64(value, UINT32_MAX, ret_field);
}

static bool set_size(const struct row *row, struct view value, void *ret_field)
{
	(void)row;
	return size_of(value, ret_field);
}

static bool set_duration(const struct row *row, struct view value, void *ret_field)
{
	(void)row;
	return settings_duration(value, ret_field);
}

static bool set_flag(const struct row *row, struct view value, void *ret_field)
{
	(void)row;
	bool yes = view_eq_nocase(value, VIEW_LIT("yes"));
	if (!yes && !view_eq_nocase(value, VIEW_LIT("no")))
		return false;
	*(bool *)ret_field = yes;
	return true;
}

static bool set_word(const struct row *row, struct view value, void *ret_field)
{
	struct view words = view_of(row->unit);
	struct view word;
	while (view_cut(&words, ' ', &word)) {
		if (view_eq(word, value))
			return set_text(row, value, ret_field);
	}
	return false;
}

struct type_row {
	const char *expects; /* NULL: the row's unit says it */
	bool owns_text;
	bool (*set)(const struct row *row, struct view value, void *ret_field);
};

static const struct type_row types[] = {
	[TYPE_TEXT] = { .expects = "a text of at most 160 octets", .owns_text = true, .set = set_text },
	[TYPE_PATH] = { .expects = "a path of at most 160 octets", .owns_text = true, .set = set_text },
	[TYPE_COUNT] = { .expects = "a whole number", .set = set_count },
	[TYPE_SIZE] = { .expects = "a size such as 512K, 8M or 1G", .set = set_size },
	[TYPE_DURATION] = { .expects = "a time such as 30s, 5m, 2h or 7d, of at most " SETTINGS_DURATION_MOST,
			    .set = set_duration },
	[TYPE_FLAG] = { .expects = "yes or no", .set = set_flag },
	[TYPE_WORD] = { .owns_text = true, .set = set_word },
};
static_assert(ARRAY_LEN(types) == TYPE_COUNT_OF, "one row per type");

static bool assign(const struct row *row, struct view value, struct settings *settings)
{
	return types[row->type].set(row, value, field(settings, row));
}

static const struct row *find(const char *section, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (strcmp(rows[i].section, section) == 0 && strcmp(rows[i].name, name) == 0)
			return &rows[i];
	}
	return NULL;
}

static int refuse(struct reading *reading, enum err err)
{
	reading->err = err;
	return 0;
}

/* inih calls this for each line and stops counting nothing when 0 comes back; only the first refusal is told. */
static int on_line(void *user, const char *section, const char *name, const char *value)
{
	struct reading *reading = user;
	if (reading->err != ERR_OK)
		return 0;
	const struct row *row = find(section, name);
	if (row == NULL) {
		buf_addf(reading->why, "there is no setting %s.%s; `--settings` lists them", section, name);
		return refuse(reading, ERR_INVALID);
	}
	size_t at = (size_t)(row - rows);
	if (reading->seen[at]) {
		buf_addf(reading->why, "%s.%s is set twice", section, name);
		return refuse(reading, ERR_INVALID);
	}
	reading->seen[at] = true;
	if (!assign(row, view_of(value), reading->settings)) {
		const char *expects = types[row->type].expects;
		buf_addf(reading->why, "%s.%s must be %s%s, not \"%.80s\"", section, name,
			 expects == NULL ? "one of: " : "", expects == NULL ? row->unit : expects, value);
		return refuse(reading, ERR_INVALID);
	}
	return 1;
}

static bool set_defaults(struct settings *settings)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].fallback != NULL && !assign(&rows[i], view_of(rows[i].fallback), settings))
			return false;
	}
	return true;
}

/* inih would cut a longer line in two. */
static bool lines_fit(struct view text, const char *path, struct buf *why)
{
	struct view line;
	for (unsigned number = 1; view_cut_line(&text, &line); number++) {
		if (line.len <= LINE_MOST)
			continue;
		buf_addf(why, "%s line %u has %zu octets, more than the %d allowed", path, number, line.len, LINE_MOST);
		return false;
	}
	return true;
}

enum err settings_parse(struct view text, const char *path, struct settings *ret_settings, struct buf *why)
{
	struct settings fresh = { 0 };
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF copy = buf_with_ceiling(LIMIT_SETTINGS_FILE);
	struct reading reading = { .settings = &fresh, .why = &reason };
	if (view_find_byte(text, '\0') != VIEW_NONE) {
		buf_addf(why, "%s holds a NUL octet: it is no settings file", path);
		return ERR_INVALID;
	}
	if (!lines_fit(text, path, why))
		return ERR_INVALID;
	if (buf_add(&copy, text) != ERR_OK || !set_defaults(&fresh)) {
		settings_done(&fresh);
		return ERR_MEMORY;
	}
	int line = ini_parse_string(buf_text(&copy), on_line, &reading);
	if (line != 0) {
		settings_done(&fresh);
		buf_addf(why, "%s line %d: ", path, line);
		buf_add(why,
			reason.len > 0 ? buf_view(&reason) : VIEW_LIT("neither [section], name = value nor a comment"));
		return ERR_INVALID;
	}
	*ret_settings = fresh;
	return ERR_OK;
}

enum err settings_load(const char *path, struct settings *ret_settings, struct buf *why)
{
	AUTO_BUF text = buf_with_ceiling(LIMIT_SETTINGS_FILE);
	enum err err = file_read(path, &text, why);
	if (err == ERR_NOT_FOUND)
		buf_addf(why, "; make it, or name another with --config (`--settings` shows what it may hold)");
	else if (err == ERR_DENIED)
		buf_addf(why, "; run as a user who may, or name another file with --config");
	if (err != ERR_OK)
		return err;
	return settings_parse(buf_view(&text), path, ret_settings, why);
}

void settings_done(struct settings *settings)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (types[rows[i].type].owns_text)
			free(*(char **)field(settings, &rows[i]));
	}
	*settings = (struct settings){ 0 };
}

static const struct row *find_full(const char *full_name)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct view rest = view_of(full_name), section;
		if (view_cut(&rest, '.', &section) && view_eq(section, view_of(rows[i].section)) &&
		    view_eq(rest, view_of(rows[i].name)))
			return &rows[i];
	}
	return NULL;
}

enum err settings_require(const struct settings *settings, const char *name, const char *path, struct buf *why)
{
	const struct row *row = find_full(name);
	if (row == NULL) {
		buf_addf(why, "there is no setting %s", name);
		return ERR_NOT_FOUND;
	}
	const char *value = *(char **)field(settings, row);
	if (value != NULL && *value != '\0')
		return ERR_OK;
	buf_addf(why, "%s does not set %s in [%s]: %s", path, row->name, row->section, row->manual);
	return ERR_INVALID;
}

static void write_duration(int64_t us, struct buf *out)
{
	int64_t seconds = us / CLOCK_US_PER_SECOND;
	if (seconds != 0 && seconds % 86400 == 0)
		buf_addf(out, "%lldd", (long long)seconds / 86400);
	else
		buf_addf(out, "%llds", (long long)seconds);
}

static void write_value(enum type type, const void *value, struct buf *out)
{
	switch (type) {
	case TYPE_TEXT:
	case TYPE_PATH:
	case TYPE_WORD:
		buf_add(out, view_of(*(const char *const *)value));
		return;
	case TYPE_COUNT:
	case TYPE_SIZE:
		buf_addf(out, "%llu", (unsigned long long)*(const uint64_t *)value);
		return;
	case TYPE_DURATION:
		write_duration(*(const int64_t *)value, out);
		return;
	case TYPE_FLAG:
		buf_add(out, *(const bool *)value ? VIEW_LIT("yes") : VIEW_LIT("no"));
		return;
	case TYPE_COUNT_OF:
		return;
	}
}

static enum err check_range(const struct settings *settings, const struct settings_range *range, const char *path,
			    struct buf *why)
{
	const struct row *row = find_full(range->name);
	if (row == NULL || (row->type != TYPE_COUNT && row->type != TYPE_SIZE && row->type != TYPE_DURATION)) {
		buf_addf(why, "there is no number %s", range->name);
		return ERR_NOT_FOUND;
	}
	uint64_t value; /* a duration is never negative */
	memcpy(&value, field(settings, row), sizeof(value));
	if (value >= range->least && value <= range->most)
		return ERR_OK;
	bool is_low = value < range->least;
	buf_addf(why, "%s: %s must be at %s ", path, range->name, is_low ? "least" : "most");
	write_value(row->type, is_low ? &range->least : &range->most, why);
	buf_addf(why, ", not ");
	write_value(row->type, &value, why);
	return ERR_INVALID;
}

enum err settings_check(const struct settings *settings, const struct settings_range *ranges, size_t count,
			const char *path, struct buf *why)
{
	enum err err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < count; i++)
		err = check_range(settings, &ranges[i], path, why);
	return err;
}

void settings_print(const struct settings *settings, FILE *out)
{
	const char *section = "";
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const void *value = field(settings, &rows[i]);
		if (strcmp(section, rows[i].section) != 0)
			fprintf(out, "%s[%s]\n", i == 0 ? "" : "\n", rows[i].section);
		section = rows[i].section;
		if (types[rows[i].type].owns_text && *(const char *const *)value == NULL) {
			fprintf(out, "; %s is not set\n", rows[i].name);
			continue;
		}
		AUTO_BUF text = buf_with_ceiling(VALUE_MOST + 1);
		write_value(rows[i].type, value, &text);
		fprintf(out, "%s = %s\n", rows[i].name, buf_text(&text));
	}
}

/* Text as scdoc has it: what would begin something bold is escaped. */
static void print_scdoc(const char *text, FILE *out)
{
	for (; *text != '\0'; text++) {
		if (*text == '*' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
}

void settings_print_manual(FILE *out)
{
	const char *section = "";
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (strcmp(section, rows[i].section) != 0)
			fprintf(out, "## [%s]\n\n", rows[i].section);
		section = rows[i].section;
		fprintf(out, "*%s* = _%s_\n\t", rows[i].name, rows[i].unit);
		print_scdoc(rows[i].manual, out);
		if (rows[i].fallback == NULL)
			fputs(" Required.\n\n", out);
		else
			fprintf(out, " Default: %s\n\n", *rows[i].fallback == '\0' ? "empty." : rows[i].fallback);
	}
}
