#include "mail/erasure.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "base/base32.h"

/* What is hashed begins with what it is for, and a NUL, which no address holds. */
static const char purpose_mailbox[] = "verpost erased mailbox";
static const char purpose_fingerprint[] = "verpost erasure key";

enum { FINGERPRINT_SIZE = 8 };

struct erasure_maker {
	EVP_MAC_CTX *mac;
};

static EVP_MAC_CTX *mac_for(const unsigned char key[KEYRING_KEY_SIZE])
{
	char digest[] = "SHA256";
	const OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
				      OSSL_PARAM_construct_end() };
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *mac = hmac == NULL ? NULL : EVP_MAC_CTX_new(hmac);
	EVP_MAC_free(hmac);
	if (mac != NULL && EVP_MAC_init(mac, key, KEYRING_KEY_SIZE, params) != 1) {
		EVP_MAC_CTX_free(mac);
		mac = NULL;
	}
	return mac;
}

enum err erasure_maker_new(const struct keyring *keyring, struct erasure_maker **ret_maker, struct buf *why)
{
	if (!keyring->erasure.present) {
		buf_addf(why, "the key file has no erasure key; `listctl key new --erasure` makes it");
		return ERR_NOT_FOUND;
	}
	struct erasure_maker *maker = calloc(1, sizeof(*maker));
	if (maker != NULL)
		maker->mac = mac_for(keyring->erasure.bytes);
	if (maker == NULL || maker->mac == NULL) {
		erasure_maker_free(maker);
		return ERR_MEMORY;
	}
	*ret_maker = maker;
	return ERR_OK;
}

void erasure_maker_free(struct erasure_maker *maker)
{
	if (maker == NULL)
		return;
	EVP_MAC_CTX_free(maker->mac);
	free(maker);
}

static bool make(struct erasure_maker *maker, const char *purpose, struct view text, unsigned char hash[ERASURE_SIZE])
{
	size_t len = 0;
	return EVP_MAC_init(maker->mac, NULL, 0, NULL) == 1 &&
	       EVP_MAC_update(maker->mac, (const unsigned char *)purpose, strlen(purpose) + 1) == 1 &&
	       EVP_MAC_update(maker->mac, (const unsigned char *)text.data, text.len) == 1 &&
	       EVP_MAC_final(maker->mac, hash, &len, ERASURE_SIZE) == 1 && len == ERASURE_SIZE;
}

bool erasure_make(struct erasure_maker *maker, struct view mailbox, unsigned char ret_hash[ERASURE_SIZE])
{
	return make(maker, purpose_mailbox, mailbox, ret_hash);
}

bool erasure_fingerprint(struct erasure_maker *maker, struct buf *out)
{
	unsigned char hash[ERASURE_SIZE];
	if (!make(maker, purpose_fingerprint, VIEW_LIT(""), hash))
		return false;
	hex_encode(view_from(hash, FINGERPRINT_SIZE), out);
	return buf_err(out) == ERR_OK;
}
