#include "mail/dkim_key.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/limits.h"
#include "mail/encode.h"
#include "mail/verp.h"

enum { ED25519_SIZE = 32, ED25519_SIGNATURE = 64 };

struct kind_row {
	const char *name;
	int type; /* OpenSSL's */
};

static const struct kind_row kinds[] = {
	[DKIM_RSA] = { .name = "rsa", .type = EVP_PKEY_RSA },
	[DKIM_ED25519] = { .name = "ed25519", .type = EVP_PKEY_ED25519 },
};
static_assert(ARRAY_LEN(kinds) == DKIM_KIND_COUNT, "one row per kind");

struct dkim_key {
	enum dkim_kind kind;
	char domain[LIMIT_DOMAIN + 1], selector[DKIM_SELECTOR + 1];
	EVP_PKEY *pair;
	EVP_PKEY_CTX *rsa; /* made ready once, for any number of signatures; NULL: not RSA */
	EVP_MD_CTX *ed25519;
};

const char *dkim_kind_name(enum dkim_kind kind)
{
	return kinds[kind].name;
}

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool dkim_selector_is_valid(struct view selector)
{
	char before = '.';
	if (selector.len == 0 || selector.len > DKIM_SELECTOR)
		return false;
	for (size_t i = 0; i < selector.len; i++) {
		char c = selector.data[i];
		bool is_inner = c == '-' ? before != '.' : c == '.' && before != '.' && before != '-';
		if (!is_alphanumeric(c) && !is_inner)
			return false;
		before = c;
	}
	return is_alphanumeric(before);
}

/* ---- making and reading ---- */

/* EVP_PKEY_sign() may be called again and again on a context that is ready; Ed25519 has only one-shot operations. */
static bool make_ready(struct dkim_key *key)
{
	if (key->kind == DKIM_ED25519)
		return (key->ed25519 = EVP_MD_CTX_new()) != NULL;
	key->rsa = EVP_PKEY_CTX_new(key->pair, NULL);
	return key->rsa != NULL && EVP_PKEY_sign_init(key->rsa) == 1 &&
	       EVP_PKEY_CTX_set_rsa_padding(key->rsa, RSA_PKCS1_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_signature_md(key->rsa, EVP_sha256()) == 1;
}

static void copy_lower(struct view text, char *to)
{
	for (size_t i = 0; i < text.len; i++)
		to[i] = text.data[i] >= 'A' && text.data[i] <= 'Z' ? (char)(text.data[i] - 'A' + 'a') : text.data[i];
}

/* Takes the pair, also when it fails. */
static enum err key_new(EVP_PKEY *pair, enum dkim_kind kind, struct view domain, struct view selector,
			struct dkim_key **ret_key)
{
	struct dkim_key *key = pair == NULL ? NULL : calloc(1, sizeof(*key));
	if (key == NULL) {
		EVP_PKEY_free(pair);
		return ERR_MEMORY;
	}
	key->kind = kind;
	key->pair = pair;
	copy_lower(domain, key->domain);
	copy_lower(selector, key->selector);
	if (!make_ready(key)) {
		dkim_key_done(key);
		return ERR_MEMORY;
	}
	*ret_key = key;
	return ERR_OK;
}

static bool are_names(struct view domain, struct view selector)
{
	return verp_domain_is_valid(domain) && dkim_selector_is_valid(selector);
}

enum err dkim_key_make(enum dkim_kind kind, struct view domain, struct view selector, struct dkim_key **ret_key)
{
	if (!are_names(domain, selector))
		return ERR_INVALID;
	EVP_PKEY *pair = kind == DKIM_RSA ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)DKIM_RSA_BITS)
					  : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	return key_new(pair, kind, domain, selector, ret_key);
}

/* Nobody is asked for a passphrase: a daemon has nobody to ask. */
static int no_passphrase(char *room, int size, int writing, void *context)
{
	(void)room;
	(void)size;
	(void)writing;
	(void)context;
	return -1;
}

static enum err check_pair(const EVP_PKEY *pair, enum dkim_kind *ret_kind, struct buf *why)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (EVP_PKEY_is_a(pair, kinds[i].name) != 1)
			continue;
		int bits = EVP_PKEY_get_bits(pair);
		*ret_kind = (enum dkim_kind)i;
		if (i != DKIM_RSA || (bits >= DKIM_RSA_BITS_LEAST && bits <= DKIM_RSA_BITS_MOST))
			return ERR_OK;
		buf_addf(why, "is an RSA key of %d bits, and verifiers take %d to %d; make one with `listctl dkim new`",
			 bits, DKIM_RSA_BITS_LEAST, DKIM_RSA_BITS_MOST);
		return ERR_INVALID;
	}
	buf_add(why, VIEW_LIT("is neither an RSA nor an Ed25519 key; make one with `listctl dkim new`"));
	return ERR_INVALID;
}

