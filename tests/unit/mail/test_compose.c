#include "mail/compose.h"

#include <string.h>

#include <gmime/gmime.h>
#include <jansson.h>

#include "base/limits.h"
#include "tests/support/unit.h"

#define MESSAGE_TOKEN "abcdefghijklmnopqrstuvwxyz23456"
#define UNSUBSCRIBE_TOKEN "abcdefghijklmnopqrstuvwxyz234567abcdefghijklm"

static const char *const known[] = { "company", "city", "vip", "orders.sku", "orders.count", "note" };

static struct composition composition(const char *subject, const char *text, const char *html)
{
	return (struct composition){
		.subject = view_of(subject),
		.from_name = VIEW_LIT("The J\u00fcrgens"),
		.from_address = VIEW_LIT("News@Example.ORG"),
		.reply_to = VIEW_LIT("editor@example.org"),
		.list_id = VIEW_LIT("news.lists.example.org"),
		.list_title = VIEW_LIT("The \"News\""),
		.text_body = view_of(text),
		.html_body = view_of(html),
		.bounce_domain = VIEW_LIT("bounce.example.org"),
		.list_name = VIEW_LIT("news"),
		.campaign_name = VIEW_LIT("may-2026"),
	};
}

static struct copy copy_for(const char *name, const char *attributes)
{
	return (struct copy){
		.address = VIEW_LIT("jane@example.net"),
		.name = view_of(name),
		.attributes = view_of(attributes),
		.message_token = VIEW_LIT(MESSAGE_TOKEN),
		.unsubscribe_token = VIEW_LIT(UNSUBSCRIBE_TOKEN),
		.date_us = INT64_C(1795325761000000),
	};
}

static enum err compile(const struct composition *from, struct composer **ret_composer, struct buf *why)
{
	struct view names[ARRAY_LEN(known)];
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		names[i] = view_of(known[i]);
	return composer_compile(from, names, ARRAY_LEN(known), ret_composer, why);
}

static struct composer *compiled(const char *subject, const char *text, const char *html)
{
	struct composition from = composition(subject, text, html);
	struct composer *composer = NULL;
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	enum err err = compile(&from, &composer, &why);
	ck_assert_msg(err == ERR_OK, "%s", buf_text(&why));
	return composer;
}

/* What holds for every message: CRLF only, 7-bit, no long line, no line that SMTP or mbox would take for its own. */
static void assert_wire(const char *label, struct view wire)
{
	size_t column = 0;
	for (size_t i = 0; i < wire.len; i++) {
		unsigned char c = (unsigned char)wire.data[i];
		if (c == '\r') {
			ck_row(label, i + 1 < wire.len && wire.data[i + 1] == '\n');
			column = 0;
			i++;
			continue;
		}
		ck_row(label, (c >= ' ' && c < 0x7f) || c == '\t');
		ck_row(label, column > 0 || (c != '.' && !view_starts(view_skip(wire, i), VIEW_LIT("From "))));
		ck_row(label, ++column <= 998);
	}
	ck_row(label, view_ends(wire, VIEW_LIT("\r\n")));
}

static const char *const header_names[] = {
	"From",
	"Reply-To",
	"To",
	"Subject",
	"Date",
	"Message-ID",
	"List-Unsubscribe",
	"List-Id",
	"Feedback-ID",
	"Precedence",
	"X-Auto-Response-Suppress",
	"MIME-Version",
};

/* Exactly our fields, each once, in our order: nothing was smuggled in. (GMime keeps Content-* with the part.) */
static void assert_headers(const char *label, GMimeMessage *message, size_t count)
{
	GMimeHeaderList *headers = g_mime_object_get_header_list(GMIME_OBJECT(message));
	ck_assert_msg((size_t)g_mime_header_list_get_count(headers) == count, "%s: %d fields", label,
		      g_mime_header_list_get_count(headers));
	for (size_t i = 0; i < count && i < ARRAY_LEN(header_names); i++)
		ck_assert_str_eq(g_mime_header_get_name(g_mime_header_list_get_header_at(headers, (int)i)),
				 header_names[i]);
}

static GMimeMessage *parsed(struct view wire)
{
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer(wire.data, wire.len);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
	g_object_unref(parser);
	g_object_unref(stream);
	return message;
}

