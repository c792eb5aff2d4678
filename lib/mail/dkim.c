#include "mail/dkim.h"

#include <stdlib.h>

#include <openssl/evp.h>

#include "base/clock.h"
#include "base/limits.h"
#include "mail/dkim_canon.h"
#include "mail/encode.h"

enum {
	NAMES_LINE = 70,     /* of h= before it is folded */
	SIGNATURE_LINE = 72, /* of b= */
};

struct field_row {
	const char *name;
	bool is_closed; /* one more of it would break the signature (RFC 6376 section 8.15) */
};

/* RFC 6376 section 5.4.1, RFC 8058 section 4. */
static const struct field_row rows[] = {
	{ "From", true },
	{ "To", true },
	{ "Subject", true },
	{ "Date", true },
	{ "Message-ID", false },
	{ "Reply-To", true },
	{ "MIME-Version", false },
	{ "Content-Type", true },
	{ "Content-Transfer-Encoding", false },
	{ "List-Id", false },
	{ "List-Help", false },
	{ "List-Owner", false },
	{ "List-Archive", false },
	{ "List-Post", false },
	{ "List-Unsubscribe", true },
	{ "List-Unsubscribe-Post", true },
	{ "Feedback-ID", false },
	{ "CFBL-Address", false }, /* RFC 9477 section 3.1.4: of no use unless signed */
	{ "CFBL-Feedback-ID", false },
};

struct dkim_signer {
	EVP_MD *sha256;
	EVP_MD_CTX *digest;
	struct view fields[DKIM_FIELDS]; /* of the message under way */
	size_t field_count;
	struct buf head;   /* the signed fields, canonical */
	struct buf names;  /* h= */
	struct buf bh;     /* the body's digest as text */
	struct buf field;  /* a DKIM-Signature field as far as b= */
	struct buf octets; /* a signature */
	struct buf text;   /* the same in base 64 */
};

const char *dkim_signed_field(size_t index, bool *ret_closed)
{
	if (index >= ARRAY_LEN(rows))
		return NULL;
	*ret_closed = rows[index].is_closed;
	return rows[index].name;
}

enum err dkim_signer_new(struct dkim_signer **ret_signer)
{
	struct dkim_signer *signer = calloc(1, sizeof(*signer));
	if (signer == NULL)
		return ERR_MEMORY;
	signer->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	signer->digest = EVP_MD_CTX_new();
	struct buf *const bufs[] = { &signer->head,  &signer->names,  &signer->bh,
				     &signer->field, &signer->octets, &signer->text };
	for (size_t i = 0; i < ARRAY_LEN(bufs); i++)
		*bufs[i] = buf_with_ceiling(LIMIT_MESSAGE);
	if (signer->sha256 == NULL || signer->digest == NULL) {
		dkim_signer_done(signer);
		return ERR_MEMORY;
	}
	*ret_signer = signer;
	return ERR_OK;
}

void dkim_signer_done(struct dkim_signer *signer)
{
	if (signer == NULL)
		return;
	struct buf *const bufs[] = { &signer->head,  &signer->names,  &signer->bh,
				     &signer->field, &signer->octets, &signer->text };
	for (size_t i = 0; i < ARRAY_LEN(bufs); i++)
		buf_done(bufs[i]);
	EVP_MD_CTX_free(signer->digest);
	EVP_MD_free(signer->sha256);
	free(signer);
}

/* ---- what is signed ---- */

static bool add_to_digest(void *context, struct view piece)
{
	return EVP_DigestUpdate(context, piece.data, piece.len) == 1;
}

static bool begin_digest(struct dkim_signer *signer)
{
	return EVP_DigestInit_ex2(signer->digest, signer->sha256, NULL) == 1;
}

static bool end_digest(struct dkim_signer *signer, unsigned char ret_digest[DIGEST_SIZE])
{
	return EVP_DigestFinal_ex(signer->digest, ret_digest, NULL) == 1;
}

static enum err digest_body(struct dkim_signer *signer, struct view body, struct view tail)
{
	const struct dkim_sink sink = { .context = signer->digest, .add = add_to_digest };
	unsigned char digest[DIGEST_SIZE];
	buf_reset(&signer->bh);
	if (!begin_digest(signer) || !dkim_canon_body(body, tail, &sink) || !end_digest(signer, digest))
		return ERR_MEMORY;
	return encode_base64_word(view_from(digest, sizeof(digest)), &signer->bh);
}

/* *message becomes the body. */
static enum err find_fields(struct dkim_signer *signer, struct view *message)
{
	struct view field;
	signer->field_count = 0;
	while (dkim_next_field(message, &field)) {
		if (signer->field_count == DKIM_FIELDS)
			return ERR_TOO_BIG;
		signer->fields[signer->field_count++] = field;
	}
	return ERR_OK;
}

