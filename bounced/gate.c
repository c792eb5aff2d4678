#include "bounced/gate.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "mail/verp.h"

/* A link in an old newsletter must work for longer than a year. */
enum { UNSUBSCRIBE_LIFE_DAYS = 400 };

struct gate {
	const struct settings *settings;
	struct token_maker *maker;
	uint64_t counts[GATE_VERDICT_COUNT], logged[GATE_VERDICT_COUNT];
};

struct verdict_row {
	const char *name;
	bool lets_in;
	struct gate_reply reply;
};

/* All bad tokens hear the same, so that nobody learns how far a guess came. */
#define NO_SUCH_ADDRESS                                                                                                \
	{                                                                                                              \
		.code = 550, .status = "5.1.1", .text = "no such address"                                              \
	}

static const struct verdict_row verdicts[] = {
	[GATE_RETURN_PATH] = { .name = "return-path", .lets_in = true, .reply = { 250, "2.1.5", "recipient ok" } },
	[GATE_UNSUBSCRIBE] = { .name = "unsubscribe", .lets_in = true, .reply = { 250, "2.1.5", "recipient ok" } },
	[GATE_MAILBOX] = { .name = "mailbox", .lets_in = true, .reply = { 250, "2.1.5", "recipient ok" } },
	[GATE_REPORTS] = { .name = "reports", .lets_in = true, .reply = { 250, "2.1.5", "recipient ok" } },
	[GATE_NO_SUCH] = { .name = "no-such-address", .reply = NO_SUCH_ADDRESS },
	[GATE_UNKNOWN_KEY] = { .name = "unknown-key", .reply = NO_SUCH_ADDRESS },
	[GATE_FORGED] = { .name = "forged", .reply = NO_SUCH_ADDRESS },
	[GATE_EXPIRED] = { .name = "expired", .reply = NO_SUCH_ADDRESS },
	[GATE_FOREIGN] = { .name = "foreign-domain", .reply = { 550, "5.7.1", "relaying denied" } },
};
static_assert(ARRAY_LEN(verdicts) == GATE_VERDICT_COUNT, "one row per verdict");

static const enum gate_verdict bad_tokens[] = {
	[TOKEN_VALID] = GATE_NO_SUCH, [TOKEN_MALFORMED] = GATE_NO_SUCH, [TOKEN_UNKNOWN_KEY] = GATE_UNKNOWN_KEY,
	[TOKEN_FORGED] = GATE_FORGED, [TOKEN_EXPIRED] = GATE_EXPIRED,
};
static_assert(ARRAY_LEN(bad_tokens) == TOKEN_VERDICT_COUNT, "one cause per token verdict");

enum err gate_new(const struct settings *settings, const struct keyring *keyring, struct gate **ret_gate)
{
	struct gate *gate = calloc(1, sizeof(*gate));
	if (gate == NULL)
		return ERR_MEMORY;
	gate->settings = settings;
	enum err err = gate_set_keys(gate, keyring);
	if (err != ERR_OK) {
		gate_done(gate);
		return err;
	}
	*ret_gate = gate;
	return ERR_OK;
}

void gate_done(struct gate *gate)
{
	if (gate == NULL)
		return;
	token_maker_done(gate->maker);
	free(gate);
}

enum err gate_set_keys(struct gate *gate, const struct keyring *keyring)
{
	struct token_maker *maker;
	enum err err = token_maker_new(keyring, view_of(gate->settings->bounce_domain), &maker);
	if (err != ERR_OK)
		return err;
	token_maker_done(gate->maker);
	gate->maker = maker;
	return ERR_OK;
}

static unsigned days_of(int64_t duration_us)
{
	return (unsigned)((duration_us + CLOCK_US_PER_DAY - 1) / CLOCK_US_PER_DAY);
}

static enum gate_verdict check(struct gate *gate, enum token_purpose purpose, struct view text, int64_t now_us,
			       struct token *ret_token)
{
	bool leaves = purpose == TOKEN_UNSUBSCRIBE;
	unsigned life = leaves ? UNSUBSCRIBE_LIFE_DAYS : days_of(gate->settings->bounce_token_life);
	enum token_verdict verdict = token_check(gate->maker, purpose, text, clock_day(now_us), life, ret_token);
	if (verdict != TOKEN_VALID)
		return bad_tokens[verdict];
	return leaves ? GATE_UNSUBSCRIBE : GATE_RETURN_PATH;
}

static bool is_mailbox(struct view local)
{
	return view_eq_nocase(local, VIEW_LIT("postmaster")) || view_eq_nocase(local, VIEW_LIT("abuse"));
}

