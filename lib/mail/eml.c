#include "mail/eml.h"

#include <gmime/gmime.h>

#include "mail/attachment.h"
#include "mail/eml_content.h"
#include "mail/eml_head.h"
#include "mail/flowed.h"
#include "mail/html_parts.h"

enum {
	PLACE_MOST = 256,
	TYPE_MOST = 80,
	DASHES_MOST = 20000, /* lines that GMime looks at as boundaries */
};

/* Where a part stands. */
enum context {
	IN_BODY, /* the message itself, the first of a multipart/related, what stands in a multipart/mixed without a name */
	IN_ALTERNATIVE, /* likewise, and nothing but text */
	IN_FILES,
};

struct reader {
	struct eml *eml;
	struct buf *why;
	unsigned parts;
	unsigned multiparts;             /* that were seen */
	unsigned multipart, alternative; /* the innermost ones around what is read, numbered from 1 */
	struct stand {
		unsigned multipart, alternative;
	} text, html; /* where the bodies stand */
};

/* ---- what is refused ---- */

static const struct refused_row {
	const char *type, *subtype, *remedy;
} refused[] = {
	{ "multipart", "signed", "it is signed, and no signature survives a letter of many copies; save it unsigned" },
	{ "application", "pkcs7-signature",
	  "it is a signature, which no letter of many copies keeps; save it unsigned" },
	{ "application", "x-pkcs7-signature",
	  "it is a signature, which no letter of many copies keeps; save it unsigned" },
	{ "application", "pgp-signature", "it is a signature, which no letter of many copies keeps; save it unsigned" },
	{ "multipart", "encrypted", "it is encrypted; save it decrypted" },
	{ "application", "pkcs7-mime", "it is signed or encrypted (S/MIME); save it without" },
	{ "application", "x-pkcs7-mime", "it is signed or encrypted (S/MIME); save it without" },
	{ "application", "pgp-encrypted", "it is encrypted (PGP); save it decrypted" },
	{ "multipart", "report", "it is a report about other mail, no letter" },
	{ "message", "*", "it is a message within the message; save that one by itself, or take it out" },
	{ "multipart", "*", "letters have multipart/alternative, related and mixed only; save it as one of those" },
};

static void write_place(GMimeObject *object, struct view number, struct buf *place)
{
	AUTO_BUF type = buf_with_ceiling(TYPE_MOST);
	char *written = g_mime_content_type_get_mime_type(g_mime_object_get_content_type(object));
	buf_add(&type, view_of(written));
	if (buf_err(&type) != ERR_OK || !view_is_ascii(buf_view(&type)) || view_has_control(buf_view(&type))) {
		buf_reset(&type);
		buf_add(&type, VIEW_LIT("of some type"));
	}
	buf_addf(place, "part " VIEW_FMT " (" VIEW_FMT ")", VIEW_ARG(number), VIEW_ARG(buf_view(&type)));
	g_free(written);
}

static enum err name_place(struct reader *reader, enum err err, struct view place, struct view remedy)
{
	buf_addf(reader->why, VIEW_FMT ": " VIEW_FMT, VIEW_ARG(place), VIEW_ARG(remedy));
	return err;
}

static enum err refuse(struct reader *reader, struct view place, const char *remedy)
{
	return name_place(reader, ERR_INVALID, place, view_of(remedy));
}

static enum err check_type(struct reader *reader, GMimeObject *object, struct view place)
{
	GMimeContentType *type = g_mime_object_get_content_type(object);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		if (g_mime_content_type_is_type(type, refused[i].type, refused[i].subtype))
			return refuse(reader, place, refused[i].remedy);
	}
	return ERR_OK;
}

/* ---- bodies ---- */

/* Appends its octets, those of a text in UTF-8. */
static enum err read_content(struct reader *reader, GMimePart *leaf, struct view place, struct buf *out)
{
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	enum err err = eml_content_read(leaf, out, &reason);
	return err == ERR_OK ? err : name_place(reader, err, place, buf_view(&reason));
}

static bool says(GMimePart *leaf, const char *parameter, const char *value)
{
	const char *its = g_mime_object_get_content_type_parameter(GMIME_OBJECT(leaf), parameter);
	return its != NULL && view_eq_nocase(view_of(its), view_of(value));
}

