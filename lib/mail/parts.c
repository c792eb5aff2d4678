#include "mail/parts.h"

#include <assert.h>
#include <string.h>

#include <gmime/gmime.h>

#include "mail/html_text.h"

static const char *const head_names[] = {
	[HEAD_FROM] = "From",
	[HEAD_TO] = "To",
	[HEAD_SUBJECT] = "Subject",
	[HEAD_RETURN_PATH] = "Return-Path",
	[HEAD_AUTO_SUBMITTED] = "Auto-Submitted",
	[HEAD_PRECEDENCE] = "Precedence",
	[HEAD_LIST_ID] = "List-Id",
	[HEAD_LIST_UNSUBSCRIBE] = "List-Unsubscribe",
	[HEAD_REFERENCES] = "References",
	[HEAD_IN_REPLY_TO] = "In-Reply-To",
	[HEAD_X_AUTOREPLY] = "X-Autoreply",
	[HEAD_X_AUTORESPOND] = "X-Autorespond",
	[HEAD_X_AUTO_RESPONSE_SUPPRESS] = "X-Auto-Response-Suppress",
	[HEAD_X_FAILED_RECIPIENTS] = "X-Failed-Recipients",
};
static_assert(ARRAY_LEN(head_names) == HEAD_FIELD_COUNT, "one name per field");

static const struct role_row {
	const char *subtype; /* of message/ */
	enum part_role role;
} message_roles[] = {
	{ "delivery-status", PART_STATUS },
	{ "global-delivery-status", PART_STATUS },
	{ "feedback-report", PART_FEEDBACK },
	{ "disposition-notification", PART_DISPOSITION },
	{ "global-disposition-notification", PART_DISPOSITION },
	{ "global-headers", PART_RETURNED },
	{ "global", PART_RETURNED },
	{ "rfc822", PART_RETURNED },
	{ "news", PART_RETURNED },
};

void parts_library_open(void)
{
	g_mime_init();
}

void parts_library_close(void)
{
	g_mime_shutdown();
}

void parts_done(struct parts *parts)
{
	buf_done(&parts->text);
}

struct view parts_head(const struct parts *parts, enum head_field field)
{
	return view_slice(buf_view(&parts->text), parts->head[field].at,
			  parts->head[field].at + parts->head[field].len);
}

struct view parts_text(const struct parts *parts, const struct part *part)
{
	return view_slice(buf_view(&parts->text), part->at, part->at + part->len);
}

const struct part *parts_find(const struct parts *parts, enum part_role role)
{
	for (size_t i = 0; i < parts->count; i++) {
		if (parts->parts[i].role == role)
			return &parts->parts[i];
	}
	return NULL;
}

/* ---- decoding ------------------------------------------------------------------------------------------------------- */

/* UTF-8 and what calls itself ASCII but is UTF-8 stay; the rest is converted, unknown charsets as windows-1252. */
static void add_text(struct parts *parts, const char *charset, struct view octets)
{
	bool is_stateful = charset != NULL && g_ascii_strncasecmp(charset, "iso-2022-", 9) == 0 &&
			   view_find_byte(octets, '\x1b') != VIEW_NONE;
	if (view_is_utf8(octets) && !is_stateful) {
		buf_add(&parts->text, octets);
		return;
	}
	bool is_known = charset != NULL && g_ascii_strcasecmp(charset, "us-ascii") != 0 &&
			g_ascii_strcasecmp(charset, "utf-8") != 0;
	iconv_t converter = is_known ? g_mime_iconv_open("UTF-8", charset) : (iconv_t)-1;
	if (converter == (iconv_t)-1)
		converter = g_mime_iconv_open("UTF-8", "windows-1252");
	char *converted = converter == (iconv_t)-1 ? NULL : g_mime_iconv_strndup(converter, octets.data, octets.len);
	if (converter != (iconv_t)-1)
		g_mime_iconv_close(converter);
	buf_add(&parts->text, converted != NULL ? view_of(converted) : octets);
	g_free(converted);
}

/* Content without its transfer encoding. The caller frees the array. */
static GByteArray *decode(GMimePart *part)
{
	GByteArray *octets = g_byte_array_new();
	GMimeDataWrapper *content = g_mime_part_get_content(part);
	if (content == NULL)
		return octets;
	GMimeStream *memory = g_mime_stream_mem_new_with_byte_array(octets);
	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(memory), FALSE);
	g_mime_data_wrapper_write_to_stream(content, memory);
	g_object_unref(memory);
	return octets;
}

static void begin_part(struct parts *parts, enum part_role role, bool was_html)
{
	parts->parts[parts->count] = (struct part){ .role = role, .was_html = was_html, .at = parts->text.len };
}

static void end_part(struct parts *parts)
{
	struct part *part = &parts->parts[parts->count++];
	part->len = parts->text.len - part->at;
}

static void take_leaf(struct parts *parts, GMimePart *leaf, enum part_role role, bool is_html)
{
	const char *charset = g_mime_object_get_content_type_parameter(GMIME_OBJECT(leaf), "charset");
	GByteArray *octets = decode(leaf);
	struct view content = view_head(view_from(octets->data, octets->len), LIMIT_INTAKE_PART);
	begin_part(parts, role, is_html);
	if (is_html) {
		AUTO_BUF plain = buf_with_ceiling(LIMIT_INTAKE_PART);
		html_to_text(content, &plain);
		add_text(parts, charset, buf_view(&plain));
	} else {
		add_text(parts, charset, content);
	}
	end_part(parts);
	g_byte_array_free(octets, TRUE);
}

