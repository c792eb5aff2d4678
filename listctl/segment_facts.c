#include "listctl/segment_facts.h"

#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "listctl/jsonpath.h"
#include "listctl/name_list.h"
#include "listctl/past_time.h"
#include "listctl/waiting.h"
#include "mail/merge_names.h"
#include "mail/reason.h"
#include "store/lists.h"

enum { FIELDS_MOST = 1000, UNKNOWN_MOST = 20, DAYS_MOST = 36500 };

/* ---- the predicate ---- */

static enum err refuse_predicate(struct call *call, struct view text, const struct jsonpath_slip *slip)
{
	buf_addf(call->why, "the predicate cannot be read: ");
	jsonpath_explain(text, slip, call->why);
	return ERR_INVALID;
}

/* The server does not say where: the first text, number or regular expression that it refuses alone is the place. */
static enum err place_refusal(struct call *call, struct view text, struct view whole_cause)
{
	struct jsonpath_slip slip;
	struct view question;
	size_t at = 0;
	while (jsonpath_part(text, &at, &slip, &question)) {
		AUTO_BUF cause = buf_with_ceiling(LIMIT_WHY);
		enum err err = segments_judge_part(call->db, question, &cause);
		if (err == ERR_OK)
			continue;
		if (err == ERR_UNAVAILABLE)
			return call_refuse(call, err, "%s", buf_text(&cause));
		slip.what = buf_text(&cause);
		slip.remedy = "correct what is marked";
		return refuse_predicate(call, text, &slip);
	}
	return call_refuse(call, ERR_INVALID, "the predicate cannot be read: " VIEW_FMT, VIEW_ARG(whole_cause));
}

static enum err check_predicate(struct call *call, struct view text)
{
	struct jsonpath_slip slip;
	bool is_predicate;
	AUTO_BUF cause = buf_with_ceiling(LIMIT_WHY);
	if (!view_is_utf8(text))
		return call_refuse(call, ERR_INVALID, "the predicate is not UTF-8");
	if (!jsonpath_check(text, &slip))
		return refuse_predicate(call, text, &slip);
	enum err err = segments_judge(call->db, text, &is_predicate, &cause);
	if (err == ERR_UNAVAILABLE)
		return call_refuse(call, err, "%s", buf_text(&cause));
	if (err != ERR_OK)
		return place_refusal(call, text, buf_view(&cause));
	if (is_predicate)
		return ERR_OK;
	slip = (struct jsonpath_slip){ .at = text.len,
				       .what = "this is a value, neither true nor false",
				       .remedy = "compare it, as in $.country == \"ID\", or ask exists($.country)" };
	return refuse_predicate(call, text, &slip);
}

enum err segment_facts_check(struct call *call)
{
	const char *text = call_option(call, "where");
	return text == NULL || text[0] == '\0' ? ERR_OK : check_predicate(call, view_of(text));
}

/* Kept before all that can fail was refused. */
static enum err check_kept(struct call *call, struct view text)
{
	struct jsonpath_slip slip;
	if (text.len == 0 || jsonpath_check(text, &slip))
		return ERR_OK;
	enum err err = refuse_predicate(call, text, &slip);
	buf_addf(call->why, "\nthe segment was made with it by an earlier release; give another one with --where");
	return err;
}

static enum err read_predicate(struct call *call, struct segment *segment)
{
	if (!call_has(call, "where"))
		return check_kept(call, segment->predicate);
	segment->predicate = view_of(call_option(call, "where"));
	return ERR_OK;
}

/* Those of the predicate's fields that the first people do not have. Each once; *ret_names borrows from the predicate. */
static size_t find_unknown(struct view predicate, const struct merge_names *known, struct db_array *ret_names)
{
	struct view field, found[UNKNOWN_MOST];
	size_t at = 0, count = 0;
	while (count < UNKNOWN_MOST && jsonpath_field(predicate, &at, &field)) {
		bool is_known = merge_names_know(known, field);
		for (size_t i = 0; !is_known && i < count; i++)
			is_known = view_eq(found[i], field);
		if (is_known)
			continue;
		db_array_add_bytes(ret_names, field);
		found[count++] = field;
	}
	return count;
}

