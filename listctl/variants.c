#include "listctl/variants.h"

#include <stdlib.h>

#include "base/limits.h"
#include "listctl/lint_run.h"

bool variants_are_given(const struct call *call)
{
	return call_has(call, "variant") || call_has(call, "variant-letter");
}

void variants_done(struct variants *variants)
{
	for (size_t i = 0; i < variants->draft_count; i++)
		draft_done(&variants->drafts[i]);
	free(variants->drafts);
	*variants = (struct variants){ 0 };
}

/* ---- one ---- */

/* What is asked for, in the order of the two options. */
struct wish {
	const char *option;
	unsigned share;
	struct view rest; /* a subject or a letter's path, to the end of the argument */
};

static bool has_file(const struct draft *main, const struct attachment *file)
{
	for (size_t i = 0; i < main->content.file_count; i++) {
		const struct attachment *its = &main->content.files[i];
		if (view_eq(its->name, file->name) && view_eq(its->content_id, file->content_id) &&
		    view_eq(its->content, file->content))
			return true;
	}
	return false;
}

/* The files are the campaign's, and stand in every copy. */
static enum err check_files(struct call *call, const struct draft *main, const struct draft *draft)
{
	for (size_t i = 0; i < draft->files.count; i++) {
		if (!has_file(main, &draft->files.items[i]))
			return call_refuse(
			    call, ERR_INVALID,
			    "--variant-letter: the file " VIEW_FMT
			    " is not one of the campaign's own letter; all variants have the same images "
			    "and attachments, in the same order",
			    VIEW_ARG(draft->files.items[i].name));
	}
	return ERR_OK;
}

/* The sender is the campaign's, and one that a letter names besides would be read over. */
static enum err check_sender(struct call *call, const struct draft *main, struct draft *draft)
{
	const struct campaign_content *its = &draft->content, *all = &main->content;
	const struct front_value *front = draft->letter.front.values;
	bool has_from = front[FRONT_FROM].line > 0, has_reply_to = front[FRONT_REPLY_TO].line > 0;
	bool differs =
	    has_from && !(view_eq(its->from_name, all->from_name) && view_eq(its->from_address, all->from_address));
	if (!differs && (!has_reply_to || view_eq(its->reply_to, all->reply_to)))
		return ERR_OK;
	enum front_key key = differs ? FRONT_FROM : FRONT_REPLY_TO;
	return call_refuse(call, ERR_INVALID,
			   "%s: line %zu: %s is another than the campaign's, and all variants have one; remove it, "
			   "or give --%s",
			   buf_text(&draft->letter.path), front[key].line, front_key_name(key), front_key_name(key));
}

static enum err make(struct call *call, const struct destination *to, const struct wish *wish,
		     const struct campaign_content *begun, const char *letter, const struct draft *main,
		     unsigned variant, struct draft *draft)
{
	bool is_letter = view_eq(view_of(wish->option), VIEW_LIT("variant-letter"));
	const struct campaign_content *base = letter == NULL && !is_letter ? &main->content : begun;
	enum err err = draft_read(call, base, is_letter ? wish->rest.data : letter, draft);
	draft->variant = variant;
	if (err == ERR_OK)
		err = check_sender(call, main, draft);
	if (err != ERR_OK)
		return err;
	if (!is_letter)
		draft->content.subject = wish->rest;
	else if (draft->letter.front.values[FRONT_SUBJECT].line > 0)
		draft->content.subject = draft->letter.front.values[FRONT_SUBJECT].text;
	else
		draft->content.subject = main->content.subject;
	if (!view_is_utf8(draft->content.subject))
		return call_refuse(call, ERR_INVALID, "--variant is not UTF-8 text");
	err = draft_compose(call, to, draft);
	if (err == ERR_OK)
		err = check_files(call, main, draft);
	draft->content.from_name = main->content.from_name;
	draft->content.from_address = main->content.from_address;
	draft->content.reply_to = main->content.reply_to;
	draft->content.files = main->content.files;
	draft->content.file_count = main->content.file_count;
	return err;
}

static enum err check(struct call *call, const struct destination *to, struct view campaign_name,
		      const struct draft *draft, struct buf *said)
{
	struct composer *composer = NULL;
	enum err err = draft_compile(call, &draft->content, DRAFT_WRITTEN, to, campaign_name, &composer);
	if (err == ERR_OK)
		err = lint_warn(call, draft, to, campaign_name, composer, said);
	composer_done(composer);
	return err;
}

