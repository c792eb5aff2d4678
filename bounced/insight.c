#include "bounced/insight.h"

#include "base/limits.h"
#include "mail/fields.h"
#include "mail/seal.h"

static bool has_in_head(struct view message, const char *name, struct view word)
{
	struct field field;
	while (fields_next(&message, &field) == FIELD_READ) {
		if (field_is(&field, name) && view_find_nocase(field.value, word) != VIEW_NONE)
			return true;
	}
	return false;
}

static bool has_only_in_text(struct view message, struct view word)
{
	size_t at = view_find_nocase(message, word);
	struct view line;
	if (at == VIEW_NONE || view_find_nocase(view_skip(message, at + word.len), word) != VIEW_NONE)
		return false;
	while (fields_cut_line(&message, &line)) {
		if (view_eq_nocase(view_trim(line), word))
			return true;
	}
	return false;
}

static enum sighting look_for(struct view content, struct view word)
{
	if (word.len == 0)
		return SIGHT_NOWHERE;
	if (has_in_head(content, "Message-ID", word))
		return SIGHT_MESSAGE_ID;
	if (has_in_head(content, "X-Verpost-Test", word))
		return SIGHT_TEST_FIELD;
	return has_only_in_text(content, word) ? SIGHT_TEXT : SIGHT_NOWHERE;
}

static enum err look_for_all(const struct inquiry *inquiry, struct insight *insight)
{
	struct view content = view_skip(inquiry->message, inquiry->content_at);
	for (size_t i = 0; i < inquiry->word_count; i++)
		buf_add_byte(&insight->sightings, (char)look_for(content, inquiry->words[i]));
	enum err err = buf_err(&insight->sightings);
	return err == ERR_OK && inquiry->word_count > 0 ? seal_write(content, &insight->seal) : err;
}

static struct insight insight_empty(size_t word_count)
{
	return (struct insight){ .sightings = buf_with_ceiling(word_count), .seal = buf_with_ceiling(LIMIT_SEAL) };
}

enum err insight_read(struct intake *intake, const struct inquiry *inquiry, struct insight *ret_insight)
{
	struct insight insight = insight_empty(inquiry->word_count);
	enum err err = look_for_all(inquiry, &insight);
	if (err == ERR_OK)
		err = intake_read(intake, inquiry->message, &insight.report);
	if (err != ERR_OK) {
		insight_done(&insight);
		return err;
	}
	*ret_insight = insight;
	return ERR_OK;
}

enum err insight_of_unread(size_t word_count, struct insight *ret_insight)
{
	struct insight insight = insight_empty(word_count);
	for (size_t i = 0; i < word_count; i++)
		buf_add_byte(&insight.sightings, SIGHT_NOWHERE);
	enum err err = buf_err(&insight.sightings);
	if (err == ERR_OK)
		err = report_of_unread(&insight.report);
	if (err != ERR_OK) {
		insight_done(&insight);
		return err;
	}
	*ret_insight = insight;
	return ERR_OK;
}

void insight_done(struct insight *insight)
{
	report_done(insight->report);
	insight->report = NULL;
	buf_done(&insight->sightings);
	buf_done(&insight->seal);
}

enum sighting insight_sighting(const struct insight *insight, size_t word)
{
	return (enum sighting)(unsigned char)insight->sightings.data[word];
}
