#include "net/tls_trouble.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#include "base/limits.h"

enum {
	NAMES_SHOWN = 4,
	TEXT_SHOWN = 200, /* octets of one name */
};

static void add_printable(struct view text, struct buf *out)
{
	struct view shown = view_head(text, TEXT_SHOWN);
	for (size_t i = 0; i < shown.len; i++)
		buf_add_byte(out, shown.data[i] >= ' ' && shown.data[i] < 0x7f ? shown.data[i] : '?');
	if (shown.len < text.len)
		buf_add(out, VIEW_LIT("..."));
}

/* ---- certificates ---- */

static void add_day(const ASN1_TIME *time, struct buf *out)
{
	struct tm parts;
	char text[sizeof("-2147483648-12-31")];
	if (ASN1_TIME_to_tm(time, &parts) != 1 || strftime(text, sizeof(text), "%Y-%m-%d", &parts) == 0)
		buf_add(out, VIEW_LIT("an unreadable day"));
	else
		buf_add(out, view_of(text));
}

static void say_expired(X509 *certificate, struct view name, struct buf *out)
{
	(void)name;
	buf_add(out, VIEW_LIT(" has expired on "));
	add_day(X509_get0_notAfter(certificate), out);
}

static void say_not_yet(X509 *certificate, struct view name, struct buf *out)
{
	(void)name;
	buf_add(out, VIEW_LIT(" is not valid before "));
	add_day(X509_get0_notBefore(certificate), out);
}

static void add_address(const ASN1_OCTET_STRING *octets, struct buf *out)
{
	enum { V4_OCTETS = 4, V6_OCTETS = 16 };
	char text[INET6_ADDRSTRLEN] = "of an unknown kind";
	const unsigned char *data = ASN1_STRING_get0_data(octets);
	int len = ASN1_STRING_length(octets);
	if (len == V4_OCTETS || len == V6_OCTETS)
		inet_ntop(len == V4_OCTETS ? AF_INET : AF_INET6, data, text, sizeof(text));
	buf_addf(out, "address %s", text);
}

/* Returns whether it is a name that a host can have. */
static bool add_name(const GENERAL_NAME *name, bool is_first, struct buf *out)
{
	if (name->type != GEN_DNS && name->type != GEN_IPADD)
		return false;
	if (!is_first)
		buf_add(out, VIEW_LIT(", "));
	if (name->type == GEN_IPADD)
		add_address(name->d.iPAddress, out);
	else
		add_printable(
		    view_from(ASN1_STRING_get0_data(name->d.dNSName), (size_t)ASN1_STRING_length(name->d.dNSName)),
		    out);
	return true;
}

static void say_other_name(X509 *certificate, struct view name, struct buf *out)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	size_t shown = 0;
	buf_add(out, VIEW_LIT(" is for "));
	for (int i = 0; i < sk_GENERAL_NAME_num(names) && shown < NAMES_SHOWN; i++)
		shown += add_name(sk_GENERAL_NAME_value(names, i), shown == 0, out);
	if (shown == 0)
		buf_add(out, VIEW_LIT("no host (it has no subjectAltName)"));
	else if (sk_GENERAL_NAME_num(names) > (int)shown)
		buf_add(out, VIEW_LIT(" and others"));
	buf_add(out, VIEW_LIT(", not "));
	buf_add(out, name);
	GENERAL_NAMES_free(names);
}

/* In the form of RFC 2253: CN=Example Root,O=Example. */
static void add_subject(const X509_NAME *subject, struct buf *out)
{
	BIO *memory = BIO_new(BIO_s_mem());
	char *text = NULL;
	long len = 0;
	if (memory != NULL && X509_NAME_print_ex(memory, subject, 0, XN_FLAG_RFC2253) > 0)
		len = BIO_get_mem_data(memory, &text);
	add_printable(view_from(text, len > 0 ? (size_t)len : 0), out);
	BIO_free(memory);
}

static void say_unknown_issuer(X509 *certificate, struct view name, struct buf *out)
{
	(void)name;
	buf_add(out, VIEW_LIT(" was issued by "));
	add_subject(X509_get_issuer_name(certificate), out);
	buf_add(out, VIEW_LIT(", which is no authority that is trusted here"));
}

static void say_self_signed(X509 *certificate, struct view name, struct buf *out)
{
	(void)name;
	buf_add(out, VIEW_LIT(" is signed by itself ("));
	add_subject(X509_get_subject_name(certificate), out);
	buf_add(out, VIEW_LIT(") and not trusted here"));
}

static const struct {
	int error;
	void (*say)(X509 *certificate, struct view name, struct buf *out);
} chain_rows[] = {
	{ X509_V_ERR_CERT_HAS_EXPIRED, say_expired },
	{ X509_V_ERR_CERT_NOT_YET_VALID, say_not_yet },
	{ X509_V_ERR_HOSTNAME_MISMATCH, say_other_name },
	{ X509_V_ERR_IP_ADDRESS_MISMATCH, say_other_name },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, say_unknown_issuer },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, say_unknown_issuer },
	{ X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, say_unknown_issuer },
	{ X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, say_self_signed },
	{ X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, say_self_signed },
};

void tls_trouble_of_chain(X509_STORE_CTX *chain, struct view name, struct buf *out)
{
	int error = X509_STORE_CTX_get_error(chain);
	X509 *certificate = X509_STORE_CTX_get_current_cert(chain);
	if (X509_STORE_CTX_get_error_depth(chain) == 0)
		buf_add(out, VIEW_LIT("the certificate"));
	else
		buf_add(out, VIEW_LIT("a certificate above the peer's"));
	for (size_t i = 0; certificate != NULL && i < ARRAY_LEN(chain_rows); i++) {
		if (chain_rows[i].error == error) {
			chain_rows[i].say(certificate, name, out);
			return;
		}
	}
	buf_addf(out, " is not good: %s", X509_verify_cert_error_string(error));
}

/* ---- everything else ---- */

static const struct {
	int reason; /* SSL_R_ */
	const char *sentence;
} reason_rows[] = {
	{ SSL_R_WRONG_VERSION_NUMBER, "the peer does not speak TLS at this point" },
	{ SSL_R_HTTP_REQUEST, "the peer does not speak TLS at this point" },
	{ SSL_R_UNSUPPORTED_PROTOCOL, "the peer speaks no TLS version from 1.2 on" },
	{ SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "the peer accepts no TLS version that we speak (1.2 and later)" },
	{ SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE,
	  "the peer found no parameters of TLS in common, or wants a certificate of ours" },
	{ SSL_R_TLSV1_UNRECOGNIZED_NAME, "the peer has no certificate for the name it was asked for" },
};

void tls_trouble_of_error(unsigned long error, struct buf *out)
{
	for (size_t i = 0; i < ARRAY_LEN(reason_rows); i++) {
		if (ERR_GET_REASON(error) == reason_rows[i].reason) {
			buf_addf(out, "%s", reason_rows[i].sentence);
			return;
		}
	}
	const char *reason = ERR_reason_error_string(error);
	buf_addf(out, "TLS has failed: %s", reason == NULL ? "no reason given" : reason);
}
