#include "listctl/lint_run.h"

#include "base/clock.h"
#include "base/limits.h"
#include "listctl/progress.h"
#include "listctl/signing.h"
#include "listctl/waiting.h"
#include "mail/address.h"
#include "mail/variant.h"
#include "store/fields.h"
#include "store/readers.h"

enum {
	GAPS_MOST = 64,
	TRIED_MOST = 20000,      /* readers for whom a copy is made */
	TRIED_US = 2000000,      /* and how long that goes on, */
	TRIED_ASIDE_US = 500000, /* or where nobody has asked for it */
	PAGE = 500,
};

/* As long as real tokens. */
#define DUMMY_SHORT VIEW_LIT("previewpreviewpreviewpreviewprv")
#define DUMMY_LONG VIEW_LIT("previewpreviewpreviewpreviewpreviewpreviewprv")

struct facts {
	struct lint_letter letter;
	struct buf domain, fields, skipped_reader, skipped_why, largest_reader;
	struct lint_gap gaps[GAPS_MOST];
	struct composer *composers[AUDIENCE_PARTS_MOST]; /* for copies through the list that the part names */
};

static struct copy copy_of(struct view address, struct view name, struct view attributes)
{
	return (struct copy){ .address = address,
			      .name = name,
			      .attributes = attributes,
			      .message_token = DUMMY_SHORT,
			      .unsubscribe_token = DUMMY_LONG,
			      .date_us = clock_wall_us() };
}

static size_t split_fields(struct view text, struct view names[GAPS_MOST])
{
	size_t count = 0;
	while (text.len > 0 && count < GAPS_MOST) {
		size_t end = view_find(text, VIEW_LIT(", "));
		names[count++] = view_head(text, end);
		text = end == VIEW_NONE ? (struct view){ 0 } : view_skip(text, end + 2);
	}
	return count;
}

/* An audience that is not a whole list is asked about in one piece: how long that takes is shown, for how far it is nobody knows. */
static enum err count_empty(struct call *call, const struct lint_job *job, bool *of_all, const struct view *names,
			    size_t count, int64_t *empty, int64_t *ret_among)
{
	struct waiting waiting;
	const struct fields_scope scope = { .audience = &job->to->audience,
					    .progress = waiting_progress,
					    .user = &waiting };
	waiting_begin_counting(call, "counting for whom fields are empty", "people", &waiting);
	enum err err = fields_count_empty(call->db, &scope, of_all, names, count, empty, ret_among, call->why);
	waiting_end(&waiting);
	return err;
}

static enum err count_gaps(struct call *call, const struct lint_job *job, struct facts *facts)
{
	struct view names[GAPS_MOST];
	int64_t empty[GAPS_MOST] = { 0 };
	size_t count = split_fields(buf_view(&facts->fields), names);
	bool of_all = job->thorough;
	int64_t among = 0;
	enum err err = count_empty(call, job, &of_all, names, count, empty, &among);
	*(of_all ? &facts->letter.readers : &facts->letter.gaps_among) = among;
	for (size_t i = 0; i < count; i++)
		facts->gaps[i] = (struct lint_gap){ .field = names[i], .empty = empty[i] };
	facts->letter.gaps = facts->gaps;
	facts->letter.gap_count = count;
	return err;
}

/* Fields that nothing fills where the data lacks them: those that somebody without any data has empty. */
static enum err find_gaps(struct call *call, const struct lint_job *job, struct facts *facts)
{
	const struct copy copy = copy_of(VIEW_LIT("a@example.org"), VIEW_LIT(""), VIEW_LIT(""));
	enum err err = composer_gaps(job->composer, &copy, &facts->fields, call->why);
	return err != ERR_OK || facts->fields.len == 0 ? err : count_gaps(call, job, facts);
}

/* Fields may make one copy much longer than the next, so that neither the template nor any one copy tells. */
static enum err measure(struct composer *composer, const struct copy *copy, size_t octets, struct facts *facts)
{
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	octets += composer_tail(composer).len;
	if (octets <= facts->letter.message_size)
		return ERR_OK;
	facts->letter.message_size = octets;
	buf_reset(&facts->largest_reader);
	buf_add(&facts->largest_reader, copy->address);
	return composer_html_size(composer, copy, &facts->letter.html_size, &reason);
}

