/* What a relay's connections are made with: of its row, or of the settings when there is none. */
#ifndef SENDER_RELAY_TERMS_H
#define SENDER_RELAY_TERMS_H

#include "base/limits.h"
#include "net/endpoint.h"
#include "sender/setup.h"
#include "smtp/client.h"
#include "store/relays.h"

enum {
	RELAY_NAME_MOST = LIMIT_DOMAIN + 16, /* a row's name, or "host:port" */
	RELAY_PATH_MOST = 1024,
	RELAY_USER_MOST = 320,
	RELAY_FINGERPRINT = 32,
};

struct relay_terms {
	char name[RELAY_NAME_MOST + 1]; /* for people, and its key in store/relays.h */
	char fingerprint[RELAY_FINGERPRINT + 1];
	int64_t retried_us;          /* when a person said that it is to be tried at once */
	char host[LIMIT_DOMAIN + 1]; /* empty: socket is set */
	uint16_t port;
	struct endpoint socket;
	bool is_lmtp;
	enum smtp_tls tls;
	char tls_name[LIMIT_DOMAIN + 1];  /* what its certificate is for */
	char tls_ca[RELAY_PATH_MOST + 1]; /* empty: the system's authorities */
	bool has_auth;
	enum sasl_mechanism mechanism;
	char user[RELAY_USER_MOST + 1];
	bool has_source;
	struct endpoint source;
	char helo[LIMIT_DOMAIN + 1];
	uint64_t messages_per_connection;
	unsigned in_flight;
	bool notify_delay;
	/* These may change while its connections stand. */
	unsigned weight;
	unsigned connections;       /* of all workers together; 0: no limit */
	double messages_per_second; /* of all workers together; 0: no limit */
};

/* The one of the settings. */
void relay_terms_of_settings(const struct setup *setup, struct relay_terms *ret_terms);
/* ERR_INVALID: something of the row cannot be used; `why` says what. */
enum err relay_terms_read(const struct setup *setup, const struct relay_row *row, struct relay_terms *ret_terms,
			  struct buf *why) MUST_USE;

#endif
