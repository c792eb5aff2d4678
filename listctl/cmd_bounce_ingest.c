#include "listctl/bounce_verbs.h"

#include "listctl/ingest.h"
#include "listctl/message_source.h"
#include "listctl/progress.h"

struct ingesting {
	struct call *call;
	struct ingest *ingest;
	struct progress progress;
	uint64_t done, unreadable;
};

static enum err take(void *user, const char *name, struct view message)
{
	struct ingesting *ingesting = user;
	enum err err = ingest_take(ingesting->ingest, name, message);
	progress_update(&ingesting->progress, ++ingesting->done);
	return err;
}

static void tell_unreadable(void *user, const char *why)
{
	struct ingesting *ingesting = user;
	ingesting->unreadable++;
	call_warn(ingesting->call, "%s", why);
}

static const struct output_column columns[] = {
	{ "messages", OUTPUT_INT, false },   { "stored", OUTPUT_INT, false },    { "known_already", OUTPUT_INT, false },
	{ "waiting", OUTPUT_INT, false },    { "orphans", OUTPUT_INT, false },   { "complaints", OUTPUT_INT, false },
	{ "disabled", OUTPUT_INT, false },   { "no_report", OUTPUT_INT, false }, { "no_token", OUTPUT_INT, false },
	{ "unreadable", OUTPUT_INT, false },
};

static enum err write_counts(struct call *call, const struct ingest_counts *counts, uint64_t unreadable)
{
	const struct bounces_tally *tally = &counts->tally;
	const struct output_cell cells[] = {
		cell_int((int64_t)counts->messages),
		cell_int((int64_t)tally->stored),
		cell_int((int64_t)(counts->events - tally->stored)),
		cell_int((int64_t)tally->waiting),
		cell_int((int64_t)tally->orphans),
		cell_int((int64_t)tally->complaints),
		cell_int((int64_t)tally->disabled),
		cell_int((int64_t)counts->no_report),
		cell_int((int64_t)counts->no_token),
		cell_int((int64_t)unreadable),
	};
	return output_object(call->out, columns, ARRAY_LEN(columns), cells, call->why);
}

static enum err conclude(struct call *call, struct ingesting *ingesting)
{
	struct ingest_counts counts;
	enum err err = ingest_end(ingesting->ingest, &counts);
	if (err == ERR_OK)
		err = write_counts(call, &counts, ingesting->unreadable);
	if (err != ERR_OK)
		return err;
	if (counts.messages == 0)
		return call_refuse(call, ERR_INVALID, "there was no message to read");
	if (counts.no_token == counts.messages)
		return call_refuse(call, ERR_INVALID, "no message had a valid token: nothing was stored");
	if (ingesting->unreadable > 0)
		return call_refuse(call, ERR_IO, "%llu messages could not be read",
				   (unsigned long long)ingesting->unreadable);
	return ERR_OK;
}

enum err bounce_ingest(struct call *call)
{
	struct ingesting ingesting = { .call = call };
	const struct message_taker taker = { take, &ingesting, tell_unreadable };
	enum err err = ingest_new(call, &ingesting.ingest);
	if (err != ERR_OK)
		return err;
	ingesting.progress = progress_begin("ingesting", "messages", 0, call->quiet);
	err = message_source_read(call->operand_count > 0 ? call->operands[0] : "-", &taker, call->why);
	progress_end(&ingesting.progress);
	if (err == ERR_OK)
		err = conclude(call, &ingesting);
	ingest_done(ingesting.ingest);
	return err;
}
