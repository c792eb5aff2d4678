/* Relays: what an administrator set up, and how the workers find them. */
#ifndef STORE_RELAYS_H
#define STORE_RELAYS_H

#include "store/db.h"

/* So many relays may be enabled: sender uses no more. */
enum { RELAYS_MOST = 32 };

/* A row of relay. Views borrow from the rows they were read from, or are the caller's. Empty or 0: what the settings say, or none. */
struct relay_row {
	int64_t id;
	struct view name;
	bool is_enabled;
	struct view protocol; /* smtp, lmtp */
	struct view host;     /* with port, or empty: socket is the path of a Unix socket */
	unsigned port;
	struct view socket;
	struct view tls; /* none, starttls, implicit */
	struct view tls_name, tls_ca;
	struct view auth; /* none, any, scram-sha-256-plus ... */
	struct view auth_user;
	struct view source; /* an IP address */
	struct view helo;
	unsigned weight;
	unsigned connections;       /* of all workers together; 0: no limit */
	double messages_per_second; /* of all workers together; 0: no limit */
	uint64_t messages_per_connection;
	unsigned in_flight;
	struct view notify;                    /* failure; failure,delay */
	struct view campaigns, lists, domains; /* only for these; each separated by spaces */
	/* read only */
	struct view fingerprint; /* of what its connections are made with: another one when that changed */
	int64_t retried_us;      /* when a person said that it is to be tried at once; 0: never */
	struct view trouble;     /* why it is left alone by a worker that runs; empty: it is not */
	int64_t trouble_since_us, retry_us;
	bool is_trouble_everywhere; /* no worker that runs finds that it works */
	uint64_t steps_lost; /* how often a worker that runs found it out of step; when last, and by which reply */
	int64_t step_us;
	struct view step;
	int64_t created_us;
};

/* How a worker finds a relay. */
struct relay_finding {
	struct view reason;  /* why it is left alone; empty: it works */
	int64_t retry_us;    /* 0: nothing is tried at a time */
	uint64_t steps_lost; /* how often it was out of step, and by which reply the last time */
	struct view step;
};

/* The enabled ones by id, for sender; members of domain groups stand in domains beside the group's name. */
enum err relays_load(struct db *db, struct db_rows **ret_rows, struct buf *why) MUST_USE;
/* All by name, or the one of this name (none: ERR_NOT_FOUND with a sentence). */
enum err relays_list(struct db *db, struct view name_or_empty, struct db_rows **ret_rows, struct buf *why) MUST_USE;
struct relay_row relays_get(const struct db_rows *rows, size_t row);

/* ERR_EXISTS when the name is taken; ERR_REFUSED when a constraint of the schema refuses a value. */
enum err relays_add(struct db *db, const struct relay_row *row, struct buf *why) MUST_USE;
/* Sets all of the relay with this name. */
enum err relays_change(struct db *db, const struct relay_row *row, struct buf *why) MUST_USE;
/* A person says so: every worker begins with it anew, whatever made it leave the relay alone, and with those whom a relay has refused without
 * an end. */
enum err relays_retry(struct db *db, struct view name, struct buf *why) MUST_USE;
/* The same for the relay of the settings, on each host that uses it; and when a person last said so (0: never). */
enum err relays_retry_settings(struct db *db, struct buf *why) MUST_USE;
enum err relays_settings_retried(struct db *db, int64_t *ret_retried_us, struct buf *why) MUST_USE;
/* What was known of its trouble goes with it. */
enum err relays_remove(struct db *db, struct view name, struct buf *why) MUST_USE;

/* How that worker finds it, for people to see: written when it changes, never read to decide. */
enum err relays_report(struct db *db, const char *worker_id, struct view relay, const struct relay_finding *finding,
		       struct buf *why) MUST_USE;
/* How often the workers that run find that one out of step, as in relay_row; its views borrow from ret_rows, which is the caller's. */
enum err relays_step(struct db *db, struct view relay, struct relay_row *row, struct db_rows **ret_rows,
		     struct buf *why) MUST_USE;
/* It uses that relay no more. */
enum err relays_forget(struct db *db, const char *worker_id, struct view relay, struct buf *why) MUST_USE;

#endif
