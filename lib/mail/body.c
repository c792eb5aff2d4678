#include "mail/body.h"

#include "base/limits.h"
#include "mail/encode.h"

/* A literal: text[0, lines_from) ends a line that a field may have begun, text[lines_to, len) begins one that a field may
 * end; between them are whole lines, whose encoding is encoded[at, at + len). */
struct cut {
	size_t lines_from, lines_to;
	size_t at, len;
};

static const struct cut *cut_of(const struct body *body, size_t number)
{
	return (const struct cut *)(const void *)body->cuts.data + number;
}

static enum err add_cut(struct body *body, struct view text)
{
	size_t first = view_find_byte(text, '\n');
	struct cut cut = { .lines_from = text.len, .lines_to = text.len, .at = body->encoded.len };
	if (first != VIEW_NONE) {
		cut.lines_from = first + 1;
		cut.lines_to = view_find_last_byte(text, '\n') + 1;
	}
	struct qp qp = qp_start(&body->encoded);
	qp_add(&qp, view_slice(text, cut.lines_from, cut.lines_to));
	cut.len = body->encoded.len - cut.at;
	return buf_add(&body->cuts, view_from(&cut, sizeof(cut)));
}

static enum err cut_literals(struct body *body)
{
	struct view text;
	body->encoded = buf_with_ceiling(LIMIT_MESSAGE);
	body->cuts = buf_with_ceiling(template_literal_count(body->template) * sizeof(struct cut));
	for (size_t cursor = 0; template_next_literal(body->template, &cursor, &text);) {
		enum err err = add_cut(body, text);
		if (err != ERR_OK)
			return err;
	}
	return buf_err(&body->encoded);
}

/* Compares both encodings of all literals as one text. */
static enum err choose_encoding(struct body *body)
{
	AUTO_BUF quoted = buf_with_ceiling(LIMIT_MESSAGE);
	AUTO_BUF lines = buf_with_ceiling(LIMIT_MESSAGE);
	struct qp qp = qp_start(&quoted);
	struct view text;
	for (size_t cursor = 0; template_next_literal(body->template, &cursor, &text);) {
		qp_add(&qp, text);
		if (encode_lines(text, &lines) != ERR_OK)
			break;
	}
	body->base64 = encode_base64_len(lines.len) < quoted.len;
	return buf_err(&lines) != ERR_OK ? buf_err(&lines) : buf_err(&quoted);
}

enum err body_compile(struct body *body, struct view source, enum slot_language language,
		      const struct merge_names *known, struct buf *why)
{
	*body = (struct body){ 0 };
	enum err err = template_compile(source, language, known, &body->template, why);
	if (err == ERR_OK)
		err = choose_encoding(body);
	if (err == ERR_OK && !body->base64)
		err = cut_literals(body);
	return err;
}

void body_done(struct body *body)
{
	template_done(body->template);
	body->template = NULL;
	buf_done(&body->encoded);
	buf_done(&body->cuts);
}

const char *body_encoding(const struct body *body)
{
	return body->base64 ? "base64" : "quoted-printable";
}

/* ---- quoted-printable: straight into the message ---- */

struct qp_writer {
	const struct body *body;
	struct qp qp;
};

static enum err qp_literal(void *context, size_t number, struct view text)
{
	struct qp_writer *writer = context;
	const struct cut *cut = cut_of(writer->body, number);
	qp_add(&writer->qp, view_head(text, cut->lines_from));
	if (cut->len > 0)
		qp_add_encoded(&writer->qp, view_slice(buf_view(&writer->body->encoded), cut->at, cut->at + cut->len));
	qp_add(&writer->qp, view_skip(text, cut->lines_to));
	return buf_err(writer->qp.out);
}

static enum err qp_value(void *context, struct view field, struct view text)
{
	struct qp_writer *writer = context;
	(void)field;
	qp_add(&writer->qp, text);
	return buf_err(writer->qp.out);
}

/* ---- base64: the whole text first, for its groups of three octets run on through literals and values ---- */

static enum err line_literal(void *context, size_t number, struct view text)
{
	(void)number;
	return encode_lines(text, context);
}

static enum err line_value(void *context, struct view field, struct view text)
{
	(void)field;
	return encode_lines(text, context);
}

enum err body_write(const struct body *body, const struct template_source *source, struct body_scratch *scratch,
		    struct buf *out, struct buf *why)
{
	if (!body->base64) {
		struct qp_writer writer = { .body = body, .qp = qp_start(out) };
		struct template_sink sink = { .context = &writer, .literal = qp_literal, .value = qp_value };
		enum err err = template_render(body->template, source, &sink, &scratch->escaped, why);
		qp_end(&writer.qp);
		return err != ERR_OK ? err : buf_err(out);
	}
	struct template_sink sink = { .context = &scratch->text, .literal = line_literal, .value = line_value };
	buf_reset(&scratch->text);
	enum err err = template_render(body->template, source, &sink, &scratch->escaped, why);
	return err != ERR_OK ? err : encode_base64(buf_view(&scratch->text), out);
}
