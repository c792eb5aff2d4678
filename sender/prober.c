#include "sender/prober.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "sender/entry.h"
#include "sender/logins.h"
#include "sender/prober_private.h"

#define TURN_US (INT64_C(50) * CLOCK_US_PER_MS)

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
		err = probe->is_returned ? probe->kind->give_back(prober->db, probe->id, why)
					 : probe->kind->answer(probe, why);
		probe->is_told = err == ERR_OK;
		if (probe->is_told)
			probe_log_answer(probe);
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
		probe_begin_test(prober, &test);
	}
	return err;
}

static enum err take_samples(struct prober *prober, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	size_t places = count_if(prober, is_free);
	if (places == 0)
		return ERR_OK;
	enum err err = campaign_tests_take(prober->db, view_of(prober->setup->host), places, &rows, why);
	for (size_t i = 0; err == ERR_OK && i < db_row_count(rows); i++) {
		struct campaign_test test;
		campaign_tests_get(rows, i, &test);
		probe_begin_sample(prober, &test);
	}
	return err;
}

static bool is_letter(const struct probe *probe)
{
	return probe->mail != NULL;
}

static enum err take_letters(struct prober *prober, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	size_t places = count_if(prober, is_free), letters = count_if(prober, is_letter);
	if (letters + places > LETTERS_AT_ONCE)
		places = letters < LETTERS_AT_ONCE ? LETTERS_AT_ONCE - letters : 0;
	if (places == 0)
		return ERR_OK;
	enum err err = probe_letters_take(prober->db, view_of(prober->setup->host), places, &rows, why);
	for (size_t i = 0; err == ERR_OK && i < db_row_count(rows); i++) {
		struct probe_letter letter;
		probe_letters_get(rows, i, &letter);
		probe_begin_letter(prober, &letter);
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
	err = take_tests(prober, why);
	if (err == ERR_OK)
		err = take_samples(prober, why);
	return err == ERR_OK ? take_letters(prober, why) : err;
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
static void turn_all(struct prober *prober)
{
	bool is_stopping = entry_is_stopped();
	for (size_t i = 0; i < PROBES_AT_ONCE; i++)
		probe_turn(&prober->probes[i], is_stopping);
	/* With the database away, only when the relays have had their time. */
	if (prober->before != ERR_OK && count_if(prober, is_under_way) > 0)
		return;
	if (count_if(prober, is_to_tell) > 0 || count_if(prober, is_logging_in) > 0 ||
	    clock_boot_us() >= prober->look_us)
		use_database(prober);
	for (size_t i = 0; i < PROBES_AT_ONCE; i++) {
		if (prober->probes[i].is_told && prober->probes[i].relay == NULL)
			probe_forget(&prober->probes[i]);
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
		rule_watch_look(&prober->rules, clock_boot_us());
		turn_all(prober);
	} while (wait(prober));
	for (size_t i = 0; i < PROBES_AT_ONCE; i++)
		probe_forget(&prober->probes[i]);
}

static enum err make_parts(struct prober *prober)
{
	const struct setup *setup = prober->setup;
	enum err err = loop_new(&prober->loop);
	if (err == ERR_OK)
		err = token_maker_new(&setup->keyring, view_of(setup->settings.bounce_domain), &prober->tokens);
	if (err == ERR_OK)
		err = dkim_signer_new(&prober->signer);
	return err;
}

int prober_run(const struct setup *setup)
{
	struct prober *prober = calloc(1, sizeof(*prober));
	if (prober == NULL)
		return EXIT_FAILURE;
	prober->setup = setup;
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	enum err err = rule_watch_begin(setup->settings.bounce_rules, buf_view(&setup->rules), &prober->rules, &why);
	if (err == ERR_OK)
		err = make_parts(prober);
	if (err == ERR_OK)
		err = entry_open_database(setup, ENTRY_PATIENCE_US, &prober->db);
	if (err == ERR_OK)
		work(prober);
	loop_done(prober->loop);
	token_maker_done(prober->tokens);
	dkim_signer_done(prober->signer);
	db_close(prober->db);
	rule_watch_done(&prober->rules);
	free(prober);
	return err == ERR_OK || err == ERR_REFUSED ? EXIT_SUCCESS : EXIT_FAILURE;
}
