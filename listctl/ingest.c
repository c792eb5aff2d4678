#include "listctl/ingest.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "listctl/keys.h"
#include "listctl/own_rules.h"
#include "listctl/safe_text.h"
#include "listctl/terms.h"
#include "listctl/storm_warning.h"
#include "mail/intake.h"
#include "mail/token.h"
#include "mail/verp.h"
#include "store/instance.h"
#include "store/relay_tests.h"

enum { PORTION = 64 };

/* A message with its report; the event borrows from both. */
struct item {
	struct buf message;
	struct report *report;
};

struct ingest {
	struct call *call;
	struct classifier *classifier;
	struct intake *intake;
	struct token_maker *maker;
	struct item items[PORTION];
	struct bounce_event events[PORTION];
	size_t count;
	struct ingest_counts counts;
};

/* The keys of this database: another one's tokens mean other people. */
static enum err load_keys(struct call *call, struct keyring *ret_keyring)
{
	struct instance instance;
	enum err err = settings_require(call->settings, "bounce.domain", call->settings_path, call->why);
	if (err == ERR_OK)
		err = instance_read(call->db, &instance, call->why);
	if (err == ERR_OK)
		err = keys_load(call->settings, call->settings_path, ret_keyring, call->why);
	if (err != ERR_OK || strcmp(ret_keyring->instance, instance.id) == 0)
		return err;
	call_refuse(call, ERR_REFUSED, "%s belongs to the database instance %s, and this one is %s",
		    call->settings->keys_file, ret_keyring->instance, instance.id);
	keyring_wipe(ret_keyring);
	return ERR_REFUSED;
}

enum err ingest_new(struct call *call, struct ingest **ret_ingest)
{
	struct keyring keyring;
	enum err err = load_keys(call, &keyring);
	if (err != ERR_OK)
		return err;
	struct ingest *ingest = calloc(1, sizeof(*ingest));
	if (ingest == NULL) {
		keyring_wipe(&keyring);
		return call_refuse(call, ERR_MEMORY, "there is no memory left");
	}
	ingest->call = call;
	err = token_maker_new(&keyring, view_of(call->settings->bounce_domain), &ingest->maker);
	keyring_wipe(&keyring);
	if (err == ERR_OK)
		err = own_rules_load(call, own_rules_path(call), &ingest->classifier);
	if (err == ERR_OK)
		err = intake_new(ingest->classifier, &ingest->intake);
	if (err != ERR_OK) {
		ingest_done(ingest);
		return call->why->len > 0 ? err : call_refuse(call, err, "cannot prepare the reading of messages");
	}
	*ret_ingest = ingest;
	return ERR_OK;
}

static void forget_items(struct ingest *ingest)
{
	for (size_t i = 0; i < ingest->count; i++) {
		report_done(ingest->items[i].report);
		buf_done(&ingest->items[i].message);
	}
	ingest->count = 0;
}

void ingest_done(struct ingest *ingest)
{
	if (ingest == NULL)
		return;
	forget_items(ingest);
	intake_done(ingest->intake);
	classifier_done(ingest->classifier);
	token_maker_done(ingest->maker);
	free(ingest);
}

/* ---- whom it is about ---- */

static bool check_token(const struct ingest *ingest, struct view text, struct token *ret_token)
{
	static const enum token_purpose purposes[] = { TOKEN_RETURN_PATH, TOKEN_MESSAGE };
	const struct settings *settings = ingest->call->settings;
	struct view inner;
	if (verp_split(text, view_of(settings->bounce_prefix), view_of(settings->bounce_domain), &inner))
		text = inner;
	else
		text = view_head(text, view_find_byte(text, '@'));
	unsigned life_days = (unsigned)(settings->bounce_inside_life / CLOCK_US_PER_DAY);
	uint16_t today = clock_day(clock_wall_us());
	for (size_t i = 0; i < ARRAY_LEN(purposes); i++) {
		if (token_check(ingest->maker, purposes[i], text, today, life_days, ret_token) == TOKEN_VALID)
			return true;
	}
	return false;
}

/* A return path among the words of a header value. */
static bool find_in_value(const struct ingest *ingest, struct view value, struct token *ret_token)
{
	size_t start = 0;
	for (size_t i = 0; i <= value.len; i++) {
		if (i < value.len && strchr(" \t,;:<>()\"", value.data[i]) == NULL)
			continue;
		struct view word = view_slice(value, start, i);
		start = i + 1;
		if (view_find_byte(word, '@') != VIEW_NONE && check_token(ingest, word, ret_token))
			return true;
	}
	return false;
}

/* The headers in which a mailbox keeps the address that the message came to; folded lines belong to the one before. */
static bool find_in_head(const struct ingest *ingest, struct view message, struct token *ret_token)
{
	static const char *const names[] = { "Delivered-To:", "X-Original-To:", "Envelope-To:", "X-Envelope-To:",
					     "To:" };
	struct view head = view_head(message, LIMIT_INTAKE_HEAD), line;
	bool wanted = false;
	while (view_cut_line(&head, &line) && line.len > 0) {
		bool folded = line.data[0] == ' ' || line.data[0] == '\t';
		wanted = wanted && folded;
		for (size_t i = 0; !folded && i < ARRAY_LEN(names); i++)
			wanted = wanted || view_starts_nocase(line, view_of(names[i]));
		if (wanted && find_in_value(ingest, line, ret_token))
			return true;
	}
	return false;
}

static bool may_be_about_another(const struct report *report)
{
	enum bounce_kind kind = report_finding(report)->kind;
	return kind == KIND_HARD || kind == KIND_SOFT || kind == KIND_DELAY || kind == KIND_COMPLAINT;
}

