#include "store/campaigns.h"

#include <stdio.h>

#include "base/limits.h"
#include "tests/support/database.h"
#include "tests/support/unit.h"

static void run_sql(struct db *db, const char *sql)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	ck_assert_msg(db_run_script(db, view_of(sql), &why) == ERR_OK, "%s: %s", sql, buf_text(&why));
}

static const struct campaign_content content = { .subject = { .data = "s", .len = 1 },
						 .from_address = { .data = "a@b.test", .len = 8 },
						 .text_body = { .data = "t", .len = 1 },
						 .in_doubt = { .data = "hold", .len = 4 } };
#define NAME VIEW_LIT("c")
#define ACTOR VIEW_LIT("unit")

static void make_list(struct db *db)
{
	run_sql(
	    db,
	    "INSERT INTO list (name, title, list_id, from_address) VALUES ('news', 'News', 'n.b.test', 'a@b.test')");
}

static enum err create(struct db *db, struct view name)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	uint64_t id = 0;
	enum err err = campaigns_create(db, name, 1, &content, ACTOR, &id, &why);
	ck_assert((err == ERR_OK) == (id > 0));
	ck_assert((err == ERR_OK) == (why.len == 0));
	return err;
}

START_TEST(names_are_checked)
	{
		struct db *db = database_open();
		make_list(db);
		ck_assert(create(db, NAME) == ERR_OK);
		ck_assert(create(db, NAME) == ERR_EXISTS);
		const char *const bad[] = { "", "-c", "c-", "C", "c d", "c\n" };
		for (size_t i = 0; i < ARRAY_LEN(bad); i++)
			ck_row(bad[i], create(db, view_of(bad[i])) == ERR_REFUSED);
		db_close(db);
	}
END_TEST

/* ---- every step from every state ---- */

static const char *const set_state[] = {
	[CAMPAIGN_DRAFT] = "",
	[CAMPAIGN_SCHEDULED] = "UPDATE campaign SET state = 'scheduled', start_at = now() + interval '1 day'",
	[CAMPAIGN_RUNNING] = "UPDATE campaign SET state = 'running', started_at = now(), audience = 1",
	[CAMPAIGN_PAUSED] = "UPDATE campaign SET state = 'paused', started_at = now(), audience = 1, hold_reason = 'x'",
	[CAMPAIGN_CANCELED] = "UPDATE campaign SET state = 'canceled', ended_at = now()",
	[CAMPAIGN_FINISHED] =
	    "UPDATE campaign SET state = 'finished', started_at = now(), audience = 1, ended_at = now()",
};

enum step { EDIT, DELETE, SCHEDULE, UNSCHEDULE, START, PAUSE, RESUME, CANCEL, STEP_COUNT };

static enum err take_step(struct db *db, enum step step, struct buf *why)
{
	const struct campaign_time time = { .local = VIEW_LIT("2099-01-01 12:00:00"),
					    .zone = VIEW_LIT("UTC"),
					    .instant_us = INT64_C(4070952000000000) };
	switch (step) {
	case EDIT:
		return campaigns_edit(db, NAME, &content, ACTOR, why);
	case DELETE:
		return campaigns_delete(db, NAME, ACTOR, why);
	case SCHEDULE:
		return campaigns_schedule(db, NAME, &time, ACTOR, why);
	case UNSCHEDULE:
		return campaigns_schedule(db, NAME, &(struct campaign_time){ 0 }, ACTOR, why);
	case START:
		return campaigns_start(db, NAME, ACTOR, why);
	case PAUSE:
		return campaigns_pause(db, NAME, VIEW_LIT("because"), ACTOR, why);
	case RESUME:
		return campaigns_resume(db, NAME, ACTOR, why);
	case CANCEL:
		return campaigns_cancel(db, NAME, ACTOR, why);
	case STEP_COUNT:
		break;
	}
	return ERR_INVALID;
}

enum { REFUSED = CAMPAIGN_STATE_COUNT, GONE };

/* Where each step leads to. */
static const int leads[STEP_COUNT][CAMPAIGN_STATE_COUNT] = {
	/*              draft               scheduled           running            paused             canceled finished */
	[EDIT] = { CAMPAIGN_DRAFT, CAMPAIGN_SCHEDULED, REFUSED, REFUSED, REFUSED, REFUSED },
	[DELETE] = { GONE, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED },
	[SCHEDULE] = { CAMPAIGN_SCHEDULED, CAMPAIGN_SCHEDULED, REFUSED, REFUSED, REFUSED, REFUSED },
	[UNSCHEDULE] = { REFUSED, CAMPAIGN_DRAFT, REFUSED, REFUSED, REFUSED, REFUSED },
	[START] = { CAMPAIGN_SCHEDULED, CAMPAIGN_SCHEDULED, REFUSED, REFUSED, REFUSED, REFUSED },
	[PAUSE] = { REFUSED, REFUSED, CAMPAIGN_PAUSED, REFUSED, REFUSED, REFUSED },
	[RESUME] = { REFUSED, REFUSED, REFUSED, CAMPAIGN_RUNNING, REFUSED, REFUSED },
	[CANCEL] = { REFUSED, CAMPAIGN_CANCELED, CAMPAIGN_CANCELED, CAMPAIGN_CANCELED, REFUSED, REFUSED },
};

