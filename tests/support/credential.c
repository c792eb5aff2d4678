#include "tests/support/credential.h"

#include <dirent.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "tests/support/unit.h"

enum { SECONDS_PER_DAY = 24 * 60 * 60, X509_VERSION = 2 };

static void add_extension(X509 *certificate, X509V3_CTX *context, int kind, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, context, kind, value);
	ck_assert(extension != NULL && X509_add_ext(certificate, extension, -1) == 1);
	X509_EXTENSION_free(extension);
}

static void add_extensions(X509 *certificate, X509 *issuer, const struct credential_plan *plan)
{
	X509V3_CTX context;
	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	add_extension(certificate, &context, NID_basic_constraints,
		      plan->is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
	add_extension(certificate, &context, NID_subject_key_identifier, "hash");
	if (plan->alternative_names != NULL)
		add_extension(certificate, &context, NID_subject_alt_name, plan->alternative_names);
}

struct credential credential_new(const struct credential_plan *plan)
{
	static long serial;
	bool has_days = plan->from_days != 0 || plan->until_days != 0;
	struct credential made = { X509_new(), EVP_EC_gen("P-256") };
	ck_assert(made.certificate != NULL && made.key != NULL);
	X509 *issuer = plan->issuer == NULL ? made.certificate : plan->issuer->certificate;
	X509_NAME *subject = X509_get_subject_name(made.certificate);
	ck_assert(X509_set_version(made.certificate, X509_VERSION) == 1);
	ck_assert(ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), ++serial) == 1);
	ck_assert(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)plan->common_name, -1,
					     -1, 0) == 1);
	ck_assert(X509_set_issuer_name(made.certificate, X509_get_subject_name(issuer)) == 1);
	X509_gmtime_adj(X509_getm_notBefore(made.certificate), (has_days ? plan->from_days : -1L) * SECONDS_PER_DAY);
	X509_gmtime_adj(X509_getm_notAfter(made.certificate), (has_days ? plan->until_days : 1L) * SECONDS_PER_DAY);
	ck_assert(X509_set_pubkey(made.certificate, made.key) == 1);
	add_extensions(made.certificate, issuer, plan);
	ck_assert(X509_sign(made.certificate, plan->issuer == NULL ? made.key : plan->issuer->key, EVP_sha256()) > 0);
	return made;
}

void credential_done(struct credential *credential)
{
	X509_free(credential->certificate);
	EVP_PKEY_free(credential->key);
	*credential = (struct credential){ 0 };
}

struct buf folder_new(void)
{
	const char *top = getenv("TMPDIR");
	char path[LIMIT_WHY];
	struct buf folder = buf_with_ceiling(sizeof(path));
	snprintf(path, sizeof(path), "%s/verpost-tls.XXXXXX", top == NULL ? "/tmp" : top);
	ck_assert(mkdtemp(path) != NULL);
	buf_add(&folder, view_of(path));
	return folder;
}

void folder_done(struct buf *folder)
{
	DIR *open_folder = opendir(buf_text(folder));
	ck_assert(open_folder != NULL);
	for (struct dirent *entry; (entry = readdir(open_folder)) != NULL;) {
		if (entry->d_name[0] != '.')
			ck_assert(unlinkat(dirfd(open_folder), entry->d_name, 0) == 0);
	}
	closedir(open_folder);
	ck_assert(rmdir(buf_text(folder)) == 0);
	buf_done(folder);
}

void credential_write(const struct credential *credential, struct buf *folder, const char *name,
		      struct buf *ret_certificate_file, struct buf *ret_key_file)
{
	buf_addf(ret_certificate_file, "%s/%s.pem", buf_text(folder), name);
	buf_addf(ret_key_file, "%s/%s.key", buf_text(folder), name);
	FILE *file = fopen(buf_text(ret_certificate_file), "w");
	ck_assert(file != NULL && PEM_write_X509(file, credential->certificate) == 1 && fclose(file) == 0);
	file = fopen(buf_text(ret_key_file), "w");
	ck_assert(file != NULL && PEM_write_PrivateKey(file, credential->key, NULL, NULL, 0, NULL, NULL) == 1 &&
		  fclose(file) == 0);
}
