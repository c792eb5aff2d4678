#include "mail/address_judge.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "mail/address.h"
#include "mail/address_typo.h"

enum {
	FIRST_SLOTS = 1 << 11, /* a power of two, as it stays when it is doubled */
	VERDICTS = 512,        /* likewise */
	VERDICT_TEXT = 64,
};

/* FNV-1a */
static const uint32_t hash_start = 0x811c9dc5, hash_step = 0x01000193;

struct rule {
	uint32_t value_at, hint_at; /* in text */
	uint16_t value_len, hint_len;
	uint8_t kind, action;
};

/* What the rules say of a domain. */
struct verdict {
	bool is_known;
	uint8_t disposable, typo; /* enum address_rule_action */
	uint8_t domain_len, meant_len;
	char domain[VERDICT_TEXT], meant[VERDICT_TEXT];
	struct view hint; /* into meant, or into the rules' text */
};

struct address_judge {
	struct buf text;
	struct rule *rules;
	size_t count, cap;
	uint32_t *slots; /* index of a rule, plus 1 */
	size_t slot_count;
	struct verdict verdicts[VERDICTS];
	struct verdict unkept; /* of a domain too long to be remembered */
};

/* ---- the table ---- */

static uint32_t hash_of(uint32_t start, struct view text)
{
	uint32_t hash = hash_start ^ start;
	for (size_t i = 0; i < text.len; i++)
		hash = (hash ^ (unsigned char)text.data[i]) * hash_step;
	return hash;
}

static struct view value_of(const struct address_judge *judge, const struct rule *rule)
{
	return view_slice(buf_view(&judge->text), rule->value_at, (size_t)rule->value_at + rule->value_len);
}

/* The slot of that rule, or the free one where it would stand: at most half of them are taken. */
static size_t slot_of(const struct address_judge *judge, enum address_rule_kind kind, struct view value)
{
	size_t mask = judge->slot_count - 1, slot = hash_of((uint32_t)kind, value) & mask;
	for (; judge->slots[slot] != 0; slot = (slot + 1) & mask) {
		const struct rule *rule = &judge->rules[judge->slots[slot] - 1];
		if (rule->kind == kind && view_eq(value_of(judge, rule), value))
			break;
	}
	return slot;
}

static const struct rule *find(const struct address_judge *judge, enum address_rule_kind kind, struct view value)
{
	uint32_t index = judge->slots[slot_of(judge, kind, value)];
	return index == 0 ? NULL : &judge->rules[index - 1];
}

/* Room for one rule more. */
static enum err grow(struct address_judge *judge)
{
	if (judge->count < judge->cap)
		return ERR_OK;
	size_t cap = judge->cap * 2, slot_count = cap * 2;
	struct rule *rules = realloc(judge->rules, cap * sizeof(*rules));
	if (rules == NULL)
		return ERR_MEMORY;
	judge->rules = rules;
	uint32_t *slots = calloc(slot_count, sizeof(*slots));
	if (slots == NULL)
		return ERR_MEMORY;
	free(judge->slots);
	judge->slots = slots;
	judge->slot_count = slot_count;
	judge->cap = cap;
	for (size_t i = 0; i < judge->count; i++) {
		const struct rule *rule = &judge->rules[i];
		slots[slot_of(judge, (enum address_rule_kind)rule->kind, value_of(judge, rule))] = (uint32_t)i + 1;
	}
	return ERR_OK;
}

struct address_judge *address_judge_new(void)
{
	struct address_judge *judge = calloc(1, sizeof(*judge));
	if (judge == NULL)
		return NULL;
	judge->text = buf_with_ceiling(LIMIT_ADDRESS_RULES_TEXT);
	judge->slot_count = FIRST_SLOTS;
	judge->cap = FIRST_SLOTS / 2;
	judge->slots = calloc(judge->slot_count, sizeof(*judge->slots));
	judge->rules = calloc(judge->cap, sizeof(*judge->rules));
	if (judge->slots != NULL && judge->rules != NULL)
		return judge;
	address_judge_free(judge);
	return NULL;
}

void address_judge_free(struct address_judge *judge)
{
	if (judge == NULL)
		return;
	buf_done(&judge->text);
	free(judge->slots);
	free(judge->rules);
	free(judge);
}

enum err address_judge_add(struct address_judge *judge, const struct address_rule *given)
{
	if (judge->count == LIMIT_ADDRESS_RULES || given->value.len > UINT16_MAX || given->hint.len > UINT16_MAX)
		return ERR_TOO_BIG;
	enum err err = grow(judge);
	if (err != ERR_OK)
		return err;
	size_t slot = slot_of(judge, given->kind, given->value), start = judge->text.len;
	if (judge->slots[slot] != 0)
		return ERR_OK;
	buf_add(&judge->text, given->value);
	buf_add(&judge->text, given->hint);
	err = buf_err(&judge->text);
	if (err != ERR_OK)
		return err;
	judge->rules[judge->count] = (struct rule){
		.value_at = (uint32_t)start,
		.hint_at = (uint32_t)(start + given->value.len),
		.value_len = (uint16_t)given->value.len,
		.hint_len = (uint16_t)given->hint.len,
		.kind = (uint8_t)given->kind,
		.action = (uint8_t)given->action,
	};
	judge->slots[slot] = (uint32_t)++judge->count;
	memset(judge->verdicts, 0, sizeof(judge->verdicts)); /* they came of the rules before */
	return ERR_OK;
}