static bool has_name(struct view field, struct view name)
{
	struct view rest = view_skip(field, name.len);
	return view_starts_nocase(field, name) && view_starts(view_trim(rest), VIEW_LIT(":"));
}

static void add_name(struct dkim_signer *signer, size_t *line, const char *name)
{
	struct view text = view_of(name);
	if (signer->names.len > 0)
		buf_add_byte(&signer->names, ':');
	if (*line + text.len > NAMES_LINE) {
		buf_add(&signer->names, VIEW_LIT("\r\n\t"));
		*line = 0;
	}
	buf_add(&signer->names, text);
	*line += text.len + 1;
}

/* Several of a name go from the bottom up (RFC 6376 section 5.4.2). */
static enum err take_head(struct dkim_signer *signer)
{
	size_t line = sizeof("h=");
	buf_reset(&signer->head);
	buf_reset(&signer->names);
	for (size_t row = 0; row < ARRAY_LEN(rows); row++) {
		for (size_t i = signer->field_count; i > 0; i--) {
			if (!has_name(signer->fields[i - 1], view_of(rows[row].name)))
				continue;
			dkim_canon_field(signer->fields[i - 1], &signer->head);
			buf_add(&signer->head, VIEW_LIT("\r\n"));
			add_name(signer, &line, rows[row].name);
		}
		if (row == 0 && signer->head.len == 0)
			return ERR_INVALID;
		if (rows[row].is_closed)
			add_name(signer, &line, rows[row].name);
	}
	return buf_err(&signer->head) != ERR_OK ? buf_err(&signer->head) : buf_err(&signer->names);
}

/* ---- a signature ---- */

static enum err write_field(struct dkim_signer *signer, const struct dkim_key *key, int64_t date_us)
{
	struct view domain = dkim_key_domain(key), selector = dkim_key_selector(key);
	buf_reset(&signer->field);
	buf_addf(&signer->field,
		 "DKIM-Signature: v=1; a=%s-sha256; c=relaxed/relaxed;\r\n\td=" VIEW_FMT "; s=" VIEW_FMT
		 "; t=%lld;\r\n\th=",
		 dkim_kind_name(dkim_key_kind(key)), VIEW_ARG(domain), VIEW_ARG(selector),
		 (long long)(date_us / CLOCK_US_PER_SECOND));
	buf_add(&signer->field, buf_view(&signer->names));
	buf_add(&signer->field, VIEW_LIT(";\r\n\tbh="));
	buf_add(&signer->field, buf_view(&signer->bh));
	return buf_add(&signer->field, VIEW_LIT(";\r\n\tb="));
}

/* The field itself goes last, with nothing behind b= and no CRLF (RFC 6376 section 3.7). */
static enum err digest_head(struct dkim_signer *signer, unsigned char ret_digest[DIGEST_SIZE])
{
	size_t before = signer->head.len;
	enum err err = dkim_canon_field(buf_view(&signer->field), &signer->head);
	struct view text = buf_view(&signer->head);
	bool ok = err == ERR_OK && begin_digest(signer) && add_to_digest(signer->digest, text) &&
		  end_digest(signer, ret_digest);
	buf_cut(&signer->head, before);
	return err != ERR_OK || ok ? err : ERR_MEMORY;
}

static void add_folded(struct view text, struct buf *out)
{
	for (size_t at = 0; at < text.len; at += SIGNATURE_LINE) {
		if (at > 0)
			buf_add(out, VIEW_LIT("\r\n\t"));
		buf_add(out, view_slice(text, at, at + SIGNATURE_LINE));
	}
}

static enum err sign_with(struct dkim_signer *signer, struct dkim_key *key, int64_t date_us, struct buf *out)
{
	unsigned char digest[DIGEST_SIZE];
	buf_reset(&signer->octets);
	buf_reset(&signer->text);
	enum err err = write_field(signer, key, date_us);
	if (err == ERR_OK)
		err = digest_head(signer, digest);
	if (err == ERR_OK)
		err = dkim_key_sign(key, digest, &signer->octets);
	if (err == ERR_OK)
		err = encode_base64_word(buf_view(&signer->octets), &signer->text);
	if (err != ERR_OK)
		return err;
	buf_add(out, buf_view(&signer->field));
	add_folded(buf_view(&signer->text), out);
	return buf_add(out, VIEW_LIT("\r\n"));
}

enum err dkim_sign(struct dkim_signer *signer, struct dkim_key *const *keys, size_t key_count, struct view message,
		   struct view tail, int64_t date_us, struct buf *out)
{
	size_t before = out->len;
	struct view body = message;
	enum err err = find_fields(signer, &body);
	if (err == ERR_OK)
		err = take_head(signer);
	if (err == ERR_OK)
		err = digest_body(signer, body, tail);
	for (size_t i = 0; err == ERR_OK && i < key_count; i++)
		err = sign_with(signer, keys[i], date_us, out);
	if (err != ERR_OK)
		buf_cut(out, before);
	return err;
}
