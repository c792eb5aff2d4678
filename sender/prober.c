#include "sender/prober.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "mail/clean_text.h"
#include "mail/seal.h"
#include "sender/entry.h"
#include "sender/logins.h"
#include "sender/probe.h"
#include "sender/relay.h"
#include "store/relay_tests.h"

enum { PROBES_AT_ONCE = 16 };
#define TURN_US (INT64_C(50) * CLOCK_US_PER_MS)
/* How long QUIT may take: the probe itself has come to its end. */
#define FAREWELL_US (INT64_C(2) * CLOCK_US_PER_SECOND)

/* One test under way; a place for one when it has no prober. */
struct probe {
	struct prober *prober;
	int64_t id;
	struct buf relay_name, from_address;
	struct probe_facts facts; /* its message is written twice, and is the same */
	struct relay *relay;      /* NULL: none, or done with */
	struct recipient recipient;
	bool is_asked_by_a_person;
	int64_t give_up_us; /* boot time */
	bool is_begun;      /* its letter is with the relay */
	bool is_decided;    /* the answer stands */
	bool is_returned;   /* not sent, and another sender may: that is the answer */
	bool is_told;       /* the database has it */
	struct relay_test_answer answer;
	struct buf reply;
};

struct prober {
	const struct setup *setup;
	struct db *db;
	struct loop *loop;
	struct token_maker *tokens;
	struct probe probes[PROBES_AT_ONCE];
	int64_t look_us; /* boot time: when it is asked for tests again */
	enum err before; /* of the last look at the database, for one log line a change */
};

/* ---- the answer ---- */

static void decide(struct probe *probe, const struct relay_test_answer *answer, struct view reply)
{
	if (probe->is_decided)
		return;
	probe->answer = *answer;
	probe->is_decided = true;
	clean_text_add(view_trim(reply), false, LIMIT_REPLY_KEPT, &probe->reply);
	probe->answer.id = probe->id;
	probe->answer.reply = buf_view(&probe->reply);
}

static void refuse(struct probe *probe, struct view reply)
{
	decide(probe, &(struct relay_test_answer){ .answer = RELAY_ANSWER_REFUSED }, reply);
}

/* sender is stopped before the relay has got it: that says nothing about the relay. */
static void give_back(struct probe *probe)
{
	probe->is_returned = !probe->is_decided;
	probe->is_decided = true;
}

static void on_accepted(struct probe *probe, const struct smtp_event *event)
{
	decide(probe, &(struct relay_test_answer){ .answer = RELAY_ANSWER_TAKEN, .code = event->reply.code },
	       event->reply.text);
}

static void on_refused(struct probe *probe, const struct smtp_event *event)
{
	decide(probe,
	       &(struct relay_test_answer){ .answer = RELAY_ANSWER_REFUSED,
					    .step = view_of(smtp_step_name(event->step)),
					    .code = event->reply.code },
	       event->reply.text);
}

static void on_doubt(struct probe *probe)
{
	decide(probe, &(struct relay_test_answer){ .answer = RELAY_ANSWER_DOUBTFUL },
	       VIEW_LIT("the connection was lost before its reply"));
}

/* ---- its message ---- */

#define NO_KEY "its tokens cannot be signed: restart sender after `listctl key new`"

static enum err write_letter(const struct probe *probe, struct letter *letter)
{
	const struct prober *prober = probe->prober;
	const struct settings *settings = &prober->setup->settings;
	const struct letterhead letterhead = { .tokens = prober->tokens,
					       .bounce_domain = view_of(settings->bounce_domain),
					       .bounce_prefix = view_of(settings->bounce_prefix) };
	return probe_write(&letterhead, &probe->facts, letter);
}

/* Before the relay has an octet of it: it may be back before the relay has answered. False: it must not go; `why` says why. */
static bool seal_letter(const struct probe *probe, struct buf *why)
{
	AUTO_BUF seal = buf_with_ceiling(LIMIT_SEAL);
	struct letter letter = letter_new();
	enum err err = write_letter(probe, &letter);
	if (err == ERR_OK)
		err = seal_write(buf_view(&letter.message), &seal);
	letter_done(&letter);
	if (err != ERR_OK)
		buf_add(why, err == ERR_MEMORY ? view_of(err_name(err)) : VIEW_LIT(NO_KEY));
	return err == ERR_OK && relay_tests_seal(probe->prober->db, probe->id, buf_view(&seal), why) == ERR_OK;
}

