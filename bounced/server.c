#include "bounced/server.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "bounced/allowance.h"
#include "bounced/doors.h"
#include "bounced/guesses.h"
#include "bounced/peers.h"
#include "bounced/readable.h"
#include "bounced/session.h"

static const int64_t report_every_us = INT64_C(5) * CLOCK_US_PER_SECOND;

/* One session and its place among the others. */
struct visit {
	struct visit *previous, *next;
	struct server *server;
	struct session *session;
	struct endpoint peer;
};

enum { SIGNALS = 3 };

struct server {
	struct setup *setup;
	struct loop *loop;
	struct gate *gate;
	struct guesses *guesses;
	struct allowance *allowance;
	struct parsers *parsers;
	struct peers *peers;
	struct committer *committer;
	struct doors *doors;
	struct loop_source *signals[SIGNALS], *report_timer;
	struct session_host host;
	struct visit *visits;
	uint64_t turned_away;
	bool stopping;
	bool lost; /* it stops because no parser can be had */
};

/* ---- sessions ---- */

static void forget(struct visit *visit)
{
	struct server *self = visit->server;
	peers_leave(self->peers, &visit->peer);
	if (visit->previous != NULL)
		visit->previous->next = visit->next;
	else
		self->visits = visit->next;
	if (visit->next != NULL)
		visit->next->previous = visit->previous;
	free(visit);
}

static void on_end(void *owner)
{
	struct visit *visit = owner;
	struct server *self = visit->server;
	forget(visit);
	if (self->stopping && self->visits == NULL)
		loop_stop(self->loop);
}

static void turn_away(struct server *self, struct stream *stream)
{
	AUTO_BUF reply = buf_with_ceiling(LIMIT_WHY);
	buf_addf(&reply, "421 4.3.2 %s has too many connections, try again later\r\n", self->setup->hostname);
	self->turned_away++;
	if (stream_write(stream, buf_view(&reply)) < reply.len)
		log_event(LOG_DEBUG, "connection.gone", "%s", "");
	stream_done(stream);
}

static void on_visit(void *owner, const struct visitor *visitor)
{
	struct server *self = owner;
	if (peers_enter(self->peers, &visitor->peer) != PEERS_WELCOME) {
		turn_away(self, visitor->stream);
		return;
	}
	struct visit *visit = calloc(1, sizeof(*visit));
	enum err err = visit == NULL ? ERR_MEMORY : session_start(&self->host, visitor, on_end, visit, &visit->session);
	if (err != ERR_OK) {
		peers_leave(self->peers, &visitor->peer);
		free(visit);
		turn_away(self, visitor->stream);
		return;
	}
	visit->server = self;
	visit->peer = visitor->peer;
	visit->next = self->visits;
	if (visit->next != NULL)
		visit->next->previous = visit;
	self->visits = visit;
}

/* The way of a message: parsers, committer, session. */
static void settle(struct record *record)
{
	if (record->owner != NULL)
		session_committed(record->owner, record);
	record_done(record);
}

static void on_committed(void *owner)
{
	struct server *self = owner;
	for (struct record *record; (record = committer_take(self->committer)) != NULL;)
		settle(record);
}

static void on_read(void *owner, struct record *record, struct insight *insight)
{
	struct server *self = owner;
	record->outcome = record_judge(record, self->gate, insight);
	if (record->outcome != ERR_OK || record_is_empty(record)) {
		settle(record);
		return;
	}
	log_event(LOG_DEBUG, "record.handed", "events=%zu departures=%zu letters=%zu tests=%zu", record->event_count,
		  record->departure_count, record->letter_count, record->test_count);
	committer_put(self->committer, record);
}

/* ---- signals and timers ---- */

static void on_stop(void *owner)
{
	struct server *self = owner;
	if (self->stopping || self->visits == NULL)
		loop_stop(self->loop);
	if (self->stopping)
		return;
	self->stopping = true;
	log_event(LOG_INFO, "bounced.stopping", "sessions=%zu", peers_count(self->peers));
	doors_log(self->doors);
	doors_done(self->doors);
	self->doors = NULL;
	for (struct visit *visit = self->visits; visit != NULL; visit = visit->next)
		session_stop(visit->session);
}

