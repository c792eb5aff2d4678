#include "mail/part.h"

#include "base/limits.h"
#include "mail/encode.h"

/* A literal: text[0, lines_from) ends a line that a field may have begun, text[lines_to, len) begins one that a field may
 * end; between them are whole lines, whose encoding is encoded[at, at + len). */
struct cut {
	size_t lines_from, lines_to;
	size_t at, len;
};

static const struct cut *cut_of(const struct part *part, size_t number)
{
	return (const struct cut *)(const void *)part->cuts.data + number;
}

static enum err add_cut(struct part *part, struct view text)
{
	size_t first = view_find_byte(text, '\n');
	struct cut cut = { .lines_from = text.len, .lines_to = text.len, .at = part->encoded.len };
	if (first != VIEW_NONE) {
		cut.lines_from = first + 1;
		cut.lines_to = view_find_last_byte(text, '\n') + 1;
	}
	struct qp qp = qp_start(&part->encoded);
	qp_add(&qp, view_slice(text, cut.lines_from, cut.lines_to));
	cut.len = part->encoded.len - cut.at;
	return buf_add(&part->cuts, view_from(&cut, sizeof(cut)));
}

static enum err cut_literals(struct part *part)
{
	struct view text;
	part->encoded = buf_with_ceiling(LIMIT_MESSAGE);
	part->cuts = buf_with_ceiling(template_literal_count(part->template) * sizeof(struct cut));
	for (size_t cursor = 0; template_next_literal(part->template, &cursor, &text);) {
		enum err err = add_cut(part, text);
		if (err != ERR_OK)
			return err;
	}
	return buf_err(&part->encoded);
}

/* Compares both encodings of all literals as one text. */
static enum err choose_encoding(struct part *part)
{
	AUTO_BUF quoted = buf_with_ceiling(LIMIT_MESSAGE);
	AUTO_BUF lines = buf_with_ceiling(LIMIT_MESSAGE);
	struct qp qp = qp_start(&quoted);
	struct view text;
	for (size_t cursor = 0; template_next_literal(part->template, &cursor, &text);) {
		qp_add(&qp, text);
		if (encode_lines(text, &lines) != ERR_OK)
			break;
	}
	part->base64 = encode_base64_len(lines.len) < quoted.len;
	return buf_err(&lines) != ERR_OK ? buf_err(&lines) : buf_err(&quoted);
}

enum err part_compile(struct part *part, struct view source, enum template_slot slot, const struct field_names *known,
		      struct buf *why)
{
	*part = (struct part){ 0 };
	enum err err = template_compile(source, slot, known, &part->template, why);
	if (err == ERR_OK)
		err = choose_encoding(part);
	if (err == ERR_OK && !part->base64)
		err = cut_literals(part);
	return err;
}

void part_done(struct part *part)
{
	template_done(part->template);
	part->template = NULL;
	buf_done(&part->encoded);
	buf_done(&part->cuts);
}

const char *part_encoding(const struct part *part)
{
	return part->base64 ? "base64" : "quoted-printable";
}

/* ---- quoted-printable: straight into the message ---- */

struct qp_writer {
	const struct part *part;
	struct qp qp;
};

static enum err qp_literal(void *context, size_t number, struct view text)
{
	struct qp_writer *writer = context;
	const struct cut *cut = cut_of(writer->part, number);
	qp_add(&writer->qp, view_head(text, cut->lines_from));
	if (cut->len > 0)
		qp_add_encoded(&writer->qp, view_slice(buf_view(&writer->part->encoded), cut->at, cut->at + cut->len));
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

enum err part_write(const struct part *part, const struct template_source *source, struct part_scratch *scratch,
		    struct buf *out, struct buf *why)
{
	if (!part->base64) {
		struct qp_writer writer = { .part = part, .qp = qp_start(out) };
		struct template_sink sink = { .context = &writer, .literal = qp_literal, .value = qp_value };
		enum err err = template_render(part->template, source, &sink, &scratch->escaped, why);
		qp_end(&writer.qp);
		return err != ERR_OK ? err : buf_err(out);
	}
	struct template_sink sink = { .context = &scratch->text, .literal = line_literal, .value = line_value };
	buf_reset(&scratch->text);
	enum err err = template_render(part->template, source, &sink, &scratch->escaped, why);
	return err != ERR_OK ? err : encode_base64(buf_view(&scratch->text), out);
}
