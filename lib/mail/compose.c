#include "mail/compose.h"

#include "base/limits.h"
#include "mail/compose_private.h"
#include "mail/date.h"
#include "mail/header.h"

/* Tokens come from our own maker; this keeps a mistake there out of the header. */
static bool is_token(struct view token)
{
	for (size_t i = 0; i < token.len; i++) {
		char c = token.data[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')))
			return false;
	}
	return token.len > 0 && token.len <= LIMIT_TOKEN;
}

/* Addresses were parsed when they came in; this keeps a mistake there from becoming two addresses. */
static bool is_one_address(struct view address)
{
	size_t at = view_find_byte(address, '@');
	for (size_t i = 0; i < address.len; i++) {
		char c = address.data[i];
		if (c == ' ' || c == ',' || c == ';' || c == '<' || c == '>' || c == '"')
			return false;
	}
	return at != VIEW_NONE && at > 0 && view_find_last_byte(address, '@') == at && address.len <= LIMIT_ADDRESS;
}

static enum err check_copy(const struct copy *copy, struct buf *why)
{
	if (!is_one_address(copy->address) || (copy->to.len > 0 && !is_one_address(copy->to))) {
		buf_add(why, VIEW_LIT("the recipient's address is malformed; import it anew"));
		return ERR_INVALID;
	}
	if (!is_token(copy->message_token) || !is_token(copy->unsubscribe_token)) {
		buf_add(why, VIEW_LIT("a token of this copy is malformed"));
		return ERR_INVALID;
	}
	return header_check(VIEW_LIT("the recipient's address"), copy->address, why);
}

static enum err take_copy(struct composer *composer, const struct copy *copy, struct buf *why)
{
	struct merge *merge = &composer->merge;
	enum err err = check_copy(copy, why);
	if (err != ERR_OK)
		return err;
	buf_reset(&composer->unsubscribe);
	buf_add(&composer->unsubscribe, VIEW_LIT("mailto:unsubscribe+"));
	buf_add(&composer->unsubscribe, copy->unsubscribe_token);
	buf_add_byte(&composer->unsubscribe, '@');
	if (buf_add(&composer->unsubscribe, buf_view(&composer->bounce_domain)) != ERR_OK)
		return buf_err(&composer->unsubscribe);
	bool has_web = composer->web_base.len > 0;
	buf_reset(&composer->one_click);
	buf_add(&composer->one_click, buf_view(&composer->web_base));
	if (has_web && buf_add(&composer->one_click, copy->unsubscribe_token) != ERR_OK)
		return buf_err(&composer->one_click);
	merge->name = copy->name;
	merge->email = copy->address;
	merge->unsubscribe = buf_view(has_web ? &composer->one_click : &composer->unsubscribe);
	if (composer->uses_attributes && copy->attributes.len > 0)
		return attributes_parse(&merge->attributes, copy->attributes, why);
	attributes_done(&merge->attributes);
	return ERR_OK;
}

/* A subject under way: values, their lines and tabs made blanks, must be fit for a header by themselves, so that `why` names the field at fault. */
struct subject_writer {
	struct buf *line;
	struct buf *why;
};

static enum err subject_literal(void *context, size_t number, struct view text)
{
	const struct subject_writer *writer = context;
	(void)number;
	return buf_add(writer->line, text);
}

static enum err subject_value(void *context, struct view field, struct view text)
{
	const struct subject_writer *writer = context;
	AUTO_BUF line = buf_with_ceiling(LIMIT_ATTRIBUTES);
	if (header_fits(text))
		return buf_add(writer->line, text);
	bool is_name = view_eq(field, VIEW_LIT("name")); /* which has no lines */
	header_add_one_line(text, &line);
	if (!is_name && buf_err(&line) == ERR_OK && header_fits(buf_view(&line)))
		return buf_add(writer->line, buf_view(&line));
	AUTO_BUF what = buf_with_ceiling(LIMIT_WHY);
	buf_addf(&what, "the field \"" VIEW_FMT "\"", VIEW_ARG(field));
	return header_check(buf_view(&what), text, writer->why);
}

static enum err write_subject(struct composer *composer, struct buf *out, struct buf *why)
{
	if (composer->subject_header.len > 0)
		return buf_add(out, buf_view(&composer->subject_header));
	struct subject_writer writer = { .line = &composer->line, .why = why };
	struct template_sink sink = { .context = &writer, .literal = subject_literal, .value = subject_value };
	struct template_source source = merge_source(&composer->merge);
	buf_reset(&composer->line);
	enum err err = template_render(composer->subject, &source, &sink, &composer->scratch.escaped, why);
	return err != ERR_OK ? err : header_write_text(VIEW_LIT("Subject"), buf_view(&composer->line), out);
}

/* All copies of a chunk have one date. */
static enum err find_date(struct composer *composer, int64_t date_us)
{
	if (composer->date.len > 0 && composer->date_us == date_us)
		return ERR_OK;
	buf_reset(&composer->date);
	composer->date_us = date_us;
	return date_write(date_us, &composer->date);
}

static enum err write_date_and_ids(struct composer *composer, const struct copy *copy, struct buf *out, struct buf *why)
{
	enum err err = find_date(composer, copy->date_us);
	if (err == ERR_INVALID)
		buf_add(why, VIEW_LIT("the date of this copy is no date; correct the clock"));
	if (err != ERR_OK)
		return err;
	buf_add(out, VIEW_LIT("Date: "));
	buf_add(out, buf_view(&composer->date));
	buf_add(out, VIEW_LIT("\r\nMessage-ID: <"));
	buf_add(out, copy->message_token);
	buf_add_byte(out, '@');
	buf_add(out, buf_view(&composer->from_domain));
	return buf_add(out, VIEW_LIT(">\r\n"));
}

/* One https URI and the field that makes it one-click go together (RFC 8058 section 3.1); it folds between the two links. */
static enum err write_unsubscribe(const struct composer *composer, struct buf *out)
{
	bool has_web = composer->one_click.len > 0;
	buf_add(out, VIEW_LIT("List-Unsubscribe: <"));
	buf_add(out, buf_view(&composer->one_click));
	buf_add(out, has_web ? VIEW_LIT(">,\r\n <") : VIEW_LIT(""));
	buf_add(out, buf_view(&composer->unsubscribe));
	buf_add(out, VIEW_LIT(">\r\n"));
	return buf_add(out, has_web ? VIEW_LIT("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n") : VIEW_LIT(""));
}

static enum err write_headers(struct composer *composer, const struct copy *copy, struct buf *out, struct buf *why)
{
	buf_add(out, buf_view(&composer->first_headers));
	bool goes_elsewhere = copy->to.len > 0;
	/* A name that no header takes is no reason to get no letter. */
	bool shows_name = !goes_elsewhere && header_fits(copy->name);
	enum err err = header_write_mailbox(VIEW_LIT("To"), shows_name ? copy->name : VIEW_LIT(""),
					    goes_elsewhere ? copy->to : copy->address, out);
	if (err == ERR_OK)
		err = write_subject(composer, out, why);
	if (err == ERR_OK)
		err = write_date_and_ids(composer, copy, out, why);
	if (err == ERR_OK)
		err = write_unsubscribe(composer, out);
	return err != ERR_OK ? err : buf_add(out, buf_view(&composer->last_headers));
}

static enum err write_body(struct composer *composer, size_t index, struct buf *out, struct buf *why)
{
	struct template_source source = merge_source(&composer->merge);
	enum err err = buf_add(out, buf_view(&composer->body_heads[index]));
	if (err == ERR_OK)
		err = body_write(&composer->bodies[index], &source, &composer->scratch, out, why);
	return err;
}

static enum err write_bodies(struct composer *composer, struct buf *out, struct buf *why)
{
	for (size_t i = 0; i < composer->body_count; i++) {
		enum err err = write_body(composer, i, out, why);
		if (err != ERR_OK)
			return err;
	}
	bool is_ended = composer->closing.len + composer->tail.len > 0 || view_ends(buf_view(out), VIEW_LIT("\r\n"));
	buf_add(out, is_ended ? VIEW_LIT("") : VIEW_LIT("\r\n"));
	return buf_add(out, buf_view(&composer->closing));
}

struct view composer_tail(const struct composer *composer)
{
	return buf_view(&composer->tail);
}

enum err composer_write(struct composer *composer, const struct copy *copy, struct buf *out, struct buf *why)
{
	size_t before = out->len;
	enum err err = take_copy(composer, copy, why);
	if (err == ERR_OK)
		err = write_headers(composer, copy, out, why);
	if (err == ERR_OK)
		err = write_bodies(composer, out, why);
	if (err != ERR_OK)
		buf_cut(out, before);
	return err;
}

struct view composer_from_domain(const struct composer *composer)
{
	return buf_view(&composer->from_domain);
}

/* ---- previews ---- */

static enum err count_literal(void *context, size_t number, struct view text)
{
	(void)number;
	*(size_t *)context += text.len;
	return ERR_OK;
}

static enum err count_value(void *context, struct view field, struct view text)
{
	(void)field;
	*(size_t *)context += text.len;
	return ERR_OK;
}

enum err composer_html_size(struct composer *composer, const struct copy *copy, size_t *ret_size, struct buf *why)
{
	size_t size = 0;
	struct template_source source = merge_source(&composer->merge);
	struct template_sink sink = { .context = &size, .literal = count_literal, .value = count_value };
	enum err err = take_copy(composer, copy, why);
	if (err == ERR_OK && composer->body_count == MAX_BODIES)
		err = template_render(composer->bodies[MAX_BODIES - 1].template, &source, &sink,
				      &composer->scratch.escaped, why);
	if (err == ERR_OK)
		*ret_size = size;
	return err;
}

/* Whether a list with ", " between its names has this one. */
static bool has_name(struct view list, struct view name)
{
	struct view item;
	while (view_cut(&list, ',', &item)) {
		if (view_eq(view_trim(item), name))
			return true;
	}
	return false;
}

static void add_name(struct buf *out, size_t start, struct view name)
{
	if (has_name(view_skip(buf_view(out), start), name))
		return;
	if (out->len > start)
		buf_add(out, VIEW_LIT(", "));
	buf_add(out, name);
}

enum err composer_gaps(struct composer *composer, const struct copy *copy, struct buf *ret_fields, struct buf *why)
{
	struct template_use use;
	size_t start = ret_fields->len;
	struct template_source source = merge_source(&composer->merge);
	enum err err = take_copy(composer, copy, why);
	if (err != ERR_OK)
		return err;
	for (size_t i = 0; composer_template(composer, i) != NULL; i++) {
		for (size_t cursor = 0; template_next_use(composer_template(composer, i), &cursor, &use);) {
			struct value value = template_look_up(&source, use.path);
			bool empty = value.kind == VALUE_NONE || (value.kind == VALUE_TEXT && value.text.len == 0);
			if (empty && !use.has_default && !use.in_section)
				add_name(ret_fields, start, use.path);
		}
	}
	return buf_err(ret_fields);
}