/* The text of a part with LF line ends. */
static void part_text(GMimeObject *part, struct buf *out)
{
	GMimeStream *stream = g_mime_stream_mem_new();
	g_mime_data_wrapper_write_to_stream(g_mime_part_get_content(GMIME_PART(part)), stream);
	GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
	for (guint i = 0; i < bytes->len; i++) {
		if (bytes->data[i] != '\r')
			buf_add_byte(out, (char)bytes->data[i]);
	}
	g_object_unref(stream);
}

static GMimeObject *part_at(GMimeMessage *message, int index)
{
	return g_mime_multipart_get_part(GMIME_MULTIPART(g_mime_message_get_mime_part(message)), index);
}

static void assert_part(const char *label, GMimeObject *part, const char *type, const char *expected)
{
	AUTO_BUF text = buf_with_ceiling(LIMIT_MESSAGE);
	char *mime = g_mime_content_type_get_mime_type(g_mime_object_get_content_type(part));
	ck_assert_str_eq(mime, type);
	ck_assert_str_eq(g_mime_object_get_content_type_parameter(part, "charset"), "utf-8");
	part_text(part, &text);
	ck_assert_msg(view_eq(buf_view(&text), view_of(expected)), "%s: %s reads \"%s\"", label, type, buf_text(&text));
	g_free(mime);
}

START_TEST(exact_bytes)
	{
		struct composer *composer = compiled("News for {{name}}", "Dear {{name}}\n", "<p>Dear {{name}}</p>\n");
		struct copy copy = copy_for("Jane", "");
		AUTO_BUF out = buf_with_ceiling(LIMIT_MESSAGE);
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		ck_assert(composer_write(composer, &copy, &out, &why) == ERR_OK);
		ck_view_eq(buf_view(&out),
			   "From: =?utf-8?Q?The_J=C3=BCrgens?= <News@example.org>\r\n"
			   "Reply-To: editor@example.org\r\n"
			   "To: \"Jane\" <jane@example.net>\r\n"
			   "Subject: News for Jane\r\n"
			   "Date: Sun, 22 Nov 2026 05:36:01 +0000\r\n"
			   "Message-ID: <" MESSAGE_TOKEN "@example.org>\r\n"
			   "List-Unsubscribe: <mailto:unsubscribe+" UNSUBSCRIBE_TOKEN "@bounce.example.org>\r\n"
			   "List-Id: \"The \\\"News\\\"\" <news.lists.example.org>\r\n"
			   "Feedback-ID: may-2026:news:bulk:verpost\r\n"
			   "Precedence: bulk\r\n"
			   "X-Auto-Response-Suppress: OOF, AutoReply\r\n"
			   "MIME-Version: 1.0\r\n"
			   "Content-Type: multipart/alternative; boundary=\"=_verpost\"\r\n"
			   "\r\n"
			   "--=_verpost\r\n"
			   "Content-Type: text/plain; charset=utf-8\r\n"
			   "Content-Transfer-Encoding: quoted-printable\r\n"
			   "\r\n"
			   "Dear Jane\r\n"
			   "\r\n"
			   "--=_verpost\r\n"
			   "Content-Type: text/html; charset=utf-8\r\n"
			   "Content-Transfer-Encoding: quoted-printable\r\n"
			   "\r\n"
			   "<p>Dear Jane</p>\r\n"
			   "\r\n"
			   "--=_verpost--\r\n");
		composer_done(composer);
	}
END_TEST

