#include "listctl/column_names.h"

#include <string.h>

#include "listctl/known_exports.h"
#include "listctl/standing.h"
#include "tests/support/unit.h"

static const struct {
	const char *header, *name;
} names[] = {
	{ "E-Mail Address", "e_mail_address" },
	{ "  ZIP  Code ", "zip_code" },
	{ "_state", "_state" },
	{ "__x", "_x" },
	{ "Pr\xc3\xa9nom", "prenom" },
	{ "Pre\xcc\x81nom", "prenom" },
	{ "Stra\xc3\x9f"
	  "e",
	  "stra_e" },
	{ "A\xc3\xb1o de nacimiento", "ano_de_nacimiento" },
	{ "\xe5\x9f\x8e", "" },
	{ "\xff\xfe", "" },
	{ "", "" },
	{ "a.b/c", "a_b_c" },
	{ "trailing!", "trailing" },
	{ "123", "123" },
};

START_TEST(names_are_normalised)
	{
		for (size_t i = 0; i < ARRAY_LEN(names); i++) {
			char name[COLUMN_NAME_SIZE], again[COLUMN_NAME_SIZE];
			column_name_normalise(view_of(names[i].header), name);
			ck_assert_msg(strcmp(name, names[i].name) == 0, "%s: %s", names[i].header, name);
			column_name_normalise(view_of(name), again);
			ck_assert_str_eq(name, again);
		}
		char long_name[300], name[COLUMN_NAME_SIZE];
		memset(long_name, 'x', sizeof(long_name));
		column_name_normalise(view_from(long_name, sizeof(long_name)), name);
		ck_assert_uint_eq(strlen(name), COLUMN_NAME_SIZE - 2);
	}
END_TEST

static const struct {
	const char *header;
	enum role role;
} roles[] = {
	{ "E-mail Address", ROLE_ADDRESS },
	{ "EMAIL", ROLE_ADDRESS },
	{ "E-Mail-Adresse", ROLE_ADDRESS },
	{ "Adresse \xc3\xa9lectronique", ROLE_ADDRESS },
	{ "Courriel", ROLE_ADDRESS },
	{ "Correo electr\xc3\xb3nico", ROLE_ADDRESS },
	{ "Alamat Surel", ROLE_ADDRESS },
	{ "E-mail 1 - Value", ROLE_ADDRESS },
	{ "Address", ROLE_MAYBE_ADDRESS },
	{ "Vollst\xc3\xa4ndiger Name", ROLE_NAME },
	{ "Nama Lengkap", ROLE_NAME },
	{ "Vorname", ROLE_FIRST_NAME },
	{ "Pr\xc3\xa9nom", ROLE_FIRST_NAME },
	{ "Nombre", ROLE_FIRST_NAME },
	{ "Nama Depan", ROLE_FIRST_NAME },
	{ "FNAME", ROLE_FIRST_NAME },
	{ "Nachname", ROLE_LAST_NAME },
	{ "Nom de famille", ROLE_LAST_NAME },
	{ "Apellidos", ROLE_LAST_NAME },
	{ "Nama Belakang", ROLE_LAST_NAME },
	{ "_state", ROLE_STATUS },
	{ "_consent_time", ROLE_CONSENT_TIME },
	{ "_reason", ROLE_LEFT_OUT },
	{ "\xe5\x9f\x8e", ROLE_UNNAMED },
	{ "City", ROLE_ATTRIBUTE },
};

START_TEST(roles_follow_from_names)
	{
		for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
			char name[COLUMN_NAME_SIZE];
			column_name_normalise(view_of(roles[i].header), name);
			ck_assert_msg(column_name_role(name) == roles[i].role, "%s: %d", roles[i].header,
				      (int)column_name_role(name));
		}
	}
END_TEST