enum err dkim_key_read(struct view pem, struct view domain, struct view selector, struct dkim_key **ret_key,
		       struct buf *why)
{
	enum dkim_kind kind;
	if (!are_names(domain, selector)) {
		buf_add(why, VIEW_LIT("is not named after a domain and a selector"));
		return ERR_INVALID;
	}
	if (pem.len > LIMIT_KEY_FILE)
		return ERR_TOO_BIG;
	BIO *source = BIO_new_mem_buf(pem.data == NULL ? "" : pem.data, (int)pem.len);
	if (source == NULL)
		return ERR_MEMORY;
	EVP_PKEY *pair = PEM_read_bio_PrivateKey(source, NULL, no_passphrase, NULL);
	BIO_free(source);
	if (pair == NULL) {
		buf_add(why, VIEW_LIT("holds no private key in PEM without a passphrase"));
		return ERR_INVALID;
	}
	enum err err = check_pair(pair, &kind, why);
	if (err != ERR_OK) {
		EVP_PKEY_free(pair);
		return err;
	}
	return key_new(pair, kind, domain, selector, ret_key);
}

void dkim_key_done(struct dkim_key *key)
{
	if (key == NULL)
		return;
	EVP_PKEY_CTX_free(key->rsa);
	EVP_MD_CTX_free(key->ed25519);
	EVP_PKEY_free(key->pair);
	free(key);
}

/* ---- writing ---- */

enum err dkim_key_write(const struct dkim_key *key, struct buf *out)
{
	char *text = NULL;
	BIO *target = BIO_new(BIO_s_secmem());
	enum err err = ERR_MEMORY;
	if (target != NULL && PEM_write_bio_PKCS8PrivateKey(target, key->pair, NULL, NULL, 0, NULL, NULL) == 1) {
		long len = BIO_get_mem_data(target, &text);
		err = buf_add(out, view_from(text, (size_t)len));
	}
	BIO_free(target);
	return err;
}

/* RSA's as SubjectPublicKeyInfo, Ed25519's as the bare 32 octets. */
static enum err add_public(const struct dkim_key *key, struct buf *out)
{
	unsigned char raw[ED25519_SIZE], *der = NULL;
	size_t size = sizeof(raw);
	if (key->kind == DKIM_ED25519) {
		if (EVP_PKEY_get_raw_public_key(key->pair, raw, &size) != 1)
			return ERR_MEMORY;
		return encode_base64_word(view_from(raw, size), out);
	}
	int len = i2d_PUBKEY(key->pair, &der);
	if (len <= 0)
		return ERR_MEMORY;
	enum err err = encode_base64_word(view_from(der, (size_t)len), out);
	OPENSSL_free(der);
	return err;
}

enum err dkim_key_record(const struct dkim_key *key, struct buf *out)
{
	buf_addf(out, "v=DKIM1; k=%s; p=", dkim_kind_name(key->kind));
	enum err err = add_public(key, out);
	return err != ERR_OK ? err : buf_err(out);
}

enum dkim_kind dkim_key_kind(const struct dkim_key *key)
{
	return key->kind;
}

unsigned dkim_key_bits(const struct dkim_key *key)
{
	return (unsigned)EVP_PKEY_get_bits(key->pair);
}

struct view dkim_key_domain(const struct dkim_key *key)
{
	return view_of(key->domain);
}

struct view dkim_key_selector(const struct dkim_key *key)
{
	return view_of(key->selector);
}

/* ---- signing ---- */

enum err dkim_key_sign(struct dkim_key *key, const unsigned char digest[DIGEST_SIZE], struct buf *out)
{
	size_t size = key->kind == DKIM_RSA ? DKIM_RSA_BITS_MOST / 8 : ED25519_SIGNATURE;
	unsigned char *room = (unsigned char *)buf_room(out, size);
	if (room == NULL)
		return buf_err(out);
	bool ok = key->kind == DKIM_RSA ? EVP_PKEY_sign(key->rsa, room, &size, digest, DIGEST_SIZE) == 1
					: EVP_DigestSignInit(key->ed25519, NULL, NULL, NULL, key->pair) == 1 &&
					      EVP_DigestSign(key->ed25519, room, &size, digest, DIGEST_SIZE) == 1;
	if (!ok)
		return ERR_MEMORY;
	buf_grown(out, size);
	return ERR_OK;
}
