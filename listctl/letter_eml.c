#include "listctl/letter_eml.h"

#include "base/file.h"
#include "mail/parts.h"
#include "mail/template.h"

/* Where the value of "Subject: " stands in its line: what is wrong with one that is not encoded is then found. */
static const struct field_row {
	enum eml_field field;
	enum front_key key;
	size_t column;
} fields[] = {
	{ EML_SUBJECT, FRONT_SUBJECT, sizeof("Subject: ") },
	{ EML_FROM, FRONT_FROM, sizeof("From: ") },
	{ EML_REPLY_TO, FRONT_REPLY_TO, sizeof("Reply-To: ") },
};

static void take_fields(struct letter_file *file)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		const struct eml_value *value = &file->eml.fields[fields[i].field];
		if (value->line == 0)
			continue;
		file->front.values[fields[i].key] = (struct front_value){ .text = buf_view(&value->text),
									  .line = value->line,
									  .column = fields[i].column };
	}
}

/* Errors count the lines of the decoded part. */
static enum err take_body(struct letter_file *file, const struct eml_body *body, struct buf *path, struct buf *text)
{
	if (body->text.len == 0)
		return ERR_OK;
	buf_reset(path);
	buf_addf(path, VIEW_FMT ", " VIEW_FMT, VIEW_ARG(buf_view(&file->path)), VIEW_ARG(buf_view(&body->place)));
	return template_normalise(buf_view(&body->text), text);
}

enum err letter_eml_read(struct call *call, struct letter_file *file)
{
	AUTO_BUF raw = buf_with_ceiling(LIMIT_EML);
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	enum err err = file_read(buf_text(&file->path), &raw, call->why);
	if (err != ERR_OK)
		return err;
	parts_library_open();
	err = eml_read(buf_view(&raw), &file->eml, &reason);
	if (err != ERR_OK)
		return call_refuse(call, err, "%s: %s", buf_text(&file->path), buf_text(&reason));
	take_fields(file);
	err = take_body(file, &file->eml.html, &file->body_path, &file->body);
	if (err == ERR_OK)
		err = take_body(file, &file->eml.text, &file->text_path, &file->text);
	return err;
}
