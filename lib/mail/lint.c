#include "mail/lint.h"

#include <assert.h>

#include "base/limits.h"
#include "mail/foreign_tag.h"
#include "mail/lint_html.h"
#include "mail/list_headers.h"
#include "mail/mailbox_provider.h"
#include "mail/org_domain.h"
#include "mail/template.h"
#include "mail/way_out.h"

enum {
	GMAIL_CLIPS = 102 * 1024, /* octets of HTML, beyond which Gmail shows a link to the rest */
	MESSAGE_MOST = 1 << 20,   /* octets; some receivers take no more, and filters distrust large bulk mail */
	SUBJECT_MOST = 70,        /* characters that a wide window shows */
	SUBJECT_LETTERS = 8,      /* fewer capitals are an abbreviation */
	WORDS_OF_TEXT = 10,
	WORDS_OF_HTML = 40,
	WORDS_AN_IMAGE = 20,
};

static const char *const severity_names[] = {
	[LINT_NOTE] = "note",
	[LINT_WARNING] = "warning",
	[LINT_ERROR] = "error",
};
static_assert(ARRAY_LEN(severity_names) == LINT_SEVERITY_COUNT, "one word a severity");

const char *lint_severity_name(enum lint_severity severity)
{
	return severity_names[severity];
}

struct lint {
	const struct lint_letter *letter;
	struct lint_html html;
};

/* Each appends what is wrong, nothing when it is well. */
typedef void lint_check(const struct lint *lint, struct buf *out);

/* ---- the sender ---- */

/* No key or bounce domain helps mail from another's. */
static bool is_own(const struct lint *lint)
{
	return !mailbox_provider_has(lint->letter->from_domain);
}

static void check_unsigned(const struct lint *lint, struct buf *out)
{
	const struct lint_letter *letter = lint->letter;
	if (is_own(lint) && letter->signing_known && letter->dkim_domain.len == 0)
		buf_addf(out, "mail from " VIEW_FMT " is not signed by DKIM", VIEW_ARG(letter->from_domain));
}

static void check_dkim(const struct lint *lint, struct buf *out)
{
	const struct lint_letter *letter = lint->letter;
	if (is_own(lint) && letter->dkim_domain.len > 0 &&
	    !org_domain_aligned(letter->from_domain, letter->dkim_domain))
		buf_addf(out, "the signature is of " VIEW_FMT ", which is not aligned with From, " VIEW_FMT,
			 VIEW_ARG(letter->dkim_domain), VIEW_ARG(letter->from_domain));
}

static void check_bounce(const struct lint *lint, struct buf *out)
{
	const struct lint_letter *letter = lint->letter;
	if (is_own(lint) && !org_domain_aligned(letter->from_domain, letter->bounce_domain))
		buf_addf(out,
			 "the bounce domain " VIEW_FMT " is not aligned with From, " VIEW_FMT
			 ": SPF counts for nothing",
			 VIEW_ARG(letter->bounce_domain), VIEW_ARG(letter->from_domain));
}

static void check_mailbox_provider(const struct lint *lint, struct buf *out)
{
	if (mailbox_provider_has(lint->letter->from_domain))
		buf_addf(out, "From is an address at " VIEW_FMT ", " MAILBOX_PROVIDER_REASON,
			 VIEW_ARG(lint->letter->from_domain));
}

/* ---- the head ---- */

static void check_one_click(const struct lint *lint, struct buf *out)
{
	if (!lint->letter->has_web)
		buf_add(
		    out,
		    VIEW_LIT(
			"readers can unsubscribe by mail only, not by one click (RFC 8058), which Gmail and Yahoo ask "
			"of senders of more than about 5,000 messages a day"));
}

