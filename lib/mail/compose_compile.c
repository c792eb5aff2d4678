#include "mail/compose.h"

#include <stdlib.h>

#include "base/limits.h"
#include "mail/address.h"
#include "mail/compose_private.h"
#include "mail/header.h"
#include "mail/list_headers.h"

/* The right-most part of Feedback-ID names the sender to Gmail: 5 to 15 characters. */
#define FEEDBACK_SENDER "verpost"

enum { MAX_SUBJECT = 64 << 10 };

static struct composer empty_composer(void)
{
	struct composer composer = {
		.first_headers = buf_with_ceiling(LIMIT_INTAKE_HEAD),
		.subject_header = buf_with_ceiling(LIMIT_INTAKE_HEAD),
		.last_headers = buf_with_ceiling(LIMIT_INTAKE_HEAD),
		.from_domain = buf_with_ceiling(LIMIT_DOMAIN),
		.bounce_domain = buf_with_ceiling(LIMIT_DOMAIN),
		.list_name = buf_with_ceiling(LIMIT_INTAKE_HEAD),
		.list_title = buf_with_ceiling(LIMIT_INTAKE_HEAD),
		.campaign_name = buf_with_ceiling(LIMIT_INTAKE_HEAD),
		.web_base = buf_with_ceiling(LIMIT_COMMAND_LINE),
		.unsubscribe = buf_with_ceiling(LIMIT_COMMAND_LINE),
		.one_click = buf_with_ceiling(LIMIT_COMMAND_LINE),
		.line = buf_with_ceiling(MAX_SUBJECT),
		.date = buf_with_ceiling(LIMIT_INTAKE_HEAD),
		.scratch = { .text = buf_with_ceiling(LIMIT_MESSAGE), .escaped = buf_with_ceiling(LIMIT_MESSAGE) },
	};
	composer.closing = buf_with_ceiling(LIMIT_INTAKE_HEAD);
	composer.tail = buf_with_ceiling(LIMIT_MESSAGE);
	for (size_t i = 0; i < MAX_BODIES; i++)
		composer.body_heads[i] = buf_with_ceiling(LIMIT_INTAKE_HEAD);
	return composer;
}

/* Puts "PART: " in front of what went wrong there. */
static enum err name_part(const char *part, enum err err, struct buf *reason, struct buf *why)
{
	if (err != ERR_OK && reason->len > 0)
		buf_addf(why, "%s: " VIEW_FMT, part, VIEW_ARG(buf_view(reason)));
	return err;
}

/* An address of ours, which every relay must be able to send from. */
static enum err add_our_address(const char *part, struct view address, struct buf *out, struct buf *why)
{
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	enum err err = address_parse(address, out, &reason);
	if (err == ERR_OK && !address_is_ascii(buf_view(out))) {
		buf_add(
		    &reason,
		    VIEW_LIT("the part before the \"@\" is not ASCII, which many relays refuse; use another address"));
		err = ERR_INVALID;
	}
	return name_part(part, err, &reason, why);
}

static enum err compile_senders(struct composer *composer, const struct composition *from, struct buf *why)
{
	AUTO_BUF address = buf_with_ceiling(LIMIT_ADDRESS);
	AUTO_BUF reply_to = buf_with_ceiling(LIMIT_ADDRESS);
	enum err err = add_our_address("from", from->from_address, &address, why);
	if (err == ERR_OK)
		err = header_check(VIEW_LIT("the From name"), from->from_name, why);
	if (err == ERR_OK)
		err = header_write_mailbox(VIEW_LIT("From"), from->from_name, buf_view(&address),
					   &composer->first_headers);
	if (err == ERR_OK)
		err = buf_add(&composer->from_domain, address_domain(buf_view(&address)));
	if (err != ERR_OK || from->reply_to.len == 0)
		return err;
	err = add_our_address("reply-to", from->reply_to, &reply_to, why);
	return err != ERR_OK ? err
			     : header_write_plain(VIEW_LIT("Reply-To"), buf_view(&reply_to), &composer->first_headers);
}

