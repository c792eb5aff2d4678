/* Inquiries on their way to a parser, insights on their way back, each in a frame: its length and a number that the answer repeats, 32 bits
 * each. An answer is hostile: the parser has read what strangers wrote. */
#ifndef BOUNCED_INSIGHT_WIRE_H
#define BOUNCED_INSIGHT_WIRE_H

#include "base/wire.h"
#include "bounced/insight.h"

enum {
	FRAME_HEAD = 8,
	FRAME_MOST_WORDS = 10000, /* bounced.max_recipients is not larger */
	FRAME_MOST_ANSWER = 128 << 10,
};

struct frame {
	uint32_t number;
	struct view body; /* borrowed from the octets */
};
enum frame_step { FRAME_READ, FRAME_PARTIAL, FRAME_BROKEN /* its body is longer than most */ };
/* Cuts the first frame off the octets. */
enum frame_step frame_cut(struct view *octets, size_t most, struct frame *ret_frame);
/* An empty frame: a parser's first, it is ready. */
enum err frame_write_empty(uint32_t number, struct buf *out) MUST_USE;

/* The frame of an inquiry without the message, which follows. Errors as buf_err(). */
enum err inquiry_write_head(const struct inquiry *inquiry, uint32_t number, struct buf *out) MUST_USE;
/* Borrows from the body; ret_words has room for FRAME_MOST_WORDS. ERR_INVALID. */
enum err inquiry_parse(struct view body, struct view *ret_words, struct inquiry *ret_inquiry) MUST_USE;

enum err insight_write(const struct insight *insight, uint32_t number, struct buf *out) MUST_USE;
/* Of an inquiry with that many words. ERR_INVALID for what is no insight; ERR_MEMORY. */
enum err insight_parse(struct view body, size_t word_count, struct insight *ret_insight) MUST_USE;

#endif