static enum err try_reader(struct composer *composer, const struct reader *reader, struct buf *message,
			   struct facts *facts)
{
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY / 2);
	const struct copy copy = copy_of(reader->address, reader->name, reader->attributes);
	buf_reset(message);
	enum err err = composer_write(composer, &copy, message, &reason);
	facts->letter.tried++;
	if (err == ERR_OK)
		return measure(composer, &copy, message->len, facts);
	if (err != ERR_INVALID && err != ERR_TOO_BIG)
		return err;
	if (facts->letter.skipped++ > 0)
		return ERR_OK;
	buf_add(&facts->skipped_reader, reader->address);
	return buf_add(&facts->skipped_why,
		       reason.len > 0 ? buf_view(&reason) : VIEW_LIT("their copy is larger than a message may be"));
}

/* Made when the first copy goes through that list. */
static enum err find_composer(struct call *call, const struct lint_job *job, int64_t list_id, struct facts *facts,
			      struct composer **ret_composer)
{
	const struct audience *audience = &job->to->audience;
	*ret_composer = job->composer;
	for (size_t i = 0; i < audience->count && list_id != audience->own_list; i++) {
		const struct audience_part *part = &audience->parts[i];
		if (!audience_part_is_target(part) || part->list_id != list_id)
			continue;
		const struct destination through = destination_through(job->to, list_id);
		enum err err = facts->composers[i] != NULL ? ERR_OK
							   : draft_compile(call, job->content, job->origin, &through,
									   job->campaign_name, &facts->composers[i]);
		*ret_composer = facts->composers[i];
		return err;
	}
	return ERR_OK;
}

static enum err try_page(struct call *call, const struct lint_job *job, const struct db_rows *first, size_t from,
			 struct facts *facts)
{
	AUTO_DB_ROWS *rows = NULL;
	AUTO_BUF message = buf_with_ceiling(LIMIT_MESSAGE);
	enum err err = readers_page(call->db, first, from, PAGE, &rows, call->why);
	size_t count = err == ERR_OK ? db_row_count(rows) : 0;
	for (size_t row = 0; err == ERR_OK && row < count; row++) {
		const struct reader reader = readers_get(rows, row);
		struct composer *composer = NULL;
		err = find_composer(call, job, reader.list_id, facts, &composer);
		if (err == ERR_OK)
			err = try_reader(composer, &reader, &message, facts);
	}
	return err;
}

/* There may be millions: the first tell. */
static enum err try_readers(struct call *call, const struct lint_job *job, const struct db_rows *first,
			    struct facts *facts)
{
	struct lint_letter *letter = &facts->letter;
	struct progress progress = progress_begin("making copies", "readers", db_row_count(first), call->quiet);
	int64_t began = clock_boot_us(), most_us = job->thorough ? TRIED_US : TRIED_ASIDE_US;
	enum err err = ERR_OK;
	for (size_t from = 0; err == ERR_OK && from < db_row_count(first) && clock_boot_us() - began < most_us;
	     from += PAGE) {
		progress_update(&progress, (uint64_t)letter->tried);
		err = try_page(call, job, first, from, facts);
	}
	progress_end(&progress);
	letter->skipped_reader = buf_view(&facts->skipped_reader);
	letter->skipped_why = buf_view(&facts->skipped_why);
	letter->largest_reader = buf_view(&facts->largest_reader);
	return err;
}

static enum err find_first(struct call *call, const struct lint_job *job, struct db_rows **ret_rows)
{
	struct waiting waiting;
	waiting_begin(call, "looking for the first readers", &waiting);
	enum err err = readers_first(call->db, &job->to->audience, TRIED_MOST, ret_rows, call->why);
	waiting_end(&waiting);
	return err;
}

static enum err count_readers(struct call *call, const struct lint_job *job, struct facts *facts)
{
	uint64_t readers = 0;
	struct waiting waiting;
	waiting_begin(call, "counting readers", &waiting);
	enum err err = readers_count(call->db, &job->to->audience, &readers, call->why);
	waiting_end(&waiting);
	facts->letter.readers = (int64_t)readers;
	return err;
}