/* A report that holds the message token of another copy and nothing of the address's own: whoever has been sent an answer to that copy
 * can write it. bounced believes it of bounced.report_networks; who brought this one is not known. */
static bool is_about_another(const struct ingest *ingest, const struct report *report, const struct token *address)
{
	bool found = false;
	for (size_t i = 0; may_be_about_another(report) && i < report_token_count(report); i++) {
		struct token token;
		if (!check_token(ingest, report_token(report, i), &token))
			continue;
		if (token.scope_id == address->scope_id && token.subscriber_id == address->subscriber_id)
			return false;
		found = found || token.purpose == TOKEN_MESSAGE;
	}
	return found;
}

enum whom { WHOM_ONE, WHOM_NOBODY, WHOM_ANOTHER, WHOM_COUNT };

static const char *const whom_texts[] = {
	[WHOM_ONE] = "",
	[WHOM_NOBODY] = "no valid token in it, so nobody can be found",
	[WHOM_ANOTHER] = "it came to the return path of one copy and tells of another copy, so it counts for nobody",
};
static_assert(ARRAY_LEN(whom_texts) == WHOM_COUNT, "one text a case");

/* What the envelope said comes first; what the report holds inside is second. */
static enum whom find_token(const struct ingest *ingest, struct view message, const struct report *report,
			    struct token *ret_token)
{
	if (find_in_head(ingest, message, ret_token))
		return is_about_another(ingest, report, ret_token) ? WHOM_ANOTHER : WHOM_ONE;
	for (size_t i = 0; i < report_token_count(report); i++) {
		if (check_token(ingest, report_token(report, i), ret_token))
			return WHOM_ONE;
	}
	return WHOM_NOBODY;
}

/* ---- storing ---- */

static void add_tally(struct bounces_tally *sum, const struct bounces_tally *tally)
{
	sum->stored += tally->stored;
	sum->orphans += tally->orphans;
	sum->waiting += tally->waiting;
	sum->complaints += tally->complaints;
	sum->disabled += tally->disabled;
}

static enum err commit_portion(struct ingest *ingest)
{
	struct call *call = ingest->call;
	const struct verdict_terms terms = terms_of(call->settings);
	struct bounces_tally tally = { 0 };
	if (ingest->count == 0)
		return ERR_OK;
	enum err err = db_begin(call->db, call->why);
	if (err != ERR_OK)
		return call_refuse(call, err, "the database does not answer");
	err = bounces_append(call->db, ingest->events, ingest->count, &terms, &tally, call->why);
	if (err == ERR_OK)
		err = db_commit(call->db, call->why);
	if (err != ERR_OK) {
		db_rollback(call->db);
		return err;
	}
	add_tally(&ingest->counts.tally, &tally);
	forget_items(ingest);
	return ERR_OK;
}

static enum err keep(struct ingest *ingest, struct item *item, const struct token *token)
{
	const struct report *report = item->report;
	struct bounce_event *event = &ingest->events[ingest->count];
	*event = (struct bounce_event){
		.campaign_id = token->scope_id,
		.subscriber_id = token->subscriber_id,
		.source = BOUNCE_FROM_INGEST,
		.received_us = clock_wall_us(),
		.finding = *report_finding(report),
		.diagnostic = report_diagnostic(report),
		.reporting_mta = report_reporting_mta(report),
		.message = buf_view(&item->message),
	};
	if (report_recipient_count(report) > 0)
		event->recipient = report_recipient(report, 0);
	enum err err = intake_hash(event->message, event->report_hash);
	if (err != ERR_OK)
		return err;
	ingest->items[ingest->count++] = *item;
	*item = (struct item){ 0 };
	ingest->counts.events++;
	return ingest->count == PORTION ? commit_portion(ingest) : ERR_OK;
}

static void tell_nobody(struct ingest *ingest, const char *name, enum whom whom)
{
	AUTO_BUF subject = buf_with_ceiling(LIMIT_WHY);
	struct view text = view_of(name);
	ingest->counts.no_token++;
	safe_text_add(text, &subject);
	call_warn(ingest->call, "%s: %s", buf_text(&subject), whom_texts[whom]);
}

static enum err sort(struct ingest *ingest, const char *name, struct item *item)
{
	struct token token;
	enum bounce_kind kind = report_finding(item->report)->kind;
	enum whom whom = find_token(ingest, buf_view(&item->message), item->report, &token);
	if (whom != WHOM_ONE) {
		tell_nobody(ingest, name, whom);
		return ERR_OK;
	}
	/* What is about a test of a relay is about no recipient. */
	if (kind == KIND_NOT_BOUNCE || token.scope_id == RELAY_TESTS_CAMPAIGN) {
		ingest->counts.no_report++;
		return ERR_OK;
	}
	return keep(ingest, item, &token);
}

enum err ingest_take(struct ingest *ingest, const char *name, struct view message)
{
	struct item item = { .message = buf_with_ceiling(LIMIT_MESSAGE) };
	ingest->counts.messages++;
	enum err err = buf_add(&item.message, message);
	if (err == ERR_OK)
		err = intake_read(ingest->intake, buf_view(&item.message), &item.report);
	if (err == ERR_OK)
		err = sort(ingest, name, &item);
	else
		buf_addf(ingest->call->why, "cannot read %s: %s", name, err_name(err));
	report_done(item.report);
	buf_done(&item.message);
	return err;
}

enum err ingest_end(struct ingest *ingest, struct ingest_counts *ret_counts)
{
	enum err err = commit_portion(ingest);
	if (err == ERR_OK)
		err = storm_warning_look(ingest->call);
	if (err == ERR_OK)
		err = storm_warning_write(ingest->call);
	if (err == ERR_OK)
		*ret_counts = ingest->counts;
	return err;
}
