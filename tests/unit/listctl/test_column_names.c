#include "listctl/column_names.h"

#include <string.h>

#include "listctl/known_exports.h"
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
	const char *word;
	enum standing standing;
} words[] = {
	{ "", STANDING_ACTIVE },           { " Subscribed ", STANDING_ACTIVE }, { "enabled", STANDING_ACTIVE },
	{ "UNSUBSCRIBED", STANDING_LEFT }, { "cleaned", STANDING_LEFT },        { "blocklisted", STANDING_LEFT },
	{ "pending", STANDING_PENDING },   { "golden", STANDING_UNKNOWN },
};

START_TEST(states_of_others)
	{
		for (size_t i = 0; i < ARRAY_LEN(words); i++)
			ck_row(words[i].word, standing_of("status", view_of(words[i].word)) == words[i].standing);
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