static enum err add_domain(const char *part, struct view domain, struct buf *out, struct buf *why)
{
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	enum err err = address_parse_domain(domain, out, &reason);
	return name_part(part, err, &reason, why);
}

/* Names that stand in Feedback-ID, whose parts colons divide. */
static enum err check_label(const char *what, struct view name, struct buf *why)
{
	for (size_t i = 0; i < name.len; i++) {
		if (name.data[i] > ' ' && name.data[i] <= '~' && name.data[i] != ':')
			continue;
		buf_addf(why, "the %s's name may hold printable ASCII without spaces and colons only; rename it", what);
		return ERR_INVALID;
	}
	return ERR_OK;
}

/* What a token follows. */
static enum err add_web_base(struct composer *composer, struct view url, struct buf *why)
{
	if (url.len == 0)
		return ERR_OK;
	while (view_ends(url, VIEW_LIT("/")))
		url.len--;
	if (list_headers_is_web(url))
		return buf_addf(&composer->web_base, VIEW_FMT "/u/", VIEW_ARG(url));
	buf_add(why, VIEW_LIT("web.base_url must begin with https:// and be a URL without ? and #, which one-click "
			      "unsubscribing (RFC 8058) needs; correct it, or leave it empty"));
	return ERR_INVALID;
}

static enum err compile_names(struct composer *composer, const struct composition *from, struct buf *why)
{
	enum err err = check_label("list", from->list_name, why);
	if (err == ERR_OK)
		err = check_label("campaign", from->campaign_name, why);
	if (err == ERR_OK)
		err = header_check(VIEW_LIT("the list's title"), from->list_title, why);
	if (err == ERR_OK)
		err = add_domain("bounce domain", from->bounce_domain, &composer->bounce_domain, why);
	if (err == ERR_OK)
		err = add_web_base(composer, from->web_base_url, why);
	if (err != ERR_OK)
		return err;
	buf_add(&composer->list_name, from->list_name);
	buf_add(&composer->list_title, from->list_title);
	buf_add(&composer->campaign_name, from->campaign_name);
	return ERR_OK;
}

static enum err compile_last_headers(struct composer *composer, const struct composition *from, struct buf *why)
{
	AUTO_BUF list_id = buf_with_ceiling(LIMIT_DOMAIN);
	AUTO_BUF feedback = buf_with_ceiling(LIMIT_INTAKE_HEAD);
	struct buf *out = &composer->last_headers;
	enum err err = add_domain("list id", from->list_id, &list_id, why);
	if (err == ERR_OK)
		err = header_write_id(VIEW_LIT("List-Id"), from->list_title, buf_view(&list_id), out);
	if (err == ERR_OK)
		err = list_headers_write(from->list_headers, out, why);
	if (err == ERR_OK)
		err = buf_addf(&feedback, VIEW_FMT ":" VIEW_FMT ":bulk:" FEEDBACK_SENDER, VIEW_ARG(from->campaign_name),
			       VIEW_ARG(from->list_name));
	if (err == ERR_OK)
		err = header_write_plain(VIEW_LIT("Feedback-ID"), buf_view(&feedback), out);
	if (err != ERR_OK)
		return err;
	buf_add(out, VIEW_LIT("Precedence: bulk\r\n"
			      "X-Auto-Response-Suppress: OOF, AutoReply\r\n"
			      "MIME-Version: 1.0\r\n"));
	return buf_err(out);
}

/* Values are checked for each copy; here the words around them. */
static enum err check_subject(const struct template *subject, struct buf *why)
{
	struct view text;
	for (size_t cursor = 0; template_next_literal(subject, &cursor, &text);) {
		if (header_check(VIEW_LIT("the subject"), text, why) != ERR_OK)
			return ERR_INVALID;
	}
	return ERR_OK;
}