/* ---- what the relay asks ---- */

static struct recipient *next(void *owner, struct relay *relay, struct letter *letter)
{
	(void)relay;
	struct probe *probe = owner;
	if (probe->is_begun || probe->is_decided)
		return NULL;
	if (write_letter(probe, letter) != ERR_OK) {
		refuse(probe, VIEW_LIT(NO_KEY));
		return NULL;
	}
	probe->is_begun = true;
	probe->recipient.opened.address = buf_view(&letter->from);
	return &probe->recipient;
}

/* At most once by the database's word: the test was taken before. */
static bool may_send(void *owner, struct recipient *recipient, const char *connection)
{
	const struct probe *probe = owner;
	(void)recipient;
	(void)connection;
	return !probe->is_decided;
}

/* NOT_SENT: the session failed, and the relay knows why. */
static void told(void *owner, struct recipient *recipient, const struct smtp_event *event, const char *connection)
{
	struct probe *probe = owner;
	(void)recipient;
	(void)connection;
	if (event->type == SMTP_ACCEPTED)
		on_accepted(probe, event);
	else if (event->type == SMTP_REFUSED || event->type == SMTP_UNFIT)
		on_refused(probe, event);
	else if (event->type == SMTP_IN_DOUBT)
		on_doubt(probe);
}

static void unspeakable(void *owner, struct recipient *recipient)
{
	(void)recipient;
	refuse(owner, VIEW_LIT("the return path cannot be said in SMTP"));
}

static size_t waiting(void *owner, const struct relay *relay)
{
	(void)relay;
	const struct probe *probe = owner;
	return probe->is_begun || probe->is_decided ? 0 : 1;
}

/* ---- one test ---- */

/* The relay's terms as they are now, also of one that is disabled. False: it cannot be used; `why` says why. */
static bool find_terms(struct probe *probe, struct relay_terms *ret_terms, struct buf *why)
{
	const struct prober *prober = probe->prober;
	struct view name = buf_view(&probe->relay_name);
	bool is_default = view_eq(name, VIEW_LIT(RELAY_TESTS_DEFAULT));
	AUTO_DB_ROWS *rows = NULL;
	enum err err = relays_list(prober->db, name, &rows, why);
	if (err != ERR_OK && !(is_default && err == ERR_NOT_FOUND))
		return false;
	const struct relay_row row = err == ERR_OK ? relays_get(rows, 0) : (struct relay_row){ 0 };
	if (!is_default || row.is_enabled)
		return relay_terms_read(prober->setup, &row, ret_terms, why) == ERR_OK;
	relay_terms_of_settings(prober->setup, ret_terms);
	return true;
}

static void start(struct probe *probe)
{
	const struct relay_parts parts = {
		.settings = &probe->prober->setup->settings,
		.loop = probe->prober->loop,
		.owner = {
			.connection = { .owner = probe, .may_send = may_send, .told = told },
			.next = next,
			.unspeakable = unspeakable,
			.waiting = waiting,
		},
		.places = 1,
		.logs_in_freely = probe->is_asked_by_a_person,
	};
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct relay_terms terms;
	if (!find_terms(probe, &terms, &why) || !seal_letter(probe, &why)) {
		refuse(probe, buf_view(&why));
		return;
	}
	enum err err = relay_new(&parts, &terms, &probe->relay);
	if (err != ERR_OK)
		refuse(probe, view_of(err_name(err)));
}