static enum err read_body_text(struct reader *reader, GMimePart *leaf, struct view place, struct buf *out)
{
	AUTO_BUF flowed = buf_with_ceiling(LIMIT_TEMPLATE);
	if (!says(leaf, "format", "flowed"))
		return read_content(reader, leaf, place, out);
	enum err err = read_content(reader, leaf, place, &flowed);
	return err != ERR_OK ? err : flowed_join(buf_view(&flowed), says(leaf, "delsp", "yes"), out);
}

/* Apple Mail has the HTML in pieces, with the files between. */
static enum err take_second(struct reader *reader, struct view place, struct view text, struct eml_body *body)
{
	AUTO_BUF joined = buf_with_ceiling(LIMIT_TEMPLATE);
	bool is_html = body == &reader->eml->html, is_blank = false;
	enum err err = is_html ? html_parts_is_blank(text, &is_blank) : ERR_OK;
	if (is_blank)
		return ERR_OK;
	if (err == ERR_OK && is_html && reader->html.multipart == reader->multipart) {
		err = html_parts_join(buf_view(&body->text), text, &joined);
		buf_reset(&body->text);
		return err == ERR_OK ? buf_add(&body->text, buf_view(&joined))
				     : refuse(reader, place, "the HTML is too long; shorten it");
	}
	buf_addf(reader->why, VIEW_FMT ": " VIEW_FMT " is such a text already; a letter has one of each",
		 VIEW_ARG(place), VIEW_ARG(buf_view(&body->place)));
	return ERR_INVALID;
}

static enum err take_body(struct reader *reader, GMimePart *leaf, struct view place, struct eml_body *body)
{
	AUTO_BUF text = buf_with_ceiling(LIMIT_TEMPLATE);
	enum err err = read_body_text(reader, leaf, place, &text);
	if (err != ERR_OK || view_trim(buf_view(&text)).len == 0)
		return err;
	if (view_find_byte(buf_view(&text), '\0') != VIEW_NONE)
		return refuse(reader, place, "it holds a NUL octet: it is no text");
	if (body->text.len > 0)
		return take_second(reader, place, buf_view(&text), body);
	*(body == &reader->eml->html ? &reader->html : &reader->text) =
	    (struct stand){ reader->multipart, reader->alternative };
	buf_add(&body->text, buf_view(&text));
	buf_add(&body->place, place);
	return buf_err(&body->text);
}

/* A text beside the HTML is no other form of it: most are footers of mailing lists. */
static enum err check_bodies(struct reader *reader)
{
	const struct eml *eml = reader->eml;
	bool has_both = eml->text.text.len > 0 && eml->html.text.len > 0;
	if (!has_both || (reader->text.alternative > 0 && reader->text.alternative == reader->html.alternative))
		return ERR_OK;
	return refuse(
	    reader, buf_view(&eml->text.place),
	    "it stands beside the HTML instead of being its alternative, as footers of mailing lists do; take "
	    "it out, or save both as multipart/alternative");
}

/* The body that it would be, or NULL. */
static struct eml_body *body_of(struct reader *reader, GMimePart *leaf)
{
	GMimeContentType *type = g_mime_object_get_content_type(GMIME_OBJECT(leaf));
	if (g_mime_content_type_is_type(type, "text", "plain"))
		return &reader->eml->text;
	return g_mime_content_type_is_type(type, "text", "html") ? &reader->eml->html : NULL;
}

/* ---- files ---- */

/* What has no name gets one by its place and type. */
static enum err name_file(struct reader *reader, GMimePart *leaf, struct view number, struct view place,
			  struct buf *name)
{
	const char *given = g_mime_part_get_filename(leaf);
	if (given != NULL && *given != '\0')
		return buf_add(name, view_of(given));
	char *type = g_mime_content_type_get_mime_type(g_mime_object_get_content_type(GMIME_OBJECT(leaf)));
	const char *ending = attachment_ending(view_of(type));
	g_free(type);
	if (ending == NULL)
		return refuse(reader, place,
			      "it has no name, and letters have no text or file of that type; take it out");
	return buf_addf(name, "part-" VIEW_FMT ".%s", VIEW_ARG(number), ending);
}

