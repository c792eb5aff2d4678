#include "listctl/known_exports.h"

#include <string.h>

/* Audience exports: one file for those subscribed, others for who has unsubscribed and who was cleaned, each with columns of its own. */
static const struct known_column mailchimp_columns[] = {
	{ "member_rating", ROLE_ATTRIBUTE, FIELD_NUMBER },
	{ "optin_time", ROLE_OPT_IN_TIME, FIELD_TEXT },
	{ "optin_ip", ROLE_LEFT_OUT, FIELD_TEXT },
	{ "confirm_time", ROLE_CONSENT_TIME, FIELD_TEXT },
	{ "confirm_ip", ROLE_LEFT_OUT, FIELD_TEXT },
	{ "latitude", ROLE_LEFT_OUT, FIELD_TEXT },
	{ "longitude", ROLE_LEFT_OUT, FIELD_TEXT },
	{ "gmtoff", ROLE_LEFT_OUT, FIELD_TEXT },
	{ "dstoff", ROLE_LEFT_OUT, FIELD_TEXT },
	{ "last_changed", ROLE_LEFT_OUT, FIELD_TEXT },
	{ "leid", ROLE_LEFT_OUT, FIELD_TEXT },
	{ "euid", ROLE_LEFT_OUT, FIELD_TEXT },
	{ "tags", ROLE_ATTRIBUTE, FIELD_TAGS },
	{ "unsub_time", ROLE_LEFT_AT, FIELD_TEXT },
	{ "unsub_campaign_title", ROLE_LEFT_OUT, FIELD_TEXT },
	{ "unsub_campaign_id", ROLE_LEFT_OUT, FIELD_TEXT },
	{ "unsub_reason", ROLE_LEFT_OUT, FIELD_TEXT },
	{ "unsub_reason_other", ROLE_LEFT_OUT, FIELD_TEXT },
	{ "clean_time", ROLE_LEFT_AT, FIELD_TEXT },
	{ "clean_campaign_title", ROLE_LEFT_OUT, FIELD_TEXT },
	{ "clean_campaign_id", ROLE_LEFT_OUT, FIELD_TEXT },
	{ NULL, ROLE_COUNT, FIELD_TEXT },
};

static const struct known_column listmonk_columns[] = {
	{ "uuid", ROLE_LEFT_OUT, FIELD_TEXT },
	{ "attributes", ROLE_OBJECT, FIELD_TEXT },
	{ "attribs", ROLE_OBJECT, FIELD_TEXT },
	{ "status", ROLE_STATUS, FIELD_TEXT },
	{ "created_at", ROLE_LEFT_OUT, FIELD_TEXT },
	{ "updated_at", ROLE_LEFT_OUT, FIELD_TEXT },
	{ NULL, ROLE_COUNT, FIELD_TEXT },
};

static const struct known_column sympa_columns[] = {
	{ "date", ROLE_OPT_IN_TIME, FIELD_TEXT },
	{ NULL, ROLE_COUNT, FIELD_TEXT },
};

static const struct known_export exports[] = {
	{ "a Mailchimp export", "mailchimp export", { "leid", "euid" }, mailchimp_columns },
	{ "a listmonk export", "listmonk export", { "uuid", "email", "status", "attributes" }, listmonk_columns },
	{ "a Sympa dump", "sympa dump", { "email", "gecos", "date" }, sympa_columns },
};

static bool has_name(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

const struct known_export *known_export_find(const char *const *names, size_t count)
{
	for (size_t i = 0; i < ARRAY_LEN(exports); i++) {
		bool all = true;
		for (size_t j = 0; j < ARRAY_LEN(exports[i].signature) && exports[i].signature[j] != NULL; j++)
			all = all && has_name(names, count, exports[i].signature[j]);
		if (all)
			return &exports[i];
	}
	return NULL;
}

const struct known_column *known_export_column(const struct known_export *known, const char *name)
{
	for (const struct known_column *column = known->columns; column->name != NULL; column++) {
		if (strcmp(column->name, name) == 0)
			return column;
	}
	return NULL;
}

/* ---- states ---- */

static const struct {
	const char *word;
	enum standing standing;
} standings[] = {
	{ "active", STANDING_ACTIVE },       { "subscribed", STANDING_ACTIVE },   { "enabled", STANDING_ACTIVE },
	{ "confirmed", STANDING_ACTIVE },    { "unsubscribed", STANDING_LEFT },   { "unsubscribe", STANDING_LEFT },
	{ "cleaned", STANDING_LEFT },        { "blocklisted", STANDING_LEFT },    { "blacklisted", STANDING_LEFT },
	{ "blocked", STANDING_LEFT },        { "disabled", STANDING_LEFT },       { "removed", STANDING_LEFT },
	{ "bounced", STANDING_LEFT },        { "complained", STANDING_LEFT },     { "opted out", STANDING_LEFT },
	{ "opt-out", STANDING_LEFT },        { "suppressed", STANDING_LEFT },     { "abgemeldet", STANDING_LEFT },
	{ "archived", STANDING_LEFT },       { "non-subscribed", STANDING_LEFT }, { "pending", STANDING_PENDING },
	{ "unconfirmed", STANDING_PENDING },
};

enum standing standing_of(struct view text)
{
	text = view_trim(text);
	if (text.len == 0)
		return STANDING_ACTIVE;
	for (size_t i = 0; i < ARRAY_LEN(standings); i++) {
		if (view_eq_nocase(view_of(standings[i].word), text))
			return standings[i].standing;
	}
	return STANDING_UNKNOWN;
}

bool standing_is_column_name(const char *name)
{
	static const char *const names[] = { "status",
					     "state",
					     "subscription_status",
					     "subscriber_status",
					     "email_status",
					     "email_marketing_status",
					     "subscription" };
	return has_name(names, ARRAY_LEN(names), name);
}
