#include "mail/seal.h"

#include "base/digest.h"
#include "base/limits.h"
#include "mail/fields.h"

/* Of a digest; the one who might want two alike is the relay, which can simply not modify. */
enum { SHOWN_OCTETS = 16 };

#define BODY "body"

static const char *const names[] = {
	"From",
	"Reply-To",
	"To",
	"Cc",
	"Subject",
	"Date",
	"Message-ID",
	"In-Reply-To",
	"References",
	"MIME-Version",
	"Content-Type",
	"Content-Transfer-Encoding",
	"List-Id",
	"List-Help",
	"List-Unsubscribe",
	"List-Unsubscribe-Post",
	"List-Subscribe",
	"List-Post",
	"List-Owner",
	"List-Archive",
	BODY,
};

const char *seal_name(size_t index)
{
	return index < ARRAY_LEN(names) ? names[index] : NULL;
}

/* Up to the first empty line, which goes with it; the body is what is left of *text. */
static struct view cut_head(struct view *text)
{
	struct view all = *text, line;
	while (fields_cut_line(text, &line) && line.len > 0)
		;
	return view_head(all, all.len - text->len);
}

/* All fields of the name, a line each. False: there is none. */
static bool add_fields(struct view head, const char *name, struct buf *out)
{
	struct field field;
	enum field_step step;
	bool is_there = false;
	while ((step = fields_next(&head, &field)) != FIELD_END) {
		if (step != FIELD_READ || !field_is(&field, name))
			continue;
		field_unfold(field.value, out);
		buf_add_byte(out, '\n');
		is_there = true;
	}
	return is_there;
}

/* A run of spaces and tabs is one space, none at the end of a line. */
static void add_line(struct view line, struct buf *out)
{
	bool spaced = false;
	for (size_t i = 0; i < line.len; i++) {
		bool is_space = line.data[i] == ' ' || line.data[i] == '\t';
		if (!is_space && spaced)
			buf_add_byte(out, ' ');
		if (!is_space)
			buf_add_byte(out, line.data[i]);
		spaced = is_space;
	}
	buf_add_byte(out, '\n');
}

static void add_body(struct view body, struct buf *out)
{
	struct view line;
	while (fields_cut_line(&body, &line))
		add_line(line, out);
	while (out->len > 0 && out->data[out->len - 1] == '\n')
		buf_cut(out, out->len - 1);
}

static enum err add_word(const char *name, struct view canonical, struct buf *out)
{
	unsigned char digest[DIGEST_SIZE];
	if (!digest_of(canonical, digest))
		return ERR_MEMORY;
	buf_addf(out, out->len == 0 ? "%s=" : " %s=", name);
	for (size_t i = 0; i < SHOWN_OCTETS; i++)
		buf_addf(out, "%02x", digest[i]);
	return buf_err(out);
}

enum err seal_write(struct view message, struct buf *out)
{
	/* A line may gain an end, a field loses its name. */
	AUTO_BUF canonical = buf_with_ceiling(message.len + 1);
	AUTO_BUF words = buf_with_ceiling(LIMIT_SEAL);
	struct view body = message, head = cut_head(&body);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		bool is_body = view_eq(view_of(names[i]), VIEW_LIT(BODY));
		buf_reset(&canonical);
		if (is_body)
			add_body(body, &canonical);
		else if (!add_fields(head, names[i], &canonical))
			continue;
		enum err err = buf_err(&canonical);
		if (err == ERR_OK)
			err = add_word(names[i], buf_view(&canonical), &words);
		if (err != ERR_OK)
			return err;
	}
	return buf_add(out, buf_view(&words));
}