START_TEST(whole_message)
	{
		struct composer *composer = compiled(
		    "News for {{name}}: {{company|you}}",
		    "Dear {{name}},\n\n.\nFrom us to {{city}}: \u20ac 5\n{{#vip}}\nVIP\n{{/vip}}\n{{unsubscribe}}",
		    "<p>{{name}} of {{company}}, {{list.title}} {{list.name}} {{campaign.name}} {{email}}</p>");
		struct copy copy =
		    copy_for("Jos\u00e9 <b>", "{\"company\": \"A&B\", \"city\": \"K\u00f6ln\", \"vip\": true}");
		AUTO_BUF out = buf_with_ceiling(LIMIT_MESSAGE);
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		ck_assert_msg(composer_write(composer, &copy, &out, &why) == ERR_OK, "%s", buf_text(&why));
		assert_wire("whole", buf_view(&out));
		GMimeMessage *message = parsed(buf_view(&out));
		GMimeObject *object = GMIME_OBJECT(message);
		assert_headers("whole", message, ARRAY_LEN(header_names));
		ck_assert_str_eq(g_mime_message_get_subject(message), "News for Jos\u00e9 <b>: A&B");
		ck_assert_str_eq(g_mime_message_get_message_id(message), MESSAGE_TOKEN "@example.org");
		ck_assert_str_eq(g_mime_object_get_header(object, "List-Id"),
				 "\"The \\\"News\\\"\" <news.lists.example.org>");
		ck_assert_str_eq(g_mime_object_get_header(object, "List-Unsubscribe"),
				 "<mailto:unsubscribe+" UNSUBSCRIBE_TOKEN "@bounce.example.org>");
		ck_assert_str_eq(g_mime_object_get_header(object, "Feedback-ID"), "may-2026:news:bulk:verpost");
		ck_assert_str_eq(g_mime_object_get_header(object, "Date"), "Sun, 22 Nov 2026 05:36:01 +0000");
		ck_assert_str_eq(g_mime_object_get_header(object, "Precedence"), "bulk");
		InternetAddress *from = internet_address_list_get_address(g_mime_message_get_from(message), 0);
		ck_assert_str_eq(internet_address_get_name(from), "The J\u00fcrgens");
		ck_assert_str_eq(internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(from)), "News@example.org");
		InternetAddress *to = internet_address_list_get_address(g_mime_message_get_to(message), 0);
		ck_assert_str_eq(internet_address_get_name(to), "Jos\u00e9 <b>");
		ck_assert_str_eq(internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(to)), "jane@example.net");
		ck_assert_int_eq(g_mime_multipart_get_count(GMIME_MULTIPART(g_mime_message_get_mime_part(message))), 2);
		assert_part("whole", part_at(message, 0), "text/plain",
			    "Dear Jos\u00e9 <b>,\n\n.\nFrom us to K\u00f6ln: \u20ac "
			    "5\nVIP\nmailto:unsubscribe+" UNSUBSCRIBE_TOKEN "@bounce.example.org");
		assert_part(
		    "whole", part_at(message, 1), "text/html",
		    "<p>Jos\u00e9 &lt;b&gt; of A&amp;B, The &quot;News&quot; news may-2026 jane@example.net</p>");
		g_object_unref(message);
		composer_done(composer);
	}
END_TEST

START_TEST(text_only)
	{
		static const char *const bodies[] = { "One line", "One line\n", "Two\nlines\n\n", "{{name}}" };
		for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
			struct composer *composer = compiled("News", bodies[i], "");
			struct copy copy = copy_for("Jane", "");
			AUTO_BUF out = buf_with_ceiling(LIMIT_MESSAGE);
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			ck_assert(composer_write(composer, &copy, &out, &why) == ERR_OK);
			assert_wire(bodies[i], buf_view(&out));
			GMimeMessage *message = parsed(buf_view(&out));
			assert_headers(bodies[i], message, ARRAY_LEN(header_names));
			ck_assert(view_find(buf_view(&out), VIEW_LIT("multipart")) == VIEW_NONE);
			AUTO_BUF text = buf_with_ceiling(LIMIT_MESSAGE);
			part_text(g_mime_message_get_mime_part(message), &text);
			ck_row(bodies[i], view_eq(view_trim(buf_view(&text)),
						  i == 3 ? VIEW_LIT("Jane") : view_trim(view_of(bodies[i]))));
			g_object_unref(message);
			composer_done(composer);
		}
	}
END_TEST

