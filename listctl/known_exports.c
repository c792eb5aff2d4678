#include "listctl/known_exports.h"

#include <string.h>

/* Audience exports: one file for those subscribed, others for who has unsubscribed and who was cleaned, each with columns of its own. What Mailchimp
 * keeps for itself (how, when and from where somebody came, where it takes him to be, its ids) is left out. It writes such names in capitals, so that
 * an audience's own field Region is another one than its REGION. */
static const struct known_column mailchimp_columns[] = {
	{ .name = "member_rating", .role = ROLE_ATTRIBUTE, .type = FIELD_NUMBER },
	{ .name = "optin_time", .role = ROLE_OPT_IN_TIME },
	{ .name = "optin_ip", .role = ROLE_LEFT_OUT },
	{ .name = "confirm_time", .role = ROLE_CONSENT_TIME },
	{ .name = "confirm_ip", .role = ROLE_LEFT_OUT },
	{ .name = "latitude", .role = ROLE_LEFT_OUT, .in_capitals = true },
	{ .name = "longitude", .role = ROLE_LEFT_OUT, .in_capitals = true },
	{ .name = "gmtoff", .role = ROLE_LEFT_OUT },
	{ .name = "dstoff", .role = ROLE_LEFT_OUT },
	{ .name = "timezone", .role = ROLE_LEFT_OUT, .in_capitals = true },
	{ .name = "cc", .role = ROLE_LEFT_OUT, .in_capitals = true },
	{ .name = "region", .role = ROLE_LEFT_OUT, .in_capitals = true },
	{ .name = "email_type", .role = ROLE_LEFT_OUT, .in_capitals = true },
	{ .name = "last_changed", .role = ROLE_LEFT_OUT },
	{ .name = "leid", .role = ROLE_LEFT_OUT },
	{ .name = "euid", .role = ROLE_LEFT_OUT },
	{ .name = "tags", .role = ROLE_ATTRIBUTE, .type = FIELD_TAGS },
	{ .name = "unsub_time", .role = ROLE_LEFT_AT },
	{ .name = "unsub_campaign_title", .role = ROLE_LEFT_OUT },
	{ .name = "unsub_campaign_id", .role = ROLE_LEFT_OUT },
	{ .name = "unsub_reason", .role = ROLE_LEFT_OUT },
	{ .name = "unsub_reason_other", .role = ROLE_LEFT_OUT },
	{ .name = "clean_time", .role = ROLE_LEFT_AT },
	{ .name = "clean_campaign_title", .role = ROLE_LEFT_OUT },
	{ .name = "clean_campaign_id", .role = ROLE_LEFT_OUT },
	{ .name = NULL },
};

static const struct known_column listmonk_columns[] = {
	{ .name = "uuid", .role = ROLE_LEFT_OUT },
	{ .name = "attributes", .role = ROLE_OBJECT },
	{ .name = "attribs", .role = ROLE_OBJECT },
	{ .name = "status", .role = ROLE_STATUS },
	{ .name = "created_at", .role = ROLE_LEFT_OUT },
	{ .name = "updated_at", .role = ROLE_LEFT_OUT },
	{ .name = NULL },
};

/* Those who bounce there are members who get mail, and are taken; so are those who get it as digests or summaries. */
static const struct known_column sympa_columns[] = {
	{ .name = "date", .role = ROLE_OPT_IN_TIME },        { .name = "reception", .role = ROLE_RECEPTION },
	{ .name = "suspend", .role = ROLE_SUSPENDED },       { .name = "startdate", .role = ROLE_SUSPENDED_FROM },
	{ .name = "enddate", .role = ROLE_SUSPENDED_UNTIL }, { .name = NULL },
};

static const struct known_file mailchimp_files[] = {
	{ "unsubscribed_", STANDING_LEFT },
	{ "cleaned_", STANDING_LEFT },
	{ "nonsubscribed_", STANDING_NEVER },
	{ NULL, STANDING_UNKNOWN },
};

static const struct known_export exports[] = {
	{ "a Mailchimp export", "mailchimp export", { "leid", "euid" }, mailchimp_columns, mailchimp_files, true },
	{ "a Mailchimp export",
	  "mailchimp export",
	  { "member_rating", "optin_time" },
	  mailchimp_columns,
	  mailchimp_files,
	  true },
	{ "a listmonk export",
	  "listmonk export",
	  { "uuid", "email", "status", "attributes" },
	  listmonk_columns,
	  NULL,
	  false },
	{ "a Sympa dump", "sympa dump", { "email", "gecos", "date" }, sympa_columns, NULL, false },
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

enum standing known_export_standing(const struct known_export *known, const char *path)
{
	struct view name = view_of(path);
	size_t slash = view_find_last_byte(name, '/');
	if (slash != VIEW_NONE)
		name = view_skip(name, slash + 1);
	const struct known_file *file = known->files;
	for (; file != NULL && file->start != NULL; file++) {
		if (view_starts(name, view_of(file->start)))
			return file->standing;
	}
	return STANDING_UNKNOWN;
}

static bool has_small_letter(struct view text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] >= 'a' && text.data[i] <= 'z')
			return true;
	}
	return false;
}

const struct known_column *known_export_column(const struct known_export *known, struct view header, const char *name)
{
	for (const struct known_column *column = known->columns; column->name != NULL; column++) {
		if (strcmp(column->name, name) == 0)
			return column->in_capitals && has_small_letter(header) ? NULL : column;
	}
	return NULL;
}