/* Of a returned message the header is enough. */
static void take_returned(struct parts *parts, GMimeMessagePart *leaf)
{
	GMimeMessage *message = g_mime_message_part_get_message(leaf);
	if (message == NULL)
		return;
	char *header = g_mime_object_get_headers(GMIME_OBJECT(message), NULL);
	begin_part(parts, PART_RETURNED, false);
	add_text(parts, NULL, view_head(view_of(header), LIMIT_INTAKE_HEAD));
	end_part(parts);
	g_free(header);
}

/* ---- the walk ------------------------------------------------------------------------------------------------------- */

static bool role_of(GMimeObject *object, enum part_role *ret_role, bool *ret_is_html)
{
	GMimeContentType *type = g_mime_object_get_content_type(object);
	*ret_is_html = g_mime_content_type_is_type(type, "text", "html");
	*ret_role = PART_TEXT;
	if (g_mime_content_type_is_type(type, "text", "rfc822-headers")) {
		*ret_role = PART_RETURNED;
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(message_roles); i++) {
		if (g_mime_content_type_is_type(type, "message", message_roles[i].subtype)) {
			*ret_role = message_roles[i].role;
			return true;
		}
	}
	return *ret_is_html || g_mime_content_type_is_type(type, "text", "*");
}

static void take_object(struct parts *parts, GMimeObject *object, unsigned depth)
{
	enum part_role role;
	bool is_html;
	if (object == NULL || parts->seen == LIMIT_INTAKE_PARTS || depth > LIMIT_INTAKE_DEPTH)
		return;
	parts->seen++;
	if (GMIME_IS_MULTIPART(object)) {
		int count = g_mime_multipart_get_count(GMIME_MULTIPART(object));
		for (int i = 0; i < count; i++)
			take_object(parts, g_mime_multipart_get_part(GMIME_MULTIPART(object), i), depth + 1);
	} else if (GMIME_IS_MESSAGE_PART(object)) {
		take_returned(parts, GMIME_MESSAGE_PART(object));
	} else if (GMIME_IS_PART(object) && role_of(object, &role, &is_html)) {
		take_leaf(parts, GMIME_PART(object), role, is_html);
	}
}

static void take_head(struct parts *parts, GMimeMessage *message)
{
	for (size_t i = 0; i < HEAD_FIELD_COUNT; i++) {
		const char *value = g_mime_object_get_header(GMIME_OBJECT(message), head_names[i]);
		parts->head[i].at = parts->text.len;
		buf_add(&parts->text, view_head(view_of(value), LIMIT_INTAKE_VALUE));
		parts->head[i].len = parts->text.len - parts->head[i].at;
	}
}

static void take_kind(struct parts *parts, GMimeMessage *message)
{
	GMimeObject *top = g_mime_message_get_mime_part(message);
	GMimeContentType *type = top == NULL ? NULL : g_mime_object_get_content_type(top);
	if (type == NULL || !g_mime_content_type_is_type(type, "multipart", "report"))
		return;
	const char *report_type = g_mime_content_type_get_parameter(type, "report-type");
	parts->is_report = true;
	parts->is_status = report_type != NULL && g_ascii_strcasecmp(report_type, "delivery-status") == 0;
}

/* ---- the message ---------------------------------------------------------------------------------------------------- */

/* Octets of the header, up to and without the blank line. */
static size_t header_length(struct view raw)
{
	for (size_t i = 0; i + 1 < raw.len; i++) {
		if (raw.data[i] != '\n')
			continue;
		if (raw.data[i + 1] == '\n' || (raw.data[i + 1] == '\r' && i + 2 < raw.len && raw.data[i + 2] == '\n'))
			return i;
	}
	return raw.len;
}

/* Some stores put an empty line before the header. */
static struct view without_blank_lines(struct view raw)
{
	struct view rest = raw, line;
	while (view_cut_line(&rest, &line) && view_trim(line).len == 0)
		raw = rest;
	return raw;
}

static GMimeMessage *parse(struct view raw)
{
	GByteArray borrowed = { .data = (guint8 *)(uintptr_t)raw.data, .len = (guint)raw.len };
	GMimeStream *stream = g_mime_stream_mem_new_with_byte_array(&borrowed);
	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	g_mime_parser_set_persist_stream(parser, FALSE);
	GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
	g_object_unref(parser);
	g_object_unref(stream);
	return message;
}

static void reset(struct parts *parts)
{
	struct buf text = parts->text;
	if (text.ceiling == 0)
		text = buf_with_ceiling(LIMIT_INTAKE_TEXT);
	buf_reset(&text);
	memset(parts, 0, sizeof(*parts));
	parts->text = text;
}

/* A multipart message none of whose boundaries is where it should be: its body as it stands. */
static void take_undivided(struct parts *parts, struct view raw)
{
	begin_part(parts, PART_TEXT, false);
	add_text(parts, NULL, view_head(view_skip(raw, header_length(raw)), LIMIT_INTAKE_PART));
	end_part(parts);
}

enum err parts_read(struct parts *parts, struct view raw)
{
	reset(parts);
	raw = without_blank_lines(raw);
	/* An mbox separator is no header field. */
	struct view line;
	if (view_starts(raw, VIEW_LIT("From ")) || view_starts(raw, VIEW_LIT(">From ")))
		view_cut_line(&raw, &line);
	raw = view_head(raw, LIMIT_INTAKE);
	if (raw.len == 0 || header_length(raw) > LIMIT_INTAKE_HEAD)
		return ERR_INVALID;
	GMimeMessage *message = parse(raw);
	if (message == NULL)
		return ERR_INVALID;
	take_head(parts, message);
	take_kind(parts, message);
	take_object(parts, g_mime_message_get_mime_part(message), 0);
	if (parts->count == 0)
		take_undivided(parts, raw);
	g_object_unref(message);
	/* A text cut short at its ceiling is still a text. */
	return buf_err(&parts->text) == ERR_MEMORY ? ERR_MEMORY : ERR_OK;
}