/* A supervisor starts bounced again, with parsers. */
static void on_lost(void *owner)
{
	struct server *self = owner;
	self->lost = true;
	if (!self->stopping)
		on_stop(self);
}

static void log_kept(const char *event, enum err err, const struct buf *why)
{
	struct log_text room;
	log_event(LOG_ERROR, event, "outcome=%s cause=%s", err_name(err), log_quoted(buf_view(why), &room));
}

static void reload_keys(struct server *self)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	enum err err = setup_reload_keys(self->setup, &why);
	if (err == ERR_OK)
		err = gate_set_keys(self->gate, &self->setup->keyring);
	if (err == ERR_OK)
		log_event(LOG_INFO, "keys.reloaded", "newest=%d", self->setup->keyring.newest);
	else
		log_kept("keys.kept", err, &why);
}

/* Sessions that have TLS keep what they began with. */
static void reload_tls(struct server *self)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	if (self->setup->tls == NULL)
		return;
	enum err err = setup_reload_tls(self->setup, &why);
	self->host.tls = self->setup->tls;
	if (err == ERR_OK)
		log_event(LOG_INFO, "certificate.reloaded", "file=%s", self->setup->settings.bounced_tls_certificate);
	else
		log_kept("certificate.kept", err, &why);
}

static void reload_rules(struct server *self)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	if (*self->setup->settings.bounce_rules == '\0')
		return;
	enum err err = setup_reload_rules(self->setup, &why);
	if (err == ERR_OK)
		err = parsers_set_rules(self->parsers, buf_view(&self->setup->rules));
	if (err == ERR_OK)
		log_event(LOG_INFO, "rules.reloaded", "file=%s", self->setup->settings.bounce_rules);
	else
		log_kept("rules.kept", err, &why);
}

static void on_reload(void *owner)
{
	reload_keys(owner);
	reload_tls(owner);
	reload_rules(owner);
}

static void report(struct server *self)
{
	gate_log(self->gate);
	guesses_log(self->guesses);
	allowance_log(self->allowance);
	if (committer_mailbox_octets(self->committer) >= self->setup->settings.bounced_mailbox_size)
		log_event(LOG_WARNING, "mailbox.full", "octets=%llu",
			  (unsigned long long)committer_mailbox_octets(self->committer));
	if (self->doors != NULL)
		doors_log(self->doors);
	if (self->turned_away > 0)
		log_event(LOG_WARNING, "connection.refused", "count=%llu", (unsigned long long)self->turned_away);
	self->turned_away = 0;
}

static void on_report(void *owner)
{
	struct server *self = owner;
	report(self);
	loop_timer_start(self->report_timer, report_every_us);
}

struct signal_row {
	int number;
	loop_callback *callback;
};

static const struct signal_row signal_rows[] = {
	{ SIGTERM, on_stop },
	{ SIGINT, on_stop },
	{ SIGHUP, on_reload },
};
static_assert(ARRAY_LEN(signal_rows) == SIGNALS, "one source per signal");

/* ---- beginning and end ---- */

static enum err make_parts(struct server *self)
{
	const struct settings *settings = &self->setup->settings;
	enum err err = loop_new(&self->loop);
	if (err == ERR_OK)
		err = gate_new(settings, &self->setup->keyring, &self->gate);
	if (err == ERR_OK)
		err = guesses_new(&self->guesses);
	if (err == ERR_OK)
		err = allowance_new(settings->bounced_max_per_copy, settings->bounced_max_letters, &self->allowance);
	if (err == ERR_OK)
		err = peers_new(settings->bounced_max_connections, settings->bounced_max_per_network, &self->peers);
	for (size_t i = 0; i < SIGNALS && err == ERR_OK; i++)
		err = loop_signal_new(self->loop, signal_rows[i].number, signal_rows[i].callback, self,
				      &self->signals[i]);
	if (err == ERR_OK)
		err = loop_timer_new(self->loop, on_report, self, &self->report_timer);
	if (err == ERR_OK)
		loop_timer_start(self->report_timer, report_every_us);
	return err;
}

