#include "listctl/campaign_verbs.h"

#include <assert.h>

#include "listctl/variants.h"
#include "listctl/waiting.h"
#include "store/campaign_variants.h"

static const struct output_column columns[] = {
	{ .name = "variant" },
	{ .name = "share", .type = OUTPUT_REAL },
	{ .name = "subject", .wraps = true },
	{ .name = "sent", .type = OUTPUT_INT },
	{ .name = "accepted", .type = OUTPUT_INT },
	{ .name = "refused", .type = OUTPUT_INT },
	{ .name = "expired", .type = OUTPUT_INT },
	{ .name = "bounced", .type = OUTPUT_INT },
	{ .name = "complained", .type = OUTPUT_INT },
	{ .name = "unsubscribed", .type = OUTPUT_INT },
};

enum err campaign_report(struct call *call)
{
	AUTO_DB_ROWS *campaign_rows = NULL;
	AUTO_DB_ROWS *rows = NULL;
	struct campaign campaign;
	enum err err = campaign_named(call, &campaign, &campaign_rows);
	if (err != ERR_OK)
		return err;
	struct waiting waiting;
	waiting_begin(call, "counting", &waiting);
	err = campaign_results(call->db, campaign.id, &rows, call->why);
	waiting_end(&waiting);
	if (err != ERR_OK)
		return err;
	output_begin(call->out, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < db_row_count(rows); i++) {
		struct campaign_result result;
		char letter;
		campaign_results_get(rows, i, &result);
		const struct output_cell cells[] = {
			variants_cell(result.variant, &letter),
			cell_real(result.share / 100.0),
			cell_text(result.subject),
			cell_int(result.accepted + result.refused + result.expired),
			cell_int(result.accepted),
			cell_int(result.refused),
			cell_int(result.expired),
			cell_int(result.bounced),
			cell_int(result.complained),
			cell_int(result.left),
		};
		static_assert(ARRAY_LEN(cells) == ARRAY_LEN(columns), "one cell per column");
		output_row(call->out, cells);
	}
	return output_end(call->out, call->why);
}
