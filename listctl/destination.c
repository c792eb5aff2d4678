#include "listctl/destination.h"

enum err destination_of(struct call *call, const struct campaign *campaign, struct destination *ret_to)
{
	*ret_to = (struct destination){ 0 };
	enum err err = lists_find(call->db, campaign->list_name, &ret_to->list_rows, &ret_to->list, call->why);
	if (err != ERR_OK)
		return err;
	ret_to->list.title = campaign->list_title;
	ret_to->list.list_id = campaign->list_header_id;
	ret_to->list.headers = campaign->list_headers;
	err = audience_load(call->db, campaign->id, campaign->list_id, campaign->audience >= 0, &ret_to->audience,
			    call->why);
	if (err != ERR_OK)
		destination_done(ret_to);
	return err;
}

void destination_done(struct destination *to)
{
	audience_done(&to->audience);
	db_rows_done(to->list_rows);
	to->list_rows = NULL;
}

struct destination destination_through(const struct destination *to, int64_t list_id)
{
	struct destination through = *to;
	audience_take_list(&to->audience, list_id, &through.list);
	return through;
}
