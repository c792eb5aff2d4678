#include "sender/login.h"

#include "tests/support/unit.h"

#define SECOND CLOCK_US_PER_SECOND

enum { STEPS_MOST = 12 };

/* What happens to it, and what is to be seen then. */
struct step {
	enum what {
		END,
		LOOK_ONE,   /* the file is as at first */
		LOOK_OTHER, /* or another one */
		MAY,        /* a connection is wanted: at = seconds */
		MAY_NOT,
		ALONE, /* ... and no other beside it */
		TOGETHER,
		BEGIN,
		ASKS,
		ASKS_NOT,
		YES,     /* the database's answers */
		KNOWN,   /* yes, it is taken elsewhere */
		NO,      /* at = for so many seconds */
		RECHECK, /* something changed elsewhere */
		LET_IN,
		REFUSED,       /* with a password */
		TOKEN_REFUSED, /* with a token that a command gave */
		OTHER_REFUSED, /* not the connection that was begun alone */
		LOST,
		WORKS, /* at = seconds: one that was let in has brought somebody to an end */
		TELLS_NOTHING,
		TELLS_TAKEN,
		TELLS_REFUSED,
		TELLS_VOID
	} what;
	int64_t at;
};

static void end(const char *label, struct login *login, enum login_end how, bool is_trial, bool is_token,
		int64_t now_us)
{
	bool is_final = login_end(login, how, is_trial, is_token, now_us);
	ck_assert_msg(is_final == (login->news == LOGIN_NEWS_REFUSED), "%s: refused for good", label);
}

static void take(struct login *login, enum login_news news, const char *label, size_t at)
{
	ck_assert_msg(login->news == news, "%s: step %zu: news %d", label, at, (int)login->news);
	login->news = LOGIN_NO_NEWS;
}

static void play(const char *label, struct login *login, const struct step *step, size_t at, int64_t *now_us)
{
	switch (step->what) {
	case LOOK_ONE:
		login_look(login, VIEW_LIT("one"));
		break;
	case LOOK_OTHER:
		login_look(login, VIEW_LIT("other"));
		break;
	case MAY:
	case MAY_NOT:
		*now_us = step->at * SECOND;
		ck_assert_msg(login_may(login, *now_us) == (step->what == MAY), "%s: step %zu", label, at);
		break;
	case ALONE:
	case TOGETHER:
		ck_assert_msg(login_is_single(login) == (step->what == ALONE), "%s: step %zu", label, at);
		break;
	case BEGIN:
		login_begin(login);
		break;
	case ASKS:
	case ASKS_NOT:
		ck_assert_msg(login_asks(login) == (step->what == ASKS), "%s: step %zu", label, at);
		break;
	case YES:
	case KNOWN:
		login_answer(login, step->what == KNOWN, 0, *now_us);
		break;
	case NO:
		login_answer(login, false, step->at * SECOND, *now_us);
		break;
	case RECHECK:
		login_recheck(login);
		break;
	case LET_IN:
		end(label, login, LOGIN_LET_IN, true, false, *now_us);
		break;
	case REFUSED:
		end(label, login, LOGIN_REFUSED, true, false, *now_us);
		break;
	case TOKEN_REFUSED:
		end(label, login, LOGIN_REFUSED, true, true, *now_us);
		break;
	case OTHER_REFUSED:
		end(label, login, LOGIN_REFUSED, false, false, *now_us);
		break;
	case LOST:
		end(label, login, LOGIN_LOST, true, false, *now_us);
		break;
	case WORKS:
		login_works(login, step->at * SECOND);
		break;
	case TELLS_NOTHING:
		take(login, LOGIN_NO_NEWS, label, at);
		break;
	case TELLS_TAKEN:
		take(login, LOGIN_NEWS_TAKEN, label, at);
		break;
	case TELLS_REFUSED:
		take(login, LOGIN_NEWS_REFUSED, label, at);
		break;
	case TELLS_VOID:
		take(login, LOGIN_NEWS_VOID, label, at);
		break;
	case END:
		break;
	}
}

#define GRANTED                                                                                                        \
	{ LOOK_ONE, 0 }, { MAY_NOT, 0 }, { ASKS, 0 }, { YES, 0 },                                                      \
	{                                                                                                              \
		MAY, 0                                                                                                 \
	}

