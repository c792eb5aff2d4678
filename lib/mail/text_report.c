#include "mail/text_report.h"

#include "mail/fields.h"
#include "mail/phrase_text.h"

/* ---- addresses --------------------------------------------------------------------------------------------------- */

static bool in_local_part(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80 ||
	       view_find_byte(VIEW_LIT("!#$%&*+-/=?^_`{|}~.'"), c) != VIEW_NONE;
}

static bool in_domain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80 ||
	       c == '.' || c == '-';
}

/* Start of the local part that ends before the @ at `at`; `at` itself when there is none. */
static size_t local_start(struct view text, size_t at)
{
	size_t start = at;
	if (at > 1 && text.data[at - 1] == '"') {
		size_t quote = view_find_last_byte(view_head(text, at - 1), '"');
		return quote == VIEW_NONE || at - quote > 66 ? at : quote;
	}
	while (start > 0 && at - start < 128 && in_local_part(text.data[start - 1]))
		start--;
	/* quotes and markup that lean on the word */
	while (start < at && view_find_byte(VIEW_LIT("'=*/|.`-"), text.data[start]) != VIEW_NONE)
		start++;
	return start;
}

static size_t domain_end(struct view text, size_t at)
{
	size_t end = at + 1;
	while (end < text.len && end - at < 256 && in_domain(text.data[end]))
		end++;
	while (end > at + 1 && (text.data[end - 1] == '.' || text.data[end - 1] == '-'))
		end--;
	return end;
}

bool text_cut_address(struct view *text, struct view *ret_before, struct view *ret_address)
{
	for (size_t at = 0; at < text->len; at++) {
		if (text->data[at] != '@')
			continue;
		size_t start = local_start(*text, at), end = domain_end(*text, at);
		if (start == at || end - at < 3)
			continue;
		*ret_before = view_head(*text, start);
		*ret_address = view_slice(*text, start, end);
		*text = view_skip(*text, end);
		return true;
	}
	return false;
}

/* ---- where the notice ends --------------------------------------------------------------------------------------- */

/* Lines that stand before the returned message, once dashes and the like around them are gone. */
static const char *const cut_lines[] = {
	"this is a copy of",
	"below this line is",
	"below is a copy",
	"original message",
	"the original message",
	"your original message",
	"copy of the",
	"copy of your",
	"returned message",
	"unsent message",
	"undelivered message",
	"message header",
	"headers follow",
	"header of",
	"headers of",
	"message text follows",
	"text of",
	"body of",
	"forwarded message",
	"start of returned",
	"enclosed is a copy",
	"included is a copy",
	"included below",
	"a copy of",
	"received:",
	"return-path:",
	"original headers",
	"message headers",
	"the headers of",
	"the first",
	"the header",
	"the body",
	"the message",
	"the text",
	"here is a copy",
	"message removed",
	"raw message",
	"start of message",
	"received header",
	"rfc822 message",
	"message content follows",
	"attached message",
	"the following is a copy",
	"the beginning of the message",
	"beginning of",
	"dies ist eine kopie",
	"es folgt",
	"ursprüngliche nachricht",
	"message d'origine",
	"message original",
	"mensaje original",
	"mensagem original",
	"messaggio originale",
	"oorspronkelijk bericht",
};

static bool is_decoration(char c)
{
	return view_find_byte(VIEW_LIT("-=_*|>#+~. \t"), c) != VIEW_NONE;
}

static bool is_field_line(struct view line)
{
	return view_starts_nocase(line, VIEW_LIT("Received:")) || view_starts_nocase(line, VIEW_LIT("Return-Path:"));
}

