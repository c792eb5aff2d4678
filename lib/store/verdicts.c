#include "store/verdicts.h"

#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "store/probe_letters.h"
#include "store/storm_sql.h"

enum statement { LOCK, HISTORY, DISABLE, STATEMENT_COUNT };

/* Of people $1; $2: only of those with a membership that can still be disabled, which is all that a verdict needs.
 *
 * When somebody was put back into a list (undo), the address's history begins anew: what was known before was decided on then, and
 * a late report about an older attempt does not undo the undo. Merely joining another list forgives nothing. When somebody got another address
 * (subscriber move), what was sent to the former one counts for nobody.
 *
 * Of attempts that the retention has dropped, what matters is kept (schema/053): their reports beside the others, by the view, and the last success.
 *
 * Each lookup is a LATERAL subquery behind OFFSET 0, so that the planner can only go through the index of one partition, whatever it
 * thinks of the numbers: a verdict never scans a ledger. What a storm holds counts as little as what was voided. Successes matter only after the oldest failure, so campaigns that
 * ended before it are passed over (a day of grace for a ledger row that came late). */
static const struct db_statement statements[] = {
	[LOCK] = { .name = "verdicts_lock",
		   .sql = "SELECT id FROM subscriber WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE" },
	[HISTORY] = { .name = "verdicts_history",
		      .sql =
			  "WITH failed AS MATERIALIZED ("
			  " SELECT e.subscriber_id, e.campaign_id, d.at, e.source, e.reason,"
			  "  " IS_UNCOUNTED(
			      "e") " AS voided, e.received_at,"
				   "  began.lists, began.active, began.any_own"
				   " FROM unnest($1::bigint[]) AS who(id)"
				   " CROSS JOIN LATERAL (SELECT array_agg(m.list_id ORDER BY m.list_id) AS lists,"
				   "  array_agg(m.list_id ORDER BY m.list_id) FILTER (WHERE m.state = 'active') AS "
				   "active,"
				   "  bool_or(EXISTS (SELECT FROM list_policy p WHERE p.list_id = m.list_id)"
				   "  OR EXISTS (SELECT FROM list_probe p WHERE p.list_id = m.list_id)) AS any_own,"
				   "  coalesce(max(m.since) FILTER (WHERE m.reason = 'undo' AND m.state = 'active'), "
				   "'-infinity')"
				   "  AS at FROM membership m WHERE m.subscriber_id = who.id OFFSET 0) AS began"
				   " CROSS JOIN LATERAL (SELECT p.address_key, p.address_since FROM subscriber p"
				   "  WHERE p.id = who.id OFFSET 0) AS s"
				   " CROSS JOIN LATERAL (SELECT * FROM reported b WHERE b.subscriber_id = who.id"
				   "  AND b.kind IN ('bounce-hard', 'bounce-soft') AND NOT b.orphan OFFSET 0) AS e"
				   " CROSS JOIN LATERAL (SELECT * FROM attempt_of(e.campaign_id, who.id, e.sent_at)"
				   "  OFFSET 0) AS d"
				   " WHERE d.outcome IN ('accepted', 'refused') AND d.at >= began.at AND (began.active "
				   "IS NOT "
				   "NULL"
				   " OR NOT $2)"
				   " AND NOT is_of_former_address(d.at, e.recipient, s.address_key, s.address_since)"
				   "), since AS MATERIALIZED ("
				   " SELECT subscriber_id, min(at) AS at FROM failed GROUP BY subscriber_id"
				   "), quiet AS ("
				   " SELECT DISTINCT s.subscriber_id, c.id AS campaign_id, d.at"
				   " FROM since s CROSS JOIN LATERAL (SELECT list_id FROM membership"
				   "  WHERE subscriber_id = s.subscriber_id OFFSET 0) AS m"
				   " CROSS JOIN LATERAL (SELECT id FROM campaign_sent WHERE list_id = m.list_id"
				   "  AND over_at >= s.at - interval '1 day' OFFSET 0) AS c"
				   " CROSS JOIN LATERAL (SELECT l.at, l.outcome FROM delivery l"
				   "  WHERE l.campaign_id = c.id AND l.subscriber_id = s.subscriber_id OFFSET 0) AS d"
				   " WHERE d.outcome = 'accepted' AND d.at >= s.at AND NOT EXISTS (SELECT FROM failed f"
				   "  WHERE f.subscriber_id = s.subscriber_id AND f.campaign_id = c.id)"
				   " UNION ALL SELECT p.subscriber_id, p.campaign_id, p.sent_at FROM since s"
				   " JOIN past_success p USING (subscriber_id) WHERE p.sent_at >= s.at)"
				   " SELECT subscriber_id, campaign_id, at, reason, source = 'reply', voided, "
				   "received_at,"
				   " lists, active, any_own FROM failed"
				   " UNION ALL SELECT subscriber_id, campaign_id, at, NULL, false, false, NULL, NULL, "
				   "NULL,"
				   " false FROM quiet"
				   " ORDER BY 1, 3, 2" },
	[DISABLE] = { .name = "verdicts_disable",
		      .sql = "UPDATE membership m SET state = 'disabled', reason = v.reason, since = $4,"
			     " campaign_id = v.campaign_id"
			     " FROM unnest($1::bigint[], $2::text[], $3::bigint[], $5::bigint[])"
			     " AS v(subscriber_id, reason, campaign_id, list_id) WHERE m.list_id = v.list_id"
			     " AND m.subscriber_id = v.subscriber_id AND m.state = 'active'" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

enum history_column {
	COL_SUBSCRIBER,
	COL_CAMPAIGN,
	COL_AT,
	COL_REASON,
	COL_IS_REPLY,
	COL_VOIDED,
	COL_RECEIVED,
	COL_LISTS,
	COL_ACTIVE,
	COL_ANY_OWN
};

struct verdict_sentences verdict_sentences(void)
{
	return (struct verdict_sentences){ .subscribers = db_array_of(DB_INT),
					   .lists = db_array_of(DB_INT),
					   .reasons = db_array_of(DB_TEXT),
					   .campaigns = db_array_of(DB_INT) };
}

void verdict_sentences_done(struct verdict_sentences *sentences)
{
	db_array_done(&sentences->subscribers);
	db_array_done(&sentences->lists);
	db_array_done(&sentences->reasons);
	db_array_done(&sentences->campaigns);
}

static void add_sentence(struct verdict_sentences *sentences, int64_t subscriber_id, const struct list_verdict *list)
{
	db_array_add_int(&sentences->subscribers, subscriber_id);
	db_array_add_int(&sentences->lists, list->list_id);
	db_array_add_bytes(&sentences->reasons, view_of(reason_name(list->verdict.reason)));
	db_array_add_int(&sentences->campaigns, (int64_t)list->verdict.campaign_id);
}

bool verdict_sentences_add(struct verdict_sentences *sentences, const struct verdict_history *history, bool only_active)
{
	size_t before = sentences->lists.count;
	for (size_t i = 0; i < history->list_count; i++) {
		const struct list_verdict *list = &history->lists[i];
		if (list->verdict.disable && (list->is_active || !only_active))
			add_sentence(sentences, history->subscriber_id, list);
	}
	return sentences->lists.count > before;
}

bool verdict_sentences_add_waiting(struct verdict_sentences *sentences, const struct verdict_history *history)
{
	size_t before = sentences->lists.count;
	for (size_t i = 0; i < history->list_count; i++) {
		const struct list_verdict *list = &history->lists[i];
		enum verdict_probe probe = list->verdict.probe;
		if (list->is_active && (probe == VERDICT_WANTS_PROBE || probe == VERDICT_AWAITS_PROBE))
			add_sentence(sentences, history->subscriber_id, list);
	}
	return sentences->lists.count > before;
}

enum err verdicts_ask_probes(struct db *db, const struct verdict_sentences *waiting, size_t *ret_asked, struct buf *why)
{
	const struct probe_wishes wishes = { &waiting->subscribers, &waiting->lists, &waiting->reasons,
					     &waiting->campaigns };
	*ret_asked = 0;
	return waiting->lists.count == 0 ? ERR_OK : probe_letters_ask(db, &wishes, ret_asked, why);
}

size_t verdict_sentences_count(const struct verdict_sentences *sentences)
{
	return sentences->lists.count;
}

/* Those to disable, of those who are judged. */
struct court {
	const int64_t *judged;
	size_t judged_count;
	struct verdict_sentences sentences, waiting;
};

static struct db_array id_array(const int64_t *ids, size_t count)
{
	struct db_array array = db_array_of(DB_INT);
	for (size_t i = 0; i < count; i++)
		db_array_add_int(&array, ids[i]);
	return array;
}

enum err verdicts_lock(struct db *db, const int64_t *subscriber_ids, size_t count, struct buf *why)
{
	if (count == 0)
		return ERR_OK;
	AUTO_DB_ARRAY ids = id_array(subscriber_ids, count);
	return db_run(db, &statements[LOCK], (struct db_value[]){ db_values(&ids) }, 1, NULL, why);
}

/* Fewer failures disable, or as many within fewer days; what never disables is the least grave. */
static bool is_graver(const struct policy *policy, enum bounce_reason a, enum bounce_reason b)
{
	struct policy_row one = policy->rows[a], other = policy->rows[b];
	if (one.failures == 0 || other.failures == 0)
		return one.failures > other.failures;
	if (one.failures != other.failures)
		return one.failures < other.failures;
	return one.days != other.days ? one.days < other.days : a < b;
}

/* Whether one event makes its attempt a failure. What does not count leaves the attempt undecided for good: the message did not
 * arrive, and that is not the address's fault. */
static bool event_counts(const struct db_rows *rows, size_t row, const struct verdict_terms *terms,
			 enum bounce_reason *ret_reason)
{
	enum bounce_reason reason;
	if (!reason_from_name(db_get_text(rows, row, COL_REASON), &reason))
		return false;
	*ret_reason = reason;
	if (db_get_bool(rows, row, COL_VOIDED) || reason_is_about_us(reason))
		return false;
	if (db_get_time(rows, row, COL_RECEIVED) - db_get_time(rows, row, COL_AT) > terms->life_us)
		return false;
	return !db_get_bool(rows, row, COL_IS_REPLY) || reason_counts_from_relay(reason);
}

static struct attempt attempt_of(const struct db_rows *rows, size_t row, const struct verdict_terms *terms)
{
	struct attempt attempt = { .at_us = db_get_time(rows, row, COL_AT),
				   .campaign_id = (uint64_t)db_get_int(rows, row, COL_CAMPAIGN) };
	if (!db_is_null(rows, row, COL_REASON))
		attempt.outcome = event_counts(rows, row, terms, &attempt.reason) ? ATTEMPT_FAILED : ATTEMPT_UNDECIDED;
	else if (attempt.at_us + terms->window_us <= terms->now_us)
		attempt.outcome = ATTEMPT_SUCCEEDED;
	return attempt;
}

/* Several reports about one attempt count once, by the gravest. */
static void merge(struct attempt *attempt, const struct attempt *other)
{
	if (other->outcome == ATTEMPT_FAILED &&
	    (attempt->outcome != ATTEMPT_FAILED || is_graver(&policy_default, other->reason, attempt->reason)))
		*attempt = *other;
}

/* Room for the person who is told. */
struct teller {
	const struct verdict_terms *terms;
	const struct policies *policies;
	struct attempt *attempts;
	struct list_verdict *lists;
	size_t list_room;
	const struct db_rows *probes; /* NULL: no list sends any */
	size_t probe;                 /* the next of them */
};

static void teller_done(struct teller *teller)
{
	free(teller->attempts);
	free(teller->lists);
}

/* The lists of which the row knows. */
static enum err read_lists(const struct db_rows *rows, size_t row, struct teller *teller,
			   struct verdict_history *history)
{
	if (history->list_count > 0 || db_is_null(rows, row, COL_LISTS))
		return ERR_OK;
	const struct db_ints lists = db_get_ints(rows, row, COL_LISTS);
	const struct db_ints active =
	    db_is_null(rows, row, COL_ACTIVE) ? (struct db_ints){ 0 } : db_get_ints(rows, row, COL_ACTIVE);
	if (lists.count > teller->list_room) {
		struct list_verdict *more = reallocarray(teller->lists, lists.count, sizeof(*more));
		if (more == NULL)
			return ERR_MEMORY;
		teller->lists = more;
		teller->list_room = lists.count;
	}
	size_t seen = 0;
	for (size_t i = 0; i < lists.count; i++) {
		int64_t list_id = db_int_at(&lists, i);
		bool is_active = seen < active.count && db_int_at(&active, seen) == list_id;
		seen += is_active;
		teller->lists[i] = (struct list_verdict){ .list_id = list_id, .is_active = is_active };
	}
	history->lists = teller->lists;
	history->list_count = lists.count;
	return ERR_OK;
}

/* Behind what is as old. */
static void insert(struct attempt *attempts, size_t count, const struct attempt *attempt)
{
	size_t at = count;
	for (; at > 0 && attempts[at - 1].at_us > attempt->at_us; at--)
		attempts[at] = attempts[at - 1];
	attempts[at] = *attempt;
}

static void add_probes(struct teller *teller, int64_t subscriber, size_t *count)
{
	for (; teller->probes != NULL && teller->probe < db_row_count(teller->probes); teller->probe++) {
		int64_t whose = probe_letters_person(teller->probes, teller->probe);
		if (whose > subscriber)
			break;
		const struct attempt probe = probe_letters_attempt(teller->probes, teller->probe);
		if (whose == subscriber)
			insert(teller->attempts, (*count)++, &probe);
	}
}

/* The subscriber whose rows begin at *row, which moves behind them; attempts oldest first. */
static enum err read_history(const struct db_rows *rows, size_t *row, struct teller *teller,
			     struct verdict_history *history)
{
	int64_t subscriber = db_get_int(rows, *row, COL_SUBSCRIBER);
	enum err err = ERR_OK;
	size_t count = 0;
	*history = (struct verdict_history){ .subscriber_id = subscriber, .attempts = teller->attempts };
	for (; *row < db_row_count(rows) && db_get_int(rows, *row, COL_SUBSCRIBER) == subscriber; (*row)++) {
		struct attempt attempt = attempt_of(rows, *row, teller->terms);
		if (err == ERR_OK)
			err = read_lists(rows, *row, teller, history);
		if (count > 0 && teller->attempts[count - 1].campaign_id == attempt.campaign_id)
			merge(&teller->attempts[count - 1], &attempt);
		else
			teller->attempts[count++] = attempt;
	}
	add_probes(teller, subscriber, &count);
	history->count = count;
	return err;
}

/* Of those that are active, if any are. */
static bool comes_before(const struct list_verdict *one, const struct list_verdict *other)
{
	if (one->is_active != other->is_active)
		return one->is_active;
	return verdict_is_nearer(&one->verdict, &other->verdict);
}

/* Each membership by its list's policy; those of one policy need it once. */
static void judge_lists(struct teller *teller, struct verdict_history *history)
{
	const struct policy *last = &policy_default;
	struct verdict verdict;
	while (history->count > 0 && history->attempts->at_us < teller->terms->since_us) {
		history->attempts++;
		history->count--;
	}
	policy_judge(last, history->attempts, history->count, &verdict);
	history->verdict = verdict;
	history->policy = last;
	const struct list_verdict *nearest = NULL;
	for (size_t i = 0; i < history->list_count; i++) {
		const struct policy *policy = policies_of(teller->policies, teller->lists[i].list_id);
		if (policy != last)
			policy_judge(policy, history->attempts, history->count, &verdict);
		last = policy;
		teller->lists[i].verdict = verdict;
		if (nearest == NULL || comes_before(&teller->lists[i], nearest)) {
			nearest = &teller->lists[i];
			history->policy = policy;
		}
	}
	if (nearest != NULL)
		history->verdict = nearest->verdict;
}

static bool any_own(const struct db_rows *rows)
{
	for (size_t row = 0; row < db_row_count(rows); row++)
		if (db_get_bool(rows, row, COL_ANY_OWN))
			return true;
	return false;
}

static enum err tell(const struct db_rows *rows, struct teller *teller,
		     void (*told)(void *user, const struct verdict_history *history), void *user)
{
	size_t total = db_row_count(rows);
	enum err err = ERR_OK;
	for (size_t row = 0; err == ERR_OK && row < total;) {
		struct verdict_history history;
		err = read_history(rows, &row, teller, &history);
		if (err != ERR_OK)
			return err;
		judge_lists(teller, &history);
		told(user, &history);
	}
	return err;
}

/* Of all people whose evidence this is. */
static enum err read_probes(struct db *db, const struct db_rows *rows, struct db_rows **ret_probes, struct buf *why)
{
	AUTO_DB_ARRAY people = db_array_of(DB_INT);
	for (size_t row = 0; row < db_row_count(rows); row++) {
		int64_t id = db_get_int(rows, row, COL_SUBSCRIBER);
		if (row == 0 || db_get_int(rows, row - 1, COL_SUBSCRIBER) != id)
			db_array_add_int(&people, id);
	}
	return probe_letters_history(db, &people, ret_probes, why);
}

static enum err tell_by(struct db *db, const struct db_rows *rows, struct teller *teller,
			void (*told)(void *user, const struct verdict_history *history), void *user, struct buf *why)
{
	AUTO_DB_ROWS *probes = NULL;
	enum err err = teller->policies->any_probes ? read_probes(db, rows, &probes, why) : ERR_OK;
	if (err != ERR_OK)
		return err;
	teller->probes = probes;
	size_t total = db_row_count(rows) + (probes == NULL ? 0 : db_row_count(probes));
	teller->attempts = calloc(total, sizeof(*teller->attempts));
	return teller->attempts == NULL ? ERR_MEMORY : tell(rows, teller, told, user);
}

enum err verdicts_tell(struct db *db, const struct db_rows *rows, const struct verdict_terms *terms,
		       void (*told)(void *user, const struct verdict_history *history), void *user, struct buf *why)
{
	if (db_row_count(rows) == 0)
		return ERR_OK;
	struct policies in_force = { 0 };
	enum err err = terms->policies == NULL && any_own(rows) ? policies_read(db, &in_force, why) : ERR_OK;
	struct teller teller = { .terms = terms, .policies = terms->policies == NULL ? &in_force : terms->policies };
	if (err == ERR_OK)
		err = tell_by(db, rows, &teller, told, user, why);
	teller_done(&teller);
	policies_done(&in_force);
	return err;
}

enum err verdicts_read(struct db *db, const int64_t *subscriber_ids, size_t count, const struct verdict_terms *terms,
		       void (*told)(void *user, const struct verdict_history *history), void *user, struct buf *why)
{
	if (count == 0)
		return ERR_OK;
	AUTO_DB_ROWS *rows = NULL;
	AUTO_DB_ARRAY ids = id_array(subscriber_ids, count);
	const struct db_value values[] = { db_values(&ids), db_bool(false) };
	enum err err = db_run(db, &statements[HISTORY], values, ARRAY_LEN(values), &rows, why);
	return err != ERR_OK ? err : verdicts_tell(db, rows, terms, told, user, why);
}

static bool is_among(const int64_t *ids, size_t count, int64_t id)
{
	for (size_t i = 0; i < count; i++)
		if (ids[i] == id)
			return true;
	return false;
}

static void pass_sentence(void *user, const struct verdict_history *history)
{
	struct court *court = user;
	if (history->verdict.failures == 0 || !is_among(court->judged, court->judged_count, history->subscriber_id))
		return;
	verdict_sentences_add(&court->sentences, history, true);
	verdict_sentences_add_waiting(&court->waiting, history);
}

enum err verdicts_disable(struct db *db, const struct verdict_sentences *sentences, int64_t now_us, struct buf *why)
{
	const struct db_value values[] = { db_values(&sentences->subscribers), db_values(&sentences->reasons),
					   db_values(&sentences->campaigns), db_time(now_us),
					   db_values(&sentences->lists) };
	return db_run_later(db, &statements[DISABLE], values, ARRAY_LEN(values), why);
}

enum err verdicts_gather(struct db *db, const struct db_call *lock, const int64_t *subscriber_ids, size_t count,
			 struct db_rows **ret_evidence, struct buf *why)
{
	AUTO_DB_ARRAY ids = id_array(subscriber_ids, count);
	const struct db_value values[] = { db_values(&ids), db_bool(true) };
	const struct db_call history = { .statement = &statements[HISTORY],
					 .values = values,
					 .count = ARRAY_LEN(values),
					 .ret_rows = ret_evidence };
	return db_run_both(db, lock, &history, why);
}

enum err verdicts_pass(struct db *db, const struct db_rows *evidence, const int64_t *subscriber_ids, size_t count,
		       const struct verdict_terms *terms, size_t *ret_disabled, struct buf *why)
{
	struct court court = { .judged = subscriber_ids,
			       .judged_count = count,
			       .sentences = verdict_sentences(),
			       .waiting = verdict_sentences() };
	size_t asked = 0;
	enum err err = verdicts_tell(db, evidence, terms, pass_sentence, &court, why);
	if (err == ERR_OK)
		err = verdicts_ask_probes(db, &court.waiting, &asked, why);
	if (err == ERR_OK && verdict_sentences_count(&court.sentences) > 0)
		err = verdicts_disable(db, &court.sentences, terms->now_us, why);
	if (err == ERR_OK)
		*ret_disabled = verdict_sentences_count(&court.sentences);
	verdict_sentences_done(&court.sentences);
	verdict_sentences_done(&court.waiting);
	return err;
}

enum err verdicts_judge(struct db *db, const int64_t *subscriber_ids, size_t count, const struct verdict_terms *terms,
			size_t *ret_disabled, struct buf *why)
{
	*ret_disabled = 0;
	if (count == 0)
		return ERR_OK;
	/* The lock is a statement of its own: the history is then read with a snapshot taken after it was granted. */
	AUTO_DB_ROWS *evidence = NULL;
	AUTO_DB_ARRAY ids = id_array(subscriber_ids, count);
	const struct db_value values[] = { db_values(&ids) };
	const struct db_call lock = { .statement = &statements[LOCK], .values = values, .count = 1 };
	enum err err = verdicts_gather(db, &lock, subscriber_ids, count, &evidence, why);
	return err == ERR_OK ? verdicts_pass(db, evidence, subscriber_ids, count, terms, ret_disabled, why) : err;
}