static void check_headers(const struct lint *lint, struct buf *out)
{
	static const char *const names[] = {
		"X-Priority",        "X-MSMail-Priority",   "Importance", "Priority", "Disposition-Notification-To",
		"Return-Receipt-To", "X-Confirm-Reading-To"
	};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (list_headers_get(lint->letter->list_headers, view_of(names[i])).len > 0)
			buf_addf(out, "%s%s", out->len == 0 ? "filters distrust in bulk mail the header field " : ", ",
				 names[i]);
	}
}

/* Characters, a merge tag being one. */
static size_t subject_length(struct view subject)
{
	size_t count = 0;
	while (subject.len > 0) {
		size_t end = view_starts(subject, VIEW_LIT("{{")) ? view_find(subject, VIEW_LIT("}}")) : VIEW_NONE;
		subject = view_skip(subject, end == VIEW_NONE ? 1 : end + 2);
		while (subject.len > 0 && ((unsigned char)subject.data[0] & 0xc0) == 0x80)
			subject = view_skip(subject, 1);
		count++;
	}
	return count;
}

static void check_subject_long(const struct lint *lint, struct buf *out)
{
	size_t length = subject_length(lint->letter->subject);
	if (length > SUBJECT_MOST)
		buf_addf(out, "the subject has %zu characters; programs show about %d, phones half of that", length,
			 SUBJECT_MOST);
}

/* Outside of merge tags. */
static void count_letters(struct view subject, size_t *ret_capitals, size_t *ret_others)
{
	struct template_tag tag;
	size_t cursor = 0;
	size_t tag_start = subject.len, tag_end = subject.len;
	*ret_capitals = *ret_others = 0;
	if (template_next_tag(subject, &cursor, &tag)) {
		tag_start = tag.start;
		tag_end = tag.end;
	}
	for (size_t i = 0; i < subject.len; i++) {
		if (i == tag_start) {
			i = tag_end - 1;
			bool more = template_next_tag(subject, &cursor, &tag);
			tag_start = more ? tag.start : subject.len;
			tag_end = more ? tag.end : subject.len;
			continue;
		}
		char c = subject.data[i];
		*ret_capitals += c >= 'A' && c <= 'Z';
		*ret_others += c >= 'a' && c <= 'z';
	}
}

static void check_subject_shouts(const struct lint *lint, struct buf *out)
{
	static const char *const shouts[] = { "!!", "??", "$$", "!?!" };
	struct view subject = lint->letter->subject;
	size_t capitals, others;
	count_letters(subject, &capitals, &others);
	for (size_t i = 0; i < ARRAY_LEN(shouts); i++) {
		if (view_find(subject, view_of(shouts[i])) != VIEW_NONE) {
			buf_addf(out, "the subject holds \"%s\", as spam does", shouts[i]);
			return;
		}
	}
	if (capitals >= SUBJECT_LETTERS && capitals > 2 * others)
		buf_add(out, VIEW_LIT("the subject is in capitals, as spam's is"));
}

static void check_subject_answers(const struct lint *lint, struct buf *out)
{
	static const char *const marks[] = { "Re:", "Fw:", "Fwd:", "Aw:", "Sv:" };
	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		if (view_starts_nocase(view_trim(lint->letter->subject), view_of(marks[i])))
			buf_addf(out, "the subject begins with \"%s\", which says that the reader wrote before",
				 marks[i]);
	}
}

/* ---- the body ---- */

static void check_unsubscribe(const struct lint *lint, struct buf *out)
{
	const struct lint_letter *letter = lint->letter;
	bool in_text = way_out_in(letter->text_body);
	bool in_html = letter->html_body.len == 0 || lint->html.has_way_out;
	if (in_text && in_html)
		return;
	const char *subject = in_text ? "the HTML has no" : in_html ? "the text has no" : "neither text nor HTML has";
	buf_addf(
	    out,
	    "%s {{unsubscribe}} that every reader sees, whatever sections leave out and styles hide: readers who find "
	    "no way out complain of spam",
	    subject);
}

