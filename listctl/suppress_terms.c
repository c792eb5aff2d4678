#include "listctl/suppress_terms.h"

#include "base/clock.h"
#include "base/limits.h"
#include "listctl/past_time.h"
#include "mail/address.h"
#include "mail/address_canonical.h"
#include "store/audit.h"
#include "store/lists.h"

enum err suppress_value(struct view text, struct buf *ret_value, enum suppression_kind *ret_kind, struct buf *why)
{
	text = view_trim(text);
	if (view_starts(text, VIEW_LIT("*@")))
		text = view_skip(text, 1);
	size_t at = view_find_byte(text, '@');
	bool is_domain = at == VIEW_NONE || at == 0;
	*ret_kind = is_domain ? SUPPRESSED_DOMAIN : SUPPRESSED_ADDRESS;
	if (is_domain)
		return address_parse_domain(view_skip(text, at == 0 ? 1 : 0), ret_value, why);
	AUTO_BUF address = buf_with_ceiling(LIMIT_ADDRESS);
	AUTO_BUF key = buf_with_ceiling(LIMIT_ADDRESS_TEXT);
	enum err err = address_parse(text, &address, why);
	if (err == ERR_OK)
		err = address_key(buf_view(&address), &key);
	if (err == ERR_OK && !address_canonical(buf_view(&key), ret_value))
		err = buf_add(ret_value, buf_view(&key));
	return err;
}

enum err suppress_hash(struct erased *erased, const struct suppression *row, struct buf *ret_hash)
{
	return erased == NULL || row->kind != SUPPRESSED_ADDRESS ? ERR_OK : erased_text(erased, row->value, ret_hash);
}

enum err suppress_open_erased(struct call *call, struct erased **ret_erased)
{
	AUTO_BUF untold = buf_with_ceiling(LIMIT_WHY);
	enum err err = erased_open_if_known(call, ret_erased, &untold);
	if (err == ERR_OK && untold.len > 0)
		call_warn(call, "%s. Until then an address is stored here, also that of somebody who was erased",
			  buf_text(&untold));
	return err;
}

enum err suppress_find_list(struct call *call, int64_t *ret_list_id)
{
	const char *name = call_option(call, "list");
	struct list list = { 0 };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = name == NULL ? ERR_OK : lists_find(call->db, view_of(name), &rows, &list, call->why);
	if (err == ERR_OK)
		*ret_list_id = list.id;
	return err;
}

enum err suppress_reason(struct call *call, const char *fallback, struct view *ret_reason)
{
	const char *given = call_option(call, "reason");
	struct view reason = view_trim(view_of(given == NULL ? fallback : given));
	if (given == NULL) {
		*ret_reason = reason;
		return ERR_OK;
	}
	if (reason.len == 0 || reason.len > SUPPRESS_REASON_SIZE || !view_is_utf8(reason) || view_has_control(reason))
		return call_misused(call, "--reason takes 1 to 200 octets of UTF-8 text without control characters");
	*ret_reason = reason;
	return ERR_OK;
}

static enum err read_end(struct call *call, int64_t *ret_expires_us)
{
	const char *until = call_option(call, "until"), *span = call_option(call, "for");
	int64_t day_us = 0, span_us = 0, now_us = clock_wall_us();
	*ret_expires_us = 0;
	if (until != NULL && span != NULL)
		return call_misused(call, "--until or --for, not both");
	if (until == NULL && span == NULL)
		return ERR_OK;
	if (until != NULL && (!past_time_read(view_of(until), &day_us, &span_us) || day_us <= now_us))
		return call_misused(call, "--until takes a day to come, such as 2027-01-31, not %s", until);
	if (span != NULL && (!past_time_read(view_of(span), &day_us, &span_us) || span_us <= 0))
		return call_misused(call, "--for takes a time such as 90d, not %s", span);
	*ret_expires_us = until != NULL ? day_us : clock_after(now_us, span_us);
	return ERR_OK;
}

enum err suppress_terms_read(struct call *call, struct suppress_terms *ret_terms)
{
	enum err err = suppress_reason(call, "by hand", &ret_terms->reason);
	if (err == ERR_OK)
		err = read_end(call, &ret_terms->expires_us);
	return err == ERR_OK ? suppress_find_list(call, &ret_terms->list_id) : err;
}

void suppress_end(struct buf *text, int64_t expires_us)
{
	int64_t fraction = expires_us % CLOCK_US_PER_SECOND;
	output_time(text, expires_us);
	if (fraction <= 0)
		return;
	buf_cut(text, text->len - 1);
	buf_addf(text, ".%06lldZ", (long long)fraction);
}

void suppress_detail(struct buf *detail, int64_t list_id, struct view reason)
{
	buf_addf(detail, "{\"list_id\": %lld", (long long)list_id);
	if (reason.len == 0)
		return;
	buf_add(detail, VIEW_LIT(", \"reason\": "));
	output_json_string(detail, reason);
}

enum err suppress_audit(struct call *call, const char *action, struct view value, const struct buf *detail)
{
	AUTO_BUF subject = buf_with_ceiling(LIMIT_WHY);
	buf_addf(&subject, "suppression:" VIEW_FMT, VIEW_ARG(value));
	return audit_append(call->db, view_of(call->actor), action, buf_view(&subject), buf_view(detail), call->why);
}

enum err suppress_finish(struct call *call, enum err err)
{
	if (err == ERR_OK)
		return db_commit(call->db, call->why);
	db_rollback(call->db);
	return err;
}