static bool are_alike(const struct campaign_content *one, const struct campaign_content *other)
{
	return view_eq(view_trim(one->subject), view_trim(other->subject)) &&
	       view_eq(one->text_body, other->text_body) && view_eq(one->html_body, other->html_body);
}

/* Two that are alike are no test, though nothing else is wrong with them. */
static void warn_of_alike(struct call *call, const struct draft *main, const struct variants *before,
			  const struct draft *draft)
{
	unsigned alike = are_alike(&main->content, &draft->content) ? 1 : 0;
	for (unsigned i = 0; alike == 0 && i < before->draft_count && &before->drafts[i] != draft; i++)
		alike = are_alike(&before->drafts[i].content, &draft->content) ? i + 2 : 0;
	if (alike > 0)
		call_warn(call,
			  "variant %c has the same subject and letter as %c: between them nothing is tested; give it "
			  "another subject or letter",
			  variant_name(draft->variant), variant_name(alike));
}

static enum err name_variant(struct call *call, unsigned variant, enum err err)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	if (err == ERR_OK || call->why->len == 0)
		return err;
	buf_add(&why, buf_view(call->why));
	buf_reset(call->why);
	return call_refuse(call, err, "variant %c, %s", variant_name(variant), buf_text(&why));
}

/* ---- all ---- */

static enum err read_wish(struct call *call, const char *option, const char *text, struct wish *ret_wish)
{
	struct wish wish = { .option = option, .rest = view_of(text) };
	bool is_subject = view_eq(view_of(option), VIEW_LIT("variant"));
	if (!variant_cut_share(&wish.rest, &wish.share))
		return call_misused(call,
				    "--%s is a share above 0%% and below 100%%, with up to two decimals, and then the "
				    "%s, such as \"33.3%% %s\", not \"%s\"",
				    option, is_subject ? "subject" : "letter",
				    is_subject ? "Another subject" : "other.md", text);
	*ret_wish = wish;
	return ERR_OK;
}

/* An empty --variant alone takes them away. */
static bool are_cleared(const struct call *call)
{
	return call_option_at(call, "variant", 1) == NULL && !call_has(call, "variant-letter") &&
	       *call_option(call, "variant") == '\0';
}

static void add_share(unsigned share, struct buf *out)
{
	buf_addf(out, "%g%%", share * 100.0 / VARIANT_ALL);
}

/* The first letter, A, has what they leave. */
static enum err check_sum(struct call *call, const struct wish *wishes, size_t count)
{
	AUTO_BUF sum = buf_with_ceiling(LIMIT_WHY);
	unsigned shares = 0;
	for (size_t i = 0; i < count; i++) {
		shares += wishes[i].share;
		buf_addf(&sum, "%s", i == 0 ? "" : " + ");
		add_share(wishes[i].share, &sum);
	}
	if (shares < VARIANT_ALL)
		return ERR_OK;
	buf_addf(&sum, " = ");
	add_share(shares, &sum);
	return call_misused(call,
			    "the shares of --variant and --variant-letter are %s; together they must be less than "
			    "100%%, for the campaign's own letter, A, has the rest",
			    buf_text(&sum));
}

static enum err read_wishes(struct call *call, struct wish wishes[VARIANTS_MOST], size_t *ret_count)
{
	static const char *const options[] = { "variant", "variant-letter" };
	size_t count = 0;
	if (call_has(call, "variant") && are_cleared(call)) {
		*ret_count = 0;
		return ERR_OK;
	}
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		const char *text;
		for (size_t n = 0; (text = call_option_at(call, options[i], n)) != NULL; n++) {
			if (count + 1 == VARIANTS_MOST)
				return call_misused(call, "a campaign has at most %d variants, its own letter included",
						    VARIANTS_MOST);
			enum err err = read_wish(call, options[i], text, &wishes[count]);
			if (err != ERR_OK)
				return err;
			count++;
		}
	}
	*ret_count = count;
	return check_sum(call, wishes, count);
}

enum err variants_check(struct call *call)
{
	struct wish wishes[VARIANTS_MOST];
	size_t count = 0;
	return read_wishes(call, wishes, &count);
}

