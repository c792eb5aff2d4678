#include "net/tls_session.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "net/tls_private.h"
#include "net/tls_trouble.h"

enum {
	RECORD_MOST = SSL3_RT_MAX_PLAIN_LENGTH, /* data of one record */
	BINDING_OCTETS = 32,
	/* Any number that no BIO of OpenSSL's own has; it is never looked for. */
	TRANSPORT_TYPE = BIO_TYPE_SOURCE_SINK | 0xf7,
};

struct tls_session {
	struct tls_context *context;
	SSL *ssl;
	int fd;
	char name[LIMIT_DOMAIN + 1];
	int64_t proven_us;
	struct buf unsent;
	struct buf trouble;
	uint64_t left; /* octets of records that went to the kernel or to unsent, ever */
	int read_errno, write_errno;
	int failure;   /* what tls_session_errno() gives */
	bool is_ended; /* the peer's FIN was read */
	bool is_secured, is_shut, is_held, has_failed;
};

/* ---- the transport ---- */

static void keep_unsent(struct tls_session *session, struct view bytes)
{
	if (bytes.len > 0 && buf_add(&session->unsent, bytes) != ERR_OK)
		session->write_errno = ENOBUFS;
}

/* All is well for OpenSSL whatever becomes of the record, so that what the peer said before it went away can still be
 * read; tls_session_write() looks at `left` and write_errno. */
static int transport_write(BIO *bio, const char *data, size_t len, size_t *ret_written)
{
	struct tls_session *session = BIO_get_data(bio);
	struct view record = view_from(data, len);
	BIO_clear_retry_flags(bio);
	*ret_written = len;
	if (session->write_errno != 0)
		return 1;
	if (session->unsent.len > 0) {
		keep_unsent(session, record);
		session->left += len;
		return 1;
	}
	ssize_t count = send(session->fd, data, len, MSG_NOSIGNAL);
	if (count < 0 && errno != EAGAIN && errno != EINTR) {
		session->write_errno = errno;
		return 1;
	}
	keep_unsent(session, view_skip(record, count < 0 ? 0 : (size_t)count));
	session->left += len;
	return 1;
}

static int transport_read(BIO *bio, char *room, size_t size, size_t *ret_count)
{
	struct tls_session *session = BIO_get_data(bio);
	BIO_clear_retry_flags(bio);
	ssize_t count = recv(session->fd, room, size, 0);
	if (count > 0) {
		*ret_count = (size_t)count;
		return 1;
	}
	if (count == 0)
		session->is_ended = true;
	else if (errno == EAGAIN || errno == EINTR)
		BIO_set_retry_read(bio);
	else
		session->read_errno = errno;
	return 0;
}

static long transport_control(BIO *bio, int command, long number, void *pointer)
{
	(void)number;
	(void)pointer;
	const struct tls_session *session = BIO_get_data(bio);
	switch (command) {
	case BIO_CTRL_FLUSH:
		return 1;
	case BIO_CTRL_EOF:
		return session->is_ended;
	default:
		return 0;
	}
}

BIO_METHOD *tls_transport_new(void)
{
	BIO_METHOD *method = BIO_meth_new(TRANSPORT_TYPE, "stream");
	if (method == NULL)
		return NULL;
	BIO_meth_set_write_ex(method, transport_write);
	BIO_meth_set_read_ex(method, transport_read);
	BIO_meth_set_ctrl(method, transport_control);
	return method;
}

static bool add_transport(struct tls_session *session)
{
	BIO *bio = BIO_new(session->context->transport);
	if (bio == NULL)
		return false;
	BIO_set_data(bio, session);
	BIO_set_init(bio, 1);
	SSL_set_bio(session->ssl, bio, bio);
	return true;
}

/* ---- a client's expectations ---- */

static int on_verify(int is_good, X509_STORE_CTX *chain)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls_session *session = SSL_get_app_data(ssl);
	if (!is_good && session->trouble.len == 0)
		tls_trouble_of_chain(chain, view_of(session->name), &session->trouble);
	return is_good;
}

