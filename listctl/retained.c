#include "listctl/retained.h"

#include "base/limits.h"
#include "store/retentions.h"

enum err retained_note(struct call *call, int64_t since_us)
{
	struct retained retained;
	AUTO_BUF ended = buf_with_ceiling(LIMIT_WHY);
	enum err err = retentions_known(call->db, 0, &retained, call->why);
	if (err != ERR_OK || retained.campaigns == 0 || retained.ended_us < since_us)
		return err;
	output_time(&ended, retained.ended_us);
	call_note(
	    call,
	    "older ledgers are dropped (retention.ledger), of %lld campaigns, the last of which ended at %s: what was "
	    "sent and came back by them is not in here",
	    (long long)retained.campaigns, buf_text(&ended));
	return ERR_OK;
}

enum err retained_require(struct call *call, uint64_t campaign_id, const char *name)
{
	struct retained retained;
	AUTO_BUF dropped = buf_with_ceiling(LIMIT_WHY);
	enum err err = retentions_known(call->db, campaign_id, &retained, call->why);
	if (err != ERR_OK || retained.campaigns == 0)
		return err;
	output_time(&dropped, retained.dropped_us);
	return call_refuse(
	    call, ERR_REFUSED,
	    "the ledger of %s was dropped at %s (retention.ledger), and what came back with it; its sums "
	    "are kept: `listctl campaign status %s`",
	    name, buf_text(&dropped), name);
}

enum err retained_tell(struct call *call, uint64_t campaign_id)
{
	struct retained retained;
	AUTO_BUF dropped = buf_with_ceiling(LIMIT_WHY);
	enum err err = retentions_known(call->db, campaign_id, &retained, call->why);
	if (err != ERR_OK || retained.campaigns == 0)
		return err;
	output_time(&dropped, retained.dropped_us);
	call_note(call, "its ledger was dropped at %s (retention.ledger): these are the sums that are kept",
		  buf_text(&dropped));
	return ERR_OK;
}