/* ---- a domain ---- */

static enum address_rule_action disposable_action(const struct address_judge *judge, struct view domain)
{
	struct view label;
	do {
		const struct rule *rule = find(judge, ADDRESS_DISPOSABLE, domain);
		if (rule != NULL)
			return (enum address_rule_action)rule->action;
	} while (view_cut(&domain, '.', &label) && domain.len > 0);
	return ADDRESS_OFF;
}

static void decide_typo(const struct address_judge *judge, struct view domain, struct verdict *verdict)
{
	const struct rule *own = find(judge, ADDRESS_TYPO, domain);
	const struct rule *all = own == NULL ? find(judge, ADDRESS_TYPO, VIEW_LIT(ADDRESS_RULE_ALL)) : NULL;
	if (own != NULL) {
		verdict->typo = own->action;
		verdict->hint = view_slice(buf_view(&judge->text), own->hint_at, (size_t)own->hint_at + own->hint_len);
	}
	if (all == NULL || all->action == ADDRESS_OFF)
		return;
	AUTO_BUF meant = buf_with_ceiling(sizeof(verdict->meant));
	if (!address_typo(domain, &meant))
		return;
	verdict->typo = all->action;
	verdict->meant_len = (uint8_t)meant.len;
	memcpy(verdict->meant, meant.data, meant.len);
	verdict->hint = view_from(verdict->meant, verdict->meant_len);
}

static const struct verdict *verdict_of(struct address_judge *judge, struct view domain)
{
	bool is_kept = domain.len <= VERDICT_TEXT;
	struct verdict *verdict = is_kept ? &judge->verdicts[hash_of(0, domain) & (VERDICTS - 1)] : &judge->unkept;
	if (is_kept && verdict->is_known && view_eq(domain, view_from(verdict->domain, verdict->domain_len)))
		return verdict;
	*verdict = (struct verdict){ .is_known = is_kept };
	if (is_kept && domain.len > 0)
		memcpy(verdict->domain, domain.data, domain.len);
	verdict->domain_len = (uint8_t)(is_kept ? domain.len : 0);
	verdict->disposable = (uint8_t)disposable_action(judge, domain);
	decide_typo(judge, domain, verdict);
	return verdict;
}

/* ---- an address ---- */

static struct view role_part(struct view key)
{
	struct view local = view_head(key, view_find_last_byte(key, '@'));
	size_t plus = view_find_byte(local, '+');
	return plus == 0 ? local : view_head(local, plus);
}

size_t address_judge_ask(struct address_judge *judge, struct view key,
			 struct address_finding ret_findings[ADDRESS_RULE_KIND_COUNT])
{
	size_t count = 0;
	const struct rule *role = find(judge, ADDRESS_ROLE, role_part(key));
	const struct verdict *verdict = verdict_of(judge, address_domain(key));
	const struct address_finding all[] = {
		{ .kind = ADDRESS_ROLE, .action = role == NULL ? ADDRESS_OFF : (enum address_rule_action)role->action },
		{ .kind = ADDRESS_DISPOSABLE, .action = (enum address_rule_action)verdict->disposable },
		{ .kind = ADDRESS_TYPO, .action = (enum address_rule_action)verdict->typo, .hint = verdict->hint },
	};
	static_assert(ARRAY_LEN(all) == ADDRESS_RULE_KIND_COUNT, "one of each kind");
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (all[i].action != ADDRESS_OFF)
			ret_findings[count++] = all[i];
	}
	return count;
}

bool address_findings_refuse(const struct address_finding *findings, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (findings[i].action == ADDRESS_REFUSE)
			return true;
	}
	return false;
}

void address_finding_text(const struct address_finding *finding, struct view key, struct buf *text)
{
	struct view domain = address_domain(key), role = role_part(key);
	switch (finding->kind) {
	case ADDRESS_ROLE:
		buf_addf(text, VIEW_FMT "@ is a role: whoever holds it reads the mail, and may never have asked for it",
			 VIEW_ARG(role));
		break;
	case ADDRESS_DISPOSABLE:
		buf_addf(text, VIEW_FMT " gives mailboxes to throw away", VIEW_ARG(domain));
		break;
	case ADDRESS_TYPO:
		buf_addf(text, VIEW_FMT " is probably " VIEW_FMT " mistyped", VIEW_ARG(domain),
			 VIEW_ARG(finding->hint));
		break;
	case ADDRESS_RULE_KIND_COUNT:
		break;
	}
}
