#include "store/audit.h"

static const struct db_statement append = {
	.name = "audit_append",
	.sql = "INSERT INTO audit (actor, action, subject, detail) VALUES ($1, $2, $3, coalesce($4::jsonb, '{}'))",
};

enum err audit_append(struct db *db, struct view actor, const char *action, struct view subject, struct view detail,
		      struct buf *why)
{
	const struct db_value values[] = { db_text(actor), db_text(view_of(action)), db_text(subject),
					   db_text_or_null(detail) };
	return db_run(db, &append, values, ARRAY_LEN(values), NULL, why);
}