static void check_bare_unsubscribe(const struct lint *lint, struct buf *out)
{
	if (lint->html.has_way_out && !lint->html.has_link_out)
		buf_add(out, VIEW_LIT("the HTML tells {{unsubscribe}} as a text, which few mailboxes make a link of"));
}

static size_t words_of(struct view text)
{
	size_t words = 0;
	bool inside = false;
	for (size_t i = 0; i < text.len; i++) {
		bool is_space = (unsigned char)text.data[i] <= ' ';
		words += !is_space && !inside;
		inside = !is_space;
	}
	return words;
}

static void check_text(const struct lint *lint, struct buf *out)
{
	size_t words = words_of(lint->letter->text_body);
	if (view_trim(lint->letter->text_body).len == 0)
		buf_add(out, VIEW_LIT("there is no text part"));
	else if (lint->html.words >= WORDS_OF_HTML && words < WORDS_OF_TEXT)
		buf_addf(out, "the text part has %zu words, the HTML %zu", words, lint->html.words);
}

static void check_no_html(const struct lint *lint, struct buf *out)
{
	if (lint->letter->html_body.len == 0)
		buf_add(out, VIEW_LIT("there is no HTML part; that is well with text alone"));
}

static void show(const struct lint_html_list *list, const char *text, struct buf *out)
{
	if (list->count == 0)
		return;
	buf_addf(out, "%s: " VIEW_FMT, text, VIEW_ARG(buf_view(&list->shown)));
	if (list->count > LINT_HTML_SHOWN)
		buf_addf(out, " and %zu more", list->count - LINT_HTML_SHOWN);
}

static void check_alt(const struct lint *lint, struct buf *out)
{
	show(&lint->html.without_alt, "images without alt", out);
}
static void check_image_sources(const struct lint *lint, struct buf *out)
{
	show(&lint->html.broken_images, "images that no mailbox shows", out);
}
static void check_links(const struct lint *lint, struct buf *out)
{
	show(&lint->html.broken_links, "links that lead nowhere", out);
}
static void check_misleading(const struct lint *lint, struct buf *out)
{
	show(&lint->html.misleading_links, "links whose text names another host, as in phishing", out);
}
static void check_shortened(const struct lint *lint, struct buf *out)
{
	show(&lint->html.shortened_links, "links through a shortening service", out);
}
static void check_markup(const struct lint *lint, struct buf *out)
{
	show(&lint->html.markup, "readers see as text", out);
}
static void check_stripped(const struct lint *lint, struct buf *out)
{
	show(&lint->html.stripped, "what mailboxes take out or distrust", out);
}

static void check_image_heavy(const struct lint *lint, struct buf *out)
{
	const struct lint_html *html = &lint->html;
	if (html->images > 0 && html->words < html->images * WORDS_AN_IMAGE)
		buf_addf(out,
			 "%zu image%s and %zu words: filters take pictures of text for spam, and many readers see none",
			 html->images, html->images == 1 ? "" : "s", html->words);
}

/* Whose copy a size is of. */
static void add_largest(const struct lint_letter *letter, struct buf *out)
{
	buf_addf(out, " in the copy for " VIEW_FMT ", the largest of %s%lld", VIEW_ARG(letter->largest_reader),
		 letter->tried < letter->readers ? "the first " : "", (long long)letter->tried);
}

static void check_clipped(const struct lint *lint, struct buf *out)
{
	const struct lint_letter *letter = lint->letter;
	size_t size = letter->html_size > 0 ? letter->html_size : letter->html_body.len;
	if (size <= GMAIL_CLIPS)
		return;
	buf_addf(out, "the HTML has %zu KB", size >> 10);
	if (letter->html_size > 0)
		add_largest(letter, out);
	else
		buf_add(out, VIEW_LIT(" as it is written, since no copy could be made"));
	buf_add(out, VIEW_LIT("; Gmail shows the first 102"));
}

