#include "listctl/reader_fields.h"

#include <stdlib.h>

#include "listctl/waiting.h"
#include "store/subscribers.h"

/* Each member's attributes are looked at, for about two seconds a million. */
static enum err ask(struct call *call, int64_t list_id)
{
	struct waiting waiting;
	if (call->known_fields != NULL && call->known_fields_list == list_id)
		return ERR_OK;
	db_rows_done(call->known_fields);
	call->known_fields = NULL;
	call->known_fields_list = list_id;
	waiting_begin(call, "reading which attributes the members have", &waiting);
	enum err err = members_fields(call->db, list_id, VIEW_LIT("active"), &call->known_fields, call->why);
	waiting_end(&waiting);
	return err;
}

enum err reader_fields_read(struct call *call, int64_t list_id, struct reader_fields *ret_fields)
{
	struct reader_fields fields = { 0 };
	*ret_fields = fields;
	enum err err = ask(call, list_id);
	if (err != ERR_OK)
		return err;
	fields.count = db_row_count(call->known_fields);
	fields.names = calloc(fields.count + 1, sizeof(*fields.names));
	for (size_t i = 0; fields.names != NULL && i < fields.count; i++)
		fields.names[i] = db_get_text(call->known_fields, i, 0);
	*ret_fields = fields;
	return fields.names != NULL ? ERR_OK : call_refuse(call, ERR_MEMORY, "there is no memory left");
}

void reader_fields_done(struct reader_fields *fields)
{
	free(fields->names);
	*fields = (struct reader_fields){ 0 };
}
