#include "store/db_private.h"

#include <stdarg.h>
#include <string.h>

/* The longest fit decides: a whole SQLSTATE before its class. */
struct state_row {
	const char *start; /* of the SQLSTATE */
	enum err err;
};

static const struct state_row states[] = {
	{ "08", ERR_UNAVAILABLE },    /* connection exceptions */
	{ "22", ERR_INVALID },        /* data exceptions */
	{ "23", ERR_REFUSED },        /* constraints */
	{ "23505", ERR_EXISTS },      /* unique violation */
	{ "25006", ERR_UNAVAILABLE }, /* read-only: a standby answers while the primary moves */
	{ "28", ERR_DENIED },         /* login */
	{ "3D000", ERR_REFUSED },     /* no such database */
	{ "40", ERR_REFUSED },        /* serialisation, deadlock */
	{ "42501", ERR_DENIED },      /* no right to it */
	{ "53", ERR_UNAVAILABLE },    /* disk full, no memory, too many connections */
	{ "55P03", ERR_REFUSED },     /* lock not available */
	{ "57P", ERR_UNAVAILABLE },   /* shutting down, starting up */
	{ "P0001", ERR_REFUSED },     /* RAISE in a function of ours */
};

enum err db_err_of_sqlstate(const char *sqlstate)
{
	enum err err = ERR_IO;
	size_t longest = 0;
	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		size_t len = strlen(states[i].start);
		if (len > longest && strncmp(sqlstate, states[i].start, len) == 0) {
			longest = len;
			err = states[i].err;
		}
	}
	return err;
}

void db_explain(struct buf *why, const char *message)
{
	enum { CLIP = 600 };
	struct view text = view_trim(view_of(message)), line;
	if (why == NULL || !view_cut_line(&text, &line))
		return;
	if (view_ends(line, VIEW_LIT(".")))
		line.len--;
	buf_add(why, view_head(line, CLIP));
}

void db_whyf(struct buf *why, const char *format, ...)
{
	va_list values;
	if (why == NULL)
		return;
	va_start(values, format);
	buf_addv(why, format, values);
	va_end(values);
}

/* The primary message only: the detail line may hold an address. */
static void explain_result(const PGresult *result, const char *sqlstate, struct buf *why)
{
	const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	db_whyf(why, "PostgreSQL says: ");
	db_explain(why, text != NULL ? text : "no reason");
	db_whyf(why, " (SQLSTATE %s)", sqlstate);
}

enum err db_failed(struct db *db, const PGresult *result, struct buf *why)
{
	const char *sqlstate = result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
	enum err err;
	if (sqlstate != NULL) {
		memcpy(db->sqlstate, sqlstate, strnlen(sqlstate, sizeof db->sqlstate - 1));
		err = db_err_of_sqlstate(sqlstate);
		explain_result(result, sqlstate, why);
	} else {
		/* The failure is libpq's own: the peer is gone, also while PQstatus() still says otherwise after a failed
		 * write, or there was no memory to go on. Neither leaves a connection to rely on. */
		memcpy(db->sqlstate, "08006", sizeof db->sqlstate);
		err = ERR_UNAVAILABLE;
		db_whyf(why, "the connection to PostgreSQL is lost: ");
		db_explain(why, db->conn != NULL ? PQerrorMessage(db->conn)
				: db->is_silent  ? "it does not answer"
						 : "not connected");
	}
	/* Whatever makes the server unusable ends the connection, so that the caller has one thing to do: reconnect. */
	if (err == ERR_UNAVAILABLE || (db->conn != NULL && PQstatus(db->conn) == CONNECTION_BAD)) {
		db_drop(db);
		return ERR_UNAVAILABLE;
	}
	return err;
}
