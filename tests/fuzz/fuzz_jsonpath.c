/* Whatever is written for a predicate is read to its end, and a slip lies in it. */
#include <stdlib.h>

#include "base/limits.h"
#include "listctl/jsonpath.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct view text = view_from(data, size);
	struct jsonpath_slip slip;
	struct view field;
	size_t at = 0, before = 0;
	AUTO_BUF why = buf_with_ceiling(64 << 10);
	if (!jsonpath_check(text, &slip)) {
		demand(slip.at <= text.len && slip.len <= text.len - slip.at);
		jsonpath_explain(text, &slip, &why);
		demand(why.len > 0);
	}
	while (jsonpath_field(text, &at, &field)) {
		demand(at > before && at <= text.len && field.data >= text.data &&
		       field.data + field.len <= text.data + text.len);
		before = at;
	}
	struct view question;
	at = before = 0;
	while (jsonpath_part(text, &at, &slip, &question)) {
		demand(at > before && at <= text.len && slip.at <= text.len && slip.len <= text.len - slip.at);
		demand(question.data >= text.data && question.data + question.len <= text.data + text.len);
		before = at;
	}
	return 0;
}