/* A text in another script is shorter in base64. */
START_TEST(base64_body)
	{
		struct composer *composer = compiled(
		    "\u65b0\u95fb",
		    "\u4f60\u597d\uff0c{{name}}\uff01\n\u6b22\u8fce\u6765\u5230\u6211\u4eec\u7684\u65b0\u95fb\u3002\n",
		    "<p>Hello {{name}}</p>\n");
		struct copy copy = copy_for("\u674e", "");
		AUTO_BUF out = buf_with_ceiling(LIMIT_MESSAGE);
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		ck_assert(composer_write(composer, &copy, &out, &why) == ERR_OK);
		assert_wire("base64", buf_view(&out));
		GMimeMessage *message = parsed(buf_view(&out));
		ck_assert_int_eq(g_mime_part_get_content_encoding(GMIME_PART(part_at(message, 0))),
				 GMIME_CONTENT_ENCODING_BASE64);
		ck_assert_int_eq(g_mime_part_get_content_encoding(GMIME_PART(part_at(message, 1))),
				 GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
		assert_part(
		    "base64", part_at(message, 0), "text/plain",
		    "\u4f60\u597d\uff0c\u674e\uff01\n\u6b22\u8fce\u6765\u5230\u6211\u4eec\u7684\u65b0\u95fb\u3002\n");
		ck_assert_str_eq(g_mime_message_get_subject(message), "\u65b0\u95fb");
		g_object_unref(message);
		composer_done(composer);
	}
END_TEST

/* Bodies take any value and let nothing of it out. */
static const char *const hostile_values[] = {
	"\n.\r\nMAIL FROM:<x>\r\n",
	"\r.\r\n",
	"\n.\n",
	"\r\n.\n",
	"\r\n.\r",
	"\r.\r",
	"\n.\r",
	"\r\n.\r\n",
	"\r\n\r\n.",
	"\r\n--=_verpost--\r\n",
	"\n--=_verpost\nContent-Type: text/html\n\n<b>",
	"=_verpost",
	"\nFrom me",
	".",
	"..",
	"=0D=0A.=0D=0A",
	"=\r\n=\r\n",
	"\u2028.\u2028",
	"\xc2\x85.\xc2\x85",
	"\x01\x02\x7f",
	"{{name}}",
	"{{/vip}}",
	"</p><script>alert(1)</script>",
	"\" onmouseover=\"x",
	"=?utf-8?Q?=0D=0A?=",
	" ",
	"\t\n \t",
	"\r",
	"\n",
};

/* The same text with LF line ends, as GMime gives it back. */
static void add_lf(struct view text, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '\r' && (i + 1 == text.len || text.data[i + 1] != '\n'))
			buf_add_byte(out, '\n');
		else if (text.data[i] != '\r')
			buf_add_byte(out, text.data[i]);
	}
}

START_TEST(hostile_values_in_bodies)
	{
		static const char *const texts[] = { "A{{note}}B\nC\n{{note}}\nD {{note}}",
						     "\u4f60\u597d\u4f60\u597d\u4f60\u597d{{note}}\n{{note}}" };
		for (size_t t = 0; t < ARRAY_LEN(texts); t++) {
			struct composer *composer =
			    compiled("News", texts[t], "<p title=\"{{note}}\">\n{{note}}</p>\n");
			for (size_t i = 0; i < ARRAY_LEN(hostile_values); i++) {
				const char *label = hostile_values[i];
				json_t *object = json_pack("{s:s}", "note", hostile_values[i]);
				char *json = json_dumps(object, 0);
				struct copy copy = copy_for("Jane", json);
				AUTO_BUF out = buf_with_ceiling(LIMIT_MESSAGE);
				AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
				ck_row(label, composer_write(composer, &copy, &out, &why) == ERR_OK);
				assert_wire(label, buf_view(&out));
				GMimeMessage *message = parsed(buf_view(&out));
				assert_headers(label, message, ARRAY_LEN(header_names));
				ck_assert_int_eq(
				    g_mime_multipart_get_count(GMIME_MULTIPART(g_mime_message_get_mime_part(message))),
				    2);
				AUTO_BUF text = buf_with_ceiling(LIMIT_MESSAGE);
				AUTO_BUF value = buf_with_ceiling(LIMIT_MESSAGE);
				AUTO_BUF html = buf_with_ceiling(LIMIT_MESSAGE);
				part_text(part_at(message, 0), &text);
				add_lf(view_of(hostile_values[i]), &value);
				ck_row(label, view_find(buf_view(&text), buf_view(&value)) != VIEW_NONE);
				part_text(part_at(message, 1), &html);
				ck_row(label, view_find(buf_view(&html), VIEW_LIT("<script")) == VIEW_NONE);
				ck_row(label, view_find(buf_view(&html), VIEW_LIT("\" on")) == VIEW_NONE);
				g_object_unref(message);
				free(json);
				json_decref(object);
			}
			composer_done(composer);
		}
	}
END_TEST