static void warn_of_field(struct call *call, const struct merge_names *known, struct view field)
{
	static const char *const apart[] = { "email", "name" };
	AUTO_BUF nearest = buf_with_ceiling(LIMIT_WHY);
	merge_names_suggest(known, field, &nearest);
	for (size_t i = 0; i < ARRAY_LEN(apart); i++) {
		if (view_eq_nocase(field, view_of(apart[i]))) {
			buf_reset(&nearest);
			buf_addf(&nearest,
				 "a subscriber's address and name are no attributes: a predicate does not see them");
		}
	}
	call_warn(call, "none of the subscribers has an attribute " VIEW_FMT "; %s", VIEW_ARG(field),
		  buf_text(&nearest));
}

/* Who has attributes that the first people do not have may stand anywhere: everybody is asked before anything is said. */
static enum err warn_of_unused(struct call *call, const struct merge_names *known, const struct db_array *names)
{
	AUTO_DB_ROWS *rows = NULL;
	struct waiting waiting;
	waiting_begin(call, "looking for attributes that the predicate names", &waiting);
	enum err err = segments_unused_fields(call->db, names, &rows, call->why);
	waiting_end(&waiting);
	for (size_t i = 0; err == ERR_OK && i < db_row_count(rows); i++)
		warn_of_field(call, known, db_get_text(rows, i, 0));
	return err;
}

enum err segment_facts_warn(struct call *call, struct view predicate)
{
	AUTO_DB_ROWS *rows = NULL;
	AUTO_DB_ARRAY unknown = db_array_of(DB_TEXT);
	struct view names[FIELDS_MOST];
	enum err err = segments_known_fields(call->db, &rows, call->why);
	if (err != ERR_OK)
		return err;
	struct merge_names known = { .names = names, .count = db_row_count(rows) };
	if (known.count == 0 || known.count > FIELDS_MOST)
		return ERR_OK;
	for (size_t i = 0; i < known.count; i++)
		names[i] = db_get_text(rows, i, 0);
	if (find_unknown(predicate, &known, &unknown) == 0)
		return ERR_OK;
	return warn_of_unused(call, &known, &unknown);
}

/* ---- times ---- */

static enum err days_of(struct call *call, const char *option, int64_t span_us, int64_t *ret_days)
{
	int64_t days = span_us / CLOCK_US_PER_DAY;
	if (days < 1 || days > DAYS_MOST || span_us % CLOCK_US_PER_DAY != 0)
		return call_misused(call, "--%s takes whole days, from 1d to %dd", option, DAYS_MOST);
	*ret_days = days;
	return ERR_OK;
}

/* A day or an age, each of which has a place of its own; one takes the other's away. */
static enum err read_joined(struct call *call, const char *option, int64_t *day_us, int64_t *days)
{
	const char *text = call_option(call, option);
	int64_t at_us, span_us;
	if (text == NULL)
		return ERR_OK;
	*day_us = *days = 0;
	if (text[0] == '\0')
		return ERR_OK;
	if (!past_time_read(view_of(text), &at_us, &span_us))
		return call_misused(call, "--%s takes a day such as 2026-01-31 or an age such as 90d, not %s", option,
				    text);
	*day_us = at_us;
	return at_us > 0 ? ERR_OK : days_of(call, option, span_us, days);
}

static enum err read_days(struct call *call, const char *option, int64_t *days)
{
	const char *text = call_option(call, option);
	int64_t at_us, span_us;
	if (text == NULL)
		return ERR_OK;
	*days = 0;
	if (text[0] == '\0')
		return ERR_OK;
	if (!past_time_read(view_of(text), &at_us, &span_us) || at_us > 0)
		return call_misused(call, "--%s takes an age such as 90d, not %s", option, text);
	return days_of(call, option, span_us, days);
}