static void check_size(const struct lint *lint, struct buf *out)
{
	if (lint->letter->message_size <= MESSAGE_MOST)
		return;
	buf_addf(out, "the message has %zu KB", lint->letter->message_size >> 10);
	add_largest(lint->letter, out);
}

/* ---- tags of other programs ---- */

enum { FOREIGN_SHOWN = 3 };

struct foreign_found {
	struct view shown[FOREIGN_SHOWN];
	size_t count; /* of all, those alike as one as far as they are shown */
};

/* Whether this one is to be told: one alike was not, and there is room. */
static bool is_told(struct foreign_found *found, struct view text)
{
	for (size_t i = 0; i < found->count && i < FOREIGN_SHOWN; i++) {
		if (view_eq(found->shown[i], text))
			return false;
	}
	if (found->count++ >= FOREIGN_SHOWN)
		return false;
	found->shown[found->count - 1] = text;
	return true;
}

/* As a person wrote it, and where: where text and HTML were made of a letter, in that as far as it stands there likewise. */
static void add_tag(const struct lint_letter *letter, const char *part, struct view source,
		    const struct foreign_tag *tag, struct buf *out)
{
	AUTO_BUF stars = buf_with_ceiling(LIMIT_WHY);
	struct view text = tag->text;
	size_t at = view_find(letter->written, text);
	buf_addf(&stars, "*|" VIEW_FMT "|*", VIEW_ARG(tag->name)); /* Markdown makes <em>|NAME|</em> of it */
	if (at == VIEW_NONE && view_find(letter->written, buf_view(&stars)) != VIEW_NONE) {
		text = buf_view(&stars);
		at = view_find(letter->written, text);
	}
	buf_addf(out, VIEW_FMT " in line ", VIEW_ARG(text));
	if (letter->written.len > 0 && at != VIEW_NONE)
		buf_addf(out, "%zu of " VIEW_FMT, template_place(letter->written, at).line,
			 VIEW_ARG(letter->written_name));
	else
		buf_addf(out, "%zu of the %s%s", template_place(source, tag->start).line, part,
			 letter->written.len > 0 ? ", not of the letter's own file" : "");
}

static void find_foreign(const struct lint_letter *letter, const char *part, struct view source, bool is_html,
			 struct foreign_found *found, struct buf *out)
{
	struct foreign_tag tag;
	for (size_t cursor = 0; foreign_tag_next(source, is_html, &cursor, &tag);) {
		if (!is_told(found, tag.text))
			continue;
		buf_add(out, out->len > 0 ? VIEW_LIT("; ") : VIEW_LIT(""));
		add_tag(letter, part, source, &tag, out);
		buf_add(out, VIEW_LIT(", for which write "));
		if (foreign_tag_suggest(&tag, out) != ERR_OK)
			return; /* out remembers */
	}
}

/* Where no field can stand, ours neither. */
static void find_misplaced(const char *where, struct view source, struct foreign_found *found, struct buf *out)
{
	struct foreign_tag tag;
	for (size_t cursor = 0; foreign_tag_next(source, false, &cursor, &tag);) {
		if (!is_told(found, tag.text))
			continue;
		buf_addf(out, "%s" VIEW_FMT " in the %s, which takes no field", out->len > 0 ? "; " : "",
			 VIEW_ARG(tag.text), where);
	}
}

static void check_foreign(const struct lint *lint, struct buf *out)
{
	const struct lint_letter *letter = lint->letter;
	struct foreign_found found = { .count = 0 };
	find_misplaced("sender's name", letter->from_name, &found, out);
	find_misplaced("list's title", letter->list_title, &found, out);
	find_misplaced("list's header fields", letter->list_headers, &found, out);
	find_foreign(letter, "subject", letter->subject, false, &found, out);
	find_foreign(letter, "text", letter->text_body, false, &found, out);
	find_foreign(letter, "HTML", letter->html_body, true, &found, out);
	if (found.count > FOREIGN_SHOWN)
		buf_addf(out, "; and %zu more", found.count - FOREIGN_SHOWN);
}

