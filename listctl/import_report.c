#include "base/limits.h"
#include "listctl/import_job.h"

/* ---- for people ---- */

static void say_file(struct import_job *job)
{
	const struct known_export *known = columns_export(job->columns);
	AUTO_BUF text = buf_with_ceiling(LIMIT_WHY);
	people_file_describe(job->file, &text);
	if (known != NULL && view_find(buf_view(&text), view_of(known->name)) == VIEW_NONE) /* a Sympa dump is both */
		buf_addf(&text, ", %s", known->name);
	call_note(job->call, "%s: %s", people_file_name(job->file), buf_text(&text));
	AUTO_BUF names = buf_with_ceiling(LIMIT_WHY);
	columns_left_out(job->columns, &names);
	if (names.len > 0)
		call_note(job->call, "  columns left out: %s%s", buf_text(&names),
			  known == NULL ? "" : " (--map NAME=FIELD takes one)");
}

static void name_stays(const struct import_job *job, struct buf *names)
{
	for (size_t i = 0; job->stays != NULL && i < db_row_count(job->stays); i++)
		buf_addf(names, "%s" VIEW_FMT " (" VIEW_FMT ")", i == 0 ? "" : ", ",
			 VIEW_ARG(db_get_text(job->stays, i, 0)), VIEW_ARG(db_get_text(job->stays, i, 1)));
}

/* Who they are, for a look whether that can be right. */
static void say_stays(const struct import_job *job)
{
	const struct import_counts *counts = &job->counts;
	uint64_t all = counts->unsubscribed + counts->disabled + counts->removed;
	AUTO_BUF names = buf_with_ceiling(LIMIT_WHY);
	name_stays(job, &names);
	if (names.len > 0)
		call_note(job->call, "    %s%s", buf_text(&names), all > db_row_count(job->stays) ? " ..." : "");
}

static void say_people(const struct import_job *job)
{
	const struct import_counts *counts = &job->counts;
	call_note(job->call, "%s%s into " VIEW_FMT ": rows taken: %llu; people: %llu new, %llu updated, %llu unchanged",
		  job->wishes.is_dry ? "(dry run, nothing is changed) " : "", people_file_name(job->file),
		  VIEW_ARG(job->list.name), (unsigned long long)counts->rows, (unsigned long long)counts->created,
		  (unsigned long long)counts->updated, (unsigned long long)counts->unchanged);
	call_note(job->call, "  joined the list%s: %llu; members already: %llu",
		  job->wishes.options.unconfirmed ? " as unconfirmed" : "", (unsigned long long)counts->joined,
		  (unsigned long long)counts->already);
	if (counts->resubscribed > 0)
		call_note(job->call, "  had unsubscribed and are members again: %llu",
			  (unsigned long long)counts->resubscribed);
	if (counts->unsubscribed + counts->disabled + counts->removed > 0)
		call_note(job->call,
			  "  left as they are, because they have left or bounced: %llu unsubscribed, %llu disabled, "
			  "%llu removed%s",
			  (unsigned long long)counts->unsubscribed, (unsigned long long)counts->disabled,
			  (unsigned long long)counts->removed,
			  counts->unsubscribed > 0 ? " (--resubscribe REASON brings those back who have unsubscribed)"
						   : "");
	say_stays(job);
	if (counts->suppressed > 0)
		call_note(job->call, "  suppressed addresses left out: %llu", (unsigned long long)counts->suppressed);
	if (counts->erased > 0)
		call_note(job->call, "  left out, because they were erased: %llu", (unsigned long long)counts->erased);
	if (counts->taken_back > 0)
		call_note(job->call,
			  "  left out, because another row of the file says that they are not to be written to: %llu",
			  (unsigned long long)counts->taken_back);
	if (counts->duplicates > 0)
		call_note(job->call, "  repeated addresses merged, the later row winning: %llu",
			  (unsigned long long)counts->duplicates);
	if (counts->aliases > 0)
		call_note(job->call, "    of them other spellings of one mailbox: %llu",
			  (unsigned long long)counts->aliases);
	if (job->repeated_headers > 0)
		call_note(job->call, "  repeated header rows left out: %llu",
			  (unsigned long long)job->repeated_headers);
}

