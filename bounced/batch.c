#include "bounced/batch.h"

#include <stdlib.h>

void batch_done(struct batch *batch)
{
	free(batch->events);
	free(batch->departures);
	free(batch->letters);
	free(batch->tests);
	free(batch->people);
}

static void add_record(struct batch *batch, const struct record *record)
{
	for (size_t i = 0; i < record->event_count; i++) {
		batch->people[batch->people_count++] = (int64_t)record->events[i].subscriber_id;
		batch->events[batch->event_count++] = record->events[i];
	}
	for (size_t i = 0; i < record->departure_count; i++) {
		batch->people[batch->people_count++] = (int64_t)record->departures[i].subscriber_id;
		batch->departures[batch->departure_count++] = record->departures[i];
	}
	for (size_t i = 0; i < record->letter_count; i++)
		batch->letters[batch->letter_count++] = record->letters[i];
	for (size_t i = 0; i < record->test_count; i++)
		batch->tests[batch->test_count++] = record->tests[i];
}

bool batch_new(const struct record *records, struct batch *ret_batch)
{
	size_t events = 0, departures = 0, letters = 0, tests = 0;
	for (const struct record *record = records; record != NULL; record = record->next) {
		events += record->event_count;
		departures += record->departure_count;
		letters += record->letter_count;
		tests += record->test_count;
	}
	struct batch batch = { .events = calloc(events + 1, sizeof(*batch.events)),
			       .departures = calloc(departures + 1, sizeof(*batch.departures)),
			       .letters = calloc(letters + 1, sizeof(*batch.letters)),
			       .tests = calloc(tests + 1, sizeof(*batch.tests)),
			       .people = calloc(events + departures + 1, sizeof(*batch.people)) };
	if (batch.events == NULL || batch.departures == NULL || batch.letters == NULL || batch.tests == NULL ||
	    batch.people == NULL) {
		batch_done(&batch);
		return false;
	}
	for (const struct record *record = records; record != NULL; record = record->next)
		add_record(&batch, record);
	*ret_batch = batch;
	return true;
}

enum err batch_store(struct db *db, const struct batch *batch, const struct verdict_terms *terms,
		     struct batch_tally *ret_tally, struct buf *why)
{
	struct batch_tally stored = { 0 };
	enum err err = ERR_OK;
	/* All people of the batch in one lock, before anything else, so that no two batches wait for each other in a circle. */
	if (batch->departure_count > 0)
		err = verdicts_lock(db, batch->people, batch->people_count, why);
	if (err == ERR_OK && batch->event_count > 0)
		err = bounces_append(db, batch->events, batch->event_count, terms, &stored.tally, why);
	if (err == ERR_OK && batch->departure_count > 0)
		err = departures_unsubscribe(db, batch->departures, batch->departure_count, VIEW_LIT("mailto"),
					     VIEW_LIT("bounced"), &stored.unsubscribed, why);
	if (err == ERR_OK && batch->letter_count > 0)
		err = mailboxes_append(db, batch->letters, batch->letter_count, &stored.letters, why);
	if (err == ERR_OK && batch->test_count > 0)
		err = relay_tests_return(db, batch->tests, batch->test_count, &stored.tests, why);
	if (err == ERR_OK)
		*ret_tally = stored;
	return err;
}
