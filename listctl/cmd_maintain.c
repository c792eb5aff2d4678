#include <assert.h>

#include "base/clock.h"
#include "base/limits.h"
#include "listctl/alerts.h"
#include "listctl/command.h"
#include "listctl/waiting.h"
#include "store/audit.h"
#include "store/retentions.h"

/* What is done in one run. The kinds of a campaign's ledger come first. */
enum line { LINE_UNATTRIBUTED = RETENTION_KINDS, LINE_OLD_MESSAGES, LINE_COUNT };

struct maintenance {
	struct call *call;
	bool is_dry;
	struct freed freed[LINE_COUNT];
	int64_t campaigns, blocks;
	int64_t messages_before_us, events_before_us, ledger_before_us; /* 0: kept for good */
};

static void add(struct freed *sum, struct freed more)
{
	sum->rows += more.rows;
	sum->octets += more.octets;
}

/* ---- how long ---- */

/* A report that may still be accepted has to find its ledger row, and a success has to be one. */
static enum err check_ledger_time(struct call *call)
{
	const struct settings *settings = call->settings;
	int64_t sent = settings->sender_expire + settings->bounce_window;
	const struct {
		const char *name;
		int64_t us;
	} least[] = { { "bounce.inside_life", settings->bounce_inside_life },
		      { "bounce.token_life", settings->bounce_token_life },
		      { "sender.expire and bounce.window together", sent } };
	for (size_t i = 0; settings->retention_ledger > 0 && i < ARRAY_LEN(least); i++)
		if (settings->retention_ledger < least[i].us)
			return call_refuse(
			    call, ERR_REFUSED,
			    "retention.ledger is shorter than %s (%lld days): a report that still counts "
			    "would not find what it is about. Make it longer, or that one shorter, in %s",
			    least[i].name, (long long)(least[i].us / CLOCK_US_PER_DAY), call->settings_path);
	return ERR_OK;
}

static int64_t before(int64_t now_us, int64_t kept_us)
{
	return kept_us == 0 ? 0 : now_us - kept_us;
}

/* ---- rows by their age ---- */

typedef enum err freeing(struct db *db, int64_t before_us, bool dry, struct freed *ret_freed, struct buf *why);

/* In portions, each a transaction of its own. */
static enum err free_old(struct maintenance *self, freeing *drop, int64_t before_us, enum line line)
{
	enum err err = ERR_OK;
	struct freed portion = { .rows = before_us == 0 ? 0 : 1 };
	while (err == ERR_OK && portion.rows > 0) {
		err = drop(self->call->db, before_us, self->is_dry, &portion, self->call->why);
		if (err == ERR_OK)
			add(&self->freed[line], portion);
		if (self->is_dry)
			break;
	}
	return err;
}

/* ---- ledgers ---- */

static void tell_step(const struct maintenance *self, const struct retention_step *step, int64_t rows)
{
	AUTO_BUF ended = buf_with_ceiling(LIMIT_WHY);
	output_time(&ended, step->ended_us);
	call_note(self->call, "%s %s " VIEW_FMT ", ended %s: %lld rows%s", self->is_dry ? "would drop" : "dropped",
		  step->is_block ? "the block of campaigns" : "campaign", VIEW_ARG(step->names), buf_text(&ended),
		  (long long)rows, step->is_block ? ", the whole table" : "");
}

static enum err take_step(struct maintenance *self, const struct retention_step *step)
{
	struct freed freed[RETENTION_KINDS];
	struct call *call = self->call;
	enum err err = self->is_dry ? retentions_weigh(call->db, step, freed, call->why)
				    : retentions_drop(call->db, step, self->ledger_before_us, freed, call->why);
	if (err == ERR_EXISTS) /* another one has done it meanwhile, and tells of it */
		return ERR_OK;
	if (err != ERR_OK)
		return err;
	int64_t rows = 0;
	for (size_t kind = 0; kind < RETENTION_KINDS; kind++) {
		add(&self->freed[kind], freed[kind]);
		rows += freed[kind].rows;
	}
	self->campaigns += step->campaign_count;
	self->blocks += step->is_block;
	tell_step(self, step, rows);
	return ERR_OK;
}

/* One step that cannot be taken now keeps none of the others from being taken; *ret_refused says so. */
static enum err drop_ledgers(struct maintenance *self, bool *ret_refused)
{
	AUTO_DB_ROWS *rows = NULL;
	struct waiting waiting;
	struct call *call = self->call;
	enum err err =
	    self->ledger_before_us == 0 ? ERR_OK : retentions_due(call->db, self->ledger_before_us, &rows, call->why);
	if (err != ERR_OK || rows == NULL)
		return err;
	for (size_t i = 0; err == ERR_OK && i < db_row_count(rows); i++) {
		struct retention_step step;
		retention_step_at(rows, i, &step);
		waiting_begin(call, "dropping old ledgers", &waiting);
		err = take_step(self, &step);
		waiting_end(&waiting);
		if (err != ERR_REFUSED)
			continue;
		call_warn(call, "%s", buf_text(call->why));
		*ret_refused = true;
		err = ERR_OK;
	}
	return err;
}

