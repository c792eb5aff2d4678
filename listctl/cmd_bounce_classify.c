#include "listctl/bounce_verbs.h"

#include <stdio.h>

#include "base/file.h"
#include "base/limits.h"
#include "listctl/own_rules.h"
#include "mail/intake.h"
#include "mail/report_json.h"

static const struct output_column columns[] = {
	{ "file", OUTPUT_TEXT, false },   { "kind", OUTPUT_TEXT, false },       { "reason", OUTPUT_TEXT, false },
	{ "status", OUTPUT_TEXT, false }, { "recipients", OUTPUT_TEXT, false }, /* with --why: */
	{ "rule", OUTPUT_TEXT, false },   { "code", OUTPUT_INT, false },        { "place", OUTPUT_TEXT, false },
	{ "line", OUTPUT_TEXT, true },
};
enum { COLUMNS_OF_WHY = 4 };

static void write_row(struct output *out, const char *file, const struct report *report,
		      const struct intake_ground *ground)
{
	enum { ROOM = 64 << 10 };
	const struct finding *finding = report_finding(report);
	AUTO_BUF status = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF recipients = buf_with_ceiling(ROOM);
	status_write(finding->status, &status);
	for (size_t i = 0; i < report_recipient_count(report); i++)
		buf_addf(&recipients, "%s" VIEW_FMT, i == 0 ? "" : " ", VIEW_ARG(report_recipient(report, i)));
	output_row(out, (struct output_cell[]){
			    cell_text(view_of(file)), cell_text(view_of(kind_name(finding->kind))),
			    cell_text(view_of(reason_name(finding->reason))), cell_text_or_null(buf_view(&status)),
			    cell_text_or_null(buf_view(&recipients)), cell_text(view_of(finding->rule)),
			    finding->code == 0 ? cell_null() : cell_int(finding->code),
			    cell_text(view_of(ground->place)), cell_text_or_null(ground->line) });
}

/* The line that machines get: written as soon as it is there. */
static enum err write_line(const char *file, const struct report *report, const struct intake_ground *ground)
{
	enum { ROOM = 1 << 20 };
	AUTO_BUF line = buf_with_ceiling(ROOM);
	enum err err = report_json_with_ground(report, view_of(file), ground, &line);
	if (err == ERR_OK)
		fwrite(line.data, 1, line.len, stdout);
	return err;
}

static enum err write(struct call *call, const struct intake *intake, const char *file, const struct report *report)
{
	const struct intake_ground ground = intake_ground(intake, report_finding(report));
	if (output_format_of(call->out) == FORMAT_JSON)
		return write_line(file, report, call_has(call, "why") ? &ground : NULL);
	write_row(call->out, file, report, &ground);
	return ERR_OK;
}

static enum err classify_file(struct call *call, struct intake *intake, const char *file, struct buf *why)
{
	AUTO_BUF message = buf_with_ceiling(LIMIT_MESSAGE);
	struct report *report = NULL;
	enum err err = file_read(file, &message, why);
	if (err != ERR_OK)
		return err;
	err = intake_read(intake, buf_view(&message), &report);
	if (err == ERR_OK)
		err = write(call, intake, file, report);
	if (err != ERR_OK)
		buf_addf(why, "cannot classify %s: %s", file, err_name(err));
	report_done(report);
	return err;
}

/* Goes on after a file that cannot be read; the last of such errors is told at the end, as every verb tells its error. */
static enum err classify_files(struct call *call, struct intake *intake)
{
	bool rows = output_format_of(call->out) != FORMAT_JSON;
	enum err first = ERR_OK;
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	if (rows)
		output_begin(call->out, columns, ARRAY_LEN(columns) - (call_has(call, "why") ? 0 : COLUMNS_OF_WHY));
	for (size_t i = 0; i < call->operand_count; i++) {
		AUTO_BUF trouble = buf_with_ceiling(LIMIT_WHY);
		enum err err = classify_file(call, intake, call->operands[i], &trouble);
		if (err == ERR_OK)
			continue;
		if (first != ERR_OK)
			call_warn(call, "%s", buf_text(&why));
		buf_reset(&why);
		buf_add(&why, buf_view(&trouble));
		first = err;
	}
	enum err err = rows ? output_end(call->out, call->why) : ERR_OK;
	if (err == ERR_OK && first != ERR_OK) {
		buf_add(call->why, buf_view(&why));
		err = first;
	}
	return err;
}

enum err bounce_classify(struct call *call)
{
	struct classifier *classifier = NULL;
	struct intake *intake = NULL;
	const char *path = call_has(call, "rules") ? call_option(call, "rules") : own_rules_path(call);
	enum err err = own_rules_load(call, path, &classifier);
	if (err == ERR_OK) {
		err = intake_new(classifier, &intake);
		if (err != ERR_OK)
			buf_addf(call->why, "there is no memory left");
	}
	if (err == ERR_OK)
		err = classify_files(call, intake);
	intake_done(intake);
	classifier_done(classifier);
	return err;
}