/* ---- the readers ---- */

static void check_nobody(const struct lint *lint, struct buf *out)
{
	if (lint->letter->readers == 0)
		buf_add(out, VIEW_LIT("there is nobody whom it would go to"));
}

/* Two digits: some of the readers tell no more. */
static int64_t about(double number)
{
	int64_t unit = 1;
	while (number >= 100 * (double)unit)
		unit *= 10;
	return (int64_t)(number / (double)unit + 0.5) * unit;
}

static int64_t gaps_among(const struct lint_letter *letter)
{
	return letter->gaps_among > 0 ? letter->gaps_among : letter->readers;
}

static void add_gap(const struct lint_letter *letter, const struct lint_gap *gap, struct buf *out)
{
	int64_t among = gaps_among(letter);
	buf_addf(out, "%s{{" VIEW_FMT "}} is empty for ", out->len > 0 ? "; " : "", VIEW_ARG(gap->field));
	if (among == letter->readers)
		buf_addf(out, "%lld of %lld readers", (long long)gap->empty, (long long)letter->readers);
	else
		buf_addf(out, "about %lld of %lld readers, by %lld of them",
			 (long long)about((double)gap->empty * (double)letter->readers / (double)among),
			 (long long)letter->readers, (long long)among);
}

static void check_gaps(const struct lint *lint, struct buf *out)
{
	for (size_t i = 0; i < lint->letter->gap_count; i++) {
		const struct lint_gap *gap = &lint->letter->gaps[i];
		if (gap->empty > 0 && gap->empty < gaps_among(lint->letter))
			add_gap(lint->letter, gap, out);
	}
}

static void check_empty(const struct lint *lint, struct buf *out)
{
	for (size_t i = 0; i < lint->letter->gap_count; i++) {
		const struct lint_gap *gap = &lint->letter->gaps[i];
		if (gap->empty > 0 && gap->empty >= gaps_among(lint->letter))
			add_gap(lint->letter, gap, out);
	}
}

static void add_skipped(const struct lint_letter *letter, struct buf *out)
{
	buf_addf(out, "%lld of %s%lld readers get no copy, such as " VIEW_FMT ": " VIEW_FMT, (long long)letter->skipped,
		 letter->tried < letter->readers ? "the first " : "", (long long)letter->tried,
		 VIEW_ARG(letter->skipped_reader), VIEW_ARG(letter->skipped_why));
}

static void check_skipped(const struct lint *lint, struct buf *out)
{
	if (lint->letter->skipped > 0 && lint->letter->skipped < lint->letter->tried)
		add_skipped(lint->letter, out);
}

static void check_all_skipped(const struct lint *lint, struct buf *out)
{
	if (lint->letter->skipped > 0 && lint->letter->skipped == lint->letter->tried)
		add_skipped(lint->letter, out);
}

/* ---- the rules ---- */