/* Headers refuse them, name the field and write nothing. */
static const struct {
	const char *label, *name, *attributes, *why;
} refused_rows[] = {
	{ "another control character in an attribute", "Jane", "{\"company\": \"x\\n\\u001by\"}",
	  "the field \"company\" holds a line end" },
	{ "a line separator in an attribute", "Jane", "{\"company\": \"x\\u2028y\"}",
	  "the field \"company\" holds a line or paragraph separator" },
	{ "NUL in an attribute", "Jane", "{\"company\": \"x\\u0000y\"}", "the attributes are no JSON" },
	{ "lone surrogate", "Jane", "{\"company\": \"\\ud800\"}", "the attributes are no JSON" },
	{ "a list in the subject", "Jane", "{\"company\": [1]}", "the field \"company\" is a list" },
	{ "no JSON", "Jane", "{\"company\": ", "the attributes are no JSON" },
	{ "no object", "Jane", "[1]", "the attributes are no JSON object" },
	{ "long attribute", "Jane",
	  "{\"company\": "
	  "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}",
	  "the field \"company\" has 201 characters" },
};

START_TEST(hostile_values_in_headers)
	{
		struct composer *composer = compiled("News for {{company}}", "Hello", "");
		struct copy good = copy_for("Jane", "{\"company\": \"A\"}");
		AUTO_BUF first = buf_with_ceiling(LIMIT_MESSAGE);
		AUTO_BUF none = buf_with_ceiling(LIMIT_WHY);
		ck_assert(composer_write(composer, &good, &first, &none) == ERR_OK);
		for (size_t i = 0; i < ARRAY_LEN(refused_rows); i++) {
			struct copy copy = copy_for(refused_rows[i].name, refused_rows[i].attributes);
			AUTO_BUF out = buf_with_ceiling(LIMIT_MESSAGE);
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			buf_add(&out, VIEW_LIT("kept"));
			ck_row(refused_rows[i].label, composer_write(composer, &copy, &out, &why) == ERR_INVALID);
			ck_assert_msg(strstr(buf_text(&why), refused_rows[i].why) != NULL, "%s: %s",
				      refused_rows[i].label, buf_text(&why));
			ck_view_eq(buf_view(&out), "kept");
			/* and the next recipient's copy is as if nothing had happened */
			buf_reset(&out);
			ck_assert(composer_write(composer, &good, &out, &why) == ERR_OK);
			ck_row(refused_rows[i].label, view_eq(buf_view(&out), buf_view(&first)));
		}
		composer_done(composer);
	}
END_TEST

/* Lines and tabs of an attribute: blanks in a header, lines in the text. */
START_TEST(values_of_several_lines)
	{
		struct composer *composer = compiled("News for {{company}}", "Hello {{company}}", "<p>{{company}}</p>");
		struct copy copy = copy_for("Jane", "{\"company\": \"x\\r\\nBcc: y\\n\\nz\\tend\\r\"}");
		AUTO_BUF out = buf_with_ceiling(LIMIT_MESSAGE);
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		ck_assert(composer_write(composer, &copy, &out, &why) == ERR_OK);
		struct view wire = buf_view(&out);
		ck_assert(view_find(wire, VIEW_LIT("\r\nSubject: News for x Bcc: y  z end")) != VIEW_NONE);
		ck_assert(view_find(view_head(wire, view_find(wire, VIEW_LIT("\r\n\r\n"))), VIEW_LIT("\nBcc")) ==
			  VIEW_NONE);
		ck_assert(view_find(wire, VIEW_LIT("\r\nHello x\r\nBcc: y\r\n\r\nz\tend\r\n")) != VIEW_NONE);
		for (size_t i = 0; i < wire.len; i++) {
			ck_assert(wire.data[i] != '\r' || (i + 1 < wire.len && wire.data[i + 1] == '\n'));
			ck_assert(wire.data[i] != '\n' || (i > 0 && wire.data[i - 1] == '\r'));
		}
		composer_done(composer);
	}
END_TEST

/* Left out of To as well, and refused only where the subject has it. */
static const struct {
	const char *label, *name, *why;
} name_rows[] = {
	{ "CRLF", "Jane\r\nBcc: x@example.org", "the field \"name\" holds a line end" },
	{ "CR", "Jane\rBcc: x", "the field \"name\" holds a line end" },
	{ "LF", "Jane\nBcc: x", "the field \"name\" holds a line end" },
	{ "line separator", "Jane\u2028x", "the field \"name\" holds a line or paragraph separator" },
	{ "next line", "Jane\xc2\x85x", "the field \"name\" holds a control character" },
	{ "Latin-1", "Jos\xe9", "the field \"name\" is not UTF-8" },
};