static const struct {
	const char *column, *word;
	enum standing standing;
} words[] = {
	{ "status", "", STANDING_ACTIVE },
	{ "status", " Subscribed ", STANDING_ACTIVE },
	{ "status", "enabled", STANDING_ACTIVE },
	{ "status", "UNSUBSCRIBED", STANDING_LEFT },
	{ "status", "cleaned", STANDING_LEFT },
	{ "status", "blocklisted", STANDING_LEFT },
	{ "status", "Opted-Out", STANDING_LEFT },
	{ "status", "opted_out", STANDING_LEFT },
	{ "status", "Opt Out", STANDING_LEFT },
	{ "status", "hard bounce", STANDING_LEFT },
	{ "status", "Soft-Bounced", STANDING_LEFT },
	{ "status", "spam complaint", STANDING_LEFT },
	{ "status", "inactive", STANDING_LEFT },
	{ "status", "in-active", STANDING_LEFT },
	{ "status", "unsub", STANDING_LEFT },
	{ "status", "unsubscribed (2024)", STANDING_LEFT },
	{ "status", "d\xc3\xa9sabonn\xc3\xa9", STANDING_LEFT },
	{ "status", "invalid", STANDING_LEFT },
	{ "status", "Not subscribed", STANDING_LEFT },
	{ "status", "gel\xc3\xb6scht", STANDING_LEFT },
	{ "status", "pending", STANDING_PENDING },
	{ "status", "Unconfirmed", STANDING_PENDING },
	{ "status", "awaiting confirmation", STANDING_PENDING },
	{ "status", "golden", STANDING_UNKNOWN },
	{ "status", "1", STANDING_UNKNOWN },
	{ "unsubscribed", "yes", STANDING_LEFT },
	{ "unsubscribed", "1", STANDING_LEFT },
	{ "unsubscribed", "2024-05-01", STANDING_LEFT },
	{ "unsubscribed", "\xd0\xb4\xd0\xb0", STANDING_LEFT },
	{ "unsubscribed", "0", STANDING_ACTIVE },
	{ "unsubscribed", "No", STANDING_ACTIVE },
	{ "unsubscribed", "", STANDING_ACTIVE },
	{ "opted_out", "TRUE", STANDING_LEFT },
	{ "opted_out", "FALSE", STANDING_ACTIVE },
	{ "do_not_email", "TRUE", STANDING_LEFT },
	{ "unsubscribed_at", "2024-05-01 10:00", STANDING_LEFT },
	{ "unsubscribed_at", "0000-00-00 00:00:00", STANDING_ACTIVE },
	{ "unsubscribed_at", "NULL", STANDING_ACTIVE },
	{ "unsubscribed_at", "N/A", STANDING_ACTIVE },
	{ "subscribed", "no", STANDING_LEFT },
	{ "subscribed", "yes", STANDING_ACTIVE },
	{ "subscribed", "2024-05-01T10:00:00Z", STANDING_ACTIVE },
	{ "subscribed", "unsubscribed", STANDING_LEFT },
	{ "subscribed", "", STANDING_UNKNOWN },
	{ "subscribed", "weekly", STANDING_UNKNOWN },
	{ "opt_in", "no", STANDING_LEFT },
	{ "optin", "0", STANDING_LEFT },
	{ "active", "no", STANDING_LEFT },
	{ "active", "false", STANDING_LEFT },
	{ "active", "1", STANDING_ACTIVE },
	{ "confirmed", "no", STANDING_PENDING },
	{ "no_mail", "on", STANDING_NO_MAIL },
	{ "status", "no", STANDING_LEFT },
	{ "status", "Yes", STANDING_ACTIVE },
	{ "subscription_status", "false", STANDING_LEFT },
	{ "opt_in_status", "Opted in", STANDING_ACTIVE },
	{ "opt_in_status", "No", STANDING_LEFT },
	{ "opt_in_status", "Not opted in", STANDING_LEFT },
	{ "optin_status", "0", STANDING_LEFT },
	{ "list_status", "unsubscribed", STANDING_LEFT },
	{ "list_status", "no", STANDING_LEFT },
	{ "email_subscription", "off", STANDING_LEFT },
	{ "email_subscription", "1", STANDING_ACTIVE },
	{ "unsubscribed_from_all_email", "true", STANDING_LEFT },
	{ "unsubscribed_from_all_email", "", STANDING_ACTIVE },
	{ "opted_out_of_email_marketing", "yes", STANDING_LEFT },
	{ "marketing_consent", "no", STANDING_LEFT },
	{ "marketing_consent", "granted", STANDING_ACTIVE },
	{ "marketing_consent", "withdrawn", STANDING_LEFT },
	{ "email_marketing_consent", "NEVER_SUBSCRIBED", STANDING_LEFT },
	{ "email_permission_status", "Unsubscribed", STANDING_LEFT },
	{ "receive_newsletter", "nein", STANDING_LEFT },
	{ "newsletter", "no", STANDING_LEFT },
	{ "newsletter", "weekly", STANDING_UNKNOWN },
	{ "do_not_send_emails", "1", STANDING_LEFT },
	{ "double_opt_in_status", "no", STANDING_PENDING },
	{ "opt_in_opt_out", "opted out", STANDING_LEFT },
	{ "einwilligung_newsletter", "nein", STANDING_LEFT },
	{ "nomail", "off", STANDING_ACTIVE },
};

START_TEST(states_of_others)
	{
		for (size_t i = 0; i < ARRAY_LEN(words); i++)
			ck_assert_msg(standing_of(state_column_of(words[i].column), view_of(words[i].word)) ==
					  words[i].standing,
				      "%s: %s", words[i].column, words[i].word);
		ck_assert(state_column_of("_state") == STATE_COLUMN_NONE);
		const char *const others[] = { "city",
					       "state",
					       "member_state",
					       "email_type",
					       "unsubscribe_link",
					       "opt_in_date",
					       "consent_time",
					       "subscription_plan",
					       "permission",
					       "list",
					       "contact",
					       "opt",
					       "in",
					       "marketing",
					       "customer_status",
					       "" };
		for (size_t i = 0; i < ARRAY_LEN(others); i++)
			ck_assert_msg((state_column_of(others[i]) == STATE_COLUMN_NONE) ==
					  (strcmp(others[i], "state") != 0),
				      "%s", others[i]);
	}
END_TEST

START_TEST(exports_are_known_by_all_of_their_signature)
	{
		const char *const mailchimp[] = { "email_address", "leid", "euid" };
		const char *const half[] = { "email_address", "leid" };
		const struct known_export *known = known_export_find(mailchimp, ARRAY_LEN(mailchimp));
		ck_assert(known != NULL && known_export_find(half, ARRAY_LEN(half)) == NULL);
		for (const struct known_column *column = known->columns; column->name != NULL; column++) {
			char name[COLUMN_NAME_SIZE];
			column_name_normalise(view_of(column->name), name);
			ck_assert_str_eq(name, column->name);
			ck_assert(known_export_column(known, VIEW_LIT("X"), column->name) == column);
		}
		ck_assert(known_export_column(known, VIEW_LIT("X"), "city") == NULL);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { names_are_normalised, roles_follow_from_names, states_of_others,
				       exports_are_known_by_all_of_their_signature };
	return suite_of("column_names", tests, ARRAY_LEN(tests));
}
