#include "smtp/sasl.h"

#include <assert.h>
#include <gsasl.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

enum {
	/* RFC 7677 section 4 asks for 4096; more than this only keeps the event loop busy. */
	SCRAM_ITERATIONS_MOST = 600000,
};

typedef bool sasl_stepper(struct sasl *sasl, struct view challenge, struct buf *out);
static sasl_stepper step_scram, step_plain, step_login, step_oauthbearer, step_xoauth2;

static const struct mechanism_row {
	const char *name;
	bool takes_token; /* a bearer token instead of a password */
	bool speaks_first;
	sasl_stepper *step;
} mechanisms[] = {
	[SASL_ANY] = { "ANY", false, false, NULL },
	[SASL_SCRAM_SHA_256_PLUS] = { "SCRAM-SHA-256-PLUS", false, true, step_scram },
	[SASL_SCRAM_SHA_256] = { "SCRAM-SHA-256", false, true, step_scram },
	[SASL_PLAIN] = { "PLAIN", false, true, step_plain },
	[SASL_LOGIN] = { "LOGIN", false, false, step_login },
	[SASL_OAUTHBEARER] = { "OAUTHBEARER", true, true, step_oauthbearer },
	[SASL_XOAUTH2] = { "XOAUTH2", true, true, step_xoauth2 },
};
static_assert(ARRAY_LEN(mechanisms) == SASL_MECHANISM_COUNT, "one row per mechanism");

const char *sasl_mechanism_name(enum sasl_mechanism mechanism)
{
	return mechanisms[mechanism].name;
}

bool sasl_mechanism_find(struct view name, enum sasl_mechanism *ret_mechanism)
{
	for (size_t i = 0; i < SASL_MECHANISM_COUNT; i++) {
		if (view_eq_nocase(name, view_of(mechanisms[i].name))) {
			*ret_mechanism = (enum sasl_mechanism)i;
			return true;
		}
	}
	return false;
}

static bool can_be_said(struct view text)
{
	return text.len > 0 && text.len <= LIMIT_SECRET && view_find_byte(text, '\0') == VIEW_NONE;
}

bool smtp_credentials_are_valid(const struct smtp_credentials *credentials)
{
	if (!can_be_said(credentials->user) || !can_be_said(credentials->secret))
		return false;
	if (!mechanisms[credentials->mechanism].takes_token)
		return true;
	/* \1 parts the fields of what carries a token (RFC 7628 section 3.1). */
	return !view_has_control(credentials->user) && !view_has_control(credentials->host) &&
	       !view_has_control(credentials->secret) && view_find_byte(credentials->secret, ' ') == VIEW_NONE;
}

/* ---- one exchange ---- */

struct sasl {
	enum sasl_mechanism wanted, mechanism;
	struct buf user, secret, host; /* each with an octet beyond that is NUL: libgsasl takes C strings */
	uint16_t port;
	unsigned steps; /* that were made */
	bool is_complete, is_refused;
	Gsasl *library;
	Gsasl_session *session;
};

static enum err keep(struct view text, struct buf *ret_buf)
{
	*ret_buf = buf_with_ceiling(LIMIT_SECRET + 1);
	/* All at once: a buf that grows leaves octets behind. */
	buf_room(ret_buf, text.len + 1);
	return buf_add(ret_buf, text);
}

enum err sasl_new(const struct smtp_credentials *credentials, struct sasl **ret_sasl)
{
	if (!smtp_credentials_are_valid(credentials))
		return ERR_INVALID;
	struct sasl *sasl = calloc(1, sizeof(*sasl));
	if (sasl == NULL)
		return ERR_MEMORY;
	sasl->wanted = credentials->mechanism;
	sasl->port = credentials->port;
	if (keep(credentials->user, &sasl->user) != ERR_OK || keep(credentials->secret, &sasl->secret) != ERR_OK ||
	    keep(credentials->host, &sasl->host) != ERR_OK) {
		sasl_done(sasl);
		return ERR_MEMORY;
	}
	*ret_sasl = sasl;
	return ERR_OK;
}

static void end_session(struct sasl *sasl)
{
	if (sasl->session != NULL)
		gsasl_finish(sasl->session);
	if (sasl->library != NULL)
		gsasl_done(sasl->library);
	sasl->session = NULL;
	sasl->library = NULL;
}

