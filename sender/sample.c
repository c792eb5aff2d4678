#include "sender/sample.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "sender/run.h"
#include "store/fields.h"

#define MARK "[test] "
#define MARK_OF_VARIANT "[test %c] "

struct sample {
	int64_t test_id, list_id, now_us;
	unsigned key_id;
	struct buf address, reader_address, name, attributes;
	struct composer *composer;
	struct signing signing;
};

static struct sample sample_empty(void)
{
	return (struct sample){
		.address = buf_with_ceiling(LIMIT_ADDRESS),
		.reader_address = buf_with_ceiling(LIMIT_ADDRESS),
		.name = buf_with_ceiling(LIMIT_WHY),
		.attributes = buf_with_ceiling(LIMIT_ATTRIBUTES),
	};
}

/* Nobody watches how far sender is. */
static void say_nothing(void *user, uint64_t done, uint64_t total)
{
	(void)user;
	(void)done;
	(void)total;
}

/* What the template may name: as it was when the campaign started, or else what members have now; of a large list some are asked, unless
 * *are_some says that it was not enough. */
static enum err load_fields(struct db *db, const struct fields_scope *scope, int64_t campaign_id, bool *are_some,
			    struct db_rows **ret_rows, struct buf *why)
{
	AUTO_DB_ROWS *frozen = NULL;
	bool are_all = true;
	enum err err = runs_fields(db, campaign_id, &frozen, why);
	if (err == ERR_OK && db_row_count(frozen) > 0) {
		*ret_rows = frozen;
		frozen = NULL;
	} else if (err == ERR_OK && *are_some) {
		err = fields_of_all(db, scope, ret_rows, why);
	} else if (err == ERR_OK) {
		err = fields_of_some(db, scope, &are_all, ret_rows, why);
	}
	*are_some = !are_all;
	return err;
}

static enum err compile(struct sample *sample, const struct run_source *source, const struct db_rows *fields,
			const struct campaign_files *files, const struct setup *setup, const struct campaign_test *test,
			struct buf *why)
{
	struct run_source marked = *source;
	AUTO_BUF subject = buf_with_ceiling(LIMIT_TEMPLATE);
	if (test->variant > 0)
		buf_addf(&subject, MARK_OF_VARIANT, variant_name(test->variant));
	else
		buf_add(&subject, VIEW_LIT(MARK));
	buf_add(&subject, source->subject);
	if (!test->is_plain)
		marked.subject = buf_view(&subject);
	enum err err = buf_err(&subject);
	return err != ERR_OK ? err : run_compose(&marked, fields, files, &setup->settings, &sample->composer, why);
}

static enum err find_keys(struct sample *sample, const struct setup *setup, struct buf *why)
{
	struct view domain = composer_from_domain(sample->composer);
	sample->signing.count = dkim_folder_find(&setup->dkim, domain, sample->signing.keys);
	if (sample->signing.count > 0 || !setup->settings.dkim_required)
		return ERR_OK;
	buf_addf(why,
		 "there are no keys in %s to sign mail from " VIEW_FMT
		 ": make them (`listctl dkim new`), restart sender",
		 setup->settings.dkim_dir, VIEW_ARG(domain));
	return ERR_REFUSED;
}

/* Where what some members have does not do, all are asked. */
static enum err compile_with_fields(struct sample *sample, struct db *db, const struct run_source *source,
				    const struct campaign_files *files, const struct setup *setup,
				    const struct campaign_test *test, struct buf *why)
{
	struct audience audience = { 0 };
	const struct fields_scope scope = { .audience = &audience, .progress = say_nothing };
	bool are_some = false;
	enum err err =
	    audience_load(db, (uint64_t)test->campaign_id, (uint64_t)source->own_list_id, false, &audience, why);
	if (err != ERR_OK)
		return err;
	do {
		AUTO_DB_ROWS *fields = NULL;
		buf_reset(why);
		err = load_fields(db, &scope, test->campaign_id, &are_some, &fields, why);
		if (err == ERR_OK)
			err = compile(sample, source, fields, files, setup, test, why);
	} while (err == ERR_INVALID && are_some);
	audience_done(&audience);
	return err;
}

static enum err load(struct sample *sample, struct db *db, const struct setup *setup, const struct campaign_test *test,
		     struct buf *why)
{
	struct run_source source = { 0 };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = runs_load(db, test->campaign_id, test->list_id, &source, &rows, why);
	struct campaign_files files = { 0 };
	if (err == ERR_OK)
		err = campaign_files_read(db, (uint64_t)test->campaign_id, &files, why);
	struct campaign_variants variants = { 0 };
	if (err == ERR_OK)
		err = campaign_variants_read(db, (uint64_t)test->campaign_id, &variants, why);
	run_vary(&source, &variants, test->variant);
	if (err == ERR_OK)
		err = compile_with_fields(sample, db, &source, &files, setup, test, why);
	campaign_variants_done(&variants);
	campaign_files_done(&files);
	if (err == ERR_OK)
		err = find_keys(sample, setup, why);
	if (err != ERR_OK)
		return err;
	sample->list_id = source.list_id;
	buf_add(&sample->address, test->address);
	buf_add(&sample->reader_address, test->reader_address);
	buf_add(&sample->name, test->reader_name);
	return buf_add(&sample->attributes, test->reader_attributes);
}

enum err sample_new(struct db *db, const struct setup *setup, const struct campaign_test *test,
		    struct sample **ret_sample, struct buf *why)
{
	struct sample *sample = malloc(sizeof(*sample));
	if (sample == NULL)
		return ERR_MEMORY;
	*sample = sample_empty();
	sample->test_id = test->id;
	sample->now_us = clock_wall_us();
	sample->key_id = (unsigned)setup->keyring.newest;
	enum err err = load(sample, db, setup, test, why);
	if (err == ERR_OK)
		*ret_sample = sample;
	else
		sample_done(sample);
	return err;
}

void sample_done(struct sample *sample)
{
	if (sample == NULL)
		return;
	buf_done(&sample->address);
	buf_done(&sample->reader_address);
	buf_done(&sample->name);
	buf_done(&sample->attributes);
	composer_done(sample->composer);
	free(sample);
}

struct view sample_address(const struct sample *sample)
{
	return buf_view(&sample->address);
}

enum err sample_write(const struct sample *sample, const struct letterhead *letterhead, struct letter *letter,
		      struct buf *why)
{
	const struct letter_ids ids = {
		.campaign_id = RELAY_TESTS_CAMPAIGN,
		.subscriber_id = sample->test_id,
		.list_id = sample->list_id,
		.leaver_id = CAMPAIGN_TESTS_LEAVER,
		.key_id = sample->key_id,
		.day = clock_day(sample->now_us),
	};
	struct copy copy = {
		.address = buf_view(&sample->reader_address),
		.to = buf_view(&sample->address),
		.name = buf_view(&sample->name),
		.attributes = buf_view(&sample->attributes),
		.date_us = sample->now_us,
	};
	return letter_write_copy(letterhead, sample->composer, &sample->signing, &ids, &copy, letter, why);
}
