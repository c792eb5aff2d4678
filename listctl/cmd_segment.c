#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "listctl/call.h"
#include "listctl/interrupt.h"
#include "listctl/segment_facts.h"
#include "listctl/segment_uses.h"
#include "listctl/waiting.h"
#include "store/audit.h"
#include "store/lists.h"

enum { SHOWN_MOST = 100000, SHOWN_UNLESS_TOLD = 10, SLOW_US = 2 * CLOCK_US_PER_SECOND };

static enum err find_segment(struct call *call, struct db_rows **ret_rows, struct segment *ret_segment)
{
	enum err err = segments_list(call->db, view_of(call->operands[0]), ret_rows, call->why);
	if (err == ERR_OK)
		*ret_segment = segments_get(*ret_rows, 0);
	return err;
}

/* --list; 0: everybody. */
static enum err find_list(struct call *call, int64_t *ret_list_id)
{
	const char *name = call_option(call, "list");
	AUTO_DB_ROWS *rows = NULL;
	struct list list = { 0 };
	enum err err = name == NULL ? ERR_OK : lists_find(call->db, view_of(name), &rows, &list, call->why);
	*ret_list_id = list.id;
	return err;
}

/* ---- changing ---- */

static enum err audit_segment(struct call *call, const char *action, struct view text)
{
	AUTO_BUF subject = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF detail = buf_with_ceiling(LIMIT_OUTPUT_LINE);
	buf_addf(&subject, "segment:%s", call->operands[0]);
	buf_add(&detail, VIEW_LIT("{\"text\": "));
	output_json_string(&detail, text);
	buf_add_byte(&detail, '}');
	return audit_append(call->db, view_of(call->actor), action, buf_view(&subject), buf_view(&detail), call->why);
}

static enum err finish(struct call *call, enum err err)
{
	if (err == ERR_OK)
		return db_commit(call->db, call->why);
	db_rollback(call->db);
	return err;
}

/* Within a transaction; *ret_rows has the segment as it is then. What is to be warned of is found before it is there: if that fails, nothing was
 * made. */
static enum err write_segment(struct call *call, const struct segment *segment, bool is_new, struct db_rows **ret_rows)
{
	struct segment written;
	enum err err =
	    is_new ? segments_create(call->db, segment, call->why) : segments_update(call->db, segment, call->why);
	if (err == ERR_OK)
		err = find_segment(call, ret_rows, &written);
	if (err == ERR_OK && call_has(call, "where"))
		err = segment_facts_warn(call, written.predicate);
	return err == ERR_OK ? audit_segment(call, is_new ? "segment.create" : "segment.edit", written.text) : err;
}

/* The index goes with the predicate; a new one is made where it is wanted, or was there. */
static enum err renew_index(struct call *call, const struct segment *segment, bool is_wanted)
{
	if (segment->predicate.len == 0)
		return segments_drop_index(call->db, segment->id, call->why);
	if (!is_wanted)
		return ERR_OK;
	call_note(call, "making the index; others can go on writing meanwhile");
	AUTO_BUF cause = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF left = buf_with_ceiling(LIMIT_WHY);
	struct waiting waiting;
	buf_addf(&left,
		 "listctl: interrupted; the database goes on making the index of segment " VIEW_FMT
		 "; `listctl segment index " VIEW_FMT " --drop` stops it\n",
		 VIEW_ARG(segment->name), VIEW_ARG(segment->name));
	waiting_begin_index(call, segment->id, &waiting);
	interrupt_say(buf_text(&left));
	enum err err = segments_make_index(call->db, segment, &cause);
	interrupt_end();
	waiting_end(&waiting);
	if (err != ERR_OK)
		buf_addf(call->why,
			 "segment " VIEW_FMT " is there, but not its index: %s; `listctl segment index " VIEW_FMT
			 "` tries again",
			 VIEW_ARG(segment->name), buf_text(&cause), VIEW_ARG(segment->name));
	return err;
}

/* After the commit. */
static enum err tell(struct call *call, const struct db_rows *rows, bool wants_index)
{
	struct segment written = segments_get(rows, 0);
	call_note(call, "segment " VIEW_FMT ": " VIEW_FMT, VIEW_ARG(written.name), VIEW_ARG(written.text));
	return call_has(call, "where") ? renew_index(call, &written, wants_index) : ERR_OK;
}