static void say_kinds(struct import_job *job, bool is_harmless)
{
	for (enum refusal_kind kind = 0; kind < REFUSAL_KIND_COUNT; kind++) {
		uint64_t count = rejects_of_kind(job->rejects, kind);
		if (count > 0 && kind != REFUSAL_FORMER && refusal_is_harmless(kind) == is_harmless)
			call_note(job->call, "    %s: %llu", refusal_name(kind), (unsigned long long)count);
	}
}

static void say_doubts(const struct import_job *job)
{
	AUTO_BUF words = buf_with_ceiling(LIMIT_WHY);
	columns_doubts(job->columns, &words);
	if (words.len > 0)
		call_note(job->call,
			  "    not known to mean that they are written to: %s; --map NAME=attribute:NAME takes in a "
			  "column that tells something else",
			  buf_text(&words));
}

static void say_former(const struct import_job *job)
{
	uint64_t count = rejects_of_kind(job->rejects, REFUSAL_FORMER);
	if (count == 0)
		return;
	call_note(job->call,
		  "  former addresses of people who have moved, left out: %llu (--reassigned REASON takes in what is "
		  "another person's now)",
		  (unsigned long long)count);
	call_note(job->call, "    " VIEW_FMT "%s", VIEW_ARG(buf_view(&job->former)),
		  count > FORMER_SHOWN ? " ..." : "");
}

/* A dry run writes no file that nobody has named. */
static const char *rejects_place(struct import_job *job)
{
	return job->rejects_path.len > 0 ? buf_text(&job->rejects_path) : "the file of --rejects PATH";
}

static void say_rejects(struct import_job *job)
{
	uint64_t refused = rejects_refused(job->rejects), left_out = rejects_left_out(job->rejects);
	uint64_t elsewhere = left_out - rejects_of_kind(job->rejects, REFUSAL_FORMER);
	if (elsewhere > 0) {
		call_note(job->call, "  not written to where the file comes from, and left out: %llu",
			  (unsigned long long)elsewhere);
		say_kinds(job, true);
	}
	say_doubts(job);
	if (job->counts.still_active > 0)
		call_note(job->call,
			  "    of them active members here, who go on receiving: %llu (`listctl subscriber "
			  "unsubscribe` ends that)",
			  (unsigned long long)job->counts.still_active);
	say_former(job);
	if (refused > 0) {
		call_note(job->call, "  refused rows: %llu", (unsigned long long)refused);
		say_kinds(job, false);
	}
	if (rejects_has_any(job->rejects))
		call_note(job->call, "  each of them and the reason: %s", rejects_place(job));
}

static void say_warnings(struct import_job *job)
{
	const char *path = job->wishes.warnings_path;
	AUTO_BUF kinds = buf_with_ceiling(LIMIT_WHY);
	for (enum address_rule_kind kind = 0; kind < ADDRESS_RULE_KIND_COUNT; kind++) {
		uint64_t count = address_warnings_of_kind(job->warnings, kind);
		if (count > 0)
			buf_addf(&kinds, "%s%s: %llu", kinds.len == 0 ? "" : ", ", address_rule_kind_name(kind),
				 (unsigned long long)count);
	}
	if (kinds.len > 0)
		call_note(job->call, "  warnings about addresses: %s (%s%s)", buf_text(&kinds),
			  path == NULL ? "--warnings PATH lists them" : "each in ", path == NULL ? "" : path);
}

/* ---- for programs ---- */

