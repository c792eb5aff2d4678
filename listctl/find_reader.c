#include "listctl/find_reader.h"

#include "base/clock.h"
#include "base/limits.h"
#include "mail/address.h"

enum err find_reader(struct call *call, uint64_t list_id, const char *address, struct reader *ret_reader,
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
	return readers_find(call->db, list_id, buf_view(&key), fraction, ret_reader, ret_rows, call->why);
}