static void free_file(struct eml_file *file)
{
	buf_done(&file->name);
	buf_done(&file->content_id);
	buf_done(&file->place);
	buf_done(&file->content);
}

static enum err take_file(struct reader *reader, GMimePart *leaf, struct view number, struct view place)
{
	struct eml *eml = reader->eml;
	if (eml->file_count == LIMIT_FILES)
		return refuse(reader, place, "a letter has at most 50 images and attachments; take some away");
	struct eml_file file = { .name = buf_with_ceiling(LIMIT_PATH),
				 .content_id = buf_with_ceiling(LIMIT_PATH),
				 .place = buf_with_ceiling(PLACE_MOST),
				 .content = buf_with_ceiling(LIMIT_FILES_TOTAL) };
	buf_add(&file.content_id, view_head(view_of(g_mime_part_get_content_id(leaf)), LIMIT_PATH));
	buf_add(&file.place, place);
	enum err err = name_file(reader, leaf, number, place, &file.name);
	if (err == ERR_OK)
		err = read_content(reader, leaf, place, &file.content);
	if (err != ERR_OK)
		free_file(&file);
	else
		eml->files[eml->file_count++] = file;
	return err;
}

/* ---- the walk ---- */

static bool is_attached(GMimePart *leaf)
{
	const char *disposition = g_mime_object_get_disposition(GMIME_OBJECT(leaf));
	return (disposition != NULL && g_ascii_strcasecmp(disposition, "attachment") == 0) ||
	       g_mime_part_get_filename(leaf) != NULL;
}

static enum err take_leaf(struct reader *reader, GMimePart *leaf, enum context context, struct view number,
			  struct view place)
{
	struct eml_body *body =
	    context == IN_FILES || (context == IN_BODY && is_attached(leaf)) ? NULL : body_of(reader, leaf);
	if (body != NULL)
		return take_body(reader, leaf, place, body);
	if (context == IN_ALTERNATIVE)
		return refuse(reader, place,
			      "letters have text/plain and text/html as alternatives only; take this one out");
	return take_file(reader, leaf, number, place);
}

static enum err take_object(struct reader *reader, GMimeObject *object, enum context context, struct view number);

/* The part of a multipart/related that the others belong to (RFC 2387 section 3.2). */
static int root_of(GMimeMultipart *related)
{
	const char *start = g_mime_object_get_content_type_parameter(GMIME_OBJECT(related), "start");
	struct view id = view_of(start);
	if (view_starts(id, VIEW_LIT("<")) && view_ends(id, VIEW_LIT(">")))
		id = view_slice(id, 1, id.len - 1);
	for (int i = 0; id.len > 0 && i < g_mime_multipart_get_count(related); i++) {
		const char *its = g_mime_object_get_content_id(g_mime_multipart_get_part(related, i));
		if (its != NULL && view_eq(view_of(its), id))
			return i;
	}
	return 0;
}

static enum err take_multipart(struct reader *reader, GMimeMultipart *multipart, enum context context,
			       struct view number)
{
	GMimeContentType *type = g_mime_object_get_content_type(GMIME_OBJECT(multipart));
	bool is_alternative = g_mime_content_type_is_type(type, "multipart", "alternative");
	bool is_related = g_mime_content_type_is_type(type, "multipart", "related");
	int root = is_related ? root_of(multipart) : 0;
	const unsigned around = reader->multipart, alternative_around = reader->alternative;
	const unsigned own = ++reader->multiparts, alternative = is_alternative ? own : alternative_around;
	enum err err = ERR_OK;
	for (int i = 0; err == ERR_OK && i < g_mime_multipart_get_count(multipart); i++) {
		AUTO_BUF inner = buf_with_ceiling(PLACE_MOST);
		if (number.len > 0)
			buf_addf(&inner, VIEW_FMT ".", VIEW_ARG(number));
		buf_addf(&inner, "%d", i + 1);
		enum context within = context == IN_FILES ? IN_FILES : IN_BODY;
		if (is_alternative)
			within = IN_ALTERNATIVE;
		else if (is_related)
			within = i == root ? context : IN_FILES;
		reader->multipart = own;
		reader->alternative = alternative;
		err = take_object(reader, g_mime_multipart_get_part(multipart, i), within, buf_view(&inner));
	}
	reader->multipart = around;
	reader->alternative = alternative_around;
	return err;
}

