#include "listctl/dkim_output.h"

#include "base/limits.h"

enum { STRING_MOST = 255 };

/* The last three are for machines; people get them as lines of a zone file. */
static const struct output_column columns[] = {
	{ .name = "domain" },  { .name = "selector" }, { .name = "type" }, { .name = "bits", .type = OUTPUT_INT },
	{ .name = "state" },   { .name = "created" },  { .name = "name" }, { .name = "record" },
	{ .name = "strings" },
};
enum { FOR_MACHINES = 3 };

const char *dkim_output_state(const struct dkim_folder *folder, const struct dkim_entry *entry)
{
	if (entry->is_retired || entry->signs)
		return entry->is_retired ? "retired" : "signing";
	for (size_t i = 0; i < folder->count; i++) {
		const struct dkim_entry *other = &folder->entries[i];
		if (other->signs && dkim_key_kind(other->key) == dkim_key_kind(entry->key) &&
		    view_eq(dkim_key_domain(other->key), dkim_key_domain(entry->key)))
			return "waiting";
	}
	return "alone";
}

enum err dkim_output_strings(struct view record, struct buf *out)
{
	for (size_t at = 0; at < record.len; at += STRING_MOST)
		buf_addf(out, "%s\"" VIEW_FMT "\"", at == 0 ? "" : " ",
			 VIEW_ARG(view_slice(record, at, at + STRING_MOST)));
	return buf_err(out);
}

static enum err add_name(const struct dkim_key *key, struct buf *out)
{
	return buf_addf(out, VIEW_FMT "._domainkey." VIEW_FMT, VIEW_ARG(dkim_key_selector(key)),
			VIEW_ARG(dkim_key_domain(key)));
}

static enum err write_row(struct call *call, const struct dkim_folder *folder, const struct dkim_entry *entry)
{
	AUTO_BUF name = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF record = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF strings = buf_with_ceiling(LIMIT_WHY);
	add_name(entry->key, &name);
	enum err err = dkim_key_record(entry->key, &record);
	if (err == ERR_OK)
		err = dkim_output_strings(buf_view(&record), &strings);
	if (err == ERR_OK)
		output_row(call->out, (struct output_cell[]){
					  cell_text(dkim_key_domain(entry->key)),
					  cell_text(dkim_key_selector(entry->key)),
					  cell_text(view_of(dkim_kind_name(dkim_key_kind(entry->key)))),
					  cell_int((int64_t)dkim_key_bits(entry->key)),
					  cell_text(view_of(dkim_output_state(folder, entry))),
					  cell_text_or_null(view_of(entry->created)),
					  cell_text(buf_view(&name)),
					  cell_text(buf_view(&record)),
					  cell_text(buf_view(&strings)),
				      });
	return err;
}

static enum err print_record(const struct dkim_key *key)
{
	AUTO_BUF record = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF line = buf_with_ceiling(2 * LIMIT_WHY);
	enum err err = dkim_key_record(key, &record);
	if (err != ERR_OK)
		return err;
	add_name(key, &line);
	buf_addf(&line, ". IN TXT ( ");
	err = dkim_output_strings(buf_view(&record), &line);
	if (err == ERR_OK)
		printf("\n%s )\n", buf_text(&line));
	return err;
}

struct choice {
	struct view domain;
	const struct view *selectors;
	size_t selector_count;
};

static bool is_chosen(const struct choice *choice, const struct dkim_key *key)
{
	bool chosen = choice->selector_count == 0;
	for (size_t i = 0; i < choice->selector_count; i++)
		chosen = chosen || view_eq_nocase(choice->selectors[i], dkim_key_selector(key));
	return chosen && (choice->domain.len == 0 || view_eq_nocase(choice->domain, dkim_key_domain(key)));
}

enum err dkim_output_write(struct call *call, const struct dkim_folder *folder, struct view domain,
			   const struct view *selectors, size_t selector_count)
{
	const struct choice choice = { domain, selectors, selector_count };
	bool for_people = output_format_of(call->out) == FORMAT_TABLE;
	enum err err = ERR_OK;
	size_t found = 0;
	output_begin(call->out, columns, ARRAY_LEN(columns) - (for_people ? FOR_MACHINES : 0));
	for (size_t i = 0; err == ERR_OK && i < folder->count; i++) {
		if (!is_chosen(&choice, folder->entries[i].key))
			continue;
		err = write_row(call, folder, &folder->entries[i]);
		found++;
	}
	if (err == ERR_OK)
		err = output_end(call->out, call->why);
	for (size_t i = 0; for_people && err == ERR_OK && i < folder->count; i++) {
		const struct dkim_entry *entry = &folder->entries[i];
		if (!entry->is_retired && is_chosen(&choice, entry->key))
			err = print_record(entry->key);
	}
	if (err == ERR_OK && found == 0 && domain.len > 0)
		return call_refuse(call, ERR_NOT_FOUND,
				   "%s has no keys for " VIEW_FMT "; `listctl dkim new " VIEW_FMT "` makes one",
				   call->settings->dkim_dir, VIEW_ARG(domain), VIEW_ARG(domain));
	return err;
}