static bool cuts_here(struct view line)
{
	struct view bare = view_trim(line);
	if (is_field_line(bare))
		return true;
	size_t decorated = bare.len;
	while (bare.len > 0 && is_decoration(bare.data[0]))
		bare = view_skip(bare, 1);
	decorated -= bare.len;
	struct view words = bare;
	while (words.len > 0 && is_decoration(words.data[words.len - 1]))
		words.len--;
	bool announces = decorated >= 2 || view_ends(words, VIEW_LIT(":")) ||
			 view_ends_nocase(words, VIEW_LIT("follows")) || view_ends_nocase(words, VIEW_LIT("removed"));
	if (!announces || words.len > 120)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(cut_lines); i++) {
		if (view_starts_nocase(words, view_of(cut_lines[i])))
			return true;
	}
	return false;
}

static void split_notice(struct view text, struct text_report *report)
{
	struct view rest = text, line;
	bool has_words = false;
	while (fields_cut_line(&rest, &line)) {
		if (has_words && cuts_here(line)) {
			size_t at = (size_t)(line.data - text.data);
			report->notice = view_head(text, at);
			report->returned = view_skip(text, at);
			return;
		}
		has_words = has_words || view_trim(line).len > 0;
	}
	report->notice = text;
	report->returned = view_skip(text, text.len);
}

/* ---- who failed -------------------------------------------------------------------------------------------------- */

/* How surely a line names its address as the failed one; the surest of all lines count. */
enum naming { NAMING_NONE, NAMING_SEEN, NAMING_LABELLED, NAMING_REPLIED, NAMING_ALONE };

static const char *const labels[] = {
	"to:",
	"recipient:",
	"recipient(s):",
	"recipients:",
	"intended recipient:",
	"rcpt to:",
	"failed:",
	"address:",
	"addresses:",
	"user:",
	"delivered to",
	"delivery to",
	"deliver to",
	"deliver it to",
	"deliver mail to",
	"deliver message to",
	"undeliverable to",
	"delivered to:",
	"sent to",
	"could not be delivered to",
	"failed recipient",
	"following address",
	"following recipient",
	"userid:",
	"attempts:",
	"email to",
	"message to",
	"mail to",
	"addressed to",
	"final-recipient:",
	"original-recipient:",
	"the user",
	"mailbox",
	"account",
	"rcpt:",
	"deliver your message to",
	"wasn't delivered to",
};

static const char *const not_recipients[] = { "postmaster", "mailer-daemon", "mail-daemon", "mailerdaemon", "abuse",
					      "hostmaster", "webmaster",     "noc",         "root",         "mdaemon" };

/* Words before an address that make it somebody else's. */
static const char *const other_labels[] = {
	"from:",         "sender:", "reply-to:",  "contact", "message-id:", "from ",      "sender",
	"return-path:",  "mailto:", "mail from:", "ask",     "refer",       "id:",        "assistance",
	"administrator", "sent by", "support",    "help",    "moved to",    "new address"
};

static bool contains_any(struct view text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (view_find_nocase(text, view_of(words[i])) != VIEW_NONE)
			return true;
	}
	return false;
}

static bool is_role(struct view address)
{
	struct view local = view_head(address, view_find_last_byte(address, '@'));
	for (size_t i = 0; i < ARRAY_LEN(not_recipients); i++) {
		if (view_eq_nocase(local, view_of(not_recipients[i])))
			return true;
	}
	return false;
}

static bool is_ignored(struct view address, const struct view *ignored, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (view_eq_nocase(address, ignored[i]))
			return true;
	}
	return false;
}

static bool is_bare(struct view text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (!is_decoration(text.data[i]) && view_find_byte(VIEW_LIT("<>()[]:;,\"'"), text.data[i]) == VIEW_NONE)
			return false;
	}
	return true;
}

/* "The following recipients could not be reached:" and the like, in front of a list. */
static bool announces_recipients(struct view line)
{
	static const char *const words[] = { "recipient", "address", "deliver", "fail", "user" };
	struct view bare = view_trim(line);
	return (view_ends(bare, VIEW_LIT(":")) || view_ends(bare, VIEW_LIT("-"))) &&
	       contains_any(bare, words, ARRAY_LEN(words));
}

