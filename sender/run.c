#include "sender/run.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"

struct run *runs_find(const struct runs *runs, int64_t campaign_id)
{
	struct run *run = runs->first;
	while (run != NULL && run->id != campaign_id)
		run = run->next;
	return run;
}

enum err run_compose(const struct run_source *source, const struct db_rows *fields, const struct campaign_files *files,
		     const struct settings *settings, struct composer **ret_composer, struct buf *why)
{
	const struct composition composition = {
		.subject = source->subject,
		.from_name = source->from_name,
		.from_address = source->from_address,
		.reply_to = source->reply_to,
		.list_id = source->list_header_id,
		.list_title = source->list_title,
		.text_body = source->text_body,
		.html_body = source->html_body,
		.bounce_domain = view_of(settings->bounce_domain),
		.list_name = source->list_name,
		.campaign_name = source->campaign_name,
		.list_headers = source->list_headers,
		.web_base_url = view_of(settings->web_base_url),
		.files = files->items,
		.file_count = files->count,
	};
	size_t count = db_row_count(fields);
	struct view *names = calloc(count + 1, sizeof(*names));
	if (names == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < count; i++)
		names[i] = db_get_text(fields, i, 0);
	enum err err = composer_compile(&composition, names, count, ret_composer, why);
	free(names);
	return err;
}

/* The schema keeps names that short. */
static void name(struct view text, char room[RUN_NAME_MOST + 1])
{
	text = view_head(text, RUN_NAME_MOST);
	memcpy(room, text.data, text.len);
	room[text.len] = '\0';
}

static bool is_told(struct runs *runs, int64_t campaign_id)
{
	for (size_t i = 0; i < RUNS_TOLD_MOST; i++) {
		if (runs->told_unsigned[i] == campaign_id)
			return true;
	}
	runs->told_unsigned[runs->told++ % RUNS_TOLD_MOST] = campaign_id;
	return false;
}

/* The keys of the From domain, or of one above it. */
static void find_keys(struct runs *runs, struct run *run, const struct setup *setup)
{
	struct view domain = composer_from_domain(run->lists->composers[0]);
	run->signing.count = dkim_folder_find(&setup->dkim, domain, run->signing.keys);
	if (run->signing.count > 0)
		return;
	if (!setup->settings.dkim_required) {
		if (!is_told(runs, run->id))
			log_event(LOG_WARNING, "campaign.unsigned", "campaign=%s domain=" VIEW_FMT, run->name,
				  VIEW_ARG(domain));
		return;
	}
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	buf_addf(&reason,
		 "there are no keys in %s to sign mail from " VIEW_FMT
		 ": make them (`listctl dkim new`), restart sender, "
		 "then resume",
		 setup->settings.dkim_dir, VIEW_ARG(domain));
	run_hold(run, buf_view(&reason), 0);
}

void run_vary(struct run_source *source, const struct campaign_variants *variants, unsigned variant)
{
	if (variant < 2 || variant > variants->count)
		return;
	source->subject = variants->items[variant - 1].subject;
	source->text_body = variants->items[variant - 1].text_body;
	source->html_body = variants->items[variant - 1].html_body;
}

unsigned run_variant(const struct run *run, int64_t subscriber_id)
{
	return variant_of(run->id, subscriber_id, run->shares, run->variant_count);
}

static struct run_list *find_list(const struct run *run, int64_t list_id)
{
	struct run_list *list = run->lists;
	while (list != NULL && list->list_id != list_id)
		list = list->next;
	return list;
}

struct composer *run_composer(const struct run *run, int64_t list_id, unsigned variant)
{
	return find_list(run, list_id)->composers[variant > 0 && variant <= run->variant_count ? variant - 1 : 0];
}

static enum err compose_all(struct run *run, const struct run_source *source, const struct campaign_variants *variants,
			    const struct db_rows *fields, const struct campaign_files *files, const struct setup *setup,
			    struct buf *why)
{
	enum err err = ERR_OK;
	run->variant_count = variants->count;
	for (unsigned i = 0; err == ERR_OK && (i == 0 || i < variants->count); i++) {
		struct run_source varied = *source;
		run->shares[i] = variants->items[i].share;
		run_vary(&varied, variants, i + 1);
		err = run_compose(&varied, fields, files, &setup->settings, &run->lists->composers[i], why);
	}
	return err;
}

static enum err compose(struct run *run, struct db *db, const struct run_source *source, const struct setup *setup,
			struct buf *why)
{
	AUTO_DB_ROWS *fields = NULL;
	struct campaign_files files = { 0 };
	enum err err = runs_fields(db, run->id, &fields, why);
	if (err == ERR_OK)
		err = campaign_files_read(db, (uint64_t)run->id, &files, why);
	struct campaign_variants variants = { 0 };
	if (err == ERR_OK)
		err = campaign_variants_read(db, (uint64_t)run->id, &variants, why);
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	if (err == ERR_OK)
		err = compose_all(run, source, &variants, fields, &files, setup, &reason);
	campaign_variants_done(&variants);
	campaign_files_done(&files);
	if (err == ERR_INVALID)
		run_hold(run, buf_view(&reason), 0);
	else
		buf_add(why, buf_view(&reason));
	return err;
}

