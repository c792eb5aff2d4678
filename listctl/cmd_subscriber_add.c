#include "base/clock.h"
#include "base/limits.h"
#include "listctl/attribute_options.h"
#include "listctl/field_date.h"
#include "listctl/former.h"
#include "listctl/subscriber_steps.h"
#include "listctl/who.h"
#include "store/lists.h"
#include "store/subscriber_import.h"

/* One person, taken in as an import of one row is: the same rules keep out the same people. */
struct job {
	struct call *call;
	struct list list;
	struct db_rows *list_rows;
	struct spelt spelt;
	struct attribute_options attributes;
	struct import_options options;
	struct view name, reason;
	struct import_counts counts;
	int64_t person_id;
};

static enum err read_consent_time(struct call *call, int64_t *ret_us)
{
	const char *given = call_option(call, "consent-time");
	struct field_date date;
	AUTO_BUF wrong = buf_with_ceiling(LIMIT_WHY);
	if (given == NULL)
		return ERR_OK;
	if (!field_date_read(view_of(given), DATE_ORDER_UNSAYABLE, &date, &wrong))
		return call_misused(call, "--consent-time %s: %s", given, buf_text(&wrong));
	*ret_us = field_date_us(&date);
	if (*ret_us <= 0 || *ret_us > clock_wall_us() + CLOCK_US_PER_DAY)
		return call_misused(call, "--consent-time %s is no time at which anybody has agreed", given);
	return ERR_OK;
}

static enum err read_options(struct job *job)
{
	struct call *call = job->call;
	const char *status = call_option(call, "status");
	job->name = view_trim(view_of(call_option(call, "name")));
	if (status != NULL && !view_eq(view_of(status), VIEW_LIT("active")) &&
	    !view_eq(view_of(status), VIEW_LIT("unconfirmed")))
		return call_misused(call, "--status takes active or unconfirmed, not %s", status);
	job->options.unconfirmed = status != NULL && *status == 'u';
	enum err err = attribute_text_check(call, "name", job->name);
	if (err == ERR_OK)
		err = subscriber_text_option(call, "reason", &job->reason);
	if (err == ERR_OK)
		err = subscriber_text_option(call, "consent", &job->options.consent_source);
	if (err == ERR_OK)
		err = subscriber_text_option(call, "resubscribe", &job->options.resubscribe);
	if (err == ERR_OK)
		err = subscriber_text_option(call, "reassigned", &job->options.reassigned);
	if (err == ERR_OK)
		err = read_consent_time(call, &job->options.consent_us);
	return err == ERR_OK ? attribute_options_read(call, &job->attributes) : err;
}

static enum err refuse_former(struct job *job, const struct former_address *former)
{
	struct call *call = job->call;
	AUTO_BUF text = buf_with_ceiling(LIMIT_WHY);
	former_text(former, &text);
	return call_refuse(call, ERR_REFUSED,
			   "%s is the %s, who would be written to twice; if it is another person's now, --reassigned "
			   "REASON takes it in; `listctl subscriber move " VIEW_FMT " %s` takes that person back",
			   call->operands[1], buf_text(&text), VIEW_ARG(former->address), call->operands[1]);
}

static enum err add_row(struct job *job, struct subscriber_import *import, const struct subscriber_row *row)
{
	AUTO_DB_ROWS *rows = NULL;
	struct former_address former;
	enum err err = subscriber_import_find_former(import, row, &rows, &former, job->call->why);
	if (err != ERR_NOT_FOUND)
		return err == ERR_OK ? refuse_former(job, &former) : err;
	return subscriber_import_add(import, row, job->call->why);
}

static enum err take_in(struct job *job)
{
	struct call *call = job->call;
	struct subscriber_import *import = NULL;
	const struct subscriber_row row = { .address = buf_view(&job->spelt.address),
					    .address_key = buf_view(&job->spelt.key),
					    .canonical = buf_view(&job->spelt.canonical),
					    .name = job->name,
					    .attributes = buf_view(&job->attributes.set) };
	enum err err = subscriber_import_begin(call->db, job->list.id, &job->options, &import, call->why);
	if (err == ERR_OK)
		err = add_row(job, import, &row);
	if (err == ERR_OK)
		err = subscriber_import_merge(import, &job->counts, call->why);
	subscriber_import_done(import);
	return err;
}