START_TEST(names_that_no_header_takes)
	{
		struct composer *composer = compiled("News", "Hello", "");
		struct composer *named = compiled("News for {{name}}", "Hello", "");
		struct copy nobody = copy_for("", "");
		AUTO_BUF bare = buf_with_ceiling(LIMIT_MESSAGE);
		AUTO_BUF none = buf_with_ceiling(LIMIT_WHY);
		ck_assert(composer_write(composer, &nobody, &bare, &none) == ERR_OK);
		ck_assert(view_find(buf_view(&bare), VIEW_LIT("\r\nTo: jane@example.net\r\n")) != VIEW_NONE);
		for (size_t i = 0; i < ARRAY_LEN(name_rows); i++) {
			struct copy copy = copy_for(name_rows[i].name, "");
			AUTO_BUF out = buf_with_ceiling(LIMIT_MESSAGE);
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			ck_row(name_rows[i].label, composer_write(composer, &copy, &out, &why) == ERR_OK);
			ck_row(name_rows[i].label, view_eq(buf_view(&out), buf_view(&bare)));
			ck_row(name_rows[i].label, composer_write(named, &copy, &out, &why) == ERR_INVALID);
			ck_assert_msg(strstr(buf_text(&why), name_rows[i].why) != NULL, "%s: %s", name_rows[i].label,
				      buf_text(&why));
		}
		composer_done(composer);
		composer_done(named);
	}
END_TEST

START_TEST(malformed_copies)
	{
		struct composer *composer = compiled("News", "Hello", "");
		struct copy copies[] = { copy_for("Jane", ""), copy_for("Jane", ""), copy_for("Jane", ""),
					 copy_for("Jane", ""), copy_for("Jane", ""), copy_for("Jane", "") };
		copies[0].address = VIEW_LIT("jane@example.net, x@example.org");
		copies[1].address = VIEW_LIT("jane@example.net\r\nBcc: x");
		copies[2].address = VIEW_LIT("");
		copies[3].message_token = VIEW_LIT("abc>\r\n");
		copies[4].unsubscribe_token = VIEW_LIT("");
		copies[5].date_us = INT64_MAX;
		for (size_t i = 0; i < ARRAY_LEN(copies); i++) {
			AUTO_BUF out = buf_with_ceiling(LIMIT_MESSAGE);
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			ck_assert(composer_write(composer, &copies[i], &out, &why) == ERR_INVALID);
			ck_assert_uint_eq(out.len, 0);
			ck_assert(why.len > 0);
		}
		composer_done(composer);
	}
END_TEST

/* No copy leaves a trace in the next. */
START_TEST(copies_are_independent)
	{
		struct composer *composer = compiled(
		    "{{name}}: {{company|-}}", "{{note|none}} {{#orders}}{{sku}},{{/orders}}", "<p>{{company}}</p>");
		struct copy rich = copy_for(
		    "Jane", "{\"company\": \"A\", \"note\": \"secret\", \"orders\": [{\"sku\": 1}, {\"sku\": 2}]}");
		struct copy poor = copy_for("", "");
		AUTO_BUF alone = buf_with_ceiling(LIMIT_MESSAGE);
		AUTO_BUF first = buf_with_ceiling(LIMIT_MESSAGE);
		AUTO_BUF again = buf_with_ceiling(LIMIT_MESSAGE);
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		ck_assert(composer_write(composer, &poor, &alone, &why) == ERR_OK);
		ck_assert(composer_write(composer, &rich, &first, &why) == ERR_OK);
		ck_assert(composer_write(composer, &poor, &again, &why) == ERR_OK);
		ck_assert(view_eq(buf_view(&alone), buf_view(&again)));
		ck_assert(view_find(buf_view(&again), VIEW_LIT("secret")) == VIEW_NONE);
		ck_assert(view_find(buf_view(&first), VIEW_LIT("secret 1,2,")) != VIEW_NONE);
		buf_reset(&again);
		ck_assert(composer_write(composer, &rich, &again, &why) == ERR_OK);
		ck_assert(view_eq(buf_view(&first), buf_view(&again)));
		composer_done(composer);
	}
END_TEST

