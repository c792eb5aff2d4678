#include "bounced/doors.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "net/handed_sockets.h"
#include "net/listener.h"
#include "net/proxy_header.h"

/* A proxy sends its header with the first octets. */
static const int64_t header_us = INT64_C(10) * CLOCK_US_PER_SECOND;

/* A connection whose header is awaited. */
struct introduction {
	struct introduction *previous, *next;
	struct door *door;
	struct stream *stream;
	struct buf header;
};

enum door_kind { DOOR_SMTP, DOOR_LMTP, DOOR_KIND_COUNT };

static const struct {
	const char *name;    /* of a socket that systemd hands over, and in the log */
	const char *setting; /* that names its sockets */
} kinds[] = {
	[DOOR_SMTP] = { "smtp", "bounced.listen" },
	[DOOR_LMTP] = { "lmtp", "bounced.lmtp_listen" },
};
static_assert(ARRAY_LEN(kinds) == DOOR_KIND_COUNT, "one row a kind");

struct door {
	struct doors *doors;
	struct listener *listener; /* NULL: there is none of that kind */
};

struct doors {
	struct loop *loop;
	const struct networks *proxies;
	doors_visit *on_visit;
	void *owner;
	struct door each[DOOR_KIND_COUNT];
	struct introduction *introductions;
	uint64_t not_introduced;
};

static bool is_lmtp(const struct door *door)
{
	return door == &door->doors->each[DOOR_LMTP];
}

/* ---- the proxy's header ---- */

static void forget(struct introduction *one)
{
	struct doors *doors = one->door->doors;
	if (one->previous != NULL)
		one->previous->next = one->next;
	else
		doors->introductions = one->next;
	if (one->next != NULL)
		one->next->previous = one->previous;
	buf_done(&one->header);
	free(one);
}

static void send_away(struct introduction *one)
{
	stream_done(one->stream);
	forget(one);
}

static void let_in(struct introduction *one, const struct endpoint *peer, size_t header_len)
{
	const struct doors *doors = one->door->doors;
	const struct visitor visitor = { .stream = one->stream,
					 .peer = *peer,
					 .early = view_skip(buf_view(&one->header), header_len),
					 .is_lmtp = is_lmtp(one->door) };
	doors->on_visit(doors->owner, &visitor);
	forget(one);
}

static void on_input(void *owner, struct view bytes)
{
	struct introduction *one = owner;
	struct endpoint client;
	size_t len = 0;
	enum proxy_verdict verdict = buf_add(&one->header, bytes) == ERR_OK
					 ? proxy_header_read(buf_view(&one->header), &len, &client)
					 : PROXY_REFUSED;
	if (verdict == PROXY_CLIENT) {
		let_in(one, &client, len);
	} else if (verdict == PROXY_ITSELF) {
		let_in(one, stream_peer(one->stream), len);
	} else if (verdict == PROXY_REFUSED) {
		one->door->doors->not_introduced++;
		send_away(one);
	}
}

static void on_deadline(void *owner)
{
	struct introduction *one = owner;
	one->door->doors->not_introduced++;
	send_away(one);
}

static void on_closed(void *owner, int errno_value)
{
	(void)errno_value;
	send_away(owner);
}

static void on_writable(void *owner)
{
	(void)owner;
}

static const struct stream_handlers handlers = {
	.on_input = on_input,
	.on_writable = on_writable,
	.on_deadline = on_deadline,
	.on_closed = on_closed,
};

static void await_header(struct door *door, struct stream *stream)
{
	struct doors *doors = door->doors;
	struct introduction *one = calloc(1, sizeof(*one));
	if (one == NULL) {
		stream_done(stream);
		return;
	}
	*one = (struct introduction){ .door = door,
				      .stream = stream,
				      .header = buf_with_ceiling(PROXY_HEADER_MOST + LIMIT_SMTP_INPUT),
				      .next = doors->introductions };
	if (one->next != NULL)
		one->next->previous = one;
	doors->introductions = one;
	stream_start(stream, &handlers, one);
	stream_set_deadline(stream, header_us);
}

static void on_accept(void *owner, struct stream *stream)
{
	struct door *door = owner;
	const struct doors *doors = door->doors;
	const struct visitor visitor = { .stream = stream, .peer = *stream_peer(stream), .is_lmtp = is_lmtp(door) };
	if (networks_have(doors->proxies, &visitor.peer))
		await_header(door, stream);
	else
		doors->on_visit(doors->owner, &visitor);
}

/* ---- opening ---- */