static enum err compile_subject(struct composer *composer, struct view source, const struct merge_names *known,
				struct buf *why)
{
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	struct view subject = view_trim(source);
	size_t cursor = 0;
	struct template_use use;
	enum err err = template_compile(subject, SLOT_PLAIN, known, &composer->subject, &reason);
	if (err != ERR_OK)
		return name_part("subject", err, &reason, why);
	err = check_subject(composer->subject, why);
	if (err != ERR_OK || template_next_use(composer->subject, &cursor, &use))
		return err;
	struct view text = { 0 };
	cursor = 0;
	if (!template_next_literal(composer->subject, &cursor, &text)) {
		buf_add(why, VIEW_LIT("subject: it is empty; write one"));
		return ERR_INVALID;
	}
	return header_write_text(VIEW_LIT("Subject"), text, &composer->subject_header);
}

/* ---- the parts ---- */

static const char head_mixed[] =
    "Content-Type: multipart/mixed; boundary=\"" BOUNDARY_MIXED "\"\r\n\r\n--" BOUNDARY_MIXED "\r\n";
static const char head_alternative[] = "Content-Type: multipart/alternative; boundary=\"" BOUNDARY "\"\r\n";
static const char head_related[] =
    "Content-Type: multipart/related; type=\"text/html\";\r\n boundary=\"" BOUNDARY_RELATED
    "\"\r\n\r\n--" BOUNDARY_RELATED "\r\n";

static size_t count_files(const struct composition *from, bool is_inline)
{
	size_t count = 0;
	for (size_t i = 0; i < from->file_count; i++)
		count += (from->files[i].content_id.len > 0) == is_inline;
	return count;
}

/* The line end before a boundary belongs to the boundary. */
static void open_parts(const struct composition *from, bool is_html, struct buf *head)
{
	if (!is_html) {
		if (count_files(from, false) > 0)
			buf_add(head, VIEW_LIT(head_mixed));
		if (from->html_body.len > 0)
			buf_add(head, VIEW_LIT(head_alternative));
	}
	if (from->html_body.len > 0)
		buf_add(head, VIEW_LIT("\r\n--" BOUNDARY "\r\n"));
	if (is_html && count_files(from, true) > 0)
		buf_add(head, VIEW_LIT(head_related));
}

static void add_files(const struct composition *from, bool is_inline, struct view boundary, struct buf *out)
{
	if (count_files(from, is_inline) == 0)
		return;
	for (size_t i = 0; i < from->file_count; i++) {
		if ((from->files[i].content_id.len > 0) != is_inline)
			continue;
		buf_addf(out, "\r\n--" VIEW_FMT "\r\n", VIEW_ARG(boundary));
		if (attachment_write(&from->files[i], out) != ERR_OK)
			return;
	}
	buf_addf(out, "\r\n--" VIEW_FMT "--\r\n", VIEW_ARG(boundary));
}

static enum err close_parts(struct composer *composer, const struct composition *from, struct buf *why)
{
	struct buf *out = from->file_count > 0 ? &composer->tail : &composer->closing;
	if (count_files(from, true) > 0 && from->html_body.len == 0) {
		buf_add(why, VIEW_LIT("html: there are images for the HTML, and no HTML; write it, or take them away"));
		return ERR_INVALID;
	}
	add_files(from, true, VIEW_LIT(BOUNDARY_RELATED), out);
	if (from->html_body.len > 0)
		buf_add(out, VIEW_LIT("\r\n--" BOUNDARY "--\r\n"));
	add_files(from, false, VIEW_LIT(BOUNDARY_MIXED), out);
	if (buf_err(out) == ERR_TOO_BIG)
		buf_add(why, VIEW_LIT("the files are too big for a message; take some away"));
	return buf_err(out);
}

static enum err compile_body(struct composer *composer, const char *name, const struct composition *from, bool is_html,
			     const struct merge_names *known, struct buf *why)
{
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	size_t index = composer->body_count++;
	struct body *body = &composer->bodies[index];
	struct buf *head = &composer->body_heads[index];
	enum err err = body_compile(body, is_html ? from->html_body : from->text_body, is_html ? SLOT_HTML : SLOT_TEXT,
				    known, &reason);
	if (err != ERR_OK)
		return name_part(name, err, &reason, why);
	open_parts(from, is_html, head);
	return buf_addf(head,
			"Content-Type: text/%s; charset=utf-8\r\n"
			"Content-Transfer-Encoding: %s\r\n\r\n",
			is_html ? "html" : "plain", body_encoding(body));
}

