#include "base/limits.h"
#include "listctl/progress.h"
#include "listctl/subscriber_steps.h"
#include "listctl/who.h"
#include "store/former_addresses.h"

enum { AUDIT_ROWS = 20, FOUND_UNLESS_TOLD = 50, FOUND_MOST = 100000, IDS_A_STEP = 200000 };

/* ---- show ---- */

static enum err show_person(struct call *call, const struct person_row *person)
{
	static const struct output_column columns[] = {
		{ .name = "subscriber", .type = OUTPUT_INT },
		{ .name = "email" },
		{ .name = "name" },
		{ .name = "attributes", .type = OUTPUT_JSON, .wraps = true },
		{ .name = "mailbox" },
		{ .name = "created_at", .type = OUTPUT_TIME },
	};
	const struct output_cell cells[] = { cell_int(person->id),
					     cell_text(person->address),
					     cell_text_or_null(person->name),
					     cell_text(person->attributes),
					     cell_text(person->canonical.len > 0 ? person->canonical : person->key),
					     cell_time(person->created_us) };
	output_section(call->out, "person", "Person");
	return output_object(call->out, columns, ARRAY_LEN(columns), cells, call->why);
}

static enum err show_memberships(struct call *call, int64_t id)
{
	static const struct output_column columns[] = {
		{ .name = "list" },
		{ .name = "state" },
		{ .name = "reason" },
		{ .name = "since", .type = OUTPUT_TIME },
		{ .name = "joined_at", .type = OUTPUT_TIME },
		{ .name = "consent", .wraps = true },
		{ .name = "consent_at", .type = OUTPUT_TIME },
	};
	AUTO_DB_ROWS *rows = NULL;
	enum err err = people_memberships(call->db, id, &rows, call->why);
	if (err != ERR_OK)
		return err;
	output_section(call->out, "memberships", "Memberships");
	output_begin(call->out, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < db_row_count(rows); i++) {
		const struct person_membership m = people_membership_get(rows, i);
		output_row(call->out, (struct output_cell[]){
					  cell_text(m.list), cell_text(m.state), cell_text_or_null(m.reason),
					  cell_time(m.since_us), cell_time(m.joined_us),
					  cell_text_or_null(m.consent_source), cell_time_or_null(m.consent_us) });
	}
	return output_end(call->out, call->why);
}

static enum err show_former(struct call *call, int64_t id)
{
	static const struct output_column columns[] = {
		{ .name = "email" },
		{ .name = "since", .type = OUTPUT_TIME },
		{ .name = "until", .type = OUTPUT_TIME },
	};
	AUTO_DB_ROWS *rows = NULL;
	enum err err = former_addresses_of(call->db, id, &rows, call->why);
	if (err != ERR_OK)
		return err;
	output_section(call->out, "former_addresses", "Former addresses");
	output_begin(call->out, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < db_row_count(rows); i++) {
		const struct former_address former = former_addresses_get(rows, i);
		output_row(call->out, (struct output_cell[]){ cell_text(former.key), cell_time(former.since_us),
							      cell_time(former.until_us) });
	}
	return output_end(call->out, call->why);
}

static enum err show_audit(struct call *call, int64_t id)
{
	static const struct output_column columns[] = {
		{ .name = "at", .type = OUTPUT_TIME },
		{ .name = "who" },
		{ .name = "what" },
		{ .name = "detail", .type = OUTPUT_JSON, .wraps = true },
	};
	AUTO_DB_ROWS *rows = NULL;
	enum err err = people_audit(call->db, id, AUDIT_ROWS, &rows, call->why);
	if (err != ERR_OK)
		return err;
	output_section(call->out, "changes", "Last changes");
	output_begin(call->out, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < db_row_count(rows); i++)
		output_row(call->out, (struct output_cell[]){
					  cell_time(db_get_time(rows, i, 0)), cell_text(db_get_text(rows, i, 1)),
					  cell_text(db_get_text(rows, i, 2)), cell_text(db_get_text(rows, i, 3)) });
	return output_end(call->out, call->why);
}

