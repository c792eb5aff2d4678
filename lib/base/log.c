#include "base/log.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/settings.h"

static const char *const level_names[] = {
	[LOG_DEBUG] = "debug",
	[LOG_INFO] = "info",
	[LOG_WARNING] = "warning",
	[LOG_ERROR] = "error",
};
static_assert(ARRAY_LEN(level_names) == LOG_LEVEL_COUNT, "one name per level");

/* The log sink is one of the two globals of the house (the other is the signal flag). */
static struct {
	const char *program;
	enum log_level least;
	bool shows_mailboxes;
} sink = { .program = "verpost", .least = LOG_INFO };

void log_open(const char *program, enum log_level least)
{
	sink.program = program;
	sink.least = least;
	sink.shows_mailboxes = false;
}

void log_open_as_set(const char *program, const struct settings *settings)
{
	log_open(program, LOG_INFO);
	sink.shows_mailboxes = settings->log_addresses;
	for (size_t i = 0; i < ARRAY_LEN(level_names); i++) {
		if (strcmp(settings->log_level, level_names[i]) == 0)
			sink.least = (enum log_level)i;
	}
}

bool log_is_on(enum log_level level)
{
	return level >= sink.least;
}

static size_t write_head(char *line, size_t room, enum log_level level, const char *event)
{
	int64_t now = clock_wall_us();
	time_t seconds = (time_t)(now / CLOCK_US_PER_SECOND);
	struct tm utc;
	gmtime_r(&seconds, &utc);
	char stamp[32];
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &utc);
	int len = snprintf(line, room, "%s.%03dZ %s[%d] level=%s event=%s ", stamp,
			   (int)(now % CLOCK_US_PER_SECOND / CLOCK_US_PER_MS), sink.program, (int)getpid(),
			   level_names[level], event);
	return len < 0 ? 0 : (size_t)len;
}

/* The start of the mailbox that ends at end. A quoted one, the quotes as log_quoted() leaves them, may hold anything. */
static size_t mailbox_at(const char *line, size_t end)
{
	static const char delimiters[] = " \t\r\n<>()[],;:\"\\";
	size_t at = end;
	if (at >= 2 && line[at - 1] == '"' && line[at - 2] == '\\') {
		for (at -= 2; at > 0 && line[at] != '"';)
			at--;
		return at > 0 && line[at - 1] == '\\' ? at - 1 : at;
	}
	while (at > 0 && line[at - 1] != '\0' && strchr(delimiters, line[at - 1]) == NULL)
		at--;
	return at;
}

/* "<jane@example.net>" becomes "<*@example.net>". Returns the new length. */
static size_t hide_mailboxes(char *line, size_t len)
{
	size_t out = 0;
	for (size_t i = 0; i < len; i++) {
		size_t start = line[i] == '@' ? mailbox_at(line, out) : out;
		if (start < out) {
			line[start] = '*';
			out = start + 1;
		}
		line[out++] = line[i];
	}
	return out;
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
	if (!log_is_on(level))
		return;
	char raw[LIMIT_LOG_LINE];
	size_t len = write_head(raw, sizeof(raw), level, event);
	va_list values;
	va_start(values, format);
	int body = vsnprintf(raw + len, sizeof(raw) - len, format, values);
	va_end(values);
	len += body < 0 ? 0 : (size_t)body;
	if (len >= sizeof(raw))
		len = sizeof(raw) - 1;
	if (level > LOG_DEBUG && !sink.shows_mailboxes)
		len = hide_mailboxes(raw, len);
	char line[4 * LIMIT_LOG_LINE + 1];
	size_t out = 0;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)raw[i];
		if (c < 32 || c > 126)
			out += (size_t)snprintf(line + out, 5, "\\x%02x", c);
		else
			line[out++] = (char)c;
	}
	line[out++] = '\n';
	/* One write a line keeps the lines of several processes whole. A log that cannot be written has nowhere to be reported. */
	if (write(STDERR_FILENO, line, out) < 0)
		return;
}

const char *log_quoted(struct view text, struct log_text *room)
{
	size_t out = 0;
	room->text[out++] = '"';
	for (size_t i = 0; i < text.len && out < sizeof(room->text) - 3; i++) {
		if (text.data[i] == '"' || text.data[i] == '\\')
			room->text[out++] = '\\';
		room->text[out++] = text.data[i] == '\0' ? ' ' : text.data[i];
	}
	room->text[out++] = '"';
	room->text[out] = '\0';
	return room->text;
}
