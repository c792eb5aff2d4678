#include "listctl/campaign_verbs.h"

#include <assert.h>

#include "base/clock.h"
#include "base/limits.h"
#include "listctl/find_reader.h"
#include "listctl/test_wait.h"
#include "listctl/variants.h"
#include "mail/address.h"
#include "store/audit.h"
#include "store/campaign_tests.h"

static const struct output_column columns[] = {
	{ .name = "address" },
	{ .name = "copy_of" },
	{ .name = "relay" },
	{ .name = "result" },
	{ .name = "step" },
	{ .name = "code", .type = OUTPUT_INT },
	{ .name = "reply", .wraps = true },
	{ .name = "variant" },
	{ .name = "list" },
};

static const char *const results[] = {
	[CAMPAIGN_TEST_WAITS] = "waits",     [CAMPAIGN_TEST_ACCEPTED] = "accepted",
	[CAMPAIGN_TEST_REFUSED] = "refused", [CAMPAIGN_TEST_DOUBTFUL] = "doubtful",
	[CAMPAIGN_TEST_LATE] = "late",
};
static_assert(ARRAY_LEN(results) == CAMPAIGN_TEST_LATE + 1, "one word a state");

/* What the relay said; where nothing was heard, why. */
static struct view detail_of(const struct campaign_test *test)
{
	if (test->state != CAMPAIGN_TEST_LATE)
		return test->reply;
	return test->taken_us == 0 ? VIEW_LIT("no sender took it in time: is sender running?")
				   : VIEW_LIT("sender took it and had no answer of the relay in time");
}

static enum err show(struct call *call, const struct db_rows *rows)
{
	output_begin(call->out, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < db_row_count(rows); i++) {
		struct campaign_test test;
		char letter;
		campaign_tests_get(rows, i, &test);
		output_row(call->out, (struct output_cell[]){
					  cell_text(test.address),
					  cell_text(test.reader_address),
					  cell_text(test.relay),
					  cell_text(view_of(results[test.state])),
					  cell_text_or_null(test.step),
					  test.code == 0 ? cell_null() : cell_int(test.code),
					  cell_text_or_null(detail_of(&test)),
					  variants_cell(test.variant, &letter),
					  cell_text(test.list_name),
				      });
	}
	return output_end(call->out, call->why);
}

static enum err judge(struct call *call, const struct db_rows *rows)
{
	for (size_t i = 0; i < db_row_count(rows); i++) {
		struct campaign_test test;
		campaign_tests_get(rows, i, &test);
		if (test.state == CAMPAIGN_TEST_ACCEPTED)
			continue;
		struct view detail = detail_of(&test);
		call_refuse(call, ERR_REFUSED, "the copy to " VIEW_FMT " is %s: ", VIEW_ARG(test.address),
			    results[test.state]);
		if (test.code != 0)
			buf_addf(call->why, "%u ", test.code);
		buf_add(call->why, detail);
		return ERR_REFUSED;
	}
	return ERR_OK;
}

/* ---- asking ---- */

struct wish {
	struct campaign campaign;
	struct reader reader;
	int64_t patience_us;
	unsigned first, last; /* variants; 0: the campaign has none */
};

enum { TESTS_MOST = CAMPAIGN_TEST_MOST * VARIANTS_MOST };

/* All variants, or the one that is named. */
static enum err find_variants(struct call *call, struct wish *wish)
{
	struct campaign_variants variants;
	enum err err = campaign_variants_read(call->db, wish->campaign.id, &variants, call->why);
	if (err == ERR_OK)
		err = variants_option(call, &variants, &wish->first);
	wish->last = wish->first;
	if (err == ERR_OK && wish->first == 0 && variants.count > 0) {
		wish->first = 1;
		wish->last = (unsigned)variants.count;
	}
	campaign_variants_done(&variants);
	return err;
}

static enum err ask(struct call *call, const struct wish *wish, const char *text, unsigned variant, int64_t *ret_id)
{
	AUTO_BUF address = buf_with_ceiling(LIMIT_ADDRESS);
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	enum err err = address_parse(view_of(text), &address, &reason);
	if (err != ERR_OK)
		return call_refuse(call, err, "%s: %s", text, buf_text(&reason));
	const struct campaign_test_wish asked = {
		.campaign_id = wish->campaign.id,
		.subscriber_id = wish->reader.id,
		.list_id = wish->reader.list_id,
		.address = buf_view(&address),
		.relay = view_of(call_option(call, "relay")),
		.actor = call_actor(call),
		.is_plain = call_has(call, "plain"),
		.variant = variant,
		.patience_us = wish->patience_us,
	};
	return campaign_tests_ask(call->db, &asked, ret_id, call->why);
}