enum err subscriber_show(struct call *call)
{
	struct who who;
	enum err err = who_find(call, call->operands[0], false, &who);
	if (err != ERR_OK)
		return err;
	output_document_begin(call->out);
	err = show_person(call, &who.person);
	if (err == ERR_OK)
		err = show_memberships(call, who.person.id);
	if (err == ERR_OK)
		err = show_former(call, who.person.id);
	if (err == ERR_OK)
		err = show_audit(call, who.person.id);
	who_done(&who);
	return err == ERR_OK ? output_document_end(call->out, call->why) : err;
}

/* ---- find ---- */

static const struct output_column found_columns[] = {
	{ .name = "subscriber", .type = OUTPUT_INT },
	{ .name = "email" },
	{ .name = "name" },
	{ .name = "attributes", .type = OUTPUT_JSON, .wraps = true },
};

static uint64_t write_found(struct call *call, const struct db_rows *rows)
{
	for (size_t i = 0; i < db_row_count(rows); i++) {
		const struct person_row person = people_get(rows, i);
		output_row(call->out,
			   (struct output_cell[]){ cell_int(person.id), cell_text(person.address),
						   cell_text_or_null(person.name), cell_text(person.attributes) });
	}
	return db_row_count(rows);
}

static enum err find_starting(struct call *call, struct view text, uint64_t limit, uint64_t *found)
{
	AUTO_DB_ROWS *rows = NULL;
	AUTO_BUF start = buf_with_ceiling(LIMIT_ADDRESS_TEXT);
	for (size_t i = 0; i < text.len; i++)
		buf_add_byte(&start, (char)(text.data[i] >= 'A' && text.data[i] <= 'Z' ? text.data[i] - 'A' + 'a'
										       : text.data[i]));
	enum err err = people_starting(call->db, buf_view(&start), limit, &rows, call->why);
	if (err == ERR_OK)
		*found = write_found(call, rows);
	return err;
}

/* All people are looked at, some ids at a time, so that it is seen how far it is. */
static enum err find_anywhere(struct call *call, struct view text, uint64_t limit, uint64_t *found)
{
	int64_t last_id;
	enum err err = people_last_id(call->db, &last_id, call->why);
	if (err != ERR_OK)
		return err;
	struct progress progress = progress_begin("looking", "people", (uint64_t)last_id, call->quiet);
	for (int64_t id = 0; err == ERR_OK && id < last_id && *found < limit; id += IDS_A_STEP) {
		AUTO_DB_ROWS *rows = NULL;
		err = people_holding(call->db, text, id, id + IDS_A_STEP, limit - *found, &rows, call->why);
		if (err == ERR_OK)
			*found += write_found(call, rows);
		progress_update(&progress, (uint64_t)id);
	}
	progress_end(&progress);
	return err;
}

enum err subscriber_find(struct call *call)
{
	struct view text = view_of(call->operands[0]);
	uint64_t limit, found = 0;
	enum err err = call_limit(call, FOUND_MOST, FOUND_UNLESS_TOLD, &limit);
	if (err != ERR_OK)
		return err;
	if (text.len == 0 || !view_is_utf8(text) || view_has_control(text) || text.len > LIMIT_ADDRESS_TEXT)
		return call_misused(call, "find takes the beginning of an address, or with --anywhere a part of an "
					  "address, name or attribute");
	output_begin(call->out, found_columns, ARRAY_LEN(found_columns));
	err = call_has(call, "anywhere") ? find_anywhere(call, text, limit, &found)
					 : find_starting(call, text, limit, &found);
	if (err == ERR_OK && found == limit)
		call_note(call, "the first %llu; --limit shows more", (unsigned long long)limit);
	if (err == ERR_OK && found == 0)
		call_note(call,
			  call_has(call, "anywhere")
			      ? "nobody is found"
			      : "no address begins so; --anywhere looks into all of addresses, names and attributes");
	return err == ERR_OK ? output_end(call->out, call->why) : err;
}