static bool is_too_deep(struct view number)
{
	size_t dots = 0;
	for (size_t i = 0; i < number.len; i++)
		dots += number.data[i] == '.';
	return dots >= LIMIT_INTAKE_DEPTH;
}

static enum err take_object(struct reader *reader, GMimeObject *object, enum context context, struct view number)
{
	static const struct {
		const char *subtype;
	} containers[] = { { "alternative" }, { "related" }, { "mixed" } };
	AUTO_BUF place = buf_with_ceiling(PLACE_MOST);
	GMimeContentType *type = g_mime_object_get_content_type(object);
	write_place(object, number.len > 0 ? number : VIEW_LIT("1"), &place);
	if (++reader->parts > LIMIT_INTAKE_PARTS || is_too_deep(number))
		return refuse(reader, buf_view(&place),
			      "the message has more than 100 parts, or they stand more than 16 deep in each other");
	for (size_t i = 0; GMIME_IS_MULTIPART(object) && i < ARRAY_LEN(containers); i++) {
		if (g_mime_content_type_is_type(type, "multipart", containers[i].subtype))
			return take_multipart(reader, GMIME_MULTIPART(object), context, number);
	}
	enum err err = check_type(reader, object, buf_view(&place));
	if (err != ERR_OK)
		return err;
	if (!GMIME_IS_PART(object))
		return refuse(reader, buf_view(&place), "it cannot be read; save the message anew");
	return take_leaf(reader, GMIME_PART(object), context, number.len > 0 ? number : VIEW_LIT("1"),
			 buf_view(&place));
}

/* ---- the message ---- */

/* What GMime finds broken and we do not mend. */
static const struct {
	GMimeParserWarning warning;
	const char *remedy;
} broken[] = {
	{ GMIME_WARN_TRUNCATED_MESSAGE, "it is cut short: the boundary that ends its parts is missing; save it anew" },
	{ GMIME_WARN_MALFORMED_MULTIPART, "a multipart has no parts: its boundary is not found; save it anew" },
	{ GMIME_CRIT_MULTIPART_WITHOUT_BOUNDARY, "a multipart names no boundary; save it anew" },
	{ GMIME_CRIT_NESTING_OVERFLOW, "its parts stand too deep in each other" },
	{ GMIME_CRIT_CONFLICTING_HEADER, "a field of a header stands twice and says two things" },
	{ GMIME_CRIT_CONFLICTING_PARAMETER, "a parameter in a header stands twice and says two things" },
	{ GMIME_CRIT_INVALID_HEADER_NAME, "a line in a header is no field; save it anew" },
	{ GMIME_CRIT_PART_WITHOUT_HEADERS_OR_CONTENT, "a part has neither header nor content; save it anew" },
};

/* What a parser takes long for, before it does: it compares each such line with each boundary, keeps each part, and goes through the fields
 * of a header and their parameters again and again. */
static const char *find_excess(struct view raw)
{
	struct view rest = raw, line;
	size_t dashes = 0, boundaries = 0, head = 0; /* octets of a part's header so far */
	bool in_head = false;
	while (view_cut_line(&rest, &line)) {
		bool is_boundary = view_starts(line, VIEW_LIT("--"));
		in_head = is_boundary || (in_head && view_trim(line).len > 0);
		head = in_head && !is_boundary ? head + line.len + 1 : 0;
		dashes += is_boundary;
		boundaries +=
		    view_find_byte(line, '=') != VIEW_NONE && view_find_nocase(line, VIEW_LIT("boundary")) != VIEW_NONE;
		if (head > LIMIT_INTAKE_VALUE)
			return "the header of a part has more than 8 KiB; save it anew";
	}
	if (boundaries > LIMIT_INTAKE_PARTS)
		return "it has more than 100 parts, or they stand more than 16 deep in each other";
	return dashes > DASHES_MOST ? "more than 20000 of its lines begin with --, as those between parts do" : NULL;
}