START_TEST(international_recipient)
	{
		struct composer *composer = compiled("News", "Hello {{email}}", "");
		struct copy copy = copy_for("", "");
		copy.address = VIEW_LIT("jos\u00e9@example.net");
		AUTO_BUF out = buf_with_ceiling(LIMIT_MESSAGE);
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		ck_assert(composer_write(composer, &copy, &out, &why) == ERR_OK);
		ck_assert(view_find(buf_view(&out), VIEW_LIT("\r\nTo: jos\u00e9@example.net\r\n")) != VIEW_NONE);
		ck_assert(view_find(buf_view(&out), VIEW_LIT("Hello jos=C3=A9@example.net")) != VIEW_NONE);
		composer_done(composer);
	}
END_TEST

/* It is left out of To, and refused only where the subject has it. */
START_TEST(long_name)
	{
		struct composer *composer = compiled("News", "Hello {{name}}", "");
		struct composer *named = compiled("News for {{name}}", "Hello", "");
		AUTO_BUF name = buf_with_ceiling(LIMIT_MESSAGE);
		AUTO_BUF out = buf_with_ceiling(LIMIT_MESSAGE);
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		for (size_t i = 0; i < LIMIT_HEADER_VALUE; i++)
			buf_add(&name, VIEW_LIT("\u00fc"));
		struct copy copy = copy_for(buf_text(&name), "");
		ck_assert(composer_write(composer, &copy, &out, &why) == ERR_OK);
		ck_assert(view_find(buf_view(&out), VIEW_LIT("\r\nTo: =?utf-8?")) != VIEW_NONE);
		buf_add_byte(&name, 'x');
		copy = copy_for(buf_text(&name), "");
		buf_reset(&out);
		ck_assert(composer_write(composer, &copy, &out, &why) == ERR_OK);
		ck_assert(view_find(buf_view(&out), VIEW_LIT("\r\nTo: jane@example.net\r\n")) != VIEW_NONE);
		ck_assert(composer_write(named, &copy, &out, &why) == ERR_INVALID);
		ck_assert(strstr(buf_text(&why), "the field \"name\" has 201 characters") != NULL);
		composer_done(composer);
		composer_done(named);
	}
END_TEST

START_TEST(gaps_in_the_data)
	{
		struct composer *composer =
		    compiled("{{company}} {{city|x}}", "{{name}} {{company}} {{#vip}}{{note}}{{/vip}} {{list.name}}",
			     "<p>{{city}}</p>");
		struct copy copy = copy_for("", "{\"company\": \"\", \"city\": \"K\u00f6ln\"}");
		AUTO_BUF gaps = buf_with_ceiling(LIMIT_WHY);
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		ck_assert(composer_gaps(composer, &copy, &gaps, &why) == ERR_OK);
		ck_view_eq(buf_view(&gaps), "company, name");
		size_t size = 0;
		ck_assert(composer_html_size(composer, &copy, &size, &why) == ERR_OK);
		ck_assert_uint_eq(size, sizeof("<p>K\u00f6ln</p>") - 1);
		composer_done(composer);
	}
END_TEST

START_TEST(ceiling)
	{
		struct composer *composer = compiled("News", "Hello", "");
		struct copy copy = copy_for("Jane", "");
		AUTO_BUF out = buf_with_ceiling(200);
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		ck_assert(composer_write(composer, &copy, &out, &why) == ERR_TOO_BIG);
		ck_assert_uint_eq(out.len, 0);
		composer_done(composer);
		composer_done(NULL);
	}
END_TEST

/* ---- compositions that are refused ---- */

