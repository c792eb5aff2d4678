#include "listctl/reader_fields.h"

#include <stdlib.h>

#include "base/limits.h"
#include "listctl/waiting.h"
#include "mail/merge.h"
#include "store/fields.h"

/* Of some, unless they have been asked before, or of all. */
static enum err ask(struct call *call, const struct audience *audience, bool for_all, struct buf *why)
{
	size_t lists = audience_count_lists(audience);
	struct waiting waiting;
	const struct fields_scope scope = { .audience = audience, .progress = waiting_progress, .user = &waiting };
	bool is_known = call->known_fields != NULL && call->known_fields_list == audience->own_list &&
			call->known_fields_lists == lists;
	if (is_known && !(for_all && call->known_fields_are_some))
		return ERR_OK;
	db_rows_done(call->known_fields);
	call->known_fields = NULL;
	call->known_fields_list = audience->own_list;
	call->known_fields_lists = lists;
	bool are_all = true;
	waiting_begin_counting(call, "reading which attributes the members have", "people", &waiting);
	enum err err = for_all ? fields_of_all(call->db, &scope, &call->known_fields, why)
			       : fields_of_some(call->db, &scope, &are_all, &call->known_fields, why);
	call->known_fields_are_some = !are_all;
	waiting_end(&waiting);
	return err;
}

static enum err take_names(struct reader_fields *fields)
{
	const struct call *call = fields->call;
	free(fields->names);
	fields->count = db_row_count(call->known_fields);
	fields->names = calloc(fields->count + 1, sizeof(*fields->names));
	fields->are_some = call->known_fields_are_some;
	for (size_t i = 0; fields->names != NULL && i < fields->count; i++)
		fields->names[i] = db_get_text(call->known_fields, i, 0);
	return fields->names != NULL ? ERR_OK : call_refuse(fields->call, ERR_MEMORY, "there is no memory left");
}

enum err reader_fields_read(struct call *call, const struct audience *audience, struct reader_fields *ret_fields)
{
	*ret_fields = (struct reader_fields){ .call = call, .audience = audience };
	enum err err = ask(call, audience, false, call->why);
	return err == ERR_OK ? take_names(ret_fields) : err;
}

static enum err run_test(const struct reader_fields *fields, reader_fields_test *test, void *context, struct buf *why)
{
	AUTO_BUF names = buf_with_ceiling(LIMIT_MESSAGE);
	struct merge_names known;
	enum err err = merge_known(fields->names, fields->count, &names, &known);
	if (err != ERR_OK)
		return err;
	known.are_some = fields->are_some;
	return test(context, fields, &known, why);
}

enum err reader_fields_check(struct reader_fields *fields, reader_fields_test *test, void *context, struct buf *why)
{
	enum err err = run_test(fields, test, context, why);
	if (err != ERR_INVALID || !fields->are_some)
		return err;
	buf_reset(why);
	err = ask(fields->call, fields->audience, true, why);
	if (err == ERR_OK)
		err = take_names(fields);
	return err == ERR_OK ? run_test(fields, test, context, why) : err;
}

void reader_fields_done(struct reader_fields *fields)
{
	free(fields->names);
	*fields = (struct reader_fields){ 0 };
}