/* Who has left is told, with what brings them back; nothing is changed then. */
static enum err judge_result(struct job *job)
{
	struct call *call = job->call;
	const struct import_counts *counts = &job->counts;
	if (counts->unsubscribed > 0)
		return call_refuse(call, ERR_REFUSED,
				   "%s has unsubscribed from " VIEW_FMT
				   "; with --resubscribe REASON they are a member again, if they asked for it",
				   call->operands[1], VIEW_ARG(job->list.name));
	if (counts->disabled + counts->removed > 0)
		return call_refuse(call, ERR_REFUSED, "%s bounced and was %s; `listctl explain %s` says why",
				   call->operands[1], counts->disabled > 0 ? "disabled" : "removed", call->operands[1]);
	if (counts->suppressed + counts->erased > 0)
		return call_refuse(call, ERR_REFUSED, "%s is suppressed; `listctl suppress check %s` says why",
				   call->operands[1], call->operands[1]);
	return ERR_OK;
}

/* By the address that the person is known by, which may be another spelling. */
static enum err audit(struct job *job)
{
	AUTO_DB_ROWS *rows = NULL;
	struct person_row person;
	AUTO_BUF detail = buf_with_ceiling(LIMIT_OUTPUT_LINE);
	buf_add(&detail, VIEW_LIT("{\"list\": "));
	output_json_string(&detail, job->list.name);
	buf_add(&detail, VIEW_LIT(", \"attributes\": "));
	output_json_string(&detail, buf_view(&job->attributes.names));
	buf_add(&detail, VIEW_LIT(", \"consent\": "));
	output_json_string(&detail, job->options.consent_source);
	buf_add(&detail, VIEW_LIT(", \"resubscribe\": "));
	output_json_string(&detail, job->options.resubscribe);
	if (job->reason.len > 0) {
		buf_add(&detail, VIEW_LIT(", \"reason\": "));
		output_json_string(&detail, job->reason);
	}
	if (job->options.reassigned.len > 0) {
		buf_add(&detail, VIEW_LIT(", \"reassigned\": "));
		output_json_string(&detail, job->options.reassigned);
	}
	buf_add_byte(&detail, '}');
	enum err err = people_find(job->call->db, buf_view(&job->spelt.key), buf_view(&job->spelt.canonical), 0, false,
				   &rows, &person, job->call->why);
	if (err == ERR_OK)
		err = people_check_size(person.attributes.len, job->call->why);
	if (err == ERR_OK)
		job->person_id = person.id;
	return err == ERR_OK ? who_audit(job->call, "subscriber.add", &person, buf_view(&detail)) : err;
}

static enum err write(struct job *job)
{
	enum err err = take_in(job);
	if (err == ERR_OK)
		err = judge_result(job);
	return err == ERR_OK ? audit(job) : err;
}

static enum err run_job(struct job *job)
{
	struct call *call = job->call;
	enum err err = spelt_read(call->operands[1], &job->spelt, call->why);
	if (err == ERR_OK)
		err = read_options(job);
	if (err == ERR_OK)
		err = lists_find(call->db, view_of(call->operands[0]), &job->list_rows, &job->list, call->why);
	if (err == ERR_OK)
		err = spelt_judge(call, &job->spelt);
	if (err == ERR_OK)
		err = who_check_suppressed(call, &job->spelt, job->list.id);
	if (err == ERR_OK)
		err = db_begin(call->db, call->why);
	if (err == ERR_OK)
		err = subscriber_finish(call, write(job));
	if (err != ERR_OK)
		return err;
	call_note(call, "%s %s " VIEW_FMT, call->operands[1],
		  job->counts.already > 0    ? "is a member already of"
		  : job->options.unconfirmed ? "waits to be confirmed as a member of"
					     : "is a member of",
		  VIEW_ARG(job->list.name));
	return subscriber_tell(call, job->person_id);
}

enum err subscriber_add(struct call *call)
{
	struct job job = { .call = call };
	enum err err = run_job(&job);
	attribute_options_done(&job.attributes);
	spelt_done(&job.spelt);
	db_rows_done(job.list_rows);
	return err;
}
