/* The input is a template, a line of 0x1e, and a recipient's attributes. Whatever compiles is composed as subject, text
 * and HTML; whatever comes out is a message that nothing in it broke. */
#include <stdlib.h>

#include "base/limits.h"
#include "mail/compose.h"

enum { SEPARATOR = 0x1e, OUT_CEILING = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool condition)
{
	if (!condition)
		abort();
}

static void check_lines(struct view wire)
{
	struct view line;
	size_t boundaries = 0;
	while (view_cut(&wire, '\n', &line)) {
		demand(view_ends(line, VIEW_LIT("\r")));
		line.len--;
		demand(!view_starts(line, VIEW_LIT(".")) && !view_starts(line, VIEW_LIT("From ")) && line.len <= 998);
		for (size_t i = 0; i < line.len; i++)
			demand((line.data[i] >= ' ' && line.data[i] <= '~') || line.data[i] == '\t');
		boundaries += view_starts(line, VIEW_LIT("--=_verpost"));
		demand(!view_starts_nocase(line, VIEW_LIT("Bcc:")) || boundaries > 0);
	}
	demand(boundaries == 3);
}

static void write_copy(struct composer *composer, struct view attributes)
{
	struct copy copy = {
		.address = VIEW_LIT("jane@example.net"),
		.name = VIEW_LIT("Jane"),
		.attributes = attributes,
		.message_token = VIEW_LIT("abcdefghijklmnopqrstuvwxyz23456"),
		.unsubscribe_token = VIEW_LIT("abcdefghijklmnopqrstuvwxyz234567abcdefghijklm"),
	};
	AUTO_BUF out = buf_with_ceiling(OUT_CEILING);
	AUTO_BUF again = buf_with_ceiling(OUT_CEILING);
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF gaps = buf_with_ceiling(LIMIT_WHY);
	enum err err = composer_write(composer, &copy, &out, &why);
	demand(err == composer_write(composer, &copy, &again, &why));
	demand(view_eq(buf_view(&out), buf_view(&again)));
	demand(err == ERR_OK || out.len == 0);
	if (err == ERR_OK)
		check_lines(buf_view(&out));
	demand(composer_gaps(composer, &copy, &gaps, &why) != ERR_MEMORY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct view known[] = { VIEW_LIT("a"), VIEW_LIT("b.c"), VIEW_LIT("l.x.y") };
	struct view rest = view_from(data, size);
	struct view source = view_head(rest, 0);
	if (!view_cut(&rest, SEPARATOR, &source))
		return 0;
	struct composition composition = {
		.subject = view_head(source, view_find_byte(source, '\n')),
		.from_address = VIEW_LIT("news@example.org"),
		.list_id = VIEW_LIT("news.example.org"),
		.text_body = source,
		.html_body = source,
		.bounce_domain = VIEW_LIT("bounce.example.org"),
		.list_name = VIEW_LIT("news"),
		.campaign_name = VIEW_LIT("may"),
	};
	struct composer *composer = NULL;
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	if (composer_compile(&composition, known, ARRAY_LEN(known), &composer, &why) == ERR_OK)
		write_copy(composer, rest);
	else
		demand(why.len > 0 && view_is_utf8(buf_view(&why)));
	composer_done(composer);
	return 0;
}
