#include "listctl/waiting.h"

#include <unistd.h>

#include "base/limits.h"
#include "store/segments.h"

static void show_time(void *user)
{
	struct waiting *waiting = user;
	progress_update(&waiting->progress, waiting->progress.done);
}

/* Who cannot ask shows what it has shown. */
static void show_index(void *user)
{
	struct waiting *waiting = user;
	struct progress *progress = &waiting->progress;
	uint64_t done = 0, total = 0;
	const struct db_options options = { .conninfo = waiting->call->settings->database_conninfo,
					    .program = "listctl",
					    .unsafe = true };
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	if (!progress->enabled)
		return;
	enum err err = waiting->aside != NULL ? ERR_OK : db_open(&options, &waiting->aside, &why);
	if (err == ERR_OK)
		err = segments_index_progress(waiting->aside, waiting->segment_id, &done, &total, &why);
	if (err != ERR_OK || total == 0)
		return;
	progress->total = total;
	progress_update(progress, done > progress->done ? done : progress->done);
}

void waiting_begin_counting(struct call *call, const char *what, const char *unit, struct waiting *waiting)
{
	*waiting = (struct waiting){ .call = call, .progress = progress_begin(what, unit, 0, call->quiet) };
	db_while_waiting(call->db, show_time, waiting);
}

void waiting_progress(void *user, uint64_t done, uint64_t total)
{
	struct waiting *waiting = user;
	waiting->progress.total = total;
	progress_update(&waiting->progress, done);
}

void waiting_begin_rows(struct call *call, const char *what, struct waiting *waiting)
{
	waiting_begin_counting(call, what, "rows", waiting);
}

void waiting_rows(struct waiting *waiting, size_t more)
{
	struct progress *progress = &waiting->progress;
	if (isatty(STDOUT_FILENO) == 1) {
		progress_end(progress);
		progress->enabled = false;
	}
	progress_update(progress, progress->done + more);
}

void waiting_begin(struct call *call, const char *what, struct waiting *waiting)
{
	waiting_begin_counting(call, what, NULL, waiting);
}

void waiting_begin_index(struct call *call, int64_t segment_id, struct waiting *waiting)
{
	*waiting = (struct waiting){ .call = call,
				     .segment_id = segment_id,
				     .progress = progress_begin("making the index", "pages", 0, call->quiet) };
	db_while_waiting(call->db, show_index, waiting);
}

void waiting_end(struct waiting *waiting)
{
	db_while_waiting(waiting->call->db, NULL, NULL);
	progress_end(&waiting->progress);
	db_close(waiting->aside);
	waiting->aside = NULL;
}
