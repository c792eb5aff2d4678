#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "mail/clean_text.h"
#include "mail/seal.h"
#include "sender/logins.h"
#include "sender/prober_private.h"

/* How long QUIT may take: the probe itself has come to its end. */
#define FAREWELL_US (INT64_C(2) * CLOCK_US_PER_SECOND)

/* How long a letter to a member may take, with the connection. */
#define LETTER_US (INT64_C(600) * CLOCK_US_PER_SECOND)

enum { CODE_PERMANENT = 500 };

static enum err answer_test(const struct probe *probe, struct buf *why)
{
	return relay_tests_answer(probe->prober->db, &probe->answer, why);
}

static enum err answer_sample(const struct probe *probe, struct buf *why)
{
	return campaign_tests_answer(probe->prober->db, &probe->answer, why);
}

static const struct probe_kind of_relay = { "relay.tested", relay_tests_give_back, answer_test };
static const struct probe_kind of_campaign = { "campaign.tested", campaign_tests_give_back, answer_sample };
static const struct probe_kind of_member = { "member.probed", probe_letters_give_back, probe_answer_letter };

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
	bool is_about = event->step == SMTP_STEP_RCPT || event->step == SMTP_STEP_FINAL_DOT;
	if (!probe->is_decided && event->type == SMTP_REFUSED && event->reply.code >= CODE_PERMANENT && is_about) {
		probe->is_about_recipient = true;
		probe->status = event->reply.status;
	}
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

static enum err write_letter(const struct probe *probe, struct letter *letter, struct buf *why)
{
	const struct prober *prober = probe->prober;
	const struct settings *settings = &prober->setup->settings;
	const struct letterhead letterhead = { .tokens = prober->tokens,
					       .signer = prober->signer,
					       .bounce_domain = view_of(settings->bounce_domain),
					       .bounce_prefix = view_of(settings->bounce_prefix) };
	if (probe->sample != NULL)
		return sample_write(probe->sample, &letterhead, letter, why);
	if (probe->mail != NULL)
		return probe_mail_write(probe->mail, &letterhead, letter, why);
	enum err err = probe_write(&letterhead, &probe->facts, letter);
	if (err != ERR_OK)
		buf_add(why, err == ERR_MEMORY ? view_of(err_name(err)) : VIEW_LIT(NO_KEY));
	return err;
}

static bool is_test(const struct probe *probe)
{
	return probe->sample == NULL && probe->mail == NULL;
}

/* Before the relay has an octet of it: it may be back before the relay has answered. A copy for a tester is not waited for, and a letter to a member does not come
 * back. False: it must not go; `why` says why. */
static bool seal_letter(const struct probe *probe, struct buf *why)
{
	AUTO_BUF seal = buf_with_ceiling(LIMIT_SEAL);
	struct letter letter = letter_new();
	enum err err = write_letter(probe, &letter, why);
	if (err == ERR_OK && is_test(probe))
		err = seal_write(buf_view(&letter.message), &seal);
	letter_done(&letter);
	if (!is_test(probe))
		return err == ERR_OK;
	return err == ERR_OK && relay_tests_seal(probe->prober->db, probe->id, buf_view(&seal), why) == ERR_OK;
}

/* ---- what the relay asks ---- */

static struct recipient *next(void *owner, struct relay *relay, struct letter *letter)
{
	(void)relay;
	struct probe *probe = owner;
	if (probe->is_begun || probe->is_decided)
		return NULL;
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	if (write_letter(probe, letter, &why) != ERR_OK) {
		refuse(probe, buf_view(&why));
		return NULL;
	}
	probe->is_begun = true;
	probe->recipient.opened.address = probe->sample != NULL ? sample_address(probe->sample)
					  : probe->mail != NULL ? probe_mail_address(probe->mail)
								: buf_view(&letter->from);
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
	refuse(owner, VIEW_LIT("the address cannot be said in SMTP"));
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
	if (err == ERR_NOT_FOUND)
		buf_reset(why); /* no reason: the settings' relay takes the place of the row */
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

static struct probe *free_place(struct prober *prober)
{
	struct probe *probe = prober->probes;
	while (probe->prober != NULL)
		probe++;
	return probe;
}

void probe_begin_sample(struct prober *prober, const struct campaign_test *test)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct probe *probe = free_place(prober);
	*probe = (struct probe){ .prober = prober,
				 .kind = &of_campaign,
				 .id = test->id,
				 .is_asked_by_a_person = true,
				 .relay_name = buf_with_ceiling(LIMIT_WHY),
				 .reply = buf_with_ceiling(LIMIT_REPLY_KEPT),
				 .give_up_us = clock_boot_us() + test->due_us - clock_wall_us() };
	buf_add(&probe->relay_name, test->relay);
	enum err err = sample_new(prober->db, prober->setup, test, &probe->sample, &why);
	if (err == ERR_OK)
		start(probe);
	else
		refuse(probe, why.len > 0 ? buf_view(&why) : view_of(err_name(err)));
}

void probe_begin_letter(struct prober *prober, const struct probe_letter *letter)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct probe *probe = free_place(prober);
	*probe = (struct probe){ .prober = prober,
				 .kind = &of_member,
				 .id = letter->id,
				 .relay_name = buf_with_ceiling(LIMIT_WHY),
				 .reply = buf_with_ceiling(LIMIT_REPLY_KEPT),
				 .give_up_us = clock_boot_us() + LETTER_US };
	buf_add(&probe->relay_name, letter->relay);
	enum err err = probe_mail_new(prober->setup, letter, &probe->mail, &why);
	if (err == ERR_OK && letter->relay.len > 0)
		start(probe);
	else if (err == ERR_OK)
		refuse(probe, VIEW_LIT("no relay in use takes this list's mail to that domain"));
	else
		refuse(probe, why.len > 0 ? buf_view(&why) : view_of(err_name(err)));
}

void probe_begin_test(struct prober *prober, const struct relay_test *test)
{
	struct probe *probe = free_place(prober);
	*probe = (struct probe){ .prober = prober,
				 .kind = &of_relay,
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

void probe_turn(struct probe *probe, bool is_stopping)
{
	int64_t now_us = clock_boot_us();
	if (probe->relay == NULL)
		return;
	relay_look_after(probe->relay, now_us);
	while (relay_takes(probe->relay, now_us) && relay_feed_one(probe->relay, now_us))
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

void probe_log_answer(const struct probe *probe)
{
	static const char *const words[] = {
		[RELAY_ANSWER_TAKEN] = "taken",
		[RELAY_ANSWER_REFUSED] = "refused",
		[RELAY_ANSWER_DOUBTFUL] = "doubtful",
	};
	struct log_text room;
	log_event(LOG_INFO, probe->kind->event, "test=%lld relay=" VIEW_FMT " answer=%s reply=%s", (long long)probe->id,
		  VIEW_ARG(buf_view(&probe->relay_name)),
		  probe->is_returned ? "given-back" : words[probe->answer.answer],
		  log_quoted(buf_view(&probe->reply), &room));
}
void probe_forget(struct probe *probe)
{
	relay_done(probe->relay);
	sample_done(probe->sample);
	probe_mail_done(probe->mail);
	buf_done(&probe->relay_name);
	buf_done(&probe->from_address);
	buf_done(&probe->reply);
	*probe = (struct probe){ 0 };
}