static void begin_test(struct prober *prober, const struct relay_test *test)
{
	struct probe *probe = prober->probes;
	while (probe->prober != NULL)
		probe++; /* no more are taken than there are places */
	*probe = (struct probe){ .prober = prober,
				 .id = test->id,
				 .is_asked_by_a_person = test->campaign_id == 0,
				 .relay_name = buf_with_ceiling(LIMIT_WHY),
				 .from_address = buf_with_ceiling(LIMIT_ADDRESS),
				 .reply = buf_with_ceiling(LIMIT_REPLY_KEPT),
				 .give_up_us = clock_boot_us() + test->due_us - clock_wall_us() };
	buf_add(&probe->relay_name, test->relay);
	buf_add(&probe->from_address, test->from_address);
	probe->facts = (struct probe_facts){ .test_id = test->id,
					     .now_us = clock_wall_us(),
					     .key_id = (unsigned)prober->setup->keyring.newest,
					     .relay = buf_view(&probe->relay_name),
					     .from_address = buf_view(&probe->from_address) };
	start(probe);
}

/* The first failure is the answer: a test says how the relay is now. */
static void turn(struct probe *probe, bool is_stopping)
{
	int64_t now_us = clock_boot_us();
	if (probe->relay == NULL)
		return;
	relay_look_after(probe->relay, now_us);
	while (relay_takes(probe->relay, now_us) && relay_feed_one(probe->relay))
		;
	relay_write(probe->relay, now_us);
	if (!probe->is_decided && relay_trouble(probe->relay).len > 0)
		refuse(probe, relay_trouble(probe->relay));
	if (!probe->is_decided && (now_us >= probe->give_up_us || is_stopping)) {
		relay_cut(probe->relay, NULL);
		if (now_us < probe->give_up_us)
			give_back(probe);
		else
			refuse(probe, VIEW_LIT("no answer in time"));
	}
	if (!probe->is_decided)
		return;
	relay_quit(probe->relay);
	relay_write(probe->relay, now_us);
	if (probe->give_up_us > now_us + FAREWELL_US)
		probe->give_up_us = now_us + FAREWELL_US;
	bool is_busy = !relay_is_empty(probe->relay) || logins_are_due(probe->relay);
	if (is_busy && now_us < probe->give_up_us && !is_stopping)
		return;
	relay_done(probe->relay);
	probe->relay = NULL;
}

static void log_answer(const struct probe *probe)
{
	static const char *const words[] = {
		[RELAY_ANSWER_TAKEN] = "taken",
		[RELAY_ANSWER_REFUSED] = "refused",
		[RELAY_ANSWER_DOUBTFUL] = "doubtful",
	};
	struct log_text room;
	log_event(LOG_INFO, "relay.tested", "test=%lld relay=" VIEW_FMT " answer=%s reply=%s", (long long)probe->id,
		  VIEW_ARG(buf_view(&probe->relay_name)),
		  probe->is_returned ? "given-back" : words[probe->answer.answer],
		  log_quoted(buf_view(&probe->reply), &room));
}

/* ---- the database ---- */

/* One line a change of state. */
static void report(struct prober *prober, enum err err, struct buf *why)
{
	struct log_text room;
	if (err != ERR_OK && err != prober->before)
		log_event(LOG_ERROR, "prober.failed", "error=%s why=%s", err_name(err),
			  log_quoted(buf_view(why), &room));
	else if (err == ERR_OK && prober->before != ERR_OK)
		log_event(LOG_INFO, "prober.back", "after=%s", err_name(prober->before));
	prober->before = err;
}

static bool is_to_tell(const struct probe *probe)
{
	return probe->is_decided && !probe->is_told;
}

static enum err tell_answers(struct prober *prober, struct buf *why)
{
	enum err err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < PROBES_AT_ONCE; i++) {
		struct probe *probe = &prober->probes[i];
		if (!is_to_tell(probe))
			continue;
		err = probe->is_returned ? relay_tests_give_back(prober->db, probe->id, why)
					 : relay_tests_answer(prober->db, &probe->answer, why);
		probe->is_told = err == ERR_OK;
		if (probe->is_told)
			log_answer(probe);
	}
	return err;
}

static size_t count_if(const struct prober *prober, bool (*holds)(const struct probe *probe))
{
	size_t count = 0;
	for (size_t i = 0; i < PROBES_AT_ONCE; i++)
		count += holds(&prober->probes[i]);
	return count;
}

static bool is_free(const struct probe *probe)
{
	return probe->prober == NULL;
}

static bool is_under_way(const struct probe *probe)
{
	return probe->relay != NULL;
}