static const struct output_column columns[] = {
	{ .name = "list" },
	{ .name = "dry_run", .type = OUTPUT_BOOL },
	{ .name = "rows", .type = OUTPUT_INT },
	{ .name = "created", .type = OUTPUT_INT },
	{ .name = "updated", .type = OUTPUT_INT },
	{ .name = "unchanged", .type = OUTPUT_INT },
	{ .name = "joined", .type = OUTPUT_INT },
	{ .name = "already", .type = OUTPUT_INT },
	{ .name = "resubscribed", .type = OUTPUT_INT },
	{ .name = "unsubscribed", .type = OUTPUT_INT },
	{ .name = "disabled", .type = OUTPUT_INT },
	{ .name = "removed", .type = OUTPUT_INT },
	{ .name = "stay_so" },
	{ .name = "suppressed", .type = OUTPUT_INT },
	{ .name = "erased", .type = OUTPUT_INT },
	{ .name = "duplicates", .type = OUTPUT_INT },
	{ .name = "aliases", .type = OUTPUT_INT },
	{ .name = "refused", .type = OUTPUT_INT },
	{ .name = "left_out", .type = OUTPUT_INT },
	{ .name = "former", .type = OUTPUT_INT }, /* of those */
	{ .name = "former_of" },
	{ .name = "repeated_headers", .type = OUTPUT_INT },
	{ .name = "rejects" },
	{ .name = "reasons", .type = OUTPUT_JSON }, /* of refused and left_out */
	{ .name = "first_refused" },
	{ .name = "warned_role", .type = OUTPUT_INT },
	{ .name = "warned_disposable", .type = OUTPUT_INT },
	{ .name = "warned_typo", .type = OUTPUT_INT },
	{ .name = "warnings" },
	{ .name = "layout" },
	{ .name = "encoding" },
	{ .name = "delimiter" },
	{ .name = "header_line", .type = OUTPUT_INT },
	{ .name = "export_of" },
	{ .name = "columns_left_out" },
	{ .name = "unknown_states" },
	{ .name = "taken_back", .type = OUTPUT_INT },
	{ .name = "still_active", .type = OUTPUT_INT },
};

static struct output_cell cell_count(uint64_t count)
{
	return cell_int((int64_t)count);
}

/* An object a kind: {"reason": "bad address", "rows": 2, "left_out": false}. */
static void list_reasons(const struct import_job *job, struct buf *out)
{
	buf_add_byte(out, '[');
	for (enum refusal_kind kind = 0; kind < REFUSAL_KIND_COUNT; kind++) {
		uint64_t count = rejects_of_kind(job->rejects, kind);
		if (count == 0)
			continue;
		buf_add(out, out->len > 1 ? VIEW_LIT(", {\"reason\": ") : VIEW_LIT("{\"reason\": "));
		output_json_string(out, view_of(refusal_name(kind)));
		buf_addf(out, ", \"rows\": %llu, \"left_out\": %s}", (unsigned long long)count,
			 refusal_is_harmless(kind) ? "true" : "false");
	}
	buf_add_byte(out, ']');
}

static enum err show(struct import_job *job)
{
	const struct import_counts *counts = &job->counts;
	const struct people_file_finding finding = people_file_finding(job->file);
	const struct known_export *known = columns_export(job->columns);
	uint64_t refused = rejects_refused(job->rejects), left_out = rejects_left_out(job->rejects);
	AUTO_BUF stays = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF unread = buf_with_ceiling(LIMIT_OUTPUT_LINE);
	name_stays(job, &stays);
	columns_left_out(job->columns, &unread);
	AUTO_BUF reasons = buf_with_ceiling(LIMIT_OUTPUT_LINE);
	list_reasons(job, &reasons);
	AUTO_BUF doubts = buf_with_ceiling(LIMIT_WHY);
	columns_doubts(job->columns, &doubts);
	const struct output_cell cells[] = {
		cell_text(job->list.name),
		cell_bool(job->wishes.is_dry),
		cell_count(counts->rows),
		cell_count(counts->created),
		cell_count(counts->updated),
		cell_count(counts->unchanged),
		cell_count(counts->joined),
		cell_count(counts->already),
		cell_count(counts->resubscribed),
		cell_count(counts->unsubscribed),
		cell_count(counts->disabled),
		cell_count(counts->removed),
		cell_text_or_null(buf_view(&stays)),
		cell_count(counts->suppressed),
		cell_count(counts->erased),
		cell_count(counts->duplicates),
		cell_count(counts->aliases),
		cell_count(refused),
		cell_count(left_out),
		cell_count(rejects_of_kind(job->rejects, REFUSAL_FORMER)),
		cell_text_or_null(buf_view(&job->former)),
		cell_count(job->repeated_headers),
		cell_text_or_null(rejects_has_any(job->rejects) ? buf_view(&job->rejects_path) : VIEW_LIT("")),
		cell_text(buf_view(&reasons)),
		cell_text_or_null(view_of(rejects_first(job->rejects))),
		cell_count(address_warnings_of_kind(job->warnings, ADDRESS_ROLE)),
		cell_count(address_warnings_of_kind(job->warnings, ADDRESS_DISPOSABLE)),
		cell_count(address_warnings_of_kind(job->warnings, ADDRESS_TYPO)),
		cell_text_or_null(view_of(job->wishes.warnings_path)),
		cell_text(view_of(finding.layout)),
		cell_text(view_of(finding.encoding)),
		cell_text_or_null(view_of(finding.delimiter)),
		finding.header_line == 0 ? cell_null() : cell_count(finding.header_line),
		cell_text_or_null(view_of(known == NULL ? NULL : known->name)),
		cell_text_or_null(buf_view(&unread)),
		cell_text_or_null(buf_view(&doubts)),
		cell_count(counts->taken_back),
		cell_count(counts->still_active),
	};
	_Static_assert(ARRAY_LEN(cells) == ARRAY_LEN(columns), "a cell a column");
	return output_object(job->call->out, columns, ARRAY_LEN(columns), cells, job->call->why);
}

