#include "mail/dmarc.h"

#include "mail/tag_list.h"

bool dmarc_is_record(struct view record)
{
	return tag_list_is(record, VIEW_LIT("DMARC1"));
}

static bool is_policy(struct view word)
{
	return view_eq_nocase(word, VIEW_LIT("none")) || view_eq_nocase(word, VIEW_LIT("quarantine")) ||
	       view_eq_nocase(word, VIEW_LIT("reject"));
}

static enum err parse_mode(struct view record, const char *tag, bool *ret_strict, struct buf *why)
{
	struct view word = tag_list_get(record, view_of(tag));
	*ret_strict = view_eq_nocase(word, VIEW_LIT("s"));
	if (word.data == NULL || *ret_strict || view_eq_nocase(word, VIEW_LIT("r")))
		return ERR_OK;
	buf_addf(why, "%s is neither r nor s", tag);
	return ERR_INVALID;
}

enum err dmarc_parse(struct view record, struct dmarc *ret_dmarc, struct buf *why)
{
	struct dmarc dmarc = { .policy = tag_list_get(record, VIEW_LIT("p")) };
	if (!dmarc_is_record(record)) {
		buf_add(why, VIEW_LIT("it does not begin with v=DMARC1"));
		return ERR_INVALID;
	}
	/* Without p a record with rua counts as p=none (RFC 9989 section 4.7); many receivers know only the older rule, that there must be one. */
	if (!is_policy(dmarc.policy)) {
		buf_add(why, VIEW_LIT("p is none of none, quarantine and reject"));
		return ERR_INVALID;
	}
	enum err err = parse_mode(record, "adkim", &dmarc.strict_dkim, why);
	if (err == ERR_OK)
		err = parse_mode(record, "aspf", &dmarc.strict_spf, why);
	dmarc.has_reports = tag_list_get(record, VIEW_LIT("rua")).len > 0;
	if (err == ERR_OK)
		*ret_dmarc = dmarc;
	return err;
}
