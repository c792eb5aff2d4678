#include "listctl/turn.h"

#include "base/limits.h"
#include "listctl/output.h"
#include "store/import_turn.h"

static void say_that_it_waits(void *context, const struct import_turn_holder *holder)
{
	const struct call *call = context;
	AUTO_BUF since = buf_with_ceiling(LIMIT_WHY);
	if (holder->since_us != 0) {
		buf_addf(&since, " (it began at ");
		output_time(&since, holder->since_us);
		buf_addf(&since, ")");
	}
	call_note(call, "waits for the end of another import or erasure%s", buf_text(&since));
}

enum err turn_take(struct call *call)
{
	return import_turn_take(call->db, say_that_it_waits, call, call->why);
}