enum err import_report(struct import_job *job)
{
	if (output_format_of(job->call->out) != FORMAT_TABLE)
		return show(job);
	say_file(job);
	say_people(job);
	say_rejects(job);
	say_warnings(job);
	return ERR_OK;
}

enum err import_report_refused(struct import_job *job)
{
	uint64_t refused = rejects_refused(job->rejects);
	AUTO_BUF kinds = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF found = buf_with_ceiling(LIMIT_WHY);
	people_file_describe(job->file, &found);
	for (enum refusal_kind kind = 0; kind < REFUSAL_KIND_COUNT; kind++) {
		uint64_t count = rejects_of_kind(job->rejects, kind);
		if (count > 0 && !refusal_is_harmless(kind))
			buf_addf(&kinds, "%s%s: %llu", kinds.len == 0 ? "" : ", ", refusal_name(kind),
				 (unsigned long long)count);
	}
	bool is_all = refused + rejects_left_out(job->rejects) == job->rows;
	if (output_format_of(job->call->out) != FORMAT_TABLE) {
		enum err err = show(job);
		if (err != ERR_OK)
			return err;
	}
	call_refuse(job->call, ERR_REFUSED, "%s (%s): ", people_file_name(job->file), buf_text(&found));
	if (is_all)
		call_refuse(job->call, ERR_REFUSED, "every row is refused");
	else
		call_refuse(job->call, ERR_REFUSED, "%llu of %llu rows %s refused", (unsigned long long)refused,
			    (unsigned long long)job->rows, refused == 1 ? "is" : "are");
	return call_refuse(job->call, ERR_REFUSED,
			   " (%s), the first in %s; nothing was imported; %s names each row and its reason%s",
			   buf_text(&kinds), rejects_first(job->rejects), rejects_place(job),
			   is_all ? "" : ", and --skip-bad takes the others");
}

void import_report_audit(const struct import_job *job, struct buf *detail)
{
	const struct import_counts *counts = &job->counts;
	buf_addf(detail,
		 "{\"rows\": %llu, \"created\": %llu, \"updated\": %llu, \"joined\": %llu, \"refused\": %llu, "
		 "\"left_out\": %llu, \"file\": ",
		 (unsigned long long)counts->rows, (unsigned long long)counts->created,
		 (unsigned long long)counts->updated, (unsigned long long)counts->joined,
		 (unsigned long long)rejects_refused(job->rejects), (unsigned long long)rejects_left_out(job->rejects));
	output_json_string(detail, view_of(people_file_name(job->file)));
	if (job->wishes.options.resubscribe.len > 0) {
		buf_addf(detail, ", \"resubscribed\": %llu, \"resubscribed_because\": ",
			 (unsigned long long)counts->resubscribed);
		output_json_string(detail, job->wishes.options.resubscribe);
	}
	if (job->wishes.options.reassigned.len > 0) {
		buf_add(detail, VIEW_LIT(", \"reassigned_because\": "));
		output_json_string(detail, job->wishes.options.reassigned);
	}
	if (job->wishes.options.consent_source.len > 0) {
		buf_add(detail, VIEW_LIT(", \"consent\": "));
		output_json_string(detail, job->wishes.options.consent_source);
	}
	buf_add_byte(detail, '}');
}