static void spoil_subject(struct composition *from)
{
	from->subject = VIEW_LIT("a {{nmae}}");
}
static void spoil_subject_line(struct composition *from)
{
	from->subject = VIEW_LIT("a\nBcc: x");
}
static void spoil_subject_empty(struct composition *from)
{
	from->subject = VIEW_LIT(" ");
}
static void spoil_text(struct composition *from)
{
	from->text_body = VIEW_LIT("a\n{{#vip}}");
}
static void spoil_text_empty(struct composition *from)
{
	from->text_body = VIEW_LIT("\n");
}
static void spoil_html(struct composition *from)
{
	from->html_body = VIEW_LIT("a\n\n {{citty}}");
}
static void spoil_object(struct composition *from)
{
	from->text_body = VIEW_LIT("\nfrom {{list}}");
}
static void spoil_other_object(struct composition *from)
{
	from->subject = VIEW_LIT("{{campaign|x}}");
}
static void spoil_from(struct composition *from)
{
	from->from_address = VIEW_LIT("news");
}
static void spoil_from_line(struct composition *from)
{
	from->from_address = VIEW_LIT("news@example.org\r\nBcc: x");
}
static void spoil_from_script(struct composition *from)
{
	from->from_address = VIEW_LIT("n\u00e9ws@example.org");
}
static void spoil_from_name(struct composition *from)
{
	from->from_name = VIEW_LIT("News\r\nBcc: x");
}
static void spoil_reply_to(struct composition *from)
{
	from->reply_to = VIEW_LIT("a@b@c");
}
static void spoil_list_id(struct composition *from)
{
	from->list_id = VIEW_LIT("news");
}
static void spoil_list_title(struct composition *from)
{
	from->list_title = VIEW_LIT("a\nb");
}
static void spoil_list_name(struct composition *from)
{
	from->list_name = VIEW_LIT("a:b");
}
static void spoil_campaign_name(struct composition *from)
{
	from->campaign_name = VIEW_LIT("a b");
}
static void spoil_bounce_domain(struct composition *from)
{
	from->bounce_domain = VIEW_LIT("b>.example");
}

static const struct {
	const char *label;
	void (*spoil)(struct composition *from);
	const char *why;
} spoilt_rows[] = {
	{ "unknown field in the subject", spoil_subject,
	  "subject: line 1, column 3: the field \"nmae\" is unknown; the nearest known one is \"name\"" },
	{ "line end in the subject", spoil_subject_line, "the subject holds a line end" },
	{ "empty subject", spoil_subject_empty, "subject: it is empty" },
	{ "open section in the text", spoil_text, "text: line 2, column 1: the section \"vip\" is not closed" },
	{ "empty text", spoil_text_empty, "text: it is empty" },
	{ "unknown field in the HTML", spoil_html,
	  "html: line 3, column 2: the field \"citty\" is unknown; the nearest known one is \"city\"" },
	{ "the list as a value", spoil_object,
	  "text: line 2, column 6: the field \"list\" holds others and has no value; write {{list.name}}" },
	{ "the campaign as a value", spoil_other_object, "column 1: the field \"campaign\" holds others" },
	{ "no address", spoil_from, "from: the address has no \"@\"" },
	{ "line end in the address", spoil_from_line, "from: the address holds a control character" },
	{ "From in another script", spoil_from_script, "from: the part before the \"@\" is not ASCII" },
	{ "line end in the From name", spoil_from_name, "the From name holds a line end" },
	{ "bad Reply-To", spoil_reply_to, "reply-to: the address has more than one \"@\"" },
	{ "list id without a dot", spoil_list_id, "list id: the domain \"news\" has no dot" },
	{ "line end in the title", spoil_list_title, "the list's title holds a line end" },
	{ "colon in the list's name", spoil_list_name, "the list's name may hold" },
	{ "space in the campaign's name", spoil_campaign_name, "the campaign's name may hold" },
	{ "bad bounce domain", spoil_bounce_domain, "bounce domain: the address holds \">\"" },
};

START_TEST(refused_compositions)
	{
		for (size_t i = 0; i < ARRAY_LEN(spoilt_rows); i++) {
			struct composition from = composition("News", "Hello", "<p>Hello</p>");
			struct composer *composer = NULL;
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			spoilt_rows[i].spoil(&from);
			ck_row(spoilt_rows[i].label, compile(&from, &composer, &why) == ERR_INVALID);
			ck_row(spoilt_rows[i].label, composer == NULL);
			ck_assert_msg(strstr(buf_text(&why), spoilt_rows[i].why) != NULL, "%s: %s",
				      spoilt_rows[i].label, buf_text(&why));
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = {
		exact_bytes,
		whole_message,
		text_only,
		base64_body,
		hostile_values_in_bodies,
		hostile_values_in_headers,
		values_of_several_lines,
		names_that_no_header_takes,
		malformed_copies,
		copies_are_independent,
		international_recipient,
		long_name,
		gaps_in_the_data,
		ceiling,
		refused_compositions,
	};
	g_mime_init();
	return suite_of("compose", tests, ARRAY_LEN(tests));
}