static enum err gather(struct call *call, const struct lint_job *job, struct facts *facts)
{
	AUTO_DB_ROWS *first = NULL;
	enum err err = count_readers(call, job, facts);
	if (err != ERR_OK || facts->letter.readers == 0)
		return err;
	err = find_gaps(call, job, facts);
	if (err == ERR_OK)
		err = find_first(call, job, &first);
	return err == ERR_OK ? try_readers(call, job, first, facts) : err;
}

enum err lint_run(struct call *call, const struct lint_job *job, lint_found *found, void *context)
{
	const struct campaign_content *content = job->content;
	const struct letter_file *letter = job->letter;
	const struct list *list = &job->to->list;
	struct facts facts = { .domain = buf_with_ceiling(LIMIT_DOMAIN),
			       .fields = buf_with_ceiling(LIMIT_TEMPLATE),
			       .skipped_reader = buf_with_ceiling(LIMIT_ADDRESS),
			       .skipped_why = buf_with_ceiling(LIMIT_WHY),
			       .largest_reader = buf_with_ceiling(LIMIT_ADDRESS) };
	facts.letter = (struct lint_letter){
		.subject = content->subject,
		.text_body = content->text_body,
		.html_body = content->html_body,
		.files = content->files,
		.file_count = content->file_count,
		.from_name = content->from_name,
		.list_title = list->title,
		.from_domain = address_domain(content->from_address),
		.bounce_domain = view_of(call->settings->bounce_domain),
		.has_web = *call->settings->web_base_url != '\0',
		.list_headers = list->headers,
	};
	if (letter != NULL && letter->given) {
		facts.letter.written = buf_view(&letter->source);
		facts.letter.written_name = buf_view(&letter->path);
	}
	if (job->thorough)
		facts.letter.signing_known = signing_domain(call->settings, content->from_address, &facts.domain);
	facts.letter.dkim_domain = buf_view(&facts.domain);
	enum err err = gather(call, job, &facts);
	if (err == ERR_OK) {
		err = lint_letter(&facts.letter, found, context);
		if (err != ERR_OK)
			call_refuse(call, err, "the HTML cannot be read (%s)", err_name(err));
	}
	for (size_t i = 0; i < AUDIENCE_PARTS_MOST; i++)
		composer_done(facts.composers[i]);
	buf_done(&facts.domain);
	buf_done(&facts.fields);
	buf_done(&facts.skipped_reader);
	buf_done(&facts.skipped_why);
	buf_done(&facts.largest_reader);
	return err;
}

struct warner {
	struct call *call;
	unsigned variant;
	struct buf *said; /* lines */
};

static bool is_said(const struct buf *said, struct view warning)
{
	struct view rest = buf_view(said), line;
	while (view_cut(&rest, '\n', &line)) {
		if (view_eq(line, warning))
			return true;
	}
	return false;
}

static void warn(void *context, const struct lint_finding *finding)
{
	const struct warner *warner = context;
	AUTO_BUF warning = buf_with_ceiling(LIMIT_MESSAGE);
	if (finding->severity == LINT_NOTE)
		return;
	buf_addf(&warning, "%s: " VIEW_FMT "; %s", finding->code, VIEW_ARG(finding->text), finding->remedy);
	if (is_said(warner->said, buf_view(&warning)))
		return;
	buf_addf(warner->said, VIEW_FMT "\n", VIEW_ARG(buf_view(&warning)));
	if (warner->variant > 0)
		call_warn(warner->call, "variant %c, %s", variant_name(warner->variant), buf_text(&warning));
	else
		call_warn(warner->call, "%s", buf_text(&warning));
}

enum err lint_warn(struct call *call, const struct draft *draft, const struct destination *to,
		   struct view campaign_name, struct composer *composer, struct buf *said)
{
	struct warner warner = { call, draft->variant, said };
	const struct lint_job job = { .content = &draft->content,
				      .letter = &draft->letter,
				      .origin = DRAFT_WRITTEN,
				      .campaign_name = campaign_name,
				      .to = to,
				      .composer = composer };
	return lint_run(call, &job, warn, &warner);
}
