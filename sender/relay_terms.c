#include "sender/relay_terms.h"

#include <string.h>

/* False when it is too long. */
static bool copy(struct view text, char *room, size_t size)
{
	if (text.len >= size || view_find_byte(text, '\0') != VIEW_NONE)
		return false;
	if (text.len > 0) /* an empty view may point nowhere */
		memcpy(room, text.data, text.len);
	room[text.len] = '\0';
	return true;
}

static void begin(const struct setup *setup, struct relay_terms *terms)
{
	const struct settings *settings = &setup->settings;
	*terms = (struct relay_terms){
		.messages_per_connection = settings->relay_messages_per_connection,
		.in_flight = (unsigned)settings->relay_in_flight,
		.notify_delay = setup->notify_delay,
		.weight = 1,
	};
	memcpy(terms->helo, setup->helo, sizeof(terms->helo));
}

void relay_terms_of_settings(const struct setup *setup, struct relay_terms *ret_terms)
{
	begin(setup, ret_terms);
	ret_terms->port = (uint16_t)setup->settings.relay_port;
	/* A name that is too long is none, and cannot be found. */
	copy(view_of(setup->relay), ret_terms->name, sizeof(ret_terms->name));
	copy(view_of(setup->settings.relay_host), ret_terms->host, sizeof(ret_terms->host));
}

static bool read_tls(struct view text, enum smtp_tls *ret_tls)
{
	static const char *const names[] = {
		[SMTP_TLS_NONE] = "none",
		[SMTP_TLS_STARTTLS] = "starttls",
		[SMTP_TLS_IMPLICIT] = "implicit",
	};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (view_eq(text, view_of(names[i]))) {
			*ret_tls = (enum smtp_tls)i;
			return true;
		}
	}
	return false;
}

static bool read_auth(const struct relay_row *row, struct relay_terms *terms)
{
	terms->has_auth = !view_eq(row->auth, VIEW_LIT("none"));
	return !terms->has_auth || (sasl_mechanism_find(row->auth, &terms->mechanism) && row->auth_user.len > 0 &&
				    copy(row->auth_user, terms->user, sizeof(terms->user)));
}

static bool read_place(const struct relay_row *row, struct relay_terms *terms, struct buf *why)
{
	terms->port = (uint16_t)row->port;
	if (row->socket.len > 0)
		return endpoint_unix(row->socket, &terms->socket, why) == ERR_OK;
	return row->host.len > 0 && copy(row->host, terms->host, sizeof(terms->host));
}

static bool read_source(const struct relay_row *row, struct relay_terms *terms)
{
	terms->has_source = row->source.len > 0;
	return !terms->has_source || endpoint_parse_host(row->source, &terms->source);
}

enum err relay_terms_read(const struct setup *setup, const struct relay_row *row, struct relay_terms *ret_terms,
			  struct buf *why)
{
	struct relay_terms terms;
	begin(setup, &terms);
	terms.is_lmtp = view_eq(row->protocol, VIEW_LIT("lmtp"));
	terms.retried_us = row->retried_us;
	terms.weight = row->weight;
	terms.connections = row->connections;
	terms.messages_per_second = row->messages_per_second;
	if (row->messages_per_connection > 0)
		terms.messages_per_connection = row->messages_per_connection;
	if (row->in_flight > 0)
		terms.in_flight = row->in_flight;
	if (row->notify.len > 0)
		terms.notify_delay = view_eq(row->notify, VIEW_LIT("failure,delay"));
	struct view tls_name = row->tls_name.len > 0 ? row->tls_name : row->host;
	const char *bad = NULL;
	if (!copy(row->name, terms.name, sizeof(terms.name)) ||
	    !copy(row->fingerprint, terms.fingerprint, sizeof(terms.fingerprint)))
		bad = "name";
	else if (!read_place(row, &terms, why))
		bad = "host or socket";
	else if (!read_tls(row->tls, &terms.tls) || !copy(tls_name, terms.tls_name, sizeof(terms.tls_name)) ||
		 !copy(row->tls_ca, terms.tls_ca, sizeof(terms.tls_ca)))
		bad = "TLS";
	else if (!read_auth(row, &terms))
		bad = "AUTH";
	else if (!read_source(row, &terms))
		bad = "source address";
	else if (row->helo.len > 0 && !copy(row->helo, terms.helo, sizeof(terms.helo)))
		bad = "name for EHLO";
	if (bad == NULL) {
		*ret_terms = terms;
		return ERR_OK;
	}
	buf_addf(why, "%sits %s cannot be used", why->len > 0 ? ": " : "", bad);
	return ERR_INVALID;
}