static bool is_logging_in(const struct probe *probe)
{
	return probe->relay != NULL && logins_are_due(probe->relay);
}

static enum err log_in(struct prober *prober, struct buf *why)
{
	enum err err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < PROBES_AT_ONCE; i++) {
		if (is_logging_in(&prober->probes[i]))
			err = logins_turn(prober->db, prober->probes[i].relay, "prober", clock_boot_us(), why);
	}
	return err;
}

static enum err take_tests(struct prober *prober, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	size_t places = count_if(prober, is_free);
	if (places == 0)
		return ERR_OK;
	enum err err = relay_tests_take(prober->db, view_of(prober->setup->host), places, &rows, why);
	for (size_t i = 0; err == ERR_OK && i < db_row_count(rows); i++) {
		struct relay_test test;
		relay_tests_get(rows, i, &test);
		begin_test(prober, &test);
	}
	return err;
}

/* Tests that were asked for meanwhile are taken too: a relay that keeps its own waiting holds up no other's. */
static enum err exchange(struct prober *prober, struct buf *why)
{
	int64_t now_us = clock_boot_us();
	enum err err = log_in(prober, why);
	if (err == ERR_OK)
		err = tell_answers(prober, why);
	if (err != ERR_OK || now_us < prober->look_us || entry_is_stopped())
		return err;
	prober->look_us = now_us + prober->setup->settings.sender_poll;
	return take_tests(prober, why);
}

static void use_database(struct prober *prober)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	enum err err = db_is_connected(prober->db) ? ERR_OK : db_reconnect(prober->db, &why);
	if (err == ERR_OK)
		err = exchange(prober, &why);
	report(prober, err, &why);
}

/* ---- the round ---- */

static void forget(struct probe *probe)
{
	relay_done(probe->relay);
	buf_done(&probe->relay_name);
	buf_done(&probe->from_address);
	buf_done(&probe->reply);
	*probe = (struct probe){ 0 };
}

static void turn_all(struct prober *prober)
{
	bool is_stopping = entry_is_stopped();
	for (size_t i = 0; i < PROBES_AT_ONCE; i++)
		turn(&prober->probes[i], is_stopping);
	/* With the database away, only when the relays have had their time. */
	if (prober->before != ERR_OK && count_if(prober, is_under_way) > 0)
		return;
	if (count_if(prober, is_to_tell) > 0 || count_if(prober, is_logging_in) > 0 ||
	    clock_boot_us() >= prober->look_us)
		use_database(prober);
	for (size_t i = 0; i < PROBES_AT_ONCE; i++) {
		if (prober->probes[i].is_told && prober->probes[i].relay == NULL)
			forget(&prober->probes[i]);
	}
}

/* Until something is to be done; false when it is time to end. */
static bool wait(struct prober *prober)
{
	if (count_if(prober, is_under_way) == 0)
		return entry_sleep(prober->setup->settings.sender_poll);
	loop_run_once(prober->loop, TURN_US);
	return true;
}

static void work(struct prober *prober)
{
	do {
		turn_all(prober);
	} while (wait(prober));
	for (size_t i = 0; i < PROBES_AT_ONCE; i++)
		forget(&prober->probes[i]);
}

static enum err make_parts(struct prober *prober)
{
	const struct setup *setup = prober->setup;
	enum err err = loop_new(&prober->loop);
	if (err == ERR_OK)
		err = token_maker_new(&setup->keyring, view_of(setup->settings.bounce_domain), &prober->tokens);
	return err;
}

int prober_run(const struct setup *setup)
{
	struct prober *prober = calloc(1, sizeof(*prober));
	if (prober == NULL)
		return EXIT_FAILURE;
	prober->setup = setup;
	enum err err = make_parts(prober);
	if (err == ERR_OK)
		err = entry_open_database(setup, ENTRY_PATIENCE_US, &prober->db);
	if (err == ERR_OK)
		work(prober);
	loop_done(prober->loop);
	token_maker_done(prober->tokens);
	db_close(prober->db);
	free(prober);
	return err == ERR_OK || err == ERR_REFUSED ? EXIT_SUCCESS : EXIT_FAILURE;
}
