/* The log: one line, one named event, key=value, to stderr (journald adds the time when it is the reader). The names are listed
 * in the manual. Above debug mailboxes are hidden ("*@example.net") unless log.addresses is on, whoever wrote the text that they stand
 * in: replies of relays quote them. Only program folders log above debug.
 *
 *     log_event(LOG_INFO, "campaign.started", "id=%lld audience=%lld", id, audience);
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/attributes.h"
#include "base/view.h"

struct settings;

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR, LOG_LEVEL_COUNT };

/* Once at start; program is the first word of each line. A daemon opens its log as its settings say, others hide mailboxes. */
void log_open(const char *program, enum log_level least);
void log_open_as_set(const char *program, const struct settings *settings);
bool log_is_on(enum log_level level);
/* Control characters and bytes beyond ASCII leave as \xHH, so that no line can be forged. */
void log_event(enum log_level level, const char *event, const char *format, ...) PRINTF_LIKE(3, 4);

/* Text from outside as a quoted value: log_event(.., "reply=%s", log_quoted(text, &(struct log_text){ 0 })). */
struct log_text {
	char text[512];
};
const char *log_quoted(struct view text, struct log_text *room);

#endif
