/* A DNS that answers each question with the next lines of the input: whatever it says, the judges of records end, and say so in printable ASCII. */
#include "mail/dmarc.h"
#include "mail/spf.h"

#include <stdlib.h>

#include "base/limits.h"
#include "mail/tag_list.h"

struct answers {
	struct view rest;
	unsigned asked;
};

enum { ASKED_MOST = 200 };

static enum dns_status answer(void *context, struct view name, enum dns_type type, struct buf *records)
{
	struct answers *answers = context;
	struct view line;
	(void)name;
	if (++answers->asked > ASKED_MOST)
		abort();
	if (!view_cut_line(&answers->rest, &line))
		return (enum dns_status)(DNS_NO_DATA + type % 3);
	buf_add(records, line);
	buf_add_byte(records, '\n');
	return buf_err(records) == ERR_OK ? DNS_FOUND : DNS_FAILED;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const addresses[] = { "", "192.0.2.1", "2001:db8::1" };
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct view text = view_from(data, size), name, value;
	struct dmarc dmarc;
	for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
		struct answers answers = { .rest = text };
		const struct dns_source source = { .context = &answers, .ask = answer };
		struct spf_check check = { .domain = VIEW_LIT("x.test"),
					   .address = view_of(addresses[i]),
					   .include = VIEW_LIT("a") };
		spf_check(&source, &check);
		if (check.result >= SPF_RESULT_COUNT || (check.why.len > 0) != (check.result == SPF_INVALID))
			abort();
		spf_done(&check);
	}
	if ((dmarc_parse(text, &dmarc, &why) == ERR_OK) != (why.len == 0))
		abort();
	while (tag_list_next(&text, &name, &value))
		;
	return 0;
}
