#include "base/limits.h"
#include "listctl/progress.h"
#include "listctl/subscriber_steps.h"
#include "listctl/who.h"
#include "mail/address.h"
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

static enum err show_audit(struct call *call, int64_t id, uint64_t most)
{
	static const struct output_column columns[] = {
		{ .name = "at", .type = OUTPUT_TIME },
		{ .name = "who" },
		{ .name = "what" },
		{ .name = "detail", .type = OUTPUT_JSON, .wraps = true },
	};
	AUTO_DB_ROWS *rows = NULL;
	enum err err = people_audit(call->db, id, most, &rows, call->why);
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

static enum err show_all(struct call *call, const struct person_row *person, uint64_t changes)
{
	output_document_begin(call->out);
	enum err err = show_person(call, person);
	if (err == ERR_OK)
		err = show_memberships(call, person->id);
	if (err == ERR_OK)
		err = show_former(call, person->id);
	if (err == ERR_OK)
		err = show_audit(call, person->id, changes);
	return err == ERR_OK ? output_document_end(call->out, call->why) : err;
}

enum err subscriber_show(struct call *call)
{
	struct who who;
	enum err err = who_find(call, call->operands[0], false, &who);
	if (err == ERR_OK)
		err = show_all(call, &who.person, AUDIT_ROWS);
	who_done(&who);
	return err;
}

/* People have read it in a sentence. */
enum err subscriber_tell(struct call *call, int64_t id)
{
	AUTO_DB_ROWS *rows = NULL;
	struct person_row person;
	if (output_format_of(call->out) == FORMAT_TABLE)
		return ERR_OK;
	enum err err = people_find(call->db, VIEW_LIT(""), VIEW_LIT(""), id, false, &rows, &person, call->why);
	return err == ERR_OK ? show_all(call, &person, 1) : err;
}

/* ---- find ---- */

static const struct output_column found_columns[] = {
	{ .name = "subscriber", .type = OUTPUT_INT },
	{ .name = "email" },
	{ .name = "found_as" },
	{ .name = "name" },
	{ .name = "attributes", .type = OUTPUT_JSON, .wraps = true },
};

/* Who is looked for, and how many are shown. */
struct search {
	struct call *call;
	struct spelt spelt; /* of a whole address */
	struct buf ascii;   /* the text with its domain in A-labels, where it has another one */
	struct view text;
	uint64_t limit, found; /* found: one more than the limit when there are more */
};

static void write_found(struct search *search, const struct db_rows *rows)
{
	for (size_t i = 0; i < db_row_count(rows) && search->found++ < search->limit; i++) {
		const struct person_row person = people_get(rows, i);
		output_row(search->call->out,
			   (struct output_cell[]){ cell_int(person.id), cell_text(person.address),
						   cell_text_or_null(people_found_as(rows, i)),
						   cell_text_or_null(person.name), cell_text(person.attributes) });
	}
}

/* As addresses are kept, whichever way the domain is written. */
static void read_ascii(struct search *search)
{
	struct view text = view_trim(search->text);
	size_t at = view_find_last_byte(text, '@');
	size_t from = at == VIEW_NONE ? 0 : at + 1;
	AUTO_BUF domain = buf_with_ceiling(LIMIT_ADDRESS_TEXT);
	AUTO_BUF wrong = buf_with_ceiling(LIMIT_WHY);
	if (address_parse_domain(view_skip(text, from), &domain, &wrong) != ERR_OK ||
	    view_eq_nocase(buf_view(&domain), view_skip(text, from)))
		return;
	buf_add(&search->ascii, view_head(text, from));
	buf_add(&search->ascii, buf_view(&domain));
}

static struct people_sought sought_of(const struct search *search)
{
	const struct spelt *spelt = &search->spelt;
	return (struct people_sought){ .text = search->text,
				       .ascii = buf_view(&search->ascii),
				       .mailbox =
					   buf_view(spelt->canonical.len > 0 ? &spelt->canonical : &spelt->key) };
}

static enum err find_starting(struct search *search)
{
	struct call *call = search->call;
	AUTO_DB_ROWS *rows = NULL;
	AUTO_BUF start = buf_with_ceiling(2 * LIMIT_ADDRESS_TEXT);
	struct people_sought sought = sought_of(search);
	enum err err = address_key(sought.ascii.len > 0 ? sought.ascii : sought.text, &start);
	sought.text = buf_view(&start);
	if (err == ERR_OK)
		err = people_starting(call->db, &sought, search->limit + 1, &rows, call->why);
	if (err == ERR_OK)
		write_found(search, rows);
	return err;
}

/* All people are looked at, some ids at a time, so that it is seen how far it is. */
static enum err find_anywhere(struct search *search)
{
	struct call *call = search->call;
	const struct people_sought sought = sought_of(search);
	int64_t last_id;
	enum err err = people_last_id(call->db, &last_id, call->why);
	if (err != ERR_OK)
		return err;
	struct progress progress = progress_begin("looking", "people", (uint64_t)last_id, call->quiet);
	for (int64_t id = 0; err == ERR_OK && id < last_id && search->found <= search->limit; id += IDS_A_STEP) {
		AUTO_DB_ROWS *rows = NULL;
		err = people_holding(call->db, &sought, id, id + IDS_A_STEP, search->limit + 1 - search->found, &rows,
				     call->why);
		if (err == ERR_OK)
			write_found(search, rows);
		progress_update(&progress, (uint64_t)id);
	}
	progress_end(&progress);
	return err;
}

static void tell_found(const struct search *search)
{
	const struct call *call = search->call;
	if (search->found > search->limit && search->limit == 1)
		call_note(call, "the first one of several; --limit shows more");
	else if (search->found > search->limit)
		call_note(call, "the first %llu, and there are more; --limit shows more",
			  (unsigned long long)search->limit);
	else if (search->found == 0 && call_has(call, "anywhere"))
		call_note(call, "nobody is found");
	else if (search->found == 0)
		call_note(call, "no address begins so, nor a former one; --anywhere looks into all of addresses, names "
				"and attributes");
}

enum err subscriber_find(struct call *call)
{
	struct view text = view_of(call->operands[0]);
	struct search search = { .call = call, .text = text, .ascii = buf_with_ceiling(LIMIT_ADDRESS_TEXT) };
	enum err err = call_limit(call, FOUND_MOST, FOUND_UNLESS_TOLD, &search.limit);
	if (err != ERR_OK)
		return err;
	if (text.len == 0 || !view_is_utf8(text) || view_has_control(text) || text.len > LIMIT_ADDRESS_TEXT)
		return call_misused(call, "find takes the beginning of an address, or with --anywhere a part of an "
					  "address, name or attribute");
	AUTO_BUF part = buf_with_ceiling(LIMIT_WHY); /* why it is no whole address */
	if (spelt_read(call->operands[0], &search.spelt, &part) != ERR_OK)
		spelt_done(&search.spelt);
	read_ascii(&search);
	output_begin(call->out, found_columns, ARRAY_LEN(found_columns));
	err = call_has(call, "anywhere") ? find_anywhere(&search) : find_starting(&search);
	spelt_done(&search.spelt);
	buf_done(&search.ascii);
	if (err != ERR_OK)
		return err;
	tell_found(&search);
	return output_end(call->out, call->why);
}