static enum err load(struct runs *runs, struct run *run, struct db *db, const struct setup *setup, struct buf *why)
{
	struct run_source source;
	AUTO_DB_ROWS *rows = NULL;
	enum err err = runs_load(db, run->id, run->lists->list_id, &source, &rows, why);
	if (err != ERR_OK)
		return err;
	name(source.campaign_name, run->name);
	name(source.own_list_name, run->list_name);
	run->expire_us = source.expire_us;
	err = compose(run, db, &source, setup, why);
	if (err == ERR_OK)
		find_keys(runs, run, setup);
	return err == ERR_INVALID ? ERR_OK : err; /* it is being held */
}

static void drop_list(struct run *run)
{
	struct run_list *list = run->lists;
	run->lists = list->next;
	for (size_t i = 0; i < VARIANTS_MOST; i++)
		composer_done(list->composers[i]);
	free(list);
}

static enum err add_list(struct runs *runs, struct run *run, int64_t list_id, struct db *db, const struct setup *setup,
			 struct buf *why)
{
	struct run_list *list = calloc(1, sizeof(*list));
	if (list == NULL)
		return ERR_MEMORY;
	list->list_id = list_id;
	list->next = run->lists;
	run->lists = list;
	enum err err = load(runs, run, db, setup, why);
	if (err != ERR_OK)
		drop_list(run);
	return err;
}

static enum err add_run(struct runs *runs, struct db *db, int64_t campaign_id, int64_t list_id,
			const struct setup *setup, struct buf *why)
{
	struct run *run = calloc(1, sizeof(*run));
	if (run == NULL)
		return ERR_MEMORY;
	run->id = campaign_id;
	enum err err = add_list(runs, run, list_id, db, setup, why);
	if (err != ERR_OK) {
		free(run);
		return err;
	}
	run->next = runs->first;
	runs->first = run;
	return ERR_OK;
}

enum err runs_open(struct runs *runs, struct db *db, int64_t campaign_id, int64_t list_id, const struct setup *setup,
		   struct buf *why)
{
	struct run *run = runs_find(runs, campaign_id);
	if (run == NULL)
		return add_run(runs, db, campaign_id, list_id, setup, why);
	return find_list(run, list_id) != NULL ? ERR_OK : add_list(runs, run, list_id, db, setup, why);
}

static void run_free(struct run *run)
{
	while (run->lists != NULL)
		drop_list(run);
	while (run->groups != NULL) {
		struct group_breaker *next = run->groups->next;
		free(run->groups);
		run->groups = next;
	}
	free(run);
}

static bool wants_any_hold(const struct run *run)
{
	bool wants = run->wants_hold;
	for (const struct group_breaker *group = run->groups; !wants && group != NULL; group = group->next)
		wants = group->wants_hold;
	return wants;
}

void runs_keep(struct runs *runs, uint64_t slots)
{
	for (struct run *run = runs->first; run != NULL; run = run->next) {
		for (unsigned slot = 0; slot < ROUTES_RELAYS; slot++)
			run->answered[slot] *= slots >> slot & 1;
	}
}

void runs_sweep(struct runs *runs)
{
	struct run **at = &runs->first;
	while (*at != NULL) {
		struct run *run = *at;
		if (run->present > 0 || wants_any_hold(run)) {
			at = &run->next;
			continue;
		}
		*at = run->next;
		run_free(run);
	}
}

void runs_done(struct runs *runs)
{
	while (runs->first != NULL) {
		struct run *run = runs->first;
		runs->first = run->next;
		run_free(run);
	}
}

void run_leave(struct run *run, int64_t leave_by_us)
{
	if (run->is_leaving)
		return;
	run->is_leaving = true;
	run->leave_by_us = leave_by_us;
}

static void keep_reason(char room[RUN_REASON_MOST], struct view reason)
{
	reason = view_head(reason, RUN_REASON_MOST - 1);
	memcpy(room, reason.data, reason.len);
	room[reason.len] = '\0';
}

void run_hold(struct run *run, struct view reason, int64_t leave_by_us)
{
	run_leave(run, leave_by_us);
	if (run->wants_hold)
		return;
	run->wants_hold = true;
	keep_reason(run->hold_reason, reason);
}

struct group_breaker *run_group(struct run *run, struct view group)
{
	for (struct group_breaker *at = run->groups; at != NULL; at = at->next) {
		if (view_eq(view_of(at->name), group))
			return at;
	}
	struct group_breaker *made = group.len > RUN_NAME_MOST ? NULL : calloc(1, sizeof(*made));
	if (made == NULL)
		return NULL;
	memcpy(made->name, group.data, group.len);
	made->next = run->groups;
	run->groups = made;
	return made;
}

void run_hold_group(struct run *run, struct group_breaker *group, struct view reason)
{
	group->breaker = run->breaker = group->hard = run->hard = (struct breaker){ 0 };
	if (!group->wants_hold)
		keep_reason(group->reason, reason);
	group->wants_hold = true;
}