void variants_describe(const struct campaign_variants *variants, struct buf *out)
{
	for (unsigned i = 0; i < variants->count; i++) {
		const struct campaign_variant *its = &variants->items[i];
		buf_addf(out, "%s%c ", i == 0 ? "" : ", ", variant_name(i + 1));
		add_share(its->share, out);
		if (i > 0)
			buf_addf(out, ": " VIEW_FMT, VIEW_ARG(its->subject));
	}
}

/* Whether one is more than another subject. */
static bool has_letter(const struct campaign_variants *variants, const struct campaign_content *own)
{
	bool has = false;
	for (size_t i = 1; i < variants->count; i++)
		has |= !view_eq(variants->items[i].text_body, own->text_body);
	return has;
}

enum err variants_check_replaced(struct call *call, const struct campaign_variants *variants,
				 const struct campaign_content *own, bool has_new_letter)
{
	AUTO_BUF shown = buf_with_ceiling(LIMIT_OUTPUT_LINE);
	bool are_given = variants_are_given(call);
	if (variants->count == 0 || (!are_given && !has_new_letter))
		return ERR_OK;
	if (!are_given)
		return call_misused(call, "the campaign has variants of the letter that is replaced: give them again, "
					  "or --variant \"\" for none");
	variants_describe(variants, &shown);
	if (!has_new_letter && !call_has(call, "variant-letter") && !are_cleared(call) && has_letter(variants, own))
		return call_misused(
		    call,
		    "--variant replaces all variants, and one of them is another letter (%s): give it again "
		    "by --variant-letter, or take all away first by --variant \"\"",
		    buf_text(&shown));
	call_note(call, "its variants were %s", buf_text(&shown));
	return ERR_OK;
}

enum err variants_read(struct call *call, const struct destination *to, struct view campaign_name,
		       const struct campaign_content *begun, const char *letter, struct draft *main,
		       struct variants *ret_variants)
{
	struct wish wishes[VARIANTS_MOST];
	size_t count = 0;
	*ret_variants = (struct variants){ 0 };
	if (!variants_are_given(call))
		return ERR_OK;
	main->content.has_variants = true;
	enum err err = read_wishes(call, wishes, &count);
	if (err != ERR_OK || count == 0)
		return err;
	ret_variants->drafts = calloc(count, sizeof(*ret_variants->drafts));
	if (ret_variants->drafts == NULL)
		return call_refuse(call, ERR_MEMORY, "there is no memory left");
	ret_variants->items[0].share = VARIANT_ALL;
	ret_variants->count = 1;
	for (size_t i = 0; err == ERR_OK && i < count; i++) {
		struct draft *draft = &ret_variants->drafts[ret_variants->draft_count++];
		err = make(call, to, &wishes[i], begun, letter, main, (unsigned)i + 2, draft);
		if (err == ERR_OK)
			err = check(call, to, campaign_name, draft, &main->said);
		if (err == ERR_OK)
			warn_of_alike(call, main, ret_variants, draft);
		err = name_variant(call, draft->variant, err);
		ret_variants->items[0].share -= wishes[i].share;
		ret_variants->items[ret_variants->count++] =
		    (struct campaign_variant){ .share = wishes[i].share,
					       .subject = draft->content.subject,
					       .text_body = draft->content.text_body,
					       .html_body = draft->content.html_body };
	}
	main->content.variants = ret_variants->items;
	main->content.variant_count = ret_variants->count;
	return err;
}

/* ---- back ---- */

enum err variants_option(struct call *call, const struct campaign_variants *variants, unsigned *ret_variant)
{
	const char *text = call_option(call, "variant");
	*ret_variant = text == NULL ? 0 : variant_from_name(view_of(text));
	if (text == NULL || (*ret_variant > 0 && *ret_variant <= variants->count))
		return ERR_OK;
	if (variants->count == 0)
		return call_refuse(call, ERR_NOT_FOUND, "the campaign has no variants");
	return call_refuse(call, ERR_NOT_FOUND, "there is no variant %s; there are A to %c", text,
			   variant_name((unsigned)variants->count));
}

void variants_vary(struct campaign_content *content, const struct campaign_variants *variants, unsigned variant)
{
	if (variant < 2 || variant > variants->count)
		return;
	content->subject = variants->items[variant - 1].subject;
	content->text_body = variants->items[variant - 1].text_body;
	content->html_body = variants->items[variant - 1].html_body;
}

struct output_cell variants_cell(unsigned variant, char *keep)
{
	if (variant == 0)
		return cell_null();
	*keep = variant_name(variant);
	return cell_text(view_from(keep, 1));
}