static void on_warning(gint64 offset, GMimeParserWarning warning, const gchar *item, gpointer context)
{
	const char **remedy = context;
	(void)offset;
	(void)item;
	for (size_t i = 0; *remedy == NULL && i < ARRAY_LEN(broken); i++) {
		if (broken[i].warning == warning)
			*remedy = broken[i].remedy;
	}
}

static GMimeMessage *parse(struct view raw, const char **ret_remedy)
{
	GByteArray borrowed = { .data = (guint8 *)(uintptr_t)raw.data, .len = (guint)raw.len };
	GMimeStream *stream = g_mime_stream_mem_new_with_byte_array(&borrowed);
	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
	GMimeParserOptions *options = g_mime_parser_options_new();
	g_mime_parser_options_set_warning_callback(options, on_warning, ret_remedy);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	g_mime_parser_set_persist_stream(parser, FALSE);
	GMimeMessage *message = g_mime_parser_construct_message(parser, options);
	g_object_unref(parser);
	g_mime_parser_options_free(options);
	g_object_unref(stream);
	return message;
}

static void open_eml(struct eml *eml)
{
	*eml = (struct eml){ .dropped = buf_with_ceiling(LIMIT_WHY / 2) };
	for (size_t i = 0; i < EML_FIELD_COUNT; i++)
		eml->fields[i].text = buf_with_ceiling(LIMIT_INTAKE_HEAD);
	struct eml_body *bodies[] = { &eml->text, &eml->html };
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
		*bodies[i] = (struct eml_body){ buf_with_ceiling(LIMIT_TEMPLATE), buf_with_ceiling(PLACE_MOST) };
}

void eml_done(struct eml *eml)
{
	for (size_t i = 0; i < EML_FIELD_COUNT; i++)
		buf_done(&eml->fields[i].text);
	struct eml_body *bodies[] = { &eml->text, &eml->html };
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		buf_done(&bodies[i]->text);
		buf_done(&bodies[i]->place);
	}
	for (size_t i = 0; i < eml->file_count; i++)
		free_file(&eml->files[i]);
	eml->file_count = 0;
	buf_done(&eml->dropped);
}

/* Of its header only the fields of MIME are there. */
static enum err read_body(struct view raw, struct reader *reader)
{
	const char *remedy = find_excess(raw);
	if (remedy != NULL) {
		buf_add(reader->why, view_of(remedy));
		return ERR_INVALID;
	}
	GMimeMessage *message = parse(raw, &remedy);
	GMimeObject *top = message == NULL ? NULL : g_mime_message_get_mime_part(message);
	enum err err = ERR_INVALID;
	if (top == NULL)
		buf_add(reader->why, VIEW_LIT("it is no message: there is no header; save it anew"));
	else if (remedy != NULL)
		buf_add(reader->why, view_of(remedy));
	else
		err = take_object(reader, top, IN_BODY, VIEW_LIT(""));
	if (err == ERR_OK)
		err = check_bodies(reader);
	if (message != NULL)
		g_object_unref(message);
	return err;
}

/* A line of an mbox in front, and a byte order mark, are no part of it. */
static struct view without_front(struct view raw)
{
	struct view line;
	if (view_starts(raw, VIEW_LIT("\xef\xbb\xbf")))
		raw = view_skip(raw, 3);
	if (view_starts(raw, VIEW_LIT("From ")))
		view_cut_line(&raw, &line);
	return raw;
}

enum err eml_read(struct view raw, struct eml *ret_eml, struct buf *why)
{
	struct reader reader = { .eml = ret_eml, .why = why };
	open_eml(ret_eml);
	AUTO_BUF message = buf_with_ceiling(LIMIT_EML + 2 * LIMIT_INTAKE_HEAD);
	struct view body;
	enum err err = eml_head_read(without_front(raw), ret_eml, &message, &body, why);
	if (err == ERR_OK)
		err = buf_add(&message, body);
	if (err == ERR_OK)
		err = read_body(buf_view(&message), &reader);
	if (err == ERR_OK && ret_eml->text.text.len == 0 && ret_eml->html.text.len == 0) {
		buf_add(why, VIEW_LIT("it holds no text, neither plain nor HTML; write one"));
		err = ERR_INVALID;
	}
	return err;
}
