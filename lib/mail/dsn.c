/* delivery-status-content = per-message-fields 1*( CRLF per-recipient-fields )     (RFC 3464 section 2.1)
 *
 * Written by many hands: groups without the blank line between them, a per-recipient group in the place of the first one, comments
 * and types left out. So what a field says counts, not where it stands: a field of a recipient that comes again begins the
 * next recipient. */
#include "mail/dsn.h"

#include <assert.h>
#include <string.h>

#include "mail/fields.h"

static const char *const actions[] = {
	[DSN_UNSTATED] = "",           [DSN_FAILED] = "failed",   [DSN_DELAYED] = "delayed",
	[DSN_DELIVERED] = "delivered", [DSN_RELAYED] = "relayed", [DSN_EXPANDED] = "expanded",
};
static_assert(ARRAY_LEN(actions) == DSN_ACTION_COUNT, "one word per action");

const char *dsn_action_name(enum dsn_action action)
{
	return actions[action];
}

struct reader {
	struct dsn *dsn;
	struct dsn_recipient now;
	bool has_now; /* a field of a recipient was seen in this group */
};

static void finish_recipient(struct reader *reader)
{
	bool is_somebody = reader->now.final.len > 0 || reader->now.original.len > 0 ||
			   reader->now.action != DSN_UNSTATED || status_is_set(reader->now.status);
	if (reader->has_now && is_somebody && reader->dsn->count < DSN_RECIPIENTS_MAX)
		reader->dsn->recipients[reader->dsn->count++] = reader->now;
	reader->now = (struct dsn_recipient){ 0 };
	reader->has_now = false;
}

struct view dsn_untyped(struct view value)
{
	size_t semicolon = view_find_byte(value, ';');
	if (semicolon != VIEW_NONE && view_find_byte(view_head(value, semicolon), '@') == VIEW_NONE)
		value = view_skip(value, semicolon + 1);
	value = view_trim(value);
	size_t open = view_find_byte(value, '<');
	if (open != VIEW_NONE) {
		struct view inner = view_skip(value, open + 1);
		size_t close = view_find_byte(inner, '>');
		return view_trim(view_head(inner, close));
	}
	size_t comment = view_find(value, VIEW_LIT(" ("));
	return view_trim(view_head(value, comment));
}

static enum dsn_action action_of(struct view value)
{
	for (unsigned i = DSN_FAILED; i < DSN_ACTION_COUNT; i++) {
		if (view_starts_nocase(value, view_of(actions[i])))
			return (enum dsn_action)i;
	}
	/* seen in the wild */
	if (view_starts_nocase(value, VIEW_LIT("fail")))
		return DSN_FAILED;
	if (view_starts_nocase(value, VIEW_LIT("delay")))
		return DSN_DELAYED;
	return DSN_UNSTATED;
}

static void take_final(struct reader *reader, struct view value)
{
	if (reader->now.final.len > 0)
		finish_recipient(reader);
	reader->now.final = dsn_untyped(value);
}

static void take_original(struct reader *reader, struct view value)
{
	if (reader->now.original.len > 0)
		finish_recipient(reader);
	reader->now.original = dsn_untyped(value);
}

static void take_action(struct reader *reader, struct view value)
{
	reader->now.action = action_of(value);
}

static void take_status(struct reader *reader, struct view value)
{
	struct status status;
	if (status_find(value, &status))
		reader->now.status = status;
}

static void take_diagnostic(struct reader *reader, struct view value)
{
	if (reader->now.diagnostic.len == 0)
		reader->now.diagnostic = value;
}

static const struct field_row {
	const char *name;
	void (*take)(struct reader *reader, struct view value);
} recipient_fields[] = {
	{ "Final-Recipient", take_final }, { "Original-Recipient", take_original }, { "Action", take_action },
	{ "Status", take_status },         { "Diagnostic-Code", take_diagnostic },
};

static void take_field(struct reader *reader, const struct field *field)
{
	for (size_t i = 0; i < ARRAY_LEN(recipient_fields); i++) {
		if (field_is(field, recipient_fields[i].name)) {
			recipient_fields[i].take(reader, field->value);
			reader->has_now = true;
			return;
		}
	}
	if (field_is(field, "Reporting-MTA"))
		reader->dsn->reporting_mta = dsn_untyped(field->value);
	else if (field_is(field, "Original-Envelope-Id"))
		reader->dsn->envelope_id = field->value;
}

bool dsn_read(struct view text, struct dsn *ret_dsn)
{
	struct dsn dsn;
	dsn.reporting_mta = dsn.envelope_id = view_of(NULL);
	dsn.count = 0;
	struct reader reader = { .dsn = &dsn };
	struct field field;
	enum field_step step;
	while ((step = fields_next(&text, &field)) != FIELD_END) {
		if (step == FIELD_GROUP_END)
			finish_recipient(&reader);
		else
			take_field(&reader, &field);
	}
	finish_recipient(&reader);
	if (dsn.count == 0)
		return false;
	*ret_dsn = dsn;
	return true;
}