void sasl_done(struct sasl *sasl)
{
	if (sasl == NULL)
		return;
	end_session(sasl);
	buf_wipe(&sasl->user);
	buf_wipe(&sasl->secret);
	buf_done(&sasl->host);
	free(sasl);
}

const char *sasl_name(const struct sasl *sasl)
{
	return sasl_mechanism_name(sasl->mechanism);
}

bool sasl_speaks_first(const struct sasl *sasl)
{
	return mechanisms[sasl->mechanism].speaks_first;
}

bool sasl_is_complete(const struct sasl *sasl)
{
	return sasl->is_complete && !sasl->is_refused;
}

bool sasl_is_refused(const struct sasl *sasl)
{
	return sasl->is_refused;
}

bool sasl_step(struct sasl *sasl, struct view challenge, struct buf *out)
{
	bool is_well = mechanisms[sasl->mechanism].step(sasl, challenge, out) && buf_err(out) == ERR_OK;
	sasl->steps++;
	sasl->is_complete = sasl->is_complete && is_well;
	return is_well;
}

/* ---- SCRAM, by libgsasl ---- */

static bool is_offered(unsigned offered, enum sasl_mechanism mechanism)
{
	return (offered & 1u << mechanism) != 0;
}

/* libgsasl wants the binding in base64. */
static bool bind_channel(Gsasl_session *session, struct view binding)
{
	char *text = NULL;
	bool is_well = gsasl_base64_to(binding.data, binding.len, &text, NULL) == GSASL_OK &&
		       gsasl_property_set(session, GSASL_CB_TLS_EXPORTER, text) == GSASL_OK;
	gsasl_free(text);
	return is_well;
}

/* The binding goes to the mechanism that binds only. A client that could bind would say so in the plain one too (RFC 5802
 * section 6, flag "y"), which libgsasl cannot; who could strike out the server's offer has broken TLS already. */
static bool begin_scram(struct sasl *sasl, struct view binding)
{
	end_session(sasl);
	if (gsasl_init(&sasl->library) != GSASL_OK) {
		sasl->library = NULL;
		return false;
	}
	if (gsasl_client_start(sasl->library, sasl_name(sasl), &sasl->session) != GSASL_OK) {
		sasl->session = NULL;
		return false;
	}
	return gsasl_property_set(sasl->session, GSASL_AUTHID, buf_text(&sasl->user)) == GSASL_OK &&
	       gsasl_property_set(sasl->session, GSASL_PASSWORD, buf_text(&sasl->secret)) == GSASL_OK &&
	       (sasl->mechanism != SASL_SCRAM_SHA_256_PLUS || bind_channel(sasl->session, binding));
}

/* The server's first message, "r=nonce,s=salt,i=count", asks for work: not for any amount of it. */
static bool asks_for_little(struct view challenge)
{
	struct view field;
	uint64_t count;
	while (view_cut(&challenge, ',', &field)) {
		if (view_starts(field, VIEW_LIT("i=")))
			return view_to_u64(view_skip(field, 2), SCRAM_ITERATIONS_MOST, &count);
	}
	return false;
}

static bool step_scram(struct sasl *sasl, struct view challenge, struct buf *out)
{
	enum { SERVER_FIRST = 1, STEPS = 3 };
	char *response = NULL;
	size_t len = 0;
	if (sasl->steps >= STEPS || (sasl->steps == SERVER_FIRST && !asks_for_little(challenge)))
		return false;
	int outcome = gsasl_step(sasl->session, challenge.data, challenge.len, &response, &len);
	if (outcome == GSASL_OK || outcome == GSASL_NEEDS_MORE)
		buf_add(out, view_from(response, len));
	gsasl_free(response);
	sasl->is_complete = outcome == GSASL_OK;
	return outcome == GSASL_OK || outcome == GSASL_NEEDS_MORE;
}

bool sasl_decode(struct view base64, struct buf *out)
{
	char *octets = NULL;
	size_t len = 0;
	if (base64.len == 0)
		return true;
	if (gsasl_base64_from(base64.data, base64.len, &octets, &len) != GSASL_OK)
		return false;
	buf_add(out, view_from(octets, len));
	gsasl_free(octets);
	return buf_err(out) == ERR_OK;
}