static enum err create(struct call *call)
{
	AUTO_BUF texts = buf_with_ceiling(LIMIT_OUTPUT_LINE);
	AUTO_DB_ROWS *rows = NULL;
	struct segment segment = { .name = view_of(call->operands[0]) };
	enum err err = segment_facts_check(call);
	if (err == ERR_OK)
		err = segment_facts_read(call, &segment, &texts);
	if (err == ERR_OK)
		err = db_begin(call->db, call->why);
	if (err == ERR_OK)
		err = finish(call, write_segment(call, &segment, true, &rows));
	return err == ERR_OK ? tell(call, rows, call_has(call, "index")) : err;
}

/* Read and written under one lock: of two who edit, the second changes what the first has left. */
static enum err change(struct call *call, bool *had_index, struct db_rows **ret_rows)
{
	AUTO_BUF texts = buf_with_ceiling(LIMIT_OUTPUT_LINE);
	AUTO_DB_ROWS *rows = NULL;
	struct segment segment;
	enum err err = segments_lock(call->db, view_of(call->operands[0]), call->why);
	if (err == ERR_OK)
		err = find_segment(call, &rows, &segment);
	if (err == ERR_OK)
		err = segment_facts_read(call, &segment, &texts);
	if (err != ERR_OK)
		return err;
	*had_index = segment.index != SEGMENT_INDEX_NONE;
	return write_segment(call, &segment, false, ret_rows);
}

static enum err edit(struct call *call)
{
	AUTO_DB_ROWS *rows = NULL;
	bool had_index = false;
	if (!call_has_any(call))
		return call_misused(call,
				    "nothing to change was given; `listctl segment edit --help` shows what can be");
	enum err err = segment_facts_check(call);
	if (err == ERR_OK)
		err = db_begin(call->db, call->why);
	if (err == ERR_OK)
		err = finish(call, change(call, &had_index, &rows));
	if (err != ERR_OK)
		return err;
	err = tell(call, rows, had_index);
	const struct segment written = segments_get(rows, 0);
	segment_uses_tell(call, &written);
	return err;
}

static enum err remove_segment(struct call *call, const struct segment *segment)
{
	enum err err = segments_remove(call->db, segment->name, call->why);
	return err == ERR_OK ? audit_segment(call, "segment.rm", segment->text) : err;
}

static enum err rm(struct call *call)
{
	AUTO_DB_ROWS *rows = NULL;
	struct segment segment;
	enum err err = find_segment(call, &rows, &segment);
	if (err == ERR_OK)
		err = db_begin(call->db, call->why);
	if (err == ERR_OK)
		err = finish(call, remove_segment(call, &segment));
	return err == ERR_OK ? segments_drop_index(call->db, segment.id, call->why) : err;
}

static enum err make_index(struct call *call)
{
	AUTO_DB_ROWS *rows = NULL;
	struct segment segment;
	enum err err = find_segment(call, &rows, &segment);
	if (err != ERR_OK)
		return err;
	if (call_has(call, "drop"))
		return segments_drop_index(call->db, segment.id, call->why);
	if (segment.index == SEGMENT_INDEX_MAKING)
		return call_refuse(call, ERR_REFUSED,
				   "this index is being made already, by another call or for one that was interrupted; "
				   "`listctl segment index " VIEW_FMT " --drop` stops that",
				   VIEW_ARG(segment.name));
	if (segment.predicate.len == 0)
		return call_refuse(call, ERR_REFUSED,
				   "the segment has no predicate over attributes; the facts in it are found without an "
				   "index of its own");
	return renew_index(call, &segment, true);
}

/* ---- looking ---- */

static void tell_index(struct call *call, const struct segment *segment)
{
	if (segment->index == SEGMENT_INDEX_MAKING)
		call_note(call, "the index of segment " VIEW_FMT " is being made", VIEW_ARG(segment->name));
	else if (segment->index == SEGMENT_INDEX_BROKEN)
		call_warn(call,
			  "the index of segment " VIEW_FMT
			  " was broken off: it is of no use and slows imports; `listctl segment index " VIEW_FMT
			  "` makes it anew, with --drop it goes",
			  VIEW_ARG(segment->name), VIEW_ARG(segment->name));
}

static enum err count_people(struct call *call, int64_t id, int64_t list_id, uint64_t *ret_people)
{
	struct waiting waiting;
	waiting_begin(call, "counting", &waiting);
	enum err err = segments_count(call->db, id, list_id, ret_people, call->why);
	waiting_end(&waiting);
	return err;
}

