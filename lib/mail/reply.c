#include "mail/reply.h"

#include <assert.h>

#include "base/limits.h"

enum { CODE_DIGITS = 3 };

typedef enum reply_state reply_step(struct reply_parser *parser, char octet);

struct reply_parser reply_parser_new(void)
{
	return (struct reply_parser){ .text = buf_with_ceiling(LIMIT_REPLY) };
}

void reply_parser_done(struct reply_parser *parser)
{
	buf_done(&parser->text);
}

void reply_parser_reset(struct reply_parser *parser)
{
	struct buf text = parser->text;
	buf_reset(&text);
	*parser = (struct reply_parser){ .text = text };
}

bool reply_parser_is_fresh(const struct reply_parser *parser)
{
	return parser->octets == 0;
}

static enum reply_state fail(struct reply_parser *parser, enum reply_fault fault)
{
	parser->fault = fault;
	return REPLY_STATE_MALFORMED;
}

static enum reply_state end_line(struct reply_parser *parser)
{
	if (parser->last_line)
		return REPLY_STATE_DONE;
	if (parser->lines == LIMIT_REPLY_LINES)
		return fail(parser, REPLY_FAULT_LINES);
	parser->line_code = 0;
	parser->digits = 0;
	parser->line_octets = 0;
	return REPLY_STATE_CODE;
}

static enum reply_state on_code(struct reply_parser *parser, char octet)
{
	if (octet < '0' || octet > '9')
		return fail(parser, REPLY_FAULT_CODE);
	if (parser->digits == 0 && (octet < '2' || octet > '5'))
		return fail(parser, REPLY_FAULT_CODE);
	parser->line_code = parser->line_code * 10 + (unsigned)(octet - '0');
	parser->digits++;
	if (parser->digits < CODE_DIGITS)
		return REPLY_STATE_CODE;
	if (parser->lines > 0 && parser->line_code != parser->code)
		return fail(parser, REPLY_FAULT_CODES);
	parser->code = parser->line_code;
	if (parser->lines > 0)
		buf_add_byte(&parser->text, '\n');
	parser->lines++;
	return REPLY_STATE_SEPARATOR;
}

static enum reply_state on_separator(struct reply_parser *parser, char octet)
{
	parser->last_line = octet != '-';
	switch (octet) {
	case '-':
	case ' ':
		return REPLY_STATE_TEXT;
	case '\r':
		return REPLY_STATE_LF;
	case '\n':
		return end_line(parser);
	default:
		return fail(parser, REPLY_FAULT_SEPARATOR);
	}
}

static enum reply_state on_text(struct reply_parser *parser, char octet)
{
	if (octet == '\r')
		return REPLY_STATE_LF;
	if (octet == '\n')
		return end_line(parser);
	/* Logs, ledger and console shall not have to think about controls. */
	bool is_control = (unsigned char)octet < ' ' || octet == '\x7f';
	buf_add_byte(&parser->text, is_control ? ' ' : octet);
	return REPLY_STATE_TEXT;
}

static enum reply_state on_lf(struct reply_parser *parser, char octet)
{
	return octet == '\n' ? end_line(parser) : fail(parser, REPLY_FAULT_CR);
}

static enum reply_state on_end(struct reply_parser *parser, char octet)
{
	(void)octet;
	return parser->state;
}

static reply_step *const steps[] = {
	[REPLY_STATE_CODE] = on_code, [REPLY_STATE_SEPARATOR] = on_separator,
	[REPLY_STATE_TEXT] = on_text, [REPLY_STATE_LF] = on_lf,
	[REPLY_STATE_DONE] = on_end,  [REPLY_STATE_MALFORMED] = on_end,
};
static_assert(ARRAY_LEN(steps) == REPLY_STATE_COUNT, "one step per state");

static bool is_at_end(const struct reply_parser *parser)
{
	return parser->state == REPLY_STATE_DONE || parser->state == REPLY_STATE_MALFORMED;
}

static void feed_octet(struct reply_parser *parser, char octet)
{
	parser->octets++;
	parser->line_octets++;
	parser->state = steps[parser->state](parser, octet);
	if (parser->line_octets > LIMIT_REPLY_LINE)
		parser->state = fail(parser, REPLY_FAULT_LONG_LINE);
	else if (parser->octets > LIMIT_REPLY)
		parser->state = fail(parser, REPLY_FAULT_LONG);
	else if (buf_err(&parser->text) != ERR_OK)
		parser->state = fail(parser, REPLY_FAULT_MEMORY);
}

enum reply_progress reply_feed(struct reply_parser *parser, struct view *bytes)
{
	size_t taken = 0;
	while (taken < bytes->len && !is_at_end(parser))
		feed_octet(parser, bytes->data[taken++]);
	*bytes = view_skip(*bytes, taken);
	if (parser->state == REPLY_STATE_DONE)
		return REPLY_IS_READ;
	return parser->state == REPLY_STATE_MALFORMED ? REPLY_IS_MALFORMED : REPLY_NEEDS_MORE;
}

/* Some servers answer in Latin-1; what is stored must be UTF-8. */
static void replace_bytes_beyond_ascii(struct buf *text)
{
	for (size_t i = 0; i < text->len; i++) {
		if ((unsigned char)text->data[i] > 127)
			text->data[i] = '?';
	}
}

static struct status read_status(struct view text, unsigned code)
{
	struct view word = view_head(text, 0);
	for (size_t i = 0; i < text.len && text.data[i] != ' ' && text.data[i] != '\n'; i++)
		word.len++;
	struct status status;
	if (!status_parse(word, &status) || status.class_digit != code / 100)
		return (struct status){ 0 };
	return status;
}

struct reply reply_read(struct reply_parser *parser)
{
	if (!view_is_utf8(buf_view(&parser->text)))
		replace_bytes_beyond_ascii(&parser->text);
	struct view text = buf_view(&parser->text);
	return (struct reply){ .code = parser->code, .status = read_status(text, parser->code), .text = text };
}

static const char *const faults[] = {
	[REPLY_FAULT_NONE] = "nothing is wrong with the reply",
	[REPLY_FAULT_CODE] = "a line of the reply does not begin with a code from 200 to 599",
	[REPLY_FAULT_CODES] = "the lines of the reply have different codes",
	[REPLY_FAULT_SEPARATOR] = "neither a space nor a hyphen stands behind the code of the reply",
	[REPLY_FAULT_CR] = "a line of the reply has a CR that does not end it",
	[REPLY_FAULT_LONG_LINE] = "a line of the reply is longer than 4,096 octets",
	[REPLY_FAULT_LINES] = "the reply has more than 100 lines",
	[REPLY_FAULT_LONG] = "the reply is longer than 65,536 octets",
	[REPLY_FAULT_MEMORY] = "there is no memory for the reply",
};
static_assert(ARRAY_LEN(faults) == REPLY_FAULT_COUNT, "a sentence for each fault");
static_assert(LIMIT_REPLY_LINE == 4096 && LIMIT_REPLY_LINES == 100 && LIMIT_REPLY == 65536, "as the sentences say");

struct view reply_fault(const struct reply_parser *parser)
{
	return view_of(faults[parser->fault]);
}