static const struct rule {
	const char *code;
	enum lint_severity severity;
	lint_check *check;
	const char *remedy;
} rules[] = {
	{ "from-provider", LINT_ERROR, check_mailbox_provider, MAILBOX_PROVIDER_REMEDY },
	{ "dkim-unaligned", LINT_ERROR, check_dkim, "make a key for the From domain: `listctl dkim new`" },
	{ "unsigned", LINT_WARNING, check_unsigned,
	  "make a key and publish its record: `listctl dkim new`, `listctl dns`" },
	{ "bounce-unaligned", LINT_WARNING, check_bounce,
	  "let bounce.domain be below the From domain's organization, such as bounce.example.org for "
	  "news@example.org" },
	{ "one-click-missing", LINT_NOTE, check_one_click, "set web.base_url once a server answers there" },
	{ "header-spammy", LINT_WARNING, check_headers, "take it away: `listctl list edit --header \"NAME:\"`" },
	{ "subject-long", LINT_WARNING, check_subject_long, "put what matters first, and shorten it" },
	{ "subject-shouts", LINT_WARNING, check_subject_shouts, "write it as you would to one person" },
	{ "subject-answers", LINT_WARNING, check_subject_answers, "leave it out" },
	{ "unsubscribe-missing", LINT_ERROR, check_unsubscribe, "put {{unsubscribe}} where a reader finds it" },
	{ "unsubscribe-bare", LINT_WARNING, check_bare_unsubscribe,
	  "write <a href=\"{{unsubscribe}}\">unsubscribe</a>, in Markdown [unsubscribe]({{unsubscribe}})" },
	{ "tag-foreign", LINT_WARNING, check_foreign,
	  "merge tags are {{field}} here; others go out as they stand, which is right where readers are to see them "
	  "so" },
	{ "text-missing", LINT_WARNING, check_text, "write letter.txt, or let the text be made from the HTML" },
	{ "html-missing", LINT_NOTE, check_no_html, "write Markdown when you want links, pictures and headings" },
	{ "link-broken", LINT_ERROR, check_links, "write the whole URL, with https://, or {{unsubscribe}}" },
	{ "link-misleading", LINT_WARNING, check_misleading, "let the text be words, or the URL that it leads to" },
	{ "link-shortened", LINT_WARNING, check_shortened, "link to the page itself" },
	{ "image-without-alt", LINT_WARNING, check_alt, "describe each in alt; alt=\"\" for mere decoration" },
	{ "image-broken", LINT_ERROR, check_image_sources,
	  "give each as an https: URL, or as a file beside the letter: src=\"NAME\", in quotes" },
	{ "image-heavy", LINT_WARNING, check_image_heavy, "say in words what the pictures say" },
	{ "html-stripped", LINT_WARNING, check_stripped, "leave them out; link to a page that has them" },
	{ "markup-shown", LINT_WARNING, check_markup,
	  "let a Markdown letter hold HTML (html: yes), or write it as Markdown; an address with blanks stands in < >: "
	  "[text](<https://...>)" },
	{ "gmail-clipped", LINT_WARNING, check_clipped,
	  "shorten it, or link to the rest: what is clipped has no link to unsubscribe" },
	{ "message-large", LINT_WARNING, check_size, "link to what is large instead of attaching it" },
	{ "readers-none", LINT_WARNING, check_nobody,
	  "import members: `listctl import`; `listctl campaign audience` tells who is left out" },
	{ "readers-all-skipped", LINT_ERROR, check_all_skipped, "correct the letter: nobody would get it" },
	{ "readers-skipped", LINT_WARNING, check_skipped,
	  "correct their data, or use the field otherwise: they would be skipped as not-mergeable" },
	{ "field-empty", LINT_ERROR, check_empty,
	  "correct the field's name or the data; {{field|something}} fills the gap" },
	{ "field-gaps", LINT_WARNING, check_gaps,
	  "{{field|something}} fills the gap, {{#field}}...{{/field}} leaves it out" },
};

const char *lint_rule_code(size_t index)
{
	return index < ARRAY_LEN(rules) ? rules[index].code : NULL;
}

enum err lint_letter(const struct lint_letter *letter, lint_found *found, void *context)
{
	struct lint lint = { .letter = letter };
	enum err err = lint_html_read(letter->html_body, letter->files, letter->file_count, &lint.html);
	for (size_t i = 0; err == ERR_OK && i < ARRAY_LEN(rules); i++) {
		AUTO_BUF text = buf_with_ceiling(LIMIT_WHY);
		rules[i].check(&lint, &text);
		const struct lint_finding finding = { rules[i].code, rules[i].severity, buf_view(&text),
						      rules[i].remedy };
		if (text.len > 0)
			found(context, &finding);
	}
	lint_html_done(&lint.html);
	return err;
}
