/* The inside of the prober: one test under way (prober_probe.c), for the round that takes and tells them (prober.c). */
#ifndef SENDER_PROBER_PRIVATE_H
#define SENDER_PROBER_PRIVATE_H

#include "sender/probe.h"
#include "sender/probe_mail.h"
#include "sender/prober.h"
#include "sender/relay.h"
#include "sender/rule_watch.h"
#include "sender/sample.h"
#include "store/campaign_tests.h"

/* Letters to members leave room for what a person waits for. */
enum { PROBES_AT_ONCE = 16, LETTERS_AT_ONCE = 8 };

struct probe;

/* What is sent: return-path tests, copies for testers, and letters that ask whether somebody still receives. */
struct probe_kind {
	const char *event;
	enum err (*give_back)(struct db *db, int64_t id, struct buf *why);
	enum err (*answer)(const struct probe *probe, struct buf *why);
};
/* One test under way; a place for one when it has no prober. */
struct probe {
	struct prober *prober;
	const struct probe_kind *kind;
	int64_t id;
	struct sample *sample;   /* NULL: no copy for a tester */
	struct probe_mail *mail; /* NULL: no letter to a member; without either it is a return-path test */
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
	struct status status;    /* of the answer */
	bool is_about_recipient; /* refused for good, where a relay speaks of the recipient or the message */
	struct buf reply;
};

struct prober {
	const struct setup *setup;
	struct db *db;
	struct loop *loop;
	struct token_maker *tokens;
	struct dkim_signer *signer;
	struct rule_watch rules;
	struct probe probes[PROBES_AT_ONCE];
	int64_t look_us; /* boot time: when it is asked for tests again */
	enum err before; /* of the last look at the database, for one log line a change */
};

/* In a free place: no more are taken than there are. A test that cannot be sent is refused with the reason. */
void probe_begin_test(struct prober *prober, const struct relay_test *test);
void probe_begin_sample(struct prober *prober, const struct campaign_test *test);
/* What was not even begun, or is refused for now, is put off instead. */
void probe_begin_letter(struct prober *prober, const struct probe_letter *letter);
/* What a letter's answer means for the member: prober_letter.c. */
enum err probe_answer_letter(const struct probe *probe, struct buf *why) MUST_USE;
/* The first failure is the answer: a test says how the relay is now. */
void probe_turn(struct probe *probe, bool is_stopping);
void probe_log_answer(const struct probe *probe);
/* Its place is free again. */
void probe_forget(struct probe *probe);

#endif
