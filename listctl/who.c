#include "listctl/who.h"

#include "base/limits.h"
#include "listctl/erased.h"
#include "listctl/former.h"
#include "mail/address.h"
#include "mail/address_canonical.h"
#include "store/address_rules.h"
#include "store/audit.h"
#include "store/suppressions.h"

enum err spelt_read(const char *text, struct spelt *ret_spelt, struct buf *why)
{
	*ret_spelt = (struct spelt){ .address = buf_with_ceiling(LIMIT_ADDRESS),
				     .key = buf_with_ceiling(LIMIT_ADDRESS_TEXT),
				     .canonical = buf_with_ceiling(LIMIT_ADDRESS_TEXT) };
	enum err err = address_parse(view_of(text), &ret_spelt->address, why);
	if (err == ERR_OK)
		err = address_key(buf_view(&ret_spelt->address), &ret_spelt->key);
	if (err == ERR_OK && !address_canonical(buf_view(&ret_spelt->key), &ret_spelt->canonical))
		buf_reset(&ret_spelt->canonical);
	return err;
}

void spelt_done(struct spelt *spelt)
{
	buf_done(&spelt->address);
	buf_done(&spelt->key);
	buf_done(&spelt->canonical);
}

enum err spelt_judge(struct call *call, const struct spelt *spelt)
{
	struct address_judge *judge = NULL;
	struct address_finding findings[ADDRESS_RULE_KIND_COUNT];
	struct view key = buf_view(&spelt->key);
	enum err err = address_rules_load(call->db, &judge, call->why);
	if (err != ERR_OK)
		return err;
	size_t count = address_judge_ask(judge, key, findings);
	bool is_refused = address_findings_refuse(findings, count);
	for (size_t i = 0; i < count; i++) {
		AUTO_BUF text = buf_with_ceiling(LIMIT_WHY);
		address_finding_text(&findings[i], key, &text);
		if (!is_refused)
			call_warn(call, "%s", buf_text(&text));
		else if (findings[i].action == ADDRESS_REFUSE)
			err = call_refuse(call, ERR_REFUSED,
					  "%s; a rule refuses such addresses (`listctl address-rule ls`)",
					  buf_text(&text));
	}
	address_judge_free(judge);
	return err;
}

static enum err find_by_id(struct call *call, const char *operand, bool locked, struct who *who)
{
	uint64_t id;
	if (!view_to_u64(view_of(operand + 1), INT64_MAX, &id) || id == 0)
		return call_misused(call, "%s is no number of a subscriber, such as #17", operand);
	enum err err =
	    people_find(call->db, VIEW_LIT(""), VIEW_LIT(""), (int64_t)id, locked, &who->rows, &who->person, call->why);
	if (err != ERR_NOT_FOUND)
		return err;
	return call_refuse(call, err, "there is no subscriber %s; `listctl subscriber find` looks for others", operand);
}

/* Who asks for an address of before a move is told of the one of now. */
static enum err refuse_unknown(struct call *call, const char *operand, const struct spelt *spelt)
{
	AUTO_DB_ROWS *rows = NULL;
	struct former_address former;
	AUTO_BUF text = buf_with_ceiling(LIMIT_WHY);
	enum err err = former_addresses_find(call->db, buf_view(&spelt->key), buf_view(&spelt->canonical), &rows,
					     &former, call->why);
	if (err == ERR_OK)
		former_text(&former, &text);
	if (err == ERR_OK || err == ERR_NOT_FOUND)
		return call_refuse(call, ERR_NOT_FOUND, "there is no subscriber %s; %s%s", operand,
				   err == ERR_OK ? "it is the " : "`listctl subscriber find` looks for others",
				   err == ERR_OK ? buf_text(&text) : "");
	return err;
}

