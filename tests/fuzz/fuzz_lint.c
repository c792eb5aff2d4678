/* The rules about a letter, whatever its HTML, text and subject are. */
#include "mail/lint.h"

#include <stdlib.h>

#include "base/limits.h"
#include "mail/foreign_tag.h"

static void see(void *context, const struct lint_finding *finding)
{
	size_t *count = context;
	if (finding->text.len == 0 || finding->remedy == NULL)
		abort();
	++*count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t count = 0;
	struct view text = view_from(data, size);
	const struct lint_letter letter = { .subject = text,
					    .text_body = text,
					    .html_body = text,
					    .from_domain = text,
					    .bounce_domain = VIEW_LIT("b.test"),
					    .list_headers = text };
	enum err err = lint_letter(&letter, see, &count);
	if (err != ERR_OK && err != ERR_INVALID)
		abort();
	const struct view names[] = { VIEW_LIT("a"), VIEW_LIT("b.c") };
	const struct merge_names known = { .names = names, .count = 2 };
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	err = foreign_tag_refuse_own(text, size % 2 == 0, &known, &why);
	if (err != ERR_OK && err != ERR_INVALID)
		abort();
	return 0;
}
