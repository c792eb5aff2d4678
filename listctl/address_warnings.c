#include "listctl/address_warnings.h"

#include <stdlib.h>

#include "base/limits.h"
#include "listctl/output.h"
#include "listctl/spool.h"

struct address_warnings {
	struct address_judge *judge;
	struct spool *spool; /* NULL: nobody wants the file */
	struct buf line, text;
	uint64_t counts[ADDRESS_RULE_KIND_COUNT];
};

static enum err open_spool(struct address_warnings *warnings, const char *path, struct buf *why)
{
	enum err err = spool_new(path, "file of warnings", "warnings", &warnings->spool, why);
	return err == ERR_OK ? spool_add(warnings->spool, VIEW_LIT("line,address,kind,hint\r\n"), why) : err;
}

enum err address_warnings_new(struct db *db, const char *path, struct address_warnings **ret_warnings, struct buf *why)
{
	struct address_warnings *warnings = calloc(1, sizeof(*warnings));
	if (warnings == NULL)
		return ERR_MEMORY;
	warnings->line = buf_with_ceiling(LIMIT_OUTPUT_LINE);
	warnings->text = buf_with_ceiling(LIMIT_WHY);
	enum err err = address_rules_load(db, &warnings->judge, why);
	if (err == ERR_OK && path != NULL)
		err = open_spool(warnings, path, why);
	if (err == ERR_OK)
		*ret_warnings = warnings;
	else
		address_warnings_free(warnings);
	return err;
}

void address_warnings_free(struct address_warnings *warnings)
{
	if (warnings == NULL)
		return;
	address_judge_free(warnings->judge);
	spool_free(warnings->spool);
	buf_done(&warnings->line);
	buf_done(&warnings->text);
	free(warnings);
}

static void refuse(struct address_warnings *warnings, const struct address_finding *findings, size_t count,
		   struct view key)
{
	buf_reset(&warnings->text);
	for (size_t i = 0; i < count; i++) {
		if (findings[i].action != ADDRESS_REFUSE)
			continue;
		buf_addf(&warnings->text, "%s", warnings->text.len == 0 ? "" : "; ");
		address_finding_text(&findings[i], key, &warnings->text);
	}
	buf_addf(&warnings->text, "; a rule refuses such addresses (`listctl address-rule ls`)");
}

static enum err warn(struct address_warnings *warnings, uint64_t line, struct view address,
		     const struct address_finding *finding, struct buf *why)
{
	warnings->counts[finding->kind]++;
	if (warnings->spool == NULL)
		return ERR_OK;
	buf_reset(&warnings->line);
	buf_addf(&warnings->line, "%llu,", (unsigned long long)line);
	output_csv_cell(&warnings->line, address, true);
	buf_addf(&warnings->line, ",%s," VIEW_FMT "\r\n", address_rule_kind_name(finding->kind),
		 VIEW_ARG(finding->hint));
	enum err err = buf_err(&warnings->line);
	return err == ERR_OK ? spool_add(warnings->spool, buf_view(&warnings->line), why) : err;
}

enum err address_warnings_look(struct address_warnings *warnings, uint64_t line, const struct person *person,
			       bool *ret_refused, struct view *ret_text, struct buf *why)
{
	struct address_finding findings[ADDRESS_RULE_KIND_COUNT];
	size_t count = address_judge_ask(warnings->judge, person->address_key, findings);
	bool is_refused = address_findings_refuse(findings, count);
	enum err err = ERR_OK;
	if (is_refused)
		refuse(warnings, findings, count, person->address_key);
	for (size_t i = 0; err == ERR_OK && !is_refused && i < count; i++)
		err = warn(warnings, line, person->address, &findings[i], why);
	if (err != ERR_OK)
		return err;
	*ret_refused = is_refused;
	*ret_text = is_refused ? buf_view(&warnings->text) : VIEW_LIT("");
	return ERR_OK;
}

uint64_t address_warnings_of_kind(const struct address_warnings *warnings, enum address_rule_kind kind)
{
	return warnings->counts[kind];
}

uint64_t address_warnings_total(const struct address_warnings *warnings)
{
	uint64_t total = 0;
	for (size_t i = 0; i < ADDRESS_RULE_KIND_COUNT; i++)
		total += warnings->counts[i];
	return total;
}

enum err address_warnings_clear(struct address_warnings *warnings, struct buf *why)
{
	return warnings->spool == NULL ? ERR_OK : spool_clear(warnings->spool, why);
}

enum err address_warnings_write(struct address_warnings *warnings, struct buf *why)
{
	return warnings->spool == NULL ? ERR_OK : spool_write(warnings->spool, why);
}

enum err address_warnings_name(struct address_warnings *warnings, struct buf *why)
{
	return warnings->spool == NULL ? ERR_OK : spool_name(warnings->spool, why);
}