static enum err make_parsers(struct server *self, int nursery)
{
	const struct settings *settings = &self->setup->settings;
	const struct parsers_options options = { .nursery = nursery,
						 .count = settings->bounced_parsers,
						 .most = settings->bounced_max_message + LIMIT_COMMAND_LINE,
						 .patience_us = settings->bounced_parse_timeout,
						 .confine = confine_mode(settings),
						 .rights = self->setup->rights,
						 .rules = buf_view(&self->setup->rules) };
	const struct parsers_owner owner = { .self = self, .on_read = on_read, .on_lost = on_lost };
	return parsers_new(self->loop, &options, &owner, &self->parsers);
}

static void log_confinement(enum confine_mode mode, const struct confinement *got)
{
	const char *missing = got->files ? "seccomp" : got->calls ? "landlock" : "landlock,seccomp";
	if (mode == CONFINE_OFF)
		log_event(LOG_WARNING, "sandbox.off", "%s", "");
	else if (got->files && got->calls)
		log_event(LOG_INFO, "sandbox.on", "%s", "");
	else
		log_event(LOG_WARNING, "sandbox.partial", "missing=%s", missing);
}

/* All is open, no thread has begun: from here on nothing is root's, and nothing is written. */
static enum err confine_self(struct server *self, struct buf *why)
{
	const struct rights *rights = &self->setup->rights;
	const enum confine_mode mode = confine_mode(&self->setup->settings);
	struct readable readable;
	struct confinement got;
	if (rights_drop(rights) != ERR_OK) {
		buf_addf(why, "the rights of root cannot be given up for those of %s", rights->name);
		return ERR_DENIED;
	}
	if (geteuid() == 0)
		log_event(LOG_WARNING, "rights.root", "%s", "");
	enum err err = readable_find(self->setup, &readable);
	if (err == ERR_OK)
		err = confine(CONFINE_MAIN, mode, readable.paths, readable.count, &got, why);
	if (err == ERR_OK)
		log_confinement(mode, &got);
	else if (why->len == 0)
		buf_addf(why, "bounced cannot give up what it does not need: %s", err_name(err));
	readable_done(&readable);
	return err;
}

static enum err open_doors(struct server *self, struct buf *why)
{
	const struct settings *settings = &self->setup->settings;
	const struct committer_options options = { .settings = settings,
						   .instance = self->setup->keyring.instance,
						   .unsafe = self->setup->unsafe };
	enum err err = doors_open(self->loop, settings, self->setup->proxy_networks, on_visit, self, &self->doors, why);
	if (err == ERR_OK)
		err = confine_self(self, why);
	if (err == ERR_OK)
		err = committer_start(self->loop, &options, on_committed, self, &self->committer, why);
	if (err != ERR_OK)
		return err;
	self->host = (struct session_host){ .settings = settings,
					    .hostname = view_of(self->setup->hostname),
					    .gate = self->gate,
					    .guesses = self->guesses,
					    .allowance = self->allowance,
					    .tls = self->setup->tls,
					    .report_networks = self->setup->report_networks,
					    .parsers = self->parsers,
					    .committer = self->committer };
	return ERR_OK;
}

static void release(struct server *self)
{
	while (self->visits != NULL) {
		session_drop(self->visits->session);
		forget(self->visits);
	}
	doors_done(self->doors);
	parsers_done(self->parsers);
	if (!committer_stop(self->committer))
		return;
	loop_source_done(self->report_timer);
	for (size_t i = 0; i < SIGNALS; i++)
		loop_source_done(self->signals[i]);
	peers_done(self->peers);
	gate_done(self->gate);
	guesses_done(self->guesses);
	allowance_done(self->allowance);
	loop_done(self->loop);
}

static void serve(struct server *self)
{
	doors_announce(self->doors);
	loop_run(self->loop);
	report(self);
	log_event(LOG_INFO, "bounced.stopped", "%s", "");
}

enum err server_run(struct setup *setup, int nursery, struct buf *why)
{
	struct server server = { .setup = setup };
	enum err err = make_parts(&server);
	if (err == ERR_OK)
		err = make_parsers(&server, nursery);
	else
		close(nursery);
	if (err != ERR_OK)
		buf_addf(why, "bounced cannot start: %s", err_name(err));
	else
		err = open_doors(&server, why);
	if (err == ERR_OK)
		serve(&server);
	if (err == ERR_OK && server.lost) {
		buf_addf(why, "all processes that parsers are born from have died; start bounced again");
		err = ERR_UNAVAILABLE;
	}
	release(&server);
	return err;
}
