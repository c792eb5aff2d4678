#include "listctl/find_reader.h"

#include "base/clock.h"
#include "base/limits.h"
#include "listctl/waiting.h"
#include "mail/address.h"

enum err find_reader(struct call *call, const struct audience *audience, const char *address, struct reader *ret_reader,
		     struct db_rows **ret_rows)
{
	AUTO_BUF key = buf_with_ceiling(LIMIT_ADDRESS);
	if (address != NULL) {
		AUTO_BUF parsed = buf_with_ceiling(LIMIT_ADDRESS);
		enum err err = address_parse(view_of(address), &parsed, call->why);
		if (err == ERR_OK)
			err = address_key(buf_view(&parsed), &key);
		if (err != ERR_OK)
			return err;
	}
	double fraction = (double)(clock_boot_us() % 1000) / 1000;
	struct waiting waiting;
	waiting_begin(call, "looking for a reader", &waiting);
	enum err err = readers_find(call->db, audience, buf_view(&key), fraction, ret_reader, ret_rows, call->why);
	waiting_end(&waiting);
	if (err == ERR_OK && !ret_reader->is_reached)
		call_warn(call, VIEW_FMT " is not in the audience: this is the copy that they would get",
			  VIEW_ARG(ret_reader->address));
	return err;
}
