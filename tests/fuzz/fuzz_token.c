/* Any text as an address and as a token: never valid, since nobody but the maker can sign, and nothing read out of bounds. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mail/token.h"
#include "mail/verp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct token_maker *make(void)
{
	struct keyring ring = { .newest = -1 };
	unsigned char bytes[KEYRING_KEY_SIZE];
	struct token_maker *maker = NULL;
	int id;
	memset(bytes, 0x5a, sizeof(bytes));
	for (int i = 0; i < KEYRING_KEYS; i++) {
		if (keyring_add(&ring, VIEW_LIT("2026-11-22"), bytes, &id) != ERR_OK)
			abort();
	}
	if (token_maker_new(&ring, VIEW_LIT("bounce.example"), &maker) != ERR_OK)
		abort();
	return maker;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct token_maker *maker;
	if (maker == NULL)
		maker = make();
	struct view text = view_from(data, size);
	struct view inner = text;
	struct token token;
	bool ours = verp_split(text, VIEW_LIT("b"), VIEW_LIT("bounce.example"), &inner);
	if (ours && inner.len > text.len)
		abort();
	for (int purpose = 0; purpose < TOKEN_PURPOSE_COUNT; purpose++) {
		if (token_check(maker, (enum token_purpose)purpose, inner, 20779, 30, &token) == TOKEN_VALID)
			abort();
	}
	return 0;
}