static enum err count(struct call *call)
{
	static const struct output_column columns[] = {
		{ .name = "segment" },
		{ .name = "list" },
		{ .name = "people", .type = OUTPUT_INT },
	};
	AUTO_DB_ROWS *rows = NULL;
	struct segment segment;
	int64_t list_id;
	uint64_t people;
	enum err err = find_segment(call, &rows, &segment);
	if (err == ERR_OK)
		err = find_list(call, &list_id);
	int64_t begun_us = clock_boot_us();
	if (err == ERR_OK)
		err = count_people(call, segment.id, list_id, &people);
	if (err != ERR_OK)
		return err;
	if (clock_boot_us() - begun_us > SLOW_US && segment.predicate.len > 0 && segment.index == SEGMENT_INDEX_NONE)
		call_note(call, "`listctl segment index " VIEW_FMT "` makes this quicker", VIEW_ARG(segment.name));
	const struct output_cell cells[] = { cell_text(segment.name),
					     cell_text_or_null(view_of(call_option(call, "list"))),
					     cell_int((int64_t)people) };
	return output_object(call->out, columns, ARRAY_LEN(columns), cells, call->why);
}

static enum err show_definition(struct call *call, const struct segment *segment, uint64_t people)
{
	static const struct output_column columns[] = {
		{ .name = "segment" },
		{ .name = "about", .wraps = true },
		{ .name = "definition", .wraps = true },
		{ .name = "where", .wraps = true },
		{ .name = "people", .type = OUTPUT_INT },
		{ .name = "index", .type = OUTPUT_BOOL },
		{ .name = "created_at", .type = OUTPUT_TIME },
	};
	const struct output_cell cells[] = {
		cell_text(segment->name),      cell_text_or_null(segment->about),
		cell_text(segment->text),      cell_text_or_null(segment->predicate),
		cell_int((int64_t)people),     cell_bool(segment->index == SEGMENT_INDEX_WHOLE),
		cell_time(segment->created_us)
	};
	output_section(call->out, "segment", "Segment");
	return output_object(call->out, columns, ARRAY_LEN(columns), cells, call->why);
}

static enum err show_people(struct call *call, const struct segment *segment, int64_t list_id, uint64_t limit)
{
	static const struct output_column columns[] = {
		{ .name = "email" },
		{ .name = "name" },
		{ .name = "attributes", .type = OUTPUT_JSON, .wraps = true },
	};
	AUTO_DB_ROWS *rows = NULL;
	struct waiting waiting;
	waiting_begin(call, "looking for the first people", &waiting);
	enum err err = segments_people(call->db, segment->id, list_id, limit, &rows, call->why);
	waiting_end(&waiting);
	if (err != ERR_OK)
		return err;
	output_section(call->out, "people", "The first of its people");
	output_begin(call->out, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < db_row_count(rows); i++)
		output_row(call->out, (struct output_cell[]){ cell_text(db_get_text(rows, i, 0)),
							      cell_text_or_null(db_get_text(rows, i, 1)),
							      cell_text(db_get_text(rows, i, 2)) });
	return output_end(call->out, call->why);
}

static enum err show(struct call *call)
{
	AUTO_DB_ROWS *rows = NULL;
	struct segment segment;
	int64_t list_id;
	uint64_t limit, people;
	enum err err = call_limit(call, SHOWN_MOST, SHOWN_UNLESS_TOLD, &limit);
	if (err == ERR_OK)
		err = find_segment(call, &rows, &segment);
	if (err == ERR_OK)
		err = find_list(call, &list_id);
	if (err == ERR_OK)
		err = count_people(call, segment.id, list_id, &people);
	if (err != ERR_OK)
		return err;
	tell_index(call, &segment);
	output_document_begin(call->out);
	err = show_definition(call, &segment, people);
	if (err == ERR_OK)
		err = show_people(call, &segment, list_id, limit);
	return err == ERR_OK ? output_document_end(call->out, call->why) : err;
}

