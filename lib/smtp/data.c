#include "smtp/data.h"

#include <assert.h>

#include "base/limits.h"

enum octet { OCTET_OTHER, OCTET_CR, OCTET_LF, OCTET_DOT, OCTET_NUL, OCTET_COUNT };

static const unsigned char octets[256] = {
	['\r'] = OCTET_CR, ['\n'] = OCTET_LF, ['.'] = OCTET_DOT, ['\0'] = OCTET_NUL
};

enum action {
	KEEP,    /* the octet is content */
	HOLD,    /* it may be part of a line end or of the final dot */
	NEWLINE, /* a line has ended */
	BREAK    /* the content is broken */
};

static const struct {
	enum data_state next;
	enum action action;
} transitions[][OCTET_COUNT] = {
    [DATA_LINE_START] = {
        [OCTET_OTHER] = { DATA_TEXT, KEEP },
        [OCTET_CR] = { DATA_CR, HOLD },
        [OCTET_LF] = { DATA_TEXT, BREAK },
        [OCTET_DOT] = { DATA_DOT, HOLD },
        [OCTET_NUL] = { DATA_TEXT, BREAK },
    },
    [DATA_TEXT] = {
        [OCTET_OTHER] = { DATA_TEXT, KEEP },
        [OCTET_CR] = { DATA_CR, HOLD },
        [OCTET_LF] = { DATA_TEXT, BREAK },
        [OCTET_DOT] = { DATA_TEXT, KEEP },
        [OCTET_NUL] = { DATA_TEXT, BREAK },
    },
    [DATA_CR] = {
        [OCTET_OTHER] = { DATA_TEXT, BREAK },
        [OCTET_CR] = { DATA_CR, BREAK },
        [OCTET_LF] = { DATA_LINE_START, NEWLINE },
        [OCTET_DOT] = { DATA_TEXT, BREAK },
        [OCTET_NUL] = { DATA_TEXT, BREAK },
    },
    [DATA_DOT] = {
        [OCTET_OTHER] = { DATA_TEXT, KEEP },
        [OCTET_CR] = { DATA_DOT_CR, HOLD },
        [OCTET_LF] = { DATA_TEXT, BREAK },
        [OCTET_DOT] = { DATA_TEXT, KEEP },
        [OCTET_NUL] = { DATA_TEXT, BREAK },
    },
    [DATA_DOT_CR] = {
        [OCTET_OTHER] = { DATA_TEXT, BREAK },
        [OCTET_CR] = { DATA_CR, BREAK },
        [OCTET_LF] = { DATA_END, HOLD },
        [OCTET_DOT] = { DATA_TEXT, BREAK },
        [OCTET_NUL] = { DATA_TEXT, BREAK },
    },
};
static_assert(ARRAY_LEN(transitions) == DATA_END, "one row per state but the last");

struct data_reader data_reader_new(size_t max)
{
	size_t ceiling = max > LIMIT_INTAKE_HEAD ? max : LIMIT_INTAKE_HEAD;
	return (struct data_reader){ .max = max, .content = buf_with_ceiling(ceiling) };
}

void data_reader_done(struct data_reader *reader)
{
	buf_done(&reader->content);
}

void data_reader_reset(struct data_reader *reader)
{
	reader->state = DATA_LINE_START;
	reader->is_cut = false;
	reader->is_broken = false;
	buf_reset(&reader->content);
}

static void keep(struct data_reader *reader, struct view bytes)
{
	if (reader->is_cut || reader->is_broken)
		return;
	if (bytes.len <= reader->max - reader->content.len && buf_add(&reader->content, bytes) == ERR_OK)
		return;
	reader->is_cut = true;
	size_t head = reader->max < LIMIT_INTAKE_HEAD ? reader->max : LIMIT_INTAKE_HEAD;
	if (reader->content.len < head && buf_err(&reader->content) == ERR_OK)
		buf_add(&reader->content, view_head(bytes, head - reader->content.len));
	buf_cut(&reader->content, head);
}

static void act(struct data_reader *reader, enum action action, const char *octet)
{
	switch (action) {
	case KEEP:
		keep(reader, view_from(octet, 1));
		break;
	case HOLD:
		break;
	case NEWLINE:
		keep(reader, VIEW_LIT("\r\n"));
		break;
	case BREAK:
		reader->is_broken = true;
		buf_reset(&reader->content);
		break;
	}
}

/* How many octets at the front change nothing in DATA_TEXT. */
static size_t text_run(struct view bytes)
{
	size_t len = 0;
	while (len < bytes.len) {
		unsigned char octet = octets[(unsigned char)bytes.data[len]];
		if (octet != OCTET_OTHER && octet != OCTET_DOT)
			break;
		len++;
	}
	return len;
}

bool data_feed(struct data_reader *reader, struct view *bytes)
{
	while (bytes->len > 0 && reader->state != DATA_END) {
		size_t run = reader->state == DATA_TEXT ? text_run(*bytes) : 0;
		if (run > 0) {
			keep(reader, view_head(*bytes, run));
			*bytes = view_skip(*bytes, run);
			continue;
		}
		unsigned char octet = octets[(unsigned char)bytes->data[0]];
		enum action action = transitions[reader->state][octet].action;
		reader->state = transitions[reader->state][octet].next;
		act(reader, action, bytes->data);
		*bytes = view_skip(*bytes, 1);
	}
	return reader->state == DATA_END;
}
