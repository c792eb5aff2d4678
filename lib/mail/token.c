#include "mail/token.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/base32.h"
#include "base/limits.h"

enum {
	VERSION = 1,
	FIELDS_SIZE = 12,
	TAG_SHORT = 7,
	TAG_LONG = 16,
	TAG_FULL = 32,
	TOKEN_SIZE_MOST = FIELDS_SIZE + TAG_LONG,
	SCOPE_BITS = 32,
	SUBSCRIBER_BITS = 40,
	GRACE_DAYS = 1,
};

struct purpose_row {
	const char *label; /* signed with the fields; never change one */
	size_t tag_size;
};

static const struct purpose_row purposes[] = {
	[TOKEN_RETURN_PATH] = { .label = "return-path", .tag_size = TAG_SHORT },
	[TOKEN_MESSAGE] = { .label = "message", .tag_size = TAG_SHORT },
	[TOKEN_UNSUBSCRIBE] = { .label = "unsubscribe", .tag_size = TAG_LONG },
	[TOKEN_CONFIRM] = { .label = "confirm", .tag_size = TAG_LONG },
};
static_assert(ARRAY_LEN(purposes) == TOKEN_PURPOSE_COUNT, "one row per purpose");

struct token_maker {
	EVP_MAC_CTX *macs[KEYRING_KEYS]; /* NULL: no such key, or retired */
	char domain[LIMIT_DOMAIN + 1];   /* lower case */
};

static EVP_MAC_CTX *mac_for(EVP_MAC *hmac, const struct key *key)
{
	char digest[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC_CTX *mac = EVP_MAC_CTX_new(hmac);
	if (mac != NULL && EVP_MAC_init(mac, key->bytes, sizeof(key->bytes), params) != 1) {
		EVP_MAC_CTX_free(mac);
		return NULL;
	}
	return mac;
}

enum err token_maker_new(const struct keyring *keyring, struct view bounce_domain, struct token_maker **ret_maker)
{
	if (bounce_domain.len == 0 || bounce_domain.len > LIMIT_DOMAIN)
		return ERR_INVALID;
	struct token_maker *maker = calloc(1, sizeof(*maker));
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	enum err err = maker == NULL || hmac == NULL ? ERR_MEMORY : ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < bounce_domain.len; i++) {
		char c = bounce_domain.data[i];
		maker->domain[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	for (size_t id = 0; err == ERR_OK && id < KEYRING_KEYS; id++) {
		if (!keyring->keys[id].present || keyring->keys[id].retired)
			continue;
		maker->macs[id] = mac_for(hmac, &keyring->keys[id]);
		if (maker->macs[id] == NULL)
			err = ERR_MEMORY;
	}
	EVP_MAC_free(hmac);
	if (err != ERR_OK) {
		token_maker_done(maker);
		return err;
	}
	*ret_maker = maker;
	return ERR_OK;
}

void token_maker_done(struct token_maker *maker)
{
	if (maker == NULL)
		return;
	for (size_t id = 0; id < KEYRING_KEYS; id++)
		EVP_MAC_CTX_free(maker->macs[id]);
	free(maker);
}

static void put_number(unsigned char *at, size_t size, uint64_t number)
{
	for (size_t i = size; i > 0; i--) {
		at[i - 1] = (unsigned char)(number & 0xff);
		number >>= 8;
	}
}

static uint64_t get_number(const unsigned char *at, size_t size)
{
	uint64_t number = 0;
	for (size_t i = 0; i < size; i++)
		number = number << 8 | at[i];
	return number;
}

/* Initialising without a key starts anew with the one set at first. */
static bool make_tag(const struct token_maker *maker, unsigned key_id, enum token_purpose purpose,
		     const unsigned char fields[FIELDS_SIZE], unsigned char ret_tag[TAG_FULL])
{
	EVP_MAC_CTX *mac = maker->macs[key_id];
	const char *label = purposes[purpose].label;
	size_t len = 0;
	return EVP_MAC_init(mac, NULL, 0, NULL) == 1 &&
	       EVP_MAC_update(mac, (const unsigned char *)label, strlen(label) + 1) == 1 &&
	       EVP_MAC_update(mac, (const unsigned char *)maker->domain, strlen(maker->domain) + 1) == 1 &&
	       EVP_MAC_update(mac, fields, FIELDS_SIZE) == 1 && EVP_MAC_final(mac, ret_tag, &len, TAG_FULL) == 1 &&
	       len == TAG_FULL;
}

enum err token_sign(struct token_maker *maker, const struct token *token, struct buf *out)
{
	unsigned char octets[FIELDS_SIZE + TAG_FULL];
	if (token->key_id >= KEYRING_KEYS || token->scope_id >> SCOPE_BITS != 0 ||
	    token->subscriber_id >> SUBSCRIBER_BITS != 0 || (unsigned)token->purpose >= TOKEN_PURPOSE_COUNT)
		return ERR_INVALID;
	if (maker->macs[token->key_id] == NULL)
		return ERR_NOT_FOUND;
	octets[0] = (unsigned char)(VERSION << 4 | token->key_id);
	put_number(octets + 1, 4, token->scope_id);
	put_number(octets + 5, 5, token->subscriber_id);
	put_number(octets + 10, 2, token->day);
	if (!make_tag(maker, token->key_id, token->purpose, octets, octets + FIELDS_SIZE))
		return ERR_MEMORY;
	return base32_encode(view_from(octets, FIELDS_SIZE + purposes[token->purpose].tag_size), out);
}

static bool is_in_time(uint16_t day, uint16_t today, unsigned life_days)
{
	uint16_t age = (uint16_t)(today + GRACE_DAYS - day); /* modulo 65536, as the day is */
	return age <= life_days + GRACE_DAYS;
}

enum token_verdict token_check(struct token_maker *maker, enum token_purpose purpose, struct view text, uint16_t today,
			       unsigned life_days, struct token *ret_token)
{
	unsigned char octets[TOKEN_SIZE_MOST];
	unsigned char tag[TAG_FULL];
	size_t tag_size = purposes[purpose].tag_size;
	if (!base32_decode(text, octets, FIELDS_SIZE + tag_size) || octets[0] >> 4 != VERSION)
		return TOKEN_MALFORMED;
	unsigned key_id = octets[0] & 15;
	if (maker->macs[key_id] == NULL)
		return TOKEN_UNKNOWN_KEY;
	if (!make_tag(maker, key_id, purpose, octets, tag) || CRYPTO_memcmp(tag, octets + FIELDS_SIZE, tag_size) != 0)
		return TOKEN_FORGED;
	*ret_token = (struct token){
		.purpose = purpose,
		.key_id = key_id,
		.scope_id = get_number(octets + 1, 4),
		.subscriber_id = get_number(octets + 5, 5),
		.day = (uint16_t)get_number(octets + 10, 2),
	};
	return is_in_time(ret_token->day, today, life_days) ? TOKEN_VALID : TOKEN_EXPIRED;
}