static enum err ls(struct call *call)
{
	static const struct output_column columns[] = {
		{ .name = "segment" },
		{ .name = "definition", .wraps = true },
		{ .name = "index", .type = OUTPUT_BOOL },
		{ .name = "about", .wraps = true },
	};
	AUTO_DB_ROWS *rows = NULL;
	enum err err = segments_list(call->db, VIEW_LIT(""), &rows, call->why);
	if (err != ERR_OK)
		return err;
	output_begin(call->out, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < db_row_count(rows); i++) {
		const struct segment segment = segments_get(rows, i);
		tell_index(call, &segment);
		output_row(call->out, (struct output_cell[]){ cell_text(segment.name), cell_text(segment.text),
							      cell_bool(segment.index == SEGMENT_INDEX_WHOLE),
							      cell_text_or_null(segment.about) });
	}
	return output_end(call->out, call->why);
}

/* ---- the rows ---- */

#define FACTS_DETAILS                                                                                                  \
	"All that is given must hold. A predicate is PostgreSQL's jsonpath over the attributes: fields\n"              \
	"begin with $. and texts stand in double quotation marks, == compares, && || and !( ) join;\n"                 \
	"like_regex \"...\" and starts with \"...\" look into texts, exists($.field) asks for a field. What\n"         \
	"cannot be compared, as a text with a number, is not true and no error. Times of joining are\n"                \
	"those of the list that is asked about, or of any; member means an active one.\n"                              \
	"\n"                                                                                                           \
	"Those in Indonesia of age: --where '$.country == \"ID\" && $.age >= 18'. Those who have been silent\n"        \
	"for long: --not-accepted-within 180d --joined-before 365d.\n"

static const char facts_details[] = FACTS_DETAILS;
static const char edit_details[] =
    FACTS_DETAILS "\n"
		  "Campaigns that have started keep whom they are for. Those that are still to start ask the\n"
		  "segment as it is by then: each is named, with how many it would go to now.\n";

static const struct command_option create_options[] = {
	SEGMENT_FACT_OPTIONS,
	{ "index", NULL, "make an index, so that millions are counted at once" },
	{ NULL, NULL, NULL },
};

static const struct command_option edit_options[] = {
	SEGMENT_FACT_OPTIONS,
	{ NULL, NULL, NULL },
};

static const struct command_option count_options[] = {
	{ "list", "LIST", "of its active members; of everybody unless told" },
	{ NULL, NULL, NULL },
};

static const struct command_option show_options[] = {
	{ "list", "LIST", "of its active members; of everybody unless told" },
	{ "limit", "NUMBER", "how many people are shown; 10 unless told" },
	{ NULL, NULL, NULL },
};

static const struct command_option index_options[] = {
	{ "drop", NULL, "take the index away" },
	{ NULL, NULL, NULL },
};

#define SEGMENT_VERB(verb_name, operand_text, least_count, most_count, function)                                       \
	.noun = "segment", .verb = (verb_name), .operands = (operand_text), .least = (least_count),                    \
	.most = (most_count), .needs = NEEDS_DATABASE, .run = (function)

const struct command segment_commands[] = {
	{
	    SEGMENT_VERB("create", "NAME", 1, 1, create),
	    .surplus = "where",
	    .help = "describe people by their attributes and by facts about them",
	    .details = facts_details,
	    .options = create_options,
	},
	{
	    SEGMENT_VERB("edit", "NAME", 1, 1, edit),
	    .surplus = "where",
	    .help = "change a segment; '' takes a fact away",
	    .details = edit_details,
	    .options = edit_options,
	},
	{
	    SEGMENT_VERB("count", "NAME", 1, 1, count),
	    .surplus = "list",
	    .help = "count the people that a segment describes now",
	    .options = count_options,
	},
	{
	    SEGMENT_VERB("show", "NAME", 1, 1, show),
	    .surplus = "list",
	    .help = "show a segment and the first of its people",
	    .options = show_options,
	},
	{
	    SEGMENT_VERB("ls", "", 0, 0, ls),
	    .help = "show all segments",
	},
	{
	    SEGMENT_VERB("index", "NAME", 1, 1, make_index),
	    .help = "make an index for a segment, or take it away",
	    .details = "It holds those for whom the predicate is true, is kept up by every import, and is built\n"
		       "while others go on writing. When this call is interrupted the database goes on making it;\n"
		       "--drop stops that, too, and takes away what one that was broken off has left.\n",
	    .options = index_options,
	},
	{
	    SEGMENT_VERB("rm", "NAME", 1, 1, rm),
	    .help = "remove a segment and its index; the people stay",
	},
	{ 0 },
};
