#include "sender/hold.h"

#include "base/clock.h"
#include "base/view.h"
#include "tests/support/unit.h"

enum { LOOKS = 8 };

START_TEST(it_is_told_when_it_lasts)
	{
		static const struct row {
			const char *label;
			struct look {
				unsigned second; /* 0: no further look */
				bool lacks_room;
				unsigned begun;
				enum hold_news news;
			} looks[LOOKS];
		} rows[] = {
			{ "there is room", { { 1, false, 0, HOLD_NO_NEWS }, { 90, false, 0, HOLD_NO_NEWS } } },
			{ "not for long", { { 1, true, 5, HOLD_NO_NEWS }, { 10, true, 5, HOLD_NO_NEWS } } },
			{ "for long, once",
			  { { 1, true, 5, HOLD_NO_NEWS },
			    { 11, true, 5, HOLD_BEGINS },
			    { 12, true, 5, HOLD_NO_NEWS },
			    { 50, true, 5, HOLD_NO_NEWS },
			    { 51, false, 5, HOLD_ENDS },
			    { 52, false, 5, HOLD_NO_NEWS } } },
			{ "at its bound, but it goes on",
			  { { 1, true, 5, HOLD_NO_NEWS },
			    { 9, true, 6, HOLD_NO_NEWS },
			    { 17, true, 7, HOLD_NO_NEWS },
			    { 25, true, 8, HOLD_NO_NEWS } } },
			{ "it goes on after all, and stays again",
			  { { 1, true, 5, HOLD_NO_NEWS },
			    { 11, true, 5, HOLD_BEGINS },
			    { 12, true, 6, HOLD_ENDS },
			    { 21, true, 6, HOLD_NO_NEWS },
			    { 22, true, 6, HOLD_BEGINS } } },
			{ "room meanwhile",
			  { { 1, true, 5, HOLD_NO_NEWS },
			    { 9, false, 5, HOLD_NO_NEWS },
			    { 10, true, 5, HOLD_NO_NEWS },
			    { 19, true, 5, HOLD_NO_NEWS } } },
		};
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct hold hold = { 0 };
			for (size_t k = 0; k < LOOKS && rows[i].looks[k].second > 0; k++) {
				const struct look *look = &rows[i].looks[k];
				enum hold_news news =
				    hold_look(&hold, look->lacks_room, look->begun, look->second * CLOCK_US_PER_SECOND);
				ck_assert_msg(news == look->news, "%s: %u s", rows[i].label, look->second);
			}
		}
	}
END_TEST

START_TEST(people_are_told_what_to_do)
	{
		AUTO_BUF bound = buf_with_ceiling(512), full = buf_with_ceiling(512);
		hold_tell(17, &bound);
		hold_tell(0, &full);
		ck_assert(view_find(buf_view(&bound), VIEW_LIT("none of 17 messages")) != VIEW_NONE);
		ck_assert(view_find(buf_view(&bound), VIEW_LIT("raise journal.size")) != VIEW_NONE);
		ck_assert(view_find(buf_view(&full), VIEW_LIT("raise journal.size")) != VIEW_NONE);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { it_is_told_when_it_lasts, people_are_told_what_to_do };
	return suite_of("hold", tests, ARRAY_LEN(tests));
}
