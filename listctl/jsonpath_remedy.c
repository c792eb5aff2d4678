#include "listctl/jsonpath_remedy.h"

#include "base/limits.h"

struct slip_row {
	const char *token; /* lower case */
	const char *remedy;
};

static const struct slip_row slips[] = {
	{ "=", "compare with ==" },
	{ "and", "write && for and" },
	{ "&", "write && for and" },
	{ "or", "write || for or" },
	{ "|", "write || for or" },
	{ "not", "write !( ... ) for not" },
	{ "like", "write like_regex \"...\" or starts with \"...\"" },
	{ "in", "compare one by one: $.a == \"x\" || $.a == \"y\"" },
	{ "between", "write $.a >= 1 && $.a <= 9" },
	{ "is", "write == null, or ( ... ) is unknown" },
	{ "~", "write like_regex \"...\"" },
	{ ";", "leave the semicolon out" },
};

const char *jsonpath_remedy(const struct jsonpath_token *token)
{
	for (size_t i = 0; i < ARRAY_LEN(slips); i++) {
		if (view_eq_nocase(token->text, view_of(slips[i].token)))
			return slips[i].remedy;
	}
	if (token->kind == TOKEN_NAME && token->text.data[0] == '\'')
		return "put texts between double quotation marks";
	if (token->kind == TOKEN_NAME && (unsigned char)token->text.data[0] == 0xe2)
		return "put texts between plain quotation marks, not typographic ones";
	return NULL;
}