/* RFC 6066 section 3: the name that is announced is a domain name without its last dot, never an address. */
static enum err expect_name(struct tls_session *session, struct view name)
{
	struct view bare = view_ends(name, VIEW_LIT(".")) ? view_head(name, name.len - 1) : name;
	if (bare.len == 0 || bare.len >= sizeof(session->name) || view_has_control(bare) || !view_is_ascii(bare))
		return ERR_INVALID;
	memcpy(session->name, bare.data, bare.len);
	X509_VERIFY_PARAM *expected = SSL_get0_param(session->ssl);
	X509_VERIFY_PARAM_set_hostflags(expected,
					X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	SSL_set_verify(session->ssl, SSL_VERIFY_PEER, on_verify);
	if (X509_VERIFY_PARAM_set1_ip_asc(expected, session->name) == 1)
		return ERR_OK;
	if (X509_VERIFY_PARAM_set1_host(expected, session->name, bare.len) != 1 ||
	    SSL_set_tlsext_host_name(session->ssl, session->name) != 1)
		return ERR_MEMORY;
	return ERR_OK;
}

static enum err prepare_client(struct tls_session *session, struct view name)
{
	enum err err = expect_name(session, name);
	if (err != ERR_OK)
		return err;
	SSL_set_connect_state(session->ssl);
	session->proven_us = clock_boot_us();
	const struct tls_kept *kept = tls_context_kept(session->context, session->name, session->proven_us);
	if (kept == NULL)
		return ERR_OK;
	if (SSL_set_session(session->ssl, kept->session) != 1)
		return ERR_MEMORY;
	session->proven_us = kept->proven_us;
	return ERR_OK;
}

int tls_on_session(SSL *ssl, SSL_SESSION *handed_out)
{
	struct tls_session *session = SSL_get_app_data(ssl);
	/* The hour counts from the certificate, however many connections have followed each other. */
	int64_t proven_us = SSL_session_reused(ssl) ? session->proven_us : clock_boot_us();
	tls_context_keep(session->context, session->name, handed_out, proven_us);
	return 1;
}

/* ---- life ---- */

enum err tls_session_new(struct tls_context *context, int fd, struct view name, struct tls_session **ret_session)
{
	struct tls_session *session = calloc(1, sizeof(*session));
	if (session == NULL)
		return ERR_MEMORY;
	tls_context_use(context);
	*session = (struct tls_session){
		.context = context,
		.fd = fd,
		.unsent = buf_with_ceiling(LIMIT_TLS_UNSENT),
		.trouble = buf_with_ceiling(LIMIT_WHY),
	};
	enum err err = ERR_MEMORY;
	session->ssl = SSL_new(context->ssl);
	if (session->ssl != NULL && SSL_set_app_data(session->ssl, session) == 1 && add_transport(session))
		err = ERR_OK;
	if (err == ERR_OK && !context->is_server)
		err = prepare_client(session, name);
	if (err != ERR_OK) {
		tls_session_done(session);
		return err;
	}
	if (context->is_server)
		SSL_set_accept_state(session->ssl);
	*ret_session = session;
	return ERR_OK;
}

void tls_session_shut(struct tls_session *session)
{
	if (!session->is_secured || session->is_shut || session->has_failed)
		return;
	session->is_shut = true;
	ERR_clear_error();
	/* 0: sent, and the peer's own is not here yet. A failure means that there is nobody to say goodbye to. */
	if (SSL_shutdown(session->ssl) < 0)
		ERR_clear_error();
}

void tls_session_done(struct tls_session *session)
{
	if (session == NULL)
		return;
	if (session->ssl != NULL) {
		tls_session_shut(session);
		tls_session_flush(session);
		SSL_free(session->ssl);
	}
	buf_done(&session->unsent);
	buf_done(&session->trouble);
	tls_context_done(session->context);
	free(session);
}

/* ---- handshake and data ---- */

static enum tls_step fail(struct tls_session *session)
{
	unsigned long error = ERR_peek_error();
	int socket_errno = session->read_errno != 0 ? session->read_errno : session->write_errno;
	session->has_failed = true;
	session->failure = EPROTO;
	if (session->trouble.len > 0) {
		; /* on_verify() has said it */
	} else if (ERR_GET_LIB(error) == ERR_LIB_SSL) {
		tls_trouble_of_error(error, &session->trouble);
	} else {
		session->failure = socket_errno != 0 ? socket_errno : EPROTO;
		if (!session->is_secured)
			buf_addf(&session->trouble, "the connection was lost during the TLS handshake: %s",
				 socket_errno != 0 ? strerror(socket_errno) : "the peer closed it");
	}
	ERR_clear_error();
	return TLS_STEP_FAILED;
}

enum tls_step tls_session_shake(struct tls_session *session)
{
	ERR_clear_error();
	int result = SSL_do_handshake(session->ssl);
	if (result == 1) {
		session->is_secured = true;
		return TLS_STEP_DONE;
	}
	if (SSL_get_error(session->ssl, result) == SSL_ERROR_WANT_READ && session->write_errno == 0)
		return TLS_STEP_AGAIN;
	/* The next connection tries without what may have been the cause. */
	tls_context_forget(session->context, session->name);
	return fail(session);
}

enum tls_step tls_session_read(struct tls_session *session, char *room, size_t size, size_t *ret_count)
{
	*ret_count = 0;
	if (session->has_failed)
		return TLS_STEP_FAILED;
	session->is_held = false;
	while (*ret_count < size) {
		size_t count = 0;
		ERR_clear_error();
		int result = SSL_read_ex(session->ssl, room + *ret_count, size - *ret_count, &count);
		if (result == 1) {
			*ret_count += count;
			continue;
		}
		switch (SSL_get_error(session->ssl, result)) {
		case SSL_ERROR_WANT_READ:
			return TLS_STEP_AGAIN;
		case SSL_ERROR_ZERO_RETURN:
			return TLS_STEP_END;
		default:
			return fail(session);
		}
	}
	return TLS_STEP_DONE;
}

/* One record. False: no further one now. */
static bool write_record(struct tls_session *session, struct view bytes, size_t *taken)
{
	uint64_t left_before = session->left;
	size_t written = 0;
	ERR_clear_error();
	int result = SSL_write_ex(session->ssl, bytes.data, bytes.len, &written);
	if (result != 1 && SSL_get_error(session->ssl, result) == SSL_ERROR_WANT_READ) {
		/* The data was not looked at yet. */
		session->is_held = true;
		return false;
	}
	/* Whatever OpenSSL says: if anything left, this may be in it. */
	if (session->left != left_before)
		*taken += bytes.len;
	if (result != 1) {
		fail(session);
		session->write_errno = EPROTO;
	}
	return session->write_errno == 0 && session->unsent.len == 0;
}

size_t tls_session_write(struct tls_session *session, struct view bytes)
{
	size_t taken = 0;
	if (session->has_failed || session->is_shut || session->write_errno != 0 || session->unsent.len > 0)
		return 0;
	while (taken < bytes.len && write_record(session, view_head(view_skip(bytes, taken), RECORD_MOST), &taken))
		;
	return taken;
}

bool tls_session_is_held(const struct tls_session *session)
{
	return session->is_held;
}

size_t tls_session_unsent(const struct tls_session *session)
{
	return session->unsent.len;
}

void tls_session_flush(struct tls_session *session)
{
	if (session->unsent.len == 0 || session->write_errno != 0)
		return;
	ssize_t count = send(session->fd, session->unsent.data, session->unsent.len, MSG_NOSIGNAL);
	if (count > 0)
		buf_drop_front(&session->unsent, (size_t)count);
	else if (count < 0 && errno != EAGAIN && errno != EINTR)
		session->write_errno = errno;
}

/* ---- what there is to know ---- */

int tls_session_write_errno(const struct tls_session *session)
{
	return session->write_errno;
}

int tls_session_errno(const struct tls_session *session)
{
	return session->failure;
}

struct view tls_session_trouble(const struct tls_session *session)
{
	return buf_view(&session->trouble);
}

struct view tls_session_version(const struct tls_session *session)
{
	return view_of(SSL_get_version(session->ssl));
}

bool tls_session_is_resumed(const struct tls_session *session)
{
	return SSL_session_reused(session->ssl) == 1;
}

enum err tls_session_binding(const struct tls_session *session, struct buf *out)
{
	static const char label[] = "EXPORTER-Channel-Binding";
	unsigned char value[BINDING_OCTETS];
	if (!session->is_secured || SSL_version(session->ssl) != TLS1_3_VERSION)
		return ERR_NOT_FOUND;
	if (SSL_export_keying_material(session->ssl, value, sizeof(value), label, sizeof(label) - 1, NULL, 0, 0) != 1)
		return ERR_NOT_FOUND;
	return buf_add(out, view_from(value, sizeof(value)));
}