static int64_t audit_rows(struct db *db)
{
	static const struct db_statement count = { "unit_audit", "SELECT count(*) FROM audit WHERE actor = 'unit'" };
	AUTO_DB_ROWS *rows = NULL;
	ck_assert(db_run(db, &count, NULL, 0, &rows, NULL) == ERR_OK);
	return db_get_int(rows, 0, 0);
}

static int present_state(struct db *db)
{
	AUTO_DB_ROWS *rows = NULL;
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct campaign campaign;
	enum err err = campaigns_find(db, NAME, &campaign, &rows, &why);
	return err == ERR_NOT_FOUND ? (int)GONE : (int)campaign.state;
}

static void check_step(struct db *db, enum step step, enum campaign_state from)
{
	char label[64];
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	snprintf(label, sizeof(label), "step %d from %s", (int)step, campaign_state_name(from));
	run_sql(db, "DELETE FROM campaign");
	ck_assert(create(db, NAME) == ERR_OK);
	if (*set_state[from] != '\0')
		run_sql(db, set_state[from]);
	int64_t before = audit_rows(db);
	int to = leads[step][from];
	enum err err = take_step(db, step, &why);
	ck_assert_msg(err == (to == REFUSED ? ERR_REFUSED : ERR_OK), "%s: %s %s", label, err_name(err), buf_text(&why));
	ck_row(label, present_state(db) == (to == REFUSED ? (int)from : to));
	ck_row(label, audit_rows(db) == before + (to == REFUSED ? 0 : 1));
	if (to == REFUSED)
		ck_row(label, view_find(buf_view(&why), view_of(campaign_state_name(from))) != VIEW_NONE);
}

START_TEST(every_step_from_every_state)
	{
		struct db *db = database_open();
		make_list(db);
		for (size_t step = 0; step < STEP_COUNT; step++) {
			for (size_t from = 0; from < CAMPAIGN_STATE_COUNT; from++)
				check_step(db, (enum step)step, (enum campaign_state)from);
		}
		run_sql(db, "DELETE FROM campaign");
		for (size_t step = 0; step < STEP_COUNT; step++) {
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			ck_assert(take_step(db, (enum step)step, &why) == ERR_NOT_FOUND);
			ck_assert(why.len > 0);
		}
		db_close(db);
	}
END_TEST

START_TEST(local_times_are_of_places)
	{
		struct db *db = database_open();
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct campaign_local local = { 0 };
		const struct campaign_time time = { .local = VIEW_LIT("2024-01-10 18:00:00"),
						    .zone = VIEW_LIT("UTC"),
						    .local_attribute = VIEW_LIT("tz") };
		make_list(db);
		run_sql(
		    db,
		    "INSERT INTO subscriber (address, address_key, attributes) SELECT n || '@x.test', n || '@x.test',"
		    " jsonb_build_object('tz', v) FROM unnest(ARRAY['Europe/Berlin', 'utc', 'localtime', 'Factory',"
		    " 'posix/Europe/Berlin', 'posixrules', 'right/UTC', 'CEST']) WITH ORDINALITY AS a(v, n);"
		    "INSERT INTO membership (list_id, subscriber_id) SELECT 1, id FROM subscriber");
		ck_assert(create(db, NAME) == ERR_OK);
		ck_assert(campaigns_count_local(db, NAME, &time, &local, &why) == ERR_OK);
		ck_assert_int_eq(local.members, 8);
		ck_assert_int_eq(local.fallback, 6);
		db_close(db);
	}
END_TEST

START_TEST(states_have_names)
	{
		for (size_t i = 0; i < CAMPAIGN_STATE_COUNT; i++) {
			enum campaign_state state;
			ck_assert(
			    campaign_state_from_name(view_of(campaign_state_name((enum campaign_state)i)), &state));
			ck_assert(state == (enum campaign_state)i);
		}
		enum campaign_state state;
		ck_assert(!campaign_state_from_name(VIEW_LIT("dreaming"), &state));
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { names_are_checked, every_step_from_every_state, local_times_are_of_places,
				       states_have_names };
	return suite_of("campaigns", tests, database_start() ? ARRAY_LEN(tests) : 0);
}
