#include "mail/tag_cover.h"

#include "base/limits.h"
#include "tests/support/unit.h"

/* Writes the source with words in place of all tags, and puts the tags back. */
static void cover_and_restore(const char *label, const char *source, size_t count)
{
	struct tag_cover cover;
	struct covered covered;
	size_t done = 0, found = 0;
	AUTO_BUF text = buf_with_ceiling(LIMIT_TEMPLATE);
	AUTO_BUF again = buf_with_ceiling(LIMIT_TEMPLATE);
	ck_row(label, tag_cover_open(&cover, view_of(source)) == ERR_OK && tag_cover_count(&cover) == count);
	for (size_t i = 0; i < count; i++) {
		buf_add(&text, view_slice(view_of(source), done, tag_cover_tag(&cover, i)->start));
		tag_cover_write(&cover, i, &text);
		done = tag_cover_tag(&cover, i)->end;
	}
	buf_add(&text, view_skip(view_of(source), done));
	for (size_t cursor = 0; tag_cover_next(&cover, buf_view(&text), &cursor, &covered); found++)
		ck_row(label, covered.index == found && covered.end == cursor);
	ck_row(label, found == count);
	ck_row(label, count == 0 || view_find(buf_view(&text), VIEW_LIT("{{")) == VIEW_NONE);
	ck_row(label, tag_cover_restore(&cover, buf_view(&text), &again) == ERR_OK);
	ck_assert_msg(view_eq(buf_view(&again), view_of(source)), "%s: got %s", label, buf_text(&again));
	tag_cover_done(&cover);
	tag_cover_done(&cover);
}

START_TEST(test_there_and_back)
	{
		static const struct {
			const char *label, *source;
			size_t count;
		} rows[] = {
			{ "none", "a {b} }} c", 0 },
			{ "empty", "", 0 },
			{ "one", "{{a}}", 1 },
			{ "side by side", "{{a}}{{b}}1{{c}}", 3 },
			{ "all kinds", "{{#a}}{{^b}}{{{c}}}{{&d|x}}{{/b}}{{! e }}{{/a}}", 7 },
			{ "ten and more", "{{a}}{{a}}{{a}}{{a}}{{a}}{{a}}{{a}}{{a}}{{a}}{{a}}{{b}}{{c}}", 12 },
			{ "over lines", "{{a|x\ny}}\n", 1 },
			{ "words of ours", "vpqaq0z vpqbq0z vpqaq{{a}}vpqcq", 1 },
			{ "digits behind", "{{a}}12z", 1 },
		};
		for (size_t i = 0; i < ARRAY_LEN(rows); i++)
			cover_and_restore(rows[i].label, rows[i].source, rows[i].count);
	}
END_TEST

/* What only looks like a word of ours is text. */
START_TEST(test_others)
	{
		static const char *const texts[] = { "vpqaq",
						     "vpqaqz",
						     "vpqaq2z",
						     "vpqaq0",
						     "vpqaq00000000000000000001z",
						     "vpqaq99999999999999999999999999z",
						     "vpqaq-1z",
						     "vpqaqvpqaq" };
		struct tag_cover cover;
		ck_assert(tag_cover_open(&cover, VIEW_LIT("{{a}}{{#b}}")) == ERR_OK);
		for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
			struct covered covered;
			size_t cursor = 0;
			ck_row(texts[i], !tag_cover_next(&cover, view_of(texts[i]), &cursor, &covered));
		}
		ck_assert(!tag_cover_is_section(&cover, 0) && tag_cover_is_section(&cover, 1));
		ck_view_eq(tag_cover_text(&cover, 1), "{{#b}}");
		tag_cover_done(&cover);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { test_there_and_back, test_others };
	return suite_of("tag_cover", tests, ARRAY_LEN(tests));
}