/* ---- the others ---- */

static bool step_plain(struct sasl *sasl, struct view challenge, struct buf *out)
{
	if (sasl->steps > 0 || challenge.len > 0)
		return false;
	buf_add_byte(out, '\0');
	buf_add(out, buf_view(&sasl->user));
	buf_add_byte(out, '\0');
	buf_add(out, buf_view(&sasl->secret));
	sasl->is_complete = true;
	return true;
}

/* The challenges are "Username:" and "Password:" in many spellings; their order is what counts. */
static bool step_login(struct sasl *sasl, struct view challenge, struct buf *out)
{
	(void)challenge;
	if (sasl->steps > 1)
		return false;
	buf_add(out, buf_view(sasl->steps == 0 ? &sasl->user : &sasl->secret));
	sasl->is_complete = sasl->steps == 1;
	return true;
}

/* A challenge tells why the token is refused; the answer means nothing, and the refusal follows (RFC 7628 section
 * 3.2.3). */
static bool take_refusal(struct sasl *sasl, struct view answer, struct buf *out)
{
	if (sasl->steps > 1)
		return false;
	sasl->is_refused = true;
	buf_add(out, answer);
	return true;
}

static void add_bearer(const struct sasl *sasl, struct buf *out)
{
	buf_add(out, VIEW_LIT("\1auth=Bearer "));
	buf_add(out, buf_view(&sasl->secret));
	buf_add(out, VIEW_LIT("\1\1"));
}

/* RFC 5801 section 4. */
static void add_saslname(struct view name, struct buf *out)
{
	for (size_t i = 0; i < name.len; i++) {
		if (name.data[i] == ',')
			buf_add(out, VIEW_LIT("=2C"));
		else if (name.data[i] == '=')
			buf_add(out, VIEW_LIT("=3D"));
		else
			buf_add_byte(out, name.data[i]);
	}
}

static bool step_oauthbearer(struct sasl *sasl, struct view challenge, struct buf *out)
{
	(void)challenge;
	if (sasl->steps > 0)
		return take_refusal(sasl, VIEW_LIT("\1"), out);
	buf_add(out, VIEW_LIT("n,a="));
	add_saslname(buf_view(&sasl->user), out);
	buf_add(out, VIEW_LIT(",\1host="));
	buf_add(out, buf_view(&sasl->host));
	buf_add(out, VIEW_LIT("\1port="));
	buf_add_u64(out, sasl->port);
	add_bearer(sasl, out);
	sasl->is_complete = true;
	return true;
}

static bool step_xoauth2(struct sasl *sasl, struct view challenge, struct buf *out)
{
	(void)challenge;
	if (sasl->steps > 0)
		return take_refusal(sasl, VIEW_LIT(""), out);
	buf_add(out, VIEW_LIT("user="));
	buf_add(out, buf_view(&sasl->user));
	add_bearer(sasl, out);
	sasl->is_complete = true;
	return true;
}

/* ---- the choice ---- */

static bool may_use(const struct sasl *sasl, unsigned offered, struct view binding, enum sasl_mechanism mechanism)
{
	bool is_wanted = sasl->wanted == mechanism ||
			 (sasl->wanted == SASL_ANY && mechanism != SASL_ANY && !mechanisms[mechanism].takes_token);
	bool can_bind = mechanism != SASL_SCRAM_SHA_256_PLUS || binding.len > 0;
	return is_wanted && can_bind && is_offered(offered, mechanism);
}

bool sasl_choose(struct sasl *sasl, unsigned offered, struct view channel_binding)
{
	for (unsigned i = SASL_ANY + 1; i < SASL_MECHANISM_COUNT; i++) {
		enum sasl_mechanism mechanism = (enum sasl_mechanism)i;
		if (!may_use(sasl, offered, channel_binding, mechanism))
			continue;
		sasl->mechanism = mechanism;
		sasl->steps = 0;
		sasl->is_complete = false;
		sasl->is_refused = false;
		return mechanisms[mechanism].step != step_scram || begin_scram(sasl, channel_binding);
	}
	return false;
}
