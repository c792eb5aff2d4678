#include "listctl/former.h"

#include "listctl/output.h"

enum { DAY_SIZE = sizeof("2026-11-28") - 1, TIME_MOST = 64 };

void former_text(const struct former_address *former, struct buf *out)
{
	AUTO_BUF until = buf_with_ceiling(TIME_MOST);
	output_time(&until, former->until_us);
	buf_addf(out, "former address of " VIEW_FMT ", moved " VIEW_FMT, VIEW_ARG(former->address),
		 VIEW_ARG(view_head(buf_view(&until), DAY_SIZE)));
}