START_TEST(who_may_log_in)
	{
		static const struct row {
			const char *label;
			bool is_free;
			struct step steps[STEPS_MOST];
		} rows[] = {
			{ "nobody asks while nobody waits", false, { { LOOK_ONE, 0 }, { ASKS_NOT, 0 } } },
			{ "the first alone, then all",
			  false,
			  { GRANTED,
			    { ALONE, 0 },
			    { BEGIN, 0 },
			    { MAY_NOT, 0 },
			    { LET_IN, 0 },
			    { MAY, 0 },
			    { TOGETHER, 0 } } },
			{ "what was new is told", false, { GRANTED, { BEGIN, 0 }, { LET_IN, 0 }, { TELLS_TAKEN, 0 } } },
			{ "what is known is tried alone too, and not told",
			  false,
			  { { MAY_NOT, 0 },
			    { KNOWN, 0 },
			    { ALONE, 0 },
			    { BEGIN, 0 },
			    { LET_IN, 0 },
			    { TELLS_NOTHING, 0 } } },
			{ "refused: not for an hour",
			  false,
			  { GRANTED,
			    { BEGIN, 0 },
			    { REFUSED, 0 },
			    { TELLS_REFUSED, 0 },
			    { MAY_NOT, 3599 },
			    { ASKS_NOT, 0 },
			    { MAY_NOT, 3600 } } },
			{ "and then by the database's leave",
			  false,
			  { { MAY_NOT, 0 },
			    { NO, 60 },
			    { MAY_NOT, 59 },
			    { ASKS_NOT, 0 },
			    { MAY_NOT, 60 },
			    { ASKS, 0 },
			    { YES, 0 },
			    { MAY, 60 } } },
			{ "another file: at once",
			  false,
			  { GRANTED,
			    { BEGIN, 0 },
			    { REFUSED, 0 },
			    { TELLS_REFUSED, 0 },
			    { LOOK_OTHER, 0 },
			    { MAY_NOT, 1 },
			    { ASKS, 0 } } },
			{ "the same file: no",
			  false,
			  { GRANTED,
			    { BEGIN, 0 },
			    { REFUSED, 0 },
			    { TELLS_REFUSED, 0 },
			    { LOOK_ONE, 0 },
			    { MAY_NOT, 1 },
			    { ASKS_NOT, 0 } } },
			{ "somebody says so: it is asked at once",
			  false,
			  { { MAY_NOT, 0 }, { NO, 3600 }, { RECHECK, 0 }, { MAY_NOT, 1 }, { ASKS, 0 } } },
			{ "what was refused is told before anything else",
			  false,
			  { GRANTED,
			    { BEGIN, 0 },
			    { REFUSED, 0 },
			    { LOOK_OTHER, 0 },
			    { RECHECK, 0 },
			    { MAY_NOT, 1 },
			    { ASKS_NOT, 0 } } },
			{ "a token: once more, and then no more",
			  false,
			  { GRANTED,
			    { BEGIN, 0 },
			    { TOKEN_REFUSED, 0 },
			    { TELLS_NOTHING, 0 },
			    { MAY, 0 },
			    { BEGIN, 0 },
			    { TOKEN_REFUSED, 0 } } },
			{ "a token that runs out again has a second one again",
			  true,
			  { { BEGIN, 0 },
			    { TOKEN_REFUSED, 0 },
			    { BEGIN, 0 },
			    { LET_IN, 0 },
			    { TELLS_TAKEN, 0 },
			    { TOKEN_REFUSED, 0 },
			    { TELLS_NOTHING, 0 },
			    { MAY, 0 } } },
			{ "lost before it was known: asked again",
			  false,
			  { GRANTED, { BEGIN, 0 }, { LOST, 0 }, { TELLS_VOID, 0 }, { MAY_NOT, 0 }, { ASKS, 0 } } },
			{ "leave that was not taken is over",
			  false,
			  { GRANTED, { MAY, 29 }, { MAY_NOT, 30 }, { ASKS, 0 } } },
			{ "refused while it is in use: the first one counts",
			  true,
			  { { BEGIN, 0 },
			    { LET_IN, 0 },
			    { TELLS_TAKEN, 0 },
			    { OTHER_REFUSED, 0 },
			    { TELLS_REFUSED, 0 },
			    { OTHER_REFUSED, 0 },
			    { TELLS_NOTHING, 0 },
			    { MAY_NOT, 0 } } },
			{ "one from before while another is tried: says nothing",
			  false,
			  { GRANTED,
			    { BEGIN, 0 },
			    { OTHER_REFUSED, 0 },
			    { TELLS_NOTHING, 0 },
			    { LET_IN, 0 },
			    { MAY, 0 } } },
			{ "refused elsewhere while it is in use",
			  true,
			  { { BEGIN, 0 },
			    { LET_IN, 0 },
			    { TELLS_TAKEN, 0 },
			    { RECHECK, 0 },
			    { MAY, 0 },
			    { ASKS, 0 },
			    { NO, 100 },
			    { MAY_NOT, 99 } } },
			{ "not refused elsewhere: it stays in use",
			  true,
			  { { BEGIN, 0 },
			    { LET_IN, 0 },
			    { TELLS_TAKEN, 0 },
			    { RECHECK, 0 },
			    { KNOWN, 0 },
			    { ASKS_NOT, 0 },
			    { MAY, 0 },
			    { TOGETHER, 0 } } },
			{ "in use: all at once while somebody is let in",
			  true,
			  { { BEGIN, 0 },
			    { LET_IN, 0 },
			    { MAY, 9 },
			    { TOGETHER, 0 },
			    { WORKS, 9 },
			    { MAY, 18 },
			    { TOGETHER, 0 } } },
			{ "after a lull alone, then all",
			  true,
			  { { BEGIN, 0 },
			    { LET_IN, 0 },
			    { TELLS_TAKEN, 0 },
			    { MAY, 10 },
			    { ALONE, 0 },
			    { BEGIN, 0 },
			    { MAY_NOT, 11 },
			    { LET_IN, 0 },
			    { TELLS_NOTHING, 0 },
			    { MAY, 12 },
			    { TOGETHER, 0 } } },
			{ "after a lull, refused elsewhere: asked first",
			  true,
			  { { BEGIN, 0 },
			    { LET_IN, 0 },
			    { TELLS_TAKEN, 0 },
			    { MAY, 10 },
			    { RECHECK, 0 },
			    { MAY_NOT, 10 },
			    { ASKS, 0 },
			    { NO, 100 },
			    { MAY_NOT, 99 } } },
			{ "a person asks: without the database", true, { { MAY, 7200 }, { ASKS_NOT, 0 } } },
		};
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct login login = login_new(rows[i].is_free);
			int64_t now_us = 0;
			for (size_t k = 0; k < STEPS_MOST && rows[i].steps[k].what != END; k++)
				play(rows[i].label, &login, &rows[i].steps[k], k, &now_us);
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { who_may_log_in };
	return suite_of("login", tests, ARRAY_LEN(tests));
}
