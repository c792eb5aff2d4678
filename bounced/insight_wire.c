#include "bounced/insight_wire.h"

#include "base/limits.h"
#include "mail/report_wire.h"

enum frame_step frame_cut(struct view *octets, size_t most, struct frame *ret_frame)
{
	struct wire wire = { .rest = *octets };
	size_t len = wire_u32(&wire);
	uint32_t number = wire_u32(&wire);
	if (!wire.broken && len > most)
		return FRAME_BROKEN;
	struct view body = wire_octets(&wire, len);
	if (wire.broken)
		return FRAME_PARTIAL;
	*ret_frame = (struct frame){ .number = number, .body = body };
	*octets = wire.rest;
	return FRAME_READ;
}

enum err frame_write_empty(uint32_t number, struct buf *out)
{
	wire_add_u32(out, 0);
	wire_add_u32(out, number);
	return buf_err(out);
}

/* ---- inquiries ---- */

static size_t words_length(const struct inquiry *inquiry)
{
	size_t length = 0;
	for (size_t i = 0; i < inquiry->word_count; i++)
		length += 2 + inquiry->words[i].len;
	return length;
}

enum err inquiry_write_head(const struct inquiry *inquiry, uint32_t number, struct buf *out)
{
	wire_add_u32(out, (uint32_t)(2 + words_length(inquiry) + 4 + inquiry->message.len));
	wire_add_u32(out, number);
	wire_add_u16(out, (unsigned)inquiry->word_count);
	for (size_t i = 0; i < inquiry->word_count; i++)
		wire_add_text(out, inquiry->words[i]);
	wire_add_u32(out, (uint32_t)inquiry->content_at);
	return buf_err(out);
}

enum err inquiry_parse(struct view body, struct view *ret_words, struct inquiry *ret_inquiry)
{
	struct wire wire = { .rest = body };
	size_t count = wire_u16(&wire);
	if (count > FRAME_MOST_WORDS)
		return ERR_INVALID;
	for (size_t i = 0; i < count; i++)
		ret_words[i] = wire_text(&wire, LIMIT_TOKEN);
	size_t content_at = wire_u32(&wire);
	if (wire.broken || content_at > wire.rest.len)
		return ERR_INVALID;
	*ret_inquiry =
	    (struct inquiry){ .message = wire.rest, .content_at = content_at, .words = ret_words, .word_count = count };
	return ERR_OK;
}

/* ---- insights ---- */

enum err insight_write(const struct insight *insight, uint32_t number, struct buf *out)
{
	AUTO_BUF body = buf_with_ceiling(FRAME_MOST_ANSWER);
	wire_add_text(&body, buf_view(&insight->sightings));
	wire_add_text(&body, buf_view(&insight->seal));
	enum err err = report_write(insight->report, &body);
	if (err != ERR_OK)
		return err;
	wire_add_u32(out, (uint32_t)body.len);
	wire_add_u32(out, number);
	return buf_add(out, buf_view(&body));
}

static bool are_sightings(struct view sightings, size_t word_count)
{
	for (size_t i = 0; i < sightings.len; i++) {
		if ((unsigned char)sightings.data[i] >= SIGHTING_COUNT)
			return false;
	}
	return sightings.len == word_count;
}

enum err insight_parse(struct view body, size_t word_count, struct insight *ret_insight)
{
	struct wire wire = { .rest = body };
	struct view sightings = wire_text(&wire, FRAME_MOST_WORDS), seal = wire_text(&wire, LIMIT_SEAL);
	if (!are_sightings(sightings, word_count) || !view_is_ascii(seal) || view_has_control(seal))
		return ERR_INVALID;
	struct insight insight = { .sightings = buf_with_ceiling(word_count), .seal = buf_with_ceiling(LIMIT_SEAL) };
	buf_add(&insight.sightings, sightings);
	buf_add(&insight.seal, seal);
	enum err err = buf_err(&insight.sightings);
	if (err == ERR_OK)
		err = buf_err(&insight.seal);
	if (err == ERR_OK)
		err = report_take(&wire, &insight.report);
	if (err == ERR_OK && !wire_is_whole(&wire))
		err = ERR_INVALID;
	if (err != ERR_OK) {
		insight_done(&insight);
		return err;
	}
	*ret_insight = insight;
	return ERR_OK;
}
