/* One SMTP or LMTP session: the protocol's machine on a socket, the gate at RCPT, a record for each message, and the answer when the record was
 * committed. */
#ifndef BOUNCED_SESSION_H
#define BOUNCED_SESSION_H

#include "bounced/allowance.h"
#include "bounced/committer.h"
#include "bounced/doors.h"
#include "bounced/gate.h"
#include "bounced/guesses.h"
#include "bounced/networks.h"
#include "bounced/parsers.h"
#include "net/stream.h"

struct session;

/* What all sessions share. */
struct session_host {
	const struct settings *settings;
	struct view hostname;
	struct gate *gate;
	struct guesses *guesses;
	struct allowance *allowance;
	struct tls_context *tls; /* NULL: STARTTLS is not offered */
	const struct networks *report_networks;
	struct parsers *parsers;
	struct committer *committer;
};

/* The session is over and released; nothing more is called on it. */
typedef void session_end(void *owner);

/* Takes the visitor's stream over; host is borrowed. ERR_MEMORY: the stream is still the caller's. on_end never runs within this call. */
enum err session_start(const struct session_host *host, const struct visitor *visitor, session_end *on_end, void *owner,
		       struct session **ret_session) MUST_USE;

/* The record that this session gave to the parsers is stored, or will not be: its outcome tells. The record stays the caller's. */
void session_committed(struct session *session, const struct record *record);

/* bounced ends: 421, unless a message is being committed: then after its answer. */
void session_stop(struct session *session);
/* Ends it now, whatever it waits for. No on_end. */
void session_drop(struct session *session);

#endif
