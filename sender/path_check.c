#include "sender/path_check.h"

#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "store/relay_tests.h"

bool path_check_is_on(const struct settings *settings)
{
	return strcmp(settings->relay_test_before_campaign, "no") != 0;
}

/* What is wrong, and what to do. */
static enum err explain(const struct relay_test *failed, struct buf *out)
{
	buf_addf(out, "return path of relay " VIEW_FMT ": ", VIEW_ARG(failed->relay));
	relay_test_tell(failed, out);
	return buf_addf(out,
			"; `listctl relay test " VIEW_FMT "` tests it again, `listctl campaign start` tests it and "
			"starts; relay.test_before_campaign = warn starts without",
			VIEW_ARG(failed->relay));
}

static enum err decide(const struct settings *settings, struct db *db, const struct relay_tests_due *due,
		       struct buf *why)
{
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	struct log_text room;
	if (due->all_pass)
		return relay_tests_clear(db, due->campaign_id, why);
	enum err err = explain(&due->failed, &reason);
	if (err != ERR_OK)
		return err;
	bool holds = strcmp(settings->relay_test_before_campaign, "require") == 0;
	log_event(LOG_WARNING, holds ? "campaign.held" : "relay.suspect", "id=%lld reason=%s",
		  (long long)due->campaign_id, log_quoted(buf_view(&reason), &room));
	return holds ? relay_tests_hold(db, due->campaign_id, buf_view(&reason), why)
		     : relay_tests_clear(db, due->campaign_id, why);
}

enum err path_check_due(const struct settings *settings, struct db *db, struct buf *why)
{
	const struct relay_tests_terms terms = { .report_addresses = view_of(settings->bounced_report_addresses) };
	enum err err = relay_tests_ask_for_due(db, settings->relay_test_timeout, &terms, why);
	while (err == ERR_OK) {
		struct relay_tests_due due;
		AUTO_DB_ROWS *rows = NULL;
		err = relay_tests_next_due(db, &terms, &due, &rows, why);
		if (err == ERR_OK)
			err = decide(settings, db, &due, why);
	}
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}