/* Those whose name says that kind; what has no such name is for SMTP. */
static size_t find_handed(const struct handed_sockets *handed, enum door_kind kind,
			  int ret_sockets[HANDED_SOCKETS_MOST])
{
	size_t found = 0;
	for (size_t i = 0; i < handed->count; i++) {
		bool is_for_lmtp = view_eq(handed->sockets[i].name, view_of(kinds[DOOR_LMTP].name));
		if (is_for_lmtp == (kind == DOOR_LMTP))
			ret_sockets[found++] = handed->sockets[i].fd;
	}
	return found;
}

static enum err adopt(struct doors *doors, const struct handed_sockets *handed, struct buf *why)
{
	enum err err = ERR_OK;
	for (size_t kind = 0; err == ERR_OK && kind < DOOR_KIND_COUNT; kind++) {
		int sockets[HANDED_SOCKETS_MOST];
		size_t found = find_handed(handed, (enum door_kind)kind, sockets);
		struct door *door = &doors->each[kind];
		if (found > 0)
			err = listener_adopt(doors->loop, sockets, found, on_accept, door, &door->listener, why);
	}
	return err;
}

static enum err open_kind(struct doors *doors, enum door_kind kind, const char *addresses, struct buf *why)
{
	struct door *door = &doors->each[kind];
	AUTO_BUF cause = buf_with_ceiling(LIMIT_WHY);
	if (*addresses == '\0')
		return ERR_OK;
	enum err err = listener_open(doors->loop, view_of(addresses), on_accept, door, &door->listener, &cause);
	if (err != ERR_OK)
		buf_addf(why, "%s: " VIEW_FMT, kinds[kind].setting, VIEW_ARG(buf_view(&cause)));
	return err;
}

static enum err open_all(struct doors *doors, const struct settings *settings, struct buf *why)
{
	struct handed_sockets handed;
	enum err err = handed_sockets_take(&handed, why);
	if (err == ERR_OK && handed.count > 0) {
		err = adopt(doors, &handed, why);
	} else if (err == ERR_OK) {
		err = open_kind(doors, DOOR_SMTP, settings->bounced_listen, why);
		if (err == ERR_OK)
			err = open_kind(doors, DOOR_LMTP, settings->bounced_lmtp_listen, why);
	}
	handed_sockets_done(&handed);
	if (err == ERR_OK && doors->each[DOOR_SMTP].listener == NULL && doors->each[DOOR_LMTP].listener == NULL) {
		buf_addf(why, "no address to listen on: set bounced.listen or bounced.lmtp_listen");
		err = ERR_INVALID;
	}
	return err;
}

enum err doors_open(struct loop *loop, const struct settings *settings, const struct networks *proxies,
		    doors_visit *on_visit, void *owner, struct doors **ret_doors, struct buf *why)
{
	struct doors *doors = calloc(1, sizeof(*doors));
	if (doors == NULL)
		return ERR_MEMORY;
	*doors = (struct doors){ .loop = loop, .proxies = proxies, .on_visit = on_visit, .owner = owner };
	for (size_t kind = 0; kind < DOOR_KIND_COUNT; kind++)
		doors->each[kind].doors = doors;
	enum err err = open_all(doors, settings, why);
	if (err != ERR_OK)
		doors_done(doors);
	else
		*ret_doors = doors;
	return err;
}

void doors_done(struct doors *doors)
{
	if (doors == NULL)
		return;
	while (doors->introductions != NULL)
		send_away(doors->introductions);
	for (size_t kind = 0; kind < DOOR_KIND_COUNT; kind++)
		listener_done(doors->each[kind].listener);
	free(doors);
}

/* ---- telling ---- */

static void announce_kind(const struct doors *doors, size_t kind)
{
	const struct listener *listener = doors->each[kind].listener;
	for (size_t i = 0; listener != NULL && i < listener_count(listener); i++) {
		AUTO_BUF address = buf_with_ceiling(LIMIT_WHY);
		if (endpoint_write(listener_endpoint(listener, i), &address) == ERR_OK)
			log_event(LOG_INFO, "bounced.listening", "address=%s protocol=%s", buf_text(&address),
				  kinds[kind].name);
	}
}

void doors_announce(const struct doors *doors)
{
	for (size_t kind = 0; kind < DOOR_KIND_COUNT; kind++)
		announce_kind(doors, kind);
}

void doors_log(struct doors *doors)
{
	if (doors->not_introduced > 0)
		log_event(LOG_WARNING, "proxy.silent", "count=%llu why=\"%s\"",
			  (unsigned long long)doors->not_introduced,
			  "a peer of bounced.proxy_networks did not begin with a PROXY v2 header");
	doors->not_introduced = 0;
}
