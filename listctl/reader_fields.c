#include "listctl/reader_fields.h"

#include <stdlib.h>

#include "store/subscribers.h"

/* Each member's attributes are looked at, for about two seconds a million. */
enum { MANY_MEMBERS = 500000 };

/* One query answers, so that no bar can move; who waits is told for what. */
static enum err announce(struct call *call, int64_t list_id)
{
	uint64_t members = 0;
	enum err err = members_count(call->db, list_id, VIEW_LIT("active"), &members, call->why);
	if (err == ERR_OK && members >= MANY_MEMBERS)
		call_note(call, "reading which attributes %llu members have ...", (unsigned long long)members);
	return err;
}

enum err reader_fields_read(struct call *call, int64_t list_id, struct reader_fields *ret_fields)
{
	struct reader_fields fields = { 0 };
	*ret_fields = fields;
	enum err err = announce(call, list_id);
	if (err == ERR_OK)
		err = members_fields(call->db, list_id, VIEW_LIT("active"), &fields.rows, call->why);
	if (err != ERR_OK)
		return err;
	fields.count = db_row_count(fields.rows);
	fields.names = calloc(fields.count + 1, sizeof(*fields.names));
	for (size_t i = 0; fields.names != NULL && i < fields.count; i++)
		fields.names[i] = db_get_text(fields.rows, i, 0);
	*ret_fields = fields;
	return fields.names != NULL ? ERR_OK : call_refuse(call, ERR_MEMORY, "there is no memory left");
}

void reader_fields_done(struct reader_fields *fields)
{
	free(fields->names);
	db_rows_done(fields->rows);
	*fields = (struct reader_fields){ 0 };
}