/* ---- telling ---- */

static const struct output_column columns[] = {
	{ "what", OUTPUT_TEXT, false },  { "older_than", OUTPUT_TIME, false }, { "campaigns", OUTPUT_INT, false },
	{ "blocks", OUTPUT_INT, false }, { "rows", OUTPUT_INT, false },        { "octets", OUTPUT_INT, false },
};

static enum err write_freed(const struct maintenance *self)
{
	const struct {
		const char *what;
		enum line line;
		int64_t before_us;
		bool of_campaigns;
	} lines[] = {
		{ "messages", LINE_OLD_MESSAGES, self->messages_before_us, false },
		{ "unattributed events", LINE_UNATTRIBUTED, self->events_before_us, false },
		{ "ledger", (enum line)RETENTION_LEDGER, self->ledger_before_us, true },
		{ "events", (enum line)RETENTION_EVENTS, self->ledger_before_us, true },
		{ "messages of these", (enum line)RETENTION_MESSAGES, self->ledger_before_us, true },
		{ "audiences", (enum line)RETENTION_AUDIENCES, self->ledger_before_us, true },
	};
	static_assert(ARRAY_LEN(lines) == LINE_COUNT, "a line for each");
	struct output *out = self->call->out;
	output_begin(out, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		output_row(out, (struct output_cell[]){ cell_text(view_of(lines[i].what)),
							cell_time_or_null(lines[i].before_us),
							lines[i].of_campaigns ? cell_int(self->campaigns) : cell_null(),
							lines[i].of_campaigns ? cell_int(self->blocks) : cell_null(),
							cell_int(self->freed[lines[i].line].rows),
							cell_int(self->freed[lines[i].line].octets) });
	return output_end(out, self->call->why);
}

static enum err keep_account(const struct maintenance *self)
{
	struct freed sum = { 0 };
	AUTO_BUF detail = buf_with_ceiling(LIMIT_WHY);
	for (size_t i = 0; i < LINE_COUNT; i++)
		add(&sum, self->freed[i]);
	if (self->is_dry || (sum.rows == 0 && self->campaigns == 0))
		return ERR_OK;
	buf_addf(&detail, "{\"campaigns\": %lld, \"rows\": %lld, \"octets\": %lld}", (long long)self->campaigns,
		 (long long)sum.rows, (long long)sum.octets);
	return audit_append(self->call->db, view_of(self->call->actor), "maintain", VIEW_LIT("retention"),
			    buf_view(&detail), self->call->why);
}

static enum err maintain(struct call *call)
{
	const struct settings *settings = call->settings;
	int64_t now_us = clock_wall_us();
	bool refused = false;
	size_t told = 0;
	struct maintenance self = { .call = call,
				    .is_dry = call_has(call, "dry-run"),
				    .messages_before_us = now_us - settings->bounce_keep_raw,
				    .events_before_us = before(now_us, settings->retention_events),
				    .ledger_before_us = before(now_us, settings->retention_ledger) };
	enum err err = check_ledger_time(call);
	if (err == ERR_OK)
		err = free_old(&self, retentions_drop_messages, self.messages_before_us, LINE_OLD_MESSAGES);
	if (err == ERR_OK)
		err = free_old(&self, retentions_drop_unattributed, self.events_before_us, LINE_UNATTRIBUTED);
	if (err == ERR_OK)
		err = drop_ledgers(&self, &refused);
	if (err == ERR_OK)
		err = keep_account(&self);
	if (err == ERR_OK)
		err = write_freed(&self);
	if (err == ERR_OK && self.is_dry)
		call_note(call, "a dry run: nothing was changed");
	if (err == ERR_OK && !self.is_dry)
		err = alerts_send(call, &told);
	return err == ERR_OK && refused ? ERR_REFUSED : err;
}

static const struct command_option options[] = {
	{ "dry-run", NULL, "show what would go, and change nothing" },
	{ 0 },
};

const struct command maintain_commands[] = {
	{
	    .verb = "maintain",
	    .operands = "",
	    .help = "drop what is older than it is to be kept, and show what that freed",
	    .details = "Drops returned messages (bounce.keep_raw), events about no campaign (retention.events)\n"
		       "and the ledgers of campaigns that ended long ago (retention.ledger), with the events\n"
		       "about them and their frozen audiences. Of those stays: the sums of each campaign, and of\n"
		       "each person the failures and the success that verdicts follow from, so that nobody is\n"
		       "judged otherwise afterwards. A campaign whose retries or reports may still come, or that\n"
		       "a segment asks about, is left. It acts at once, for a timer to run it: --dry-run shows\n"
		       "what would go. Interrupted, it has done each campaign wholly or not at all.\n"
		       "Then it does what `listctl alert send` does.\n",
	    .options = options,
	    .needs = NEEDS_DATABASE,
	    .run = maintain,
	},
	{ 0 },
};