static enum err audit(struct call *call, const struct wish *wish)
{
	AUTO_BUF subject = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF detail = buf_with_ceiling(LIMIT_OUTPUT_LINE);
	buf_addf(&subject, "campaign:" VIEW_FMT, VIEW_ARG(wish->campaign.name));
	buf_add(&detail, VIEW_LIT("{\"copy_of\":"));
	output_json_string(&detail, wish->reader.address);
	for (size_t i = 1; i < call->operand_count; i++) {
		buf_add(&detail, i == 1 ? VIEW_LIT(",\"to\":[") : VIEW_LIT(","));
		output_json_string(&detail, view_of(call->operands[i]));
	}
	buf_add(&detail, VIEW_LIT("]}"));
	return audit_append(call->db, call_actor(call), "campaign.test", buf_view(&subject), buf_view(&detail),
			    call->why);
}

/* All or none. */
static enum err ask_all(struct call *call, const struct wish *wish, int64_t ids[TESTS_MOST], size_t *ret_count)
{
	enum err err = db_begin(call->db, call->why);
	if (err != ERR_OK)
		return err;
	size_t count = 0;
	for (size_t i = 1; i < call->operand_count; i++) {
		for (unsigned variant = wish->first; err == ERR_OK && variant <= wish->last; variant++)
			err = ask(call, wish, call->operands[i], variant, &ids[count++]);
	}
	*ret_count = count;
	if (err == ERR_OK)
		err = audit(call, wish);
	if (err == ERR_OK)
		return db_commit(call->db, call->why);
	db_rollback(call->db);
	return err;
}

/* ---- waiting ---- */

static bool all_over(const struct db_rows *rows, bool *ret_any_unseen)
{
	bool over = true;
	for (size_t i = 0; i < db_row_count(rows); i++) {
		struct campaign_test test;
		campaign_tests_get(rows, i, &test);
		over = over && test.state != CAMPAIGN_TEST_WAITS;
		*ret_any_unseen = *ret_any_unseen || test.taken_us == 0;
	}
	return over;
}

static enum err find(struct call *call, const int64_t *ids, size_t count, struct db_rows **ret_rows)
{
	return campaign_tests_find(call->db, ids, count, ret_rows, call->why);
}

static const struct test_wait waiting = { find, all_over };

static enum err find_reader_of(struct call *call, struct wish *wish, struct db_rows **ret_rows)
{
	struct audience audience;
	enum err err = audience_load(call->db, wish->campaign.id, wish->campaign.list_id, wish->campaign.audience >= 0,
				     &audience, call->why);
	if (err != ERR_OK)
		return err;
	err = find_reader(call, &audience, call_option(call, "as"), &wish->reader, ret_rows);
	audience_done(&audience);
	return err;
}

enum err campaign_test(struct call *call)
{
	AUTO_DB_ROWS *campaign_rows = NULL;
	AUTO_DB_ROWS *reader_rows = NULL;
	AUTO_DB_ROWS *rows = NULL;
	int64_t ids[TESTS_MOST] = { 0 };
	size_t count = 0;
	struct wish wish = { 0 };
	enum err err = test_wait_patience(call, &wish.patience_us);
	if (err == ERR_OK)
		err = campaign_named(call, &wish.campaign, &campaign_rows);
	if (err == ERR_OK)
		err = campaign_check_letter(call, &wish.campaign);
	if (err == ERR_OK)
		err = find_variants(call, &wish);
	if (err == ERR_OK)
		err = find_reader_of(call, &wish, &reader_rows);
	if (err == ERR_OK)
		err = ask_all(call, &wish, ids, &count);
	if (err == ERR_OK)
		err = test_wait_for(call, &waiting, ids, count, &rows);
	if (err == ERR_OK)
		err = show(call, rows);
	return err == ERR_OK ? judge(call, rows) : err;
}
