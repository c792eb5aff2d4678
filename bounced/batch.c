#include "bounced/batch.h"

#include <stdlib.h>

void batch_done(struct batch *batch)
{
	free(batch->events);
	free(batch->departures);
	free(batch->letters);
	free(batch->tests);
	free(batch->probes);
	free(batch->people);
}

static void add_probe(struct batch *batch, const struct record *record, const struct relay_test_return *test)
{
	const struct report *report = record->insight.report;
	batch->probes[batch->probe_count++] = (struct probe_report){
		.probe_id = (int64_t)test->test_id,
		.received_us = test->received_us,
		.kind = test->kind,
		.reason = report_finding(report)->reason,
		.diagnostic = test->diagnostic,
		.reporting_mta = report_reporting_mta(report),
		.message = buf_view(&record->message),
	};
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
	for (size_t i = 0; i < record->test_count; i++) {
		batch->tests[batch->test_count++] = record->tests[i];
		if (record->tests[i].is_report)
			add_probe(batch, record, &record->tests[i]);
	}
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
			       .probes = calloc(tests + 1, sizeof(*batch.probes)),
			       .people = calloc(events + departures + tests + 1, sizeof(*batch.people)) };
	if (batch.events == NULL || batch.departures == NULL || batch.letters == NULL || batch.tests == NULL ||
	    batch.probes == NULL || batch.people == NULL) {
		batch_done(&batch);
		return false;
	}
	for (const struct record *record = records; record != NULL; record = record->next)
		add_record(&batch, record);
	*ret_batch = batch;
	return true;
}

/* All people of the batch in one lock, before anything else, so that no two batches wait for each other in a circle. */
static enum err lock_people(struct db *db, const struct batch *batch, struct buf *why)
{
	size_t count = batch->people_count;
	enum err err = probe_reports_people(db, batch->probes, batch->probe_count, batch->people, &count, why);
	if (err == ERR_OK && (batch->departure_count > 0 || count > batch->people_count))
		err = verdicts_lock(db, batch->people, count, why);
	return err;
}

enum err batch_store(struct db *db, const struct batch *batch, const struct verdict_terms *terms,
		     struct batch_tally *ret_tally, struct buf *why)
{
	struct batch_tally stored = { 0 };
	enum err err = lock_people(db, batch, why);
	if (err == ERR_OK && batch->event_count > 0)
		err = bounces_append(db, batch->events, batch->event_count, terms, &stored.tally, why);
	if (err == ERR_OK && batch->departure_count > 0)
		err = departures_unsubscribe(db, batch->departures, batch->departure_count, VIEW_LIT("mailto"),
					     VIEW_LIT("bounced"), &stored.unsubscribed, why);
	if (err == ERR_OK && batch->letter_count > 0)
		err = mailboxes_append(db, batch->letters, batch->letter_count, &stored.letters, why);
	if (err == ERR_OK && batch->test_count > 0)
		err = relay_tests_return(db, batch->tests, batch->test_count, &stored.tests, why);
	if (err == ERR_OK && batch->probe_count > 0)
		err = probe_reports_store(db, batch->probes, batch->probe_count, terms, &stored.probes, why);
	if (err == ERR_OK)
		*ret_tally = stored;
	return err;
}