static enum naming naming_of(struct view before, struct view address, struct view after, bool is_announced)
{
	char first = after.len > 0 ? after.data[0] : ' ';
	if (contains_any(before, other_labels, ARRAY_LEN(other_labels)))
		return NAMING_NONE;
	/* "<a@example.org>:" and an address with nothing else on its line, or with an explanation in brackets */
	bool opens = is_bare(before);
	if (opens && (is_announced || is_bare(after) || first == '>' || first == ':' ||
		      view_starts(view_trim(after), VIEW_LIT("("))))
		return NAMING_ALONE;
	if (view_starts(after, VIEW_LIT(">...")) || view_starts(after, VIEW_LIT("...")) ||
	    view_starts(after, VIEW_LIT(">: ")) || phrase_text_code(before) != 0)
		return NAMING_REPLIED;
	if (contains_any(before, labels, ARRAY_LEN(labels)) || opens)
		return NAMING_LABELLED;
	return address.len > 0 ? NAMING_SEEN : NAMING_NONE;
}

struct finder {
	struct text_report *report;
	const struct view *ignored;
	size_t ignored_count;
	bool takes_unlikely; /* postmaster@ and the ignored ones, where a line names them, when nobody else was named */
	enum naming best;
	struct view first_line; /* of the first recipient of the surest naming */
};

static void take_address(struct finder *finder, struct view address, enum naming naming, struct view line)
{
	struct text_report *report = finder->report;
	bool is_unlikely = is_role(address) || is_ignored(address, finder->ignored, finder->ignored_count);
	if (naming < finder->best || naming == NAMING_NONE)
		return;
	if (is_unlikely && (!finder->takes_unlikely || naming == NAMING_SEEN))
		return;
	if (naming > finder->best) {
		finder->best = naming;
		finder->first_line = line;
		report->count = 0;
	}
	for (size_t i = 0; i < report->count; i++) {
		if (view_eq_nocase(report->recipients[i], address))
			return;
	}
	/* An address merely seen is taken once: the rest of a text is full of others. */
	if (report->count < (naming == NAMING_SEEN ? 1 : TEXT_RECIPIENTS_MAX))
		report->recipients[report->count++] = address;
}

static void find_recipients(struct finder *finder)
{
	struct view rest = finder->report->notice, line, before, address;
	bool is_announced = false;
	while (fields_cut_line(&rest, &line)) {
		struct view left = view_trim(line);
		while (text_cut_address(&left, &before, &address)) {
			enum naming naming = naming_of(before, address, left, is_announced);
			take_address(finder, address, naming, line);
		}
		if (view_trim(line).len > 0)
			is_announced = announces_recipients(line);
	}
}

/* From the start of the line to the blank line behind it. A line without a reply, which may only name the address, is followed by its reason
 * even when a blank line stands between. */
static struct view paragraph_from(struct view notice, struct view line)
{
	size_t start = (size_t)(line.data - notice.data);
	struct view rest = view_skip(notice, start), next;
	size_t lines = phrase_text_code(line) != 0;
	const char *end = notice.data + notice.len;
	while (fields_cut_line(&rest, &next)) {
		if (view_trim(next).len == 0 && lines > 1) {
			end = next.data;
			break;
		}
		lines += view_trim(next).len > 0;
	}
	return view_trim(view_slice(notice, start, (size_t)(end - notice.data)));
}

static struct view first_reply(struct view notice)
{
	struct view rest = notice, line;
	while (fields_cut_line(&rest, &line)) {
		if (phrase_text_code(line) != 0)
			return paragraph_from(notice, line);
	}
	return view_of(NULL);
}

void text_report_read(struct view text, const struct view *ignored, size_t ignored_count,
		      struct text_report *ret_report)
{
	struct text_report report = { 0 };
	split_notice(text, &report);
	struct finder finder = { .report = &report, .ignored = ignored, .ignored_count = ignored_count };
	find_recipients(&finder);
	if (report.count == 0) {
		finder.takes_unlikely = true;
		find_recipients(&finder);
	}
	report.diagnostic =
	    report.count > 0 ? paragraph_from(report.notice, finder.first_line) : first_reply(report.notice);
	*ret_report = report;
}
