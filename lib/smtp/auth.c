#include "smtp/auth.h"

#include <stdlib.h>

#include "base/limits.h"
#include "mail/encode.h"

#define CRLF VIEW_LIT("\r\n")
#define NO_MECHANISM "the server offers none of the ways to authenticate that were asked for"
#define NOT_SAID "user or password hold characters that the mechanism cannot carry"
#define NOT_BASE64 "the server's challenge is not base64"
#define NOT_UNDERSTOOD                                                                                                 \
	"the server's challenge is not one of the mechanism, or its proof that it knows the password is wrong"
#define NOT_PROVEN "the server ended the authentication before its end: it did not prove that it knows the password"

enum {
	COMMAND_MOST = 512, /* RFC 4954 section 4 */
	REASON_MOST = 200,
	RESPONSE_MOST = LIMIT_SASL_LINE / 4 * 3,
};

struct auth {
	struct sasl *sasl;
	struct buf response, challenge; /* both may hold secrets, or what gives them away */
	struct buf reason;
	bool holds_first; /* response holds the initial one, which did not fit into the command */
	struct view trouble;
	bool is_canceled;
};

enum err auth_new(const struct smtp_credentials *credentials, struct auth **ret_auth)
{
	struct auth *auth = calloc(1, sizeof(*auth));
	if (auth == NULL)
		return ERR_MEMORY;
	*auth = (struct auth){
		.response = buf_with_ceiling(RESPONSE_MOST),
		.challenge = buf_with_ceiling(RESPONSE_MOST),
		.reason = buf_with_ceiling(REASON_MOST),
	};
	enum err err = sasl_new(credentials, &auth->sasl);
	/* All at once: a buf that grows leaves octets behind. */
	if (err == ERR_OK &&
	    (buf_room(&auth->response, RESPONSE_MOST) == NULL || buf_room(&auth->challenge, RESPONSE_MOST) == NULL))
		err = ERR_MEMORY;
	if (err != ERR_OK) {
		auth_done(auth);
		return err;
	}
	*ret_auth = auth;
	return ERR_OK;
}

void auth_done(struct auth *auth)
{
	if (auth == NULL)
		return;
	sasl_done(auth->sasl);
	buf_wipe(&auth->response);
	buf_wipe(&auth->challenge);
	buf_done(&auth->reason);
	free(auth);
}

static void add_response(const struct auth *auth, struct buf *out)
{
	encode_base64_word(buf_view(&auth->response), out);
	buf_add(out, CRLF);
}

bool auth_begin(struct auth *auth, unsigned offered, struct view channel_binding, struct buf *out)
{
	auth->trouble = VIEW_LIT(NO_MECHANISM);
	if (!sasl_choose(auth->sasl, offered, channel_binding))
		return false;
	auth->trouble = VIEW_LIT(NOT_SAID);
	auth->holds_first = sasl_speaks_first(auth->sasl);
	if (auth->holds_first && !sasl_step(auth->sasl, VIEW_LIT(""), &auth->response))
		return false;
	auth->trouble = VIEW_LIT("");
	size_t start = out->len;
	/* No later growth leaves a copy of it behind. */
	buf_room(out, LIMIT_SASL_LINE + COMMAND_MOST);
	buf_add(out, VIEW_LIT("AUTH "));
	buf_add(out, view_of(sasl_name(auth->sasl)));
	size_t first_len = (auth->response.len + 2) / 3 * 4;
	bool fits = out->len - start + 1 + first_len + CRLF.len <= COMMAND_MOST;
	if (!auth->holds_first || !fits) {
		buf_add(out, CRLF);
		return true;
	}
	auth->holds_first = false;
	buf_add_byte(out, ' ');
	add_response(auth, out);
	return true;
}

static void cancel(struct auth *auth, struct view trouble, struct buf *out)
{
	auth->is_canceled = true;
	auth->trouble = trouble;
	buf_add(out, VIEW_LIT("*\r\n"));
}

static void keep_reason(struct auth *auth)
{
	for (size_t i = 0; i < auth->challenge.len && auth->reason.len < REASON_MOST; i++) {
		char octet = auth->challenge.data[i];
		buf_add_byte(&auth->reason, octet >= ' ' && octet < 127 ? octet : '?');
	}
}

void auth_answer(struct auth *auth, struct view text, struct buf *out)
{
	buf_room(out, LIMIT_SASL_LINE);
	if (auth->holds_first) {
		auth->holds_first = false;
		add_response(auth, out);
		return;
	}
	buf_reset(&auth->challenge);
	buf_reset(&auth->response);
	if (!sasl_decode(text, &auth->challenge)) {
		cancel(auth, VIEW_LIT(NOT_BASE64), out);
		return;
	}
	if (!sasl_step(auth->sasl, buf_view(&auth->challenge), &auth->response)) {
		cancel(auth, VIEW_LIT(NOT_UNDERSTOOD), out);
		return;
	}
	if (sasl_is_refused(auth->sasl))
		keep_reason(auth);
	add_response(auth, out);
}

bool auth_is_canceled(const struct auth *auth)
{
	return auth->is_canceled;
}

struct view auth_trouble(const struct auth *auth)
{
	if (auth->trouble.len > 0 || sasl_is_complete(auth->sasl))
		return auth->trouble;
	return VIEW_LIT(NOT_PROVEN);
}

struct view auth_reason(const struct auth *auth)
{
	return buf_view(&auth->reason);
}
