#include "tests/support/mailworld/world.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"

static void add_json_text(struct buf *line, const char *name, struct view text)
{
	buf_addf(line, "\"%s\": \"", name);
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];
		if (c < ' ' || c == '"' || c == '\\' || c == 127)
			buf_addf(line, "\\u%04x", c);
		else
			buf_add_byte(line, text.data[i]);
	}
	buf_add(line, VIEW_LIT("\", "));
}

/* The header block, its last CRLF included. */
static struct view headers_of(struct view content)
{
	size_t end = view_find(content, VIEW_LIT("\r\n\r\n"));
	return end == VIEW_NONE ? content : view_head(content, end + 2);
}

static struct view message_id_of(struct view headers)
{
	struct view line;
	while (view_cut_line(&headers, &line)) {
		if (view_starts_nocase(line, VIEW_LIT("Message-ID:")))
			return view_trim(view_skip(line, sizeof("Message-ID:") - 1));
	}
	return VIEW_LIT("");
}

/* One write a line, before the 250: what a test reads in the log was accepted, and the other way round. */
static bool log_message(struct world *world, const struct smtp_server_message *message, struct view message_id,
			uint64_t connection)
{
	AUTO_BUF lines = buf_with_ceiling(LIMIT_SMTP_INPUT);
	for (size_t i = 0; i < message->recipient_count; i++) {
		buf_add_byte(&lines, '{');
		add_json_text(&lines, "to", message->recipients[i]);
		add_json_text(&lines, "from", message->from);
		add_json_text(&lines, "message_id", message_id);
		buf_addf(&lines, "\"time_us\": %lld, \"connection\": %llu, \"size\": %zu}\n",
			 (long long)clock_wall_us(), (unsigned long long)connection, message->content.len);
	}
	return buf_err(&lines) == ERR_OK && write(world->log_fd, lines.data, lines.len) == (ssize_t)lines.len;
}

static bool keep_message(const struct world *world, struct view content)
{
	char path[4096];
	int len =
	    snprintf(path, sizeof(path), "%s/%llu.eml", world->keep_dir, (unsigned long long)world->counts.accepted);
	if (len < 0 || (size_t)len >= sizeof(path))
		return false;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return false;
	bool is_written = write(fd, content.data, content.len) == (ssize_t)content.len;
	return close(fd) == 0 && is_written;
}

static bool queue_report(struct world *world, const struct smtp_server_message *message, const struct rule *rule)
{
	AUTO_BUF diagnostic = buf_with_ceiling(LIMIT_DIAGNOSTIC);
	struct view recipient = message->recipients[message->recipient_count - 1];
	struct view status = rule->report_status.len > 0 ? rule->report_status : view_of(rule->report->status);
	if (rule->report_text.len > 0)
		buf_add(&diagnostic, rule->report_text);
	else
		buf_addf(&diagnostic, "%s <" VIEW_FMT ">", rule->report->text, VIEW_ARG(recipient));
	struct errand errand = {
		.shape = rule->report,
		.facts = { .return_path = world->rewrite.len > 0 ? world->rewrite : message->from,
			   .recipient = recipient,
			   .status = status,
			   .diagnostic = buf_view(&diagnostic),
			   .headers = headers_of(message->content),
			   .content = message->content },
		.after_us = (int64_t)rule->after_ms * CLOCK_US_PER_MS,
		.copies = rule->copies,
	};
	return buf_err(&diagnostic) == ERR_OK && postman_take(world->postman, &errand) == ERR_OK;
}

bool world_accept(struct world *world, const struct smtp_server_message *message, const struct rule *rule,
		  uint64_t connection)
{
	if (world->keep_dir != NULL && !keep_message(world, message->content))
		return false;
	struct view message_id = message_id_of(headers_of(message->content));
	if (world->log_fd >= 0 && !log_message(world, message, message_id, connection))
		return false;
	world->counts.accepted += message->recipient_count;
	/* Nobody reports to the null sender (RFC 5321 section 6.1). */
	return rule->report == NULL || message->from.len == 0 || queue_report(world, message, rule);
}