/* ---- names ---- */

typedef enum err look_up(struct call *call, struct view name);

static enum err find_reason(struct call *call, struct view name)
{
	enum bounce_reason reason;
	if (reason_from_name(name, &reason))
		return ERR_OK;
	return call_misused(call, "there is no reason " VIEW_FMT "; `listctl policy show` lists them", VIEW_ARG(name));
}

static enum err find_list(struct call *call, struct view name)
{
	AUTO_DB_ROWS *rows = NULL;
	struct list list;
	return lists_find(call->db, name, &rows, &list, call->why);
}

/* The names, each looked up, parted by commas alone. */
static enum err read_names(struct call *call, const char *option, look_up *find, struct buf *texts, struct view *names)
{
	const char *text = call_option(call, option);
	if (text == NULL)
		return ERR_OK;
	*names = VIEW_LIT("");
	if (text[0] == '\0')
		return ERR_OK;
	size_t start = texts->len;
	struct view rest = view_of(text), name;
	enum err err = name_list_check(call, option, rest);
	while (err == ERR_OK && name_list_cut(&rest, &name)) {
		err = find(call, name);
		if (texts->len > start)
			buf_add_byte(texts, ',');
		buf_add(texts, name);
	}
	*names = view_skip(buf_view(texts), start);
	return err == ERR_OK ? buf_err(texts) : err;
}

static bool has_fact(const struct segment *segment)
{
	return segment->predicate.len > 0 || segment->joined_before_us != 0 || segment->joined_after_us != 0 ||
	       segment->joined_days_most != 0 || segment->joined_days_least != 0 || segment->accepted_days != 0 ||
	       segment->silent_days != 0 || segment->bounced_reasons.len > 0 || segment->member_of.len > 0 ||
	       segment->not_member_of.len > 0;
}

/* texts keeps its place: the views into it stay good. */
static enum err reserve(struct call *call, struct buf *texts)
{
	static const char *const options[] = { "bounced", "member-of", "not-member-of" };
	size_t room = 1;
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		room += call_has(call, options[i]) ? strlen(call_option(call, options[i])) + 1 : 0;
	return buf_room(texts, room) == NULL ? buf_err(texts) : ERR_OK;
}

enum err segment_facts_read(struct call *call, struct segment *segment, struct buf *texts)
{
	enum err err = reserve(call, texts);
	if (err == ERR_OK)
		err = read_predicate(call, segment);
	if (err == ERR_OK)
		err = read_joined(call, "joined-before", &segment->joined_before_us, &segment->joined_days_least);
	if (err == ERR_OK)
		err = read_joined(call, "joined-after", &segment->joined_after_us, &segment->joined_days_most);
	if (err == ERR_OK)
		err = read_days(call, "accepted-within", &segment->accepted_days);
	if (err == ERR_OK)
		err = read_days(call, "not-accepted-within", &segment->silent_days);
	if (err == ERR_OK)
		err = read_names(call, "bounced", find_reason, texts, &segment->bounced_reasons);
	if (err == ERR_OK)
		err = read_days(call, "bounced-within", &segment->bounced_days);
	if (err == ERR_OK)
		err = read_names(call, "member-of", find_list, texts, &segment->member_of);
	if (err == ERR_OK)
		err = read_names(call, "not-member-of", find_list, texts, &segment->not_member_of);
	if (err != ERR_OK)
		return err;
	if (call_has(call, "about"))
		segment->about = view_of(call_option(call, "about"));
	if (!view_is_utf8(segment->about) || view_has_control(segment->about))
		return call_misused(call, "--about holds a control character");
	if (segment->bounced_days > 0 && segment->bounced_reasons.len == 0)
		return call_misused(call, "--bounced-within needs --bounced: within that time, for which reasons?");
	if (!has_fact(segment))
		return call_misused(
		    call, "a segment needs something that holds for its people, as --where '$.country == \"ID\"' says");
	return ERR_OK;
}
