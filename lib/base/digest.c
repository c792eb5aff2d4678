#include "base/digest.h"

#include <openssl/evp.h>

static bool add_part(EVP_MD_CTX *context, struct view part)
{
	unsigned char length[8];
	for (size_t i = 0; i < sizeof(length); i++)
		length[i] = (unsigned char)((uint64_t)part.len >> (56 - 8 * i));
	return EVP_DigestUpdate(context, length, sizeof(length)) == 1 &&
	       (part.len == 0 || EVP_DigestUpdate(context, part.data, part.len) == 1);
}

bool digest_of(struct view bytes, unsigned char ret_digest[DIGEST_SIZE])
{
	return EVP_Digest(bytes.data, bytes.len, ret_digest, NULL, EVP_sha256(), NULL) == 1;
}

bool digest_of_parts(const struct view *parts, size_t count, unsigned char ret_digest[DIGEST_SIZE])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool ok = context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;
	for (size_t i = 0; ok && i < count; i++)
		ok = add_part(context, parts[i]);
	ok = ok && EVP_DigestFinal_ex(context, digest, NULL) == 1;
	EVP_MD_CTX_free(context);
	for (size_t i = 0; ok && i < DIGEST_SIZE; i++)
		ret_digest[i] = digest[i];
	return ok;
}
