/* Where peers come in: the sockets that the settings name or that systemd hands over (sd_listen_fds(3)), for SMTP and for LMTP; and, behind a
 * proxy of bounced.proxy_networks, the header that says who the peer is. */
#ifndef BOUNCED_DOORS_H
#define BOUNCED_DOORS_H

#include "base/settings.h"
#include "bounced/networks.h"
#include "net/stream.h"

/* Somebody who has come in. */
struct visitor {
	struct stream *stream; /* the owner's: stream_start() it or stream_done() it, in the call */
	struct endpoint peer;  /* not the proxy */
	struct view early;     /* what he has said already, behind the proxy's header; borrowed for the call */
	bool is_lmtp;
};
typedef void doors_visit(void *owner, const struct visitor *visitor);

struct doors;

/* All or none; `why` names the setting. The settings and networks are borrowed until doors_done(). */
enum err doors_open(struct loop *loop, const struct settings *settings, const struct networks *proxies,
		    doors_visit *on_visit, void *owner, struct doors **ret_doors, struct buf *why) MUST_USE;
/* Nobody else comes in; whose header was still awaited goes. Accepts NULL. */
void doors_done(struct doors *doors);

/* One log line for each socket. */
void doors_announce(const struct doors *doors);
/* A log line when since the last call connections of proxies began with no header. */
void doors_log(struct doors *doors);

#endif