static enum err find_by_address(struct call *call, const char *operand, bool locked, struct who *who)
{
	struct spelt spelt;
	enum err err = spelt_read(operand, &spelt, call->why);
	if (err == ERR_OK)
		err = people_find(call->db, buf_view(&spelt.key), buf_view(&spelt.canonical), 0, locked, &who->rows,
				  &who->person, call->why);
	if (err == ERR_NOT_FOUND)
		err = refuse_unknown(call, operand, &spelt);
	spelt_done(&spelt);
	return err;
}

enum err who_find(struct call *call, const char *operand, bool locked, struct who *ret_who)
{
	*ret_who = (struct who){ 0 };
	return operand[0] == '#' ? find_by_id(call, operand, locked, ret_who)
				 : find_by_address(call, operand, locked, ret_who);
}

void who_done(struct who *who)
{
	db_rows_done(who->rows);
	*who = (struct who){ 0 };
}

static enum err hash_of(struct call *call, struct view key, struct buf *hash)
{
	struct erased *erased = NULL;
	enum err err = erased_open(call, &erased);
	if (err == ERR_OK && erased != NULL)
		err = erased_text(erased, key, hash);
	erased_close(erased);
	return err;
}

/* The lists that a suppression may be for, so that it counts. */
struct lists_asked {
	int64_t list_id;                   /* 0: any */
	const struct db_rows *memberships; /* NULL, or instead: those of a person */
};

static bool concerns(const struct suppression *row, const struct lists_asked *asked)
{
	if (row->list_id == 0)
		return true;
	if (asked->memberships == NULL)
		return asked->list_id == 0 || asked->list_id == row->list_id;
	for (size_t i = 0; i < db_row_count(asked->memberships); i++) {
		if (view_eq(people_membership_get(asked->memberships, i).list, row->list_name))
			return true;
	}
	return false;
}

static enum err refuse_suppressed(struct call *call, const struct spelt *spelt, const struct suppression *row)
{
	bool was_erased = row->kind == SUPPRESSED_ERASED;
	struct view value = was_erased ? buf_view(&spelt->key) : row->value;
	return call_refuse(call, ERR_REFUSED,
			   VIEW_FMT " %s (" VIEW_FMT "); if the person wants mail again: `listctl suppress rm " VIEW_FMT
				    "%s" VIEW_FMT "`",
			   VIEW_ARG(value), was_erased ? "was erased" : "is suppressed", VIEW_ARG(row->reason),
			   VIEW_ARG(value), row->list_name.len > 0 ? " --list " : "", VIEW_ARG(row->list_name));
}

static enum err check(struct call *call, const struct spelt *spelt, const struct lists_asked *asked)
{
	AUTO_BUF hash = buf_with_ceiling(2 * ERASURE_SIZE);
	AUTO_DB_ROWS *rows = NULL;
	enum err err = hash_of(call, buf_view(&spelt->key), &hash);
	if (err == ERR_OK)
		err = suppressions_of(call->db, buf_view(&spelt->key), buf_view(&spelt->canonical), buf_view(&hash),
				      &rows, call->why);
	for (size_t i = 0; err == ERR_OK && i < db_row_count(rows); i++) {
		const struct suppression row = suppressions_get(rows, i);
		if (concerns(&row, asked))
			return refuse_suppressed(call, spelt, &row);
	}
	return err;
}

enum err who_check_suppressed(struct call *call, const struct spelt *spelt, int64_t list_id)
{
	return check(call, spelt, &(struct lists_asked){ .list_id = list_id });
}

enum err who_check_suppressed_anywhere(struct call *call, const struct spelt *spelt, int64_t person_id)
{
	AUTO_DB_ROWS *memberships = NULL;
	enum err err = people_memberships(call->db, person_id, &memberships, call->why);
	return err == ERR_OK ? check(call, spelt, &(struct lists_asked){ .memberships = memberships }) : err;
}

enum err who_audit(struct call *call, const char *action, const struct person_row *person, struct view detail)
{
	return audit_append_person(call->db, view_of(call->actor), action, person->id, person->key, detail, call->why);
}
