/* Certificates for tests, made anew in each: nothing that could expire lies in the tree. Every failure ends the test. */
#ifndef TESTS_SUPPORT_CREDENTIAL_H
#define TESTS_SUPPORT_CREDENTIAL_H

#include <openssl/x509.h>
#include <stdbool.h>

#include "base/buf.h"

/* A certificate and its key; the caller releases it with credential_done(). */
struct credential {
	X509 *certificate;
	EVP_PKEY *key;
};

struct credential_plan {
	const struct credential *issuer; /* NULL: signs itself */
	const char *common_name;
	const char *alternative_names; /* "DNS:mx.test,IP:127.0.0.1"; NULL: none */
	bool is_authority;
	int from_days, until_days; /* from today; both 0: valid for a day around now */
};

struct credential credential_new(const struct credential_plan *plan);
void credential_done(struct credential *credential);

/* A folder of the test's own under $TMPDIR; its path, to be released with folder_done(), which empties it too. */
struct buf folder_new(void);
void folder_done(struct buf *folder);

/* Writes FOLDER/NAME.pem and, apart, FOLDER/NAME.key, and gives the paths. */
void credential_write(const struct credential *credential, struct buf *folder, const char *name,
		      struct buf *ret_certificate_file, struct buf *ret_key_file);

#endif