static enum err compile_bodies(struct composer *composer, const struct composition *from,
			       const struct merge_names *known, struct buf *why)
{
	if (view_trim(from->text_body).len == 0) {
		buf_add(why,
			VIEW_LIT("text: it is empty; write the plain text too, which many programs show or judge"));
		return ERR_INVALID;
	}
	enum err err = compile_body(composer, "text", from, false, known, why);
	if (err == ERR_OK && from->html_body.len > 0)
		err = compile_body(composer, "html", from, true, known, why);
	return err != ERR_OK ? err : close_parts(composer, from, why);
}

const struct template *composer_template(const struct composer *composer, size_t index)
{
	if (index == 0)
		return composer->subject;
	return index <= composer->body_count ? composer->bodies[index - 1].template : NULL;
}

/* {{.}} has no path of its own, so that its section decides. */
static bool uses_attributes(const struct composer *composer)
{
	struct template_use use;
	for (size_t i = 0; composer_template(composer, i) != NULL; i++) {
		for (size_t cursor = 0; template_next_use(composer_template(composer, i), &cursor, &use);) {
			if (!merge_is_builtin(use.path))
				return true;
		}
	}
	return false;
}

static enum err compile(struct composer *composer, const struct composition *from, const struct merge_names *known,
			struct buf *why)
{
	enum err err = compile_senders(composer, from, why);
	if (err == ERR_OK)
		err = compile_names(composer, from, why);
	if (err == ERR_OK)
		err = compile_subject(composer, from->subject, known, why);
	if (err == ERR_OK)
		err = compile_bodies(composer, from, known, why);
	if (err == ERR_OK)
		err = compile_last_headers(composer, from, why);
	composer->uses_attributes = err == ERR_OK && uses_attributes(composer);
	composer->merge = (struct merge){
		.list_name = buf_view(&composer->list_name),
		.list_title = buf_view(&composer->list_title),
		.campaign_name = buf_view(&composer->campaign_name),
	};
	return err;
}

enum err composer_compile(const struct composition *composition, const struct view *known_fields, size_t field_count,
			  struct composer **ret_composer, struct buf *why)
{
	AUTO_BUF names = buf_with_ceiling(LIMIT_MESSAGE);
	struct composer *composer = malloc(sizeof(*composer));
	if (composer == NULL)
		return ERR_MEMORY;
	*composer = empty_composer();
	struct merge_names known = { 0 };
	enum err err = merge_known(known_fields, field_count, &names, &known);
	if (err == ERR_OK)
		err = compile(composer, composition, &known, why);
	if (err != ERR_OK)
		composer_done(composer);
	else
		*ret_composer = composer;
	return err;
}

void composer_done(struct composer *composer)
{
	if (composer == NULL)
		return;
	struct buf *const bufs[] = {
		&composer->first_headers, &composer->subject_header,
		&composer->last_headers,  &composer->from_domain,
		&composer->bounce_domain, &composer->list_name,
		&composer->list_title,    &composer->campaign_name,
		&composer->unsubscribe,   &composer->web_base,
		&composer->one_click,     &composer->line,
		&composer->scratch.text,  &composer->scratch.escaped,
		&composer->body_heads[0], &composer->body_heads[1],
		&composer->date,          &composer->closing,
		&composer->tail,
	};
	for (size_t i = 0; i < ARRAY_LEN(bufs); i++)
		buf_done(bufs[i]);
	for (size_t i = 0; i < MAX_BODIES; i++)
		body_done(&composer->bodies[i]);
	template_done(composer->subject);
	attributes_done(&composer->merge.attributes);
	free(composer);
}
