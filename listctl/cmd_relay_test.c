#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "listctl/test_wait.h"
#include "store/audit.h"
#include "store/relay_tests.h"
#include "store/relays.h"

enum { TESTED_MOST = 100 };

static const struct output_column columns[] = {
	{ .name = "relay" },
	{ .name = "result" },
	{ .name = "passes", .type = OUTPUT_BOOL },
	{ .name = "mail_from" },
	{ .name = "message_kept", .type = OUTPUT_BOOL },
	{ .name = "changed" },
	{ .name = "asked_at", .type = OUTPUT_TIME },
	{ .name = "back_at", .type = OUTPUT_TIME },
	{ .name = "detail", .wraps = true },
};

static struct relay_tests_terms terms_of_tests(const struct call *call)
{
	return (struct relay_tests_terms){ .report_addresses = view_of(call->settings->bounced_report_addresses) };
}

static void show_row(struct call *call, const struct relay_test *test)
{
	AUTO_BUF detail = buf_with_ceiling(LIMIT_WHY);
	bool is_back = test->back_us != 0;
	struct view sender = is_back && test->mail_from.len == 0 ? VIEW_LIT("<>") : test->mail_from;
	relay_test_tell(test, &detail);
	output_row(call->out, (struct output_cell[]){
				  cell_text(test->relay),
				  cell_text(view_of(relay_test_result(test))),
				  cell_bool(test->passes),
				  is_back ? cell_text(sender) : cell_null(),
				  is_back ? cell_bool(test->message_kept) : cell_null(),
				  is_back ? cell_text(test->changed) : cell_null(),
				  cell_time(test->asked_us),
				  cell_time_or_null(test->back_us),
				  cell_text(buf_view(&detail)),
			      });
}

static enum err show(struct call *call, const struct db_rows *rows)
{
	output_begin(call->out, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < db_row_count(rows); i++) {
		struct relay_test test;
		relay_tests_get(rows, i, &test);
		show_row(call, &test);
	}
	return output_end(call->out, call->why);
}

/* ---- asking ---- */

static enum err refuse_name(struct call *call, const char *name, const struct db_rows *relays)
{
	call_refuse(call, ERR_NOT_FOUND, "there is no relay \"%s\" in use; there are:", name);
	for (size_t i = 0; i < db_row_count(relays); i++) {
		struct view there = db_get_text(relays, i, 0);
		buf_addf(call->why, i == 0 ? " " VIEW_FMT : ", " VIEW_FMT, VIEW_ARG(there));
	}
	return ERR_NOT_FOUND;
}

/* In use, or a row that is disabled: it may be tested before it is enabled. */
static enum err check_name(struct call *call, const char *name, const struct db_rows *relays)
{
	AUTO_DB_ROWS *rows = NULL;
	AUTO_BUF cause = buf_with_ceiling(LIMIT_WHY);
	for (size_t i = 0; i < db_row_count(relays); i++) {
		if (view_eq(db_get_text(relays, i, 0), view_of(name)))
			return ERR_OK;
	}
	enum err err = relays_list(call->db, view_of(name), &rows, &cause);
	if (err == ERR_NOT_FOUND)
		return refuse_name(call, name, relays);
	if (err != ERR_OK)
		buf_add(call->why, buf_view(&cause));
	return err;
}

static enum err ask(struct call *call, struct view relay, int64_t patience_us, int64_t *ret_id)
{
	const struct relay_test_wish wish = { .relay = relay,
					      .actor = view_of(call->actor),
					      .patience_us = patience_us };
	AUTO_BUF subject = buf_with_ceiling(LIMIT_WHY);
	enum err err = relay_tests_ask(call->db, &wish, ret_id, call->why);
	buf_addf(&subject, "relay:" VIEW_FMT, VIEW_ARG(relay));
	return err != ERR_OK
		   ? err
		   : audit_append(call->db, wish.actor, "relay.test", buf_view(&subject), VIEW_LIT(""), call->why);
}

