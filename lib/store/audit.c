#include "store/audit.h"

#include "base/limits.h"

static const struct db_statement append = {
	.name = "audit_append",
	.sql = "INSERT INTO audit (actor, action, subject, detail, subscriber_id)"
	       " VALUES ($1, $2, $3, coalesce($4::jsonb, '{}'), $5::bigint)",
};

static enum err write(struct db *db, const struct db_value *values, size_t count, struct buf *why)
{
	return db_run(db, &append, values, count, NULL, why);
}

enum err audit_append(struct db *db, struct view actor, const char *action, struct view subject, struct view detail,
		      struct buf *why)
{
	const struct db_value values[] = { db_text(actor), db_text(view_of(action)), db_text(subject),
					   db_text_or_null(detail), db_null() };
	return write(db, values, ARRAY_LEN(values), why);
}

enum err audit_append_person(struct db *db, struct view actor, const char *action, int64_t subscriber_id,
			     struct view key, struct view detail, struct buf *why)
{
	AUTO_BUF subject = buf_with_ceiling(LIMIT_WHY);
	buf_addf(&subject, "subscriber:" VIEW_FMT, VIEW_ARG(key));
	const struct db_value values[] = { db_text(actor), db_text(view_of(action)), db_text(buf_view(&subject)),
					   db_text_or_null(detail), db_int(subscriber_id) };
	return write(db, values, ARRAY_LEN(values), why);
}
