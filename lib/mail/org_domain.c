#include "mail/org_domain.h"

#include <libpsl.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"

struct view org_domain(struct view domain)
{
	AUTO_BUF lower = buf_with_ceiling(LIMIT_DOMAIN + 1);
	for (size_t i = 0; i < domain.len; i++) {
		char c = domain.data[i];
		buf_add_byte(&lower, c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
	}
	const psl_ctx_t *list = psl_builtin();
	if (buf_err(&lower) != ERR_OK || list == NULL)
		return domain;
	const char *registered = psl_registrable_domain(list, buf_text(&lower));
	size_t len = view_of(registered).len;
	return len == 0 || len > domain.len ? domain : view_skip(domain, domain.len - len);
}

bool org_domain_aligned(struct view a, struct view b)
{
	return a.len > 0 && view_eq_nocase(org_domain(a), org_domain(b));
}
