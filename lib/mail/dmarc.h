/* DMARC records (RFC 9989 section 4.7), as far as publishing one goes. */
#ifndef MAIL_DMARC_H
#define MAIL_DMARC_H

#include "base/buf.h"

struct dmarc {
	struct view policy; /* "none", "quarantine", "reject"; borrowed */
	bool strict_dkim, strict_spf;
	bool has_reports; /* rua= names somebody */
};

/* "v=DMARC1" at its start: other records at the same name are no DMARC. */
bool dmarc_is_record(struct view record);
/* ERR_INVALID with a sentence. */
enum err dmarc_parse(struct view record, struct dmarc *ret_dmarc, struct buf *why) MUST_USE;

#endif
