#include "mail/address_rule.h"

#include <assert.h>

#include "base/limits.h"
#include "mail/address.h"

static const char *const kinds[] = {
	[ADDRESS_ROLE] = "role",
	[ADDRESS_DISPOSABLE] = "disposable",
	[ADDRESS_TYPO] = "typo",
};
static_assert(ARRAY_LEN(kinds) == ADDRESS_RULE_KIND_COUNT, "one name a kind");

static const char *const actions[] = {
	[ADDRESS_OFF] = "off",
	[ADDRESS_WARN] = "warn",
	[ADDRESS_REFUSE] = "refuse",
};
static_assert(ARRAY_LEN(actions) == ADDRESS_RULE_ACTION_COUNT, "one name an action");

const char *address_rule_kind_name(enum address_rule_kind kind)
{
	return kinds[kind];
}

const char *address_rule_action_name(enum address_rule_action action)
{
	return actions[action];
}

static size_t find(const char *const *names, size_t count, struct view name)
{
	size_t i = 0;
	while (i < count && !view_eq_nocase(name, view_of(names[i])))
		i++;
	return i;
}

bool address_rule_kind_from_name(struct view name, enum address_rule_kind *ret_kind)
{
	size_t found = find(kinds, ARRAY_LEN(kinds), name);
	if (found == ARRAY_LEN(kinds))
		return false;
	*ret_kind = (enum address_rule_kind)found;
	return true;
}

bool address_rule_action_from_name(struct view name, enum address_rule_action *ret_action)
{
	size_t found = find(actions, ARRAY_LEN(actions), name);
	if (found == ARRAY_LEN(actions))
		return false;
	*ret_action = (enum address_rule_action)found;
	return true;
}

/* A role is read as the local part of some address. */
static enum err role_value(struct view text, struct buf *ret_value, struct buf *why)
{
	static const char somewhere[] = "@example.org";
	AUTO_BUF written = buf_with_ceiling(LIMIT_ADDRESS_TEXT);
	AUTO_BUF address = buf_with_ceiling(LIMIT_ADDRESS), key = buf_with_ceiling(LIMIT_ADDRESS_TEXT);
	if (view_ends(text, VIEW_LIT("@")))
		text = view_head(text, text.len - 1);
	if (view_find_byte(text, '@') != VIEW_NONE || view_find_byte(text, '+') != VIEW_NONE) {
		buf_addf(why, "a role is what stands before the @ in an address, without + and what follows it");
		return ERR_INVALID;
	}
	buf_add(&written, text);
	buf_addf(&written, "%s", somewhere);
	enum err err = buf_err(&written) == ERR_OK ? address_parse(buf_view(&written), &address, why) : ERR_INVALID;
	if (err == ERR_OK)
		err = address_key(buf_view(&address), &key);
	if (err == ERR_OK)
		return buf_add(ret_value, view_head(buf_view(&key), key.len - (sizeof(somewhere) - 1)));
	if (why->len == 0)
		buf_addf(why, "a role is the part of an address before the @, of 1 to 64 octets");
	return ERR_INVALID;
}

enum err address_rule_value(enum address_rule_kind kind, struct view text, struct buf *ret_value, struct buf *why)
{
	text = view_trim(text);
	if (kind == ADDRESS_ROLE)
		return role_value(text, ret_value, why);
	if (kind == ADDRESS_TYPO && view_eq(text, VIEW_LIT(ADDRESS_RULE_ALL)))
		return buf_add(ret_value, text);
	return address_parse_domain(view_skip(text, view_starts(text, VIEW_LIT("@")) ? 1 : 0), ret_value, why);
}

bool address_rule_is_whole(const struct address_rule *rule, struct buf *why)
{
	bool is_all = view_eq(rule->value, VIEW_LIT(ADDRESS_RULE_ALL));
	const char *wrong = NULL;
	if (rule->kind != ADDRESS_TYPO)
		wrong = rule->hint.len > 0 ? "only a typo has a hint" : NULL;
	else if (is_all)
		wrong = rule->hint.len > 0 ? "the rule on all slips has no hint: each has the domain that it is near"
					   : NULL;
	else if (rule->hint.len == 0)
		wrong = rule->action == ADDRESS_OFF ? NULL : "a typo needs its hint, the domain that is meant";
	else if (view_eq(rule->value, rule->hint))
		wrong = "the hint is the domain itself";
	if (wrong != NULL)
		buf_addf(why, "%s", wrong);
	return wrong == NULL;
}