/* The operands, or all relays in use. */
static enum err ask_all(struct call *call, int64_t patience_us, int64_t ids[TESTED_MOST], size_t *ret_count)
{
	AUTO_DB_ROWS *relays = NULL;
	enum err err = relay_tests_relays(call->db, &relays, call->why);
	if (err != ERR_OK)
		return err;
	for (size_t i = 0; err == ERR_OK && i < call->operand_count; i++)
		err = check_name(call, call->operands[i], relays);
	if (err != ERR_OK)
		return err;
	size_t count = call->operand_count > 0 ? call->operand_count : db_row_count(relays);
	if (count > TESTED_MOST)
		return call_refuse(call, ERR_REFUSED, "%zu relays are too many for one test; name up to %d", count,
				   TESTED_MOST);
	for (size_t i = 0; err == ERR_OK && i < count; i++) {
		struct view name = call->operand_count > 0 ? view_of(call->operands[i]) : db_get_text(relays, i, 0);
		err = ask(call, name, patience_us, &ids[i]);
	}
	*ret_count = count;
	return err;
}

/* ---- waiting ---- */

static bool all_over(const struct db_rows *rows, bool *ret_any_unseen)
{
	bool over = true;
	for (size_t i = 0; i < db_row_count(rows); i++) {
		struct relay_test test;
		relay_tests_get(rows, i, &test);
		over = over && relay_test_is_over(test.state);
		*ret_any_unseen = *ret_any_unseen || test.state == RELAY_TEST_ASKED;
	}
	return over;
}

static enum err find(struct call *call, const int64_t *ids, size_t count, struct db_rows **ret_rows)
{
	const struct relay_tests_terms terms = terms_of_tests(call);
	return relay_tests_find(call->db, ids, count, &terms, ret_rows, call->why);
}

static const struct test_wait waiting = { find, all_over };

static enum err judge(struct call *call, const struct db_rows *rows)
{
	for (size_t i = 0; i < db_row_count(rows); i++) {
		struct relay_test test;
		relay_tests_get(rows, i, &test);
		if (test.passes)
			continue;
		call_refuse(call, ERR_REFUSED, "return path of relay " VIEW_FMT ": ", VIEW_ARG(test.relay));
		relay_test_tell(&test, call->why);
		return ERR_REFUSED;
	}
	return ERR_OK;
}

static enum err test_relays(struct call *call)
{
	int64_t patience_us, ids[TESTED_MOST] = { 0 };
	size_t count = 0;
	AUTO_DB_ROWS *rows = NULL;
	enum err err = test_wait_patience(call, &patience_us);
	if (err == ERR_OK)
		err = ask_all(call, patience_us, ids, &count);
	if (err == ERR_OK)
		err = test_wait_for(call, &waiting, ids, count, &rows);
	if (err == ERR_OK)
		err = show(call, rows);
	return err == ERR_OK ? judge(call, rows) : err;
}

static enum err show_tests(struct call *call)
{
	const struct relay_tests_terms terms = terms_of_tests(call);
	AUTO_DB_ROWS *rows = NULL;
	enum err err = relay_tests_newest(call->db, &terms, &rows, call->why);
	return err == ERR_OK ? show(call, rows) : err;
}

static const struct command_option test_options[] = {
	{ "timeout", "TIME", "how long to wait for the message to be back (relay.test_timeout)" },
	{ NULL, NULL, NULL },
};

const struct command relay_test_commands[] = {
	{
	    .noun = "relay",
	    .verb = "test",
	    .operands = "[RELAY...]",
	    .help = "test whether relays leave the return path and the message as they are",
	    .details =
		"sender hands a small message to each relay (all in use, without a name: `default` is that of\n"
		"the settings; a disabled one when it is named), from and to a signed return path of its own,\n"
		"and bounced tells how it came back. kept: as it was sent. rewritten: with another sender, so\n"
		"that bounces go there; it passes when that is one of bounced.report_addresses, where the\n"
		"recipient is found by the Message-ID or ENVID. modified: the relay changed the body or a field\n"
		"that DKIM signatures cover (`changed` names what), and does not pass; fields that it adds of\n"
		"its own, and another folding, are no change. bounced: a report came instead. refused: by the\n"
		"relay, or it could not be used. late: not back in time. Exit 1 unless all pass. Both daemons\n"
		"must run. At most thirty tests of a relay within an hour.\n",
	    .options = test_options,
	    .most = TESTED_MOST,
	    .needs = NEEDS_DATABASE,
	    .run = test_relays,
	},
	{
	    .noun = "relay",
	    .verb = "tests",
	    .operands = "",
	    .help = "show what the last test of each relay found",
	    .details = "Older tests are deleted when their return paths accept no mail any more (bounce.token_life).\n",
	    .needs = NEEDS_DATABASE,
	    .run = show_tests,
	},
	{ 0 },
};