static bool is_our_domain(const struct gate *gate, struct view domain)
{
	if (view_ends(domain, VIEW_LIT(".")))
		domain = view_head(domain, domain.len - 1);
	return view_eq_nocase(domain, view_of(gate->settings->bounce_domain));
}

static bool is_report_address(const struct gate *gate, struct view recipient)
{
	struct view words = view_of(gate->settings->bounced_report_addresses), word;
	while (view_cut(&words, ' ', &word)) {
		if (word.len > 0 && view_eq_nocase(word, recipient))
			return true;
	}
	return false;
}

static enum gate_verdict decide(struct gate *gate, struct view recipient, int64_t now_us, struct token *ret_token)
{
	struct view domain = view_of(gate->settings->bounce_domain);
	struct view prefix = view_of(gate->settings->bounce_prefix);
	struct view text;
	if (verp_split(recipient, prefix, domain, &text))
		return check(gate, TOKEN_RETURN_PATH, text, now_us, ret_token);
	if (verp_split(recipient, VIEW_LIT("unsubscribe"), domain, &text))
		return check(gate, TOKEN_UNSUBSCRIBE, text, now_us, ret_token);
	size_t at = view_find_last_byte(recipient, '@');
	if (at == VIEW_NONE)
		return view_eq_nocase(recipient, VIEW_LIT("postmaster")) ? GATE_MAILBOX : GATE_NO_SUCH;
	if (!is_our_domain(gate, view_skip(recipient, at + 1)))
		return GATE_FOREIGN;
	return is_mailbox(view_head(recipient, at)) ? GATE_MAILBOX : GATE_NO_SUCH;
}

void gate_ask(struct gate *gate, struct view recipient, bool may_report, int64_t now_us, struct passage *ret_passage)
{
	struct passage passage = { 0 };
	if (may_report && is_report_address(gate, recipient))
		passage.verdict = GATE_REPORTS;
	else
		passage.verdict = decide(gate, recipient, now_us, &passage.token);
	gate->counts[passage.verdict]++;
	*ret_passage = passage;
}

bool gate_lets_in(enum gate_verdict verdict)
{
	return verdicts[verdict].lets_in;
}

bool gate_is_guess(enum gate_verdict verdict)
{
	return !gate_lets_in(verdict) && verdict != GATE_EXPIRED;
}

const struct gate_reply *gate_reply(enum gate_verdict verdict)
{
	return &verdicts[verdict].reply;
}

bool gate_identify(struct gate *gate, struct view text, int64_t now_us, struct token *ret_token)
{
	static const enum token_purpose purposes[] = { TOKEN_MESSAGE, TOKEN_RETURN_PATH };
	struct view inner;
	if (verp_split(text, view_of(gate->settings->bounce_prefix), view_of(gate->settings->bounce_domain), &inner))
		text = inner;
	else
		text = view_head(text, view_find_byte(text, '@'));
	unsigned life = days_of(gate->settings->bounce_inside_life);
	for (size_t i = 0; i < ARRAY_LEN(purposes); i++) {
		struct token token;
		if (token_check(gate->maker, purposes[i], text, clock_day(now_us), life, &token) == TOKEN_VALID) {
			*ret_token = token;
			return true;
		}
	}
	return false;
}

bool gate_is_return_path(struct gate *gate, struct view address, const struct token *token, int64_t now_us)
{
	struct token found = { 0 };
	return decide(gate, address, now_us, &found) == GATE_RETURN_PATH && found.scope_id == token->scope_id &&
	       found.subscriber_id == token->subscriber_id && found.day == token->day && found.key_id == token->key_id;
}

enum err gate_message_token(struct gate *gate, const struct token *return_path, struct buf *out)
{
	struct token token = *return_path;
	token.purpose = TOKEN_MESSAGE;
	return token_sign(gate->maker, &token, out);
}

uint64_t gate_count(const struct gate *gate, enum gate_verdict verdict)
{
	return gate->counts[verdict];
}

void gate_log(struct gate *gate)
{
	for (size_t i = 0; i < GATE_VERDICT_COUNT; i++) {
		uint64_t fresh = gate->counts[i] - gate->logged[i];
		if (fresh == 0 || verdicts[i].lets_in)
			continue;
		log_event(LOG_INFO, "recipient.refused", "cause=%s count=%llu total=%llu", verdicts[i].name,
			  (unsigned long long)fresh, (unsigned long long)gate->counts[i]);
		gate->logged[i] = gate->counts[i];
	}
}
