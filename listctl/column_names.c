#include "listctl/column_names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <uninorm.h>

/* English, German, French, Spanish, Indonesian, Dutch, Italian, Portuguese; as they are normalised. */
static const struct {
	const char *name;
	enum role role;
} known[] = {
	{ "email", ROLE_ADDRESS },
	{ "e_mail", ROLE_ADDRESS },
	{ "email_address", ROLE_ADDRESS },
	{ "e_mail_address", ROLE_ADDRESS },
	{ "emailaddress", ROLE_ADDRESS },
	{ "mail_address", ROLE_ADDRESS },
	{ "subscriber_email", ROLE_ADDRESS },
	{ "contact_email", ROLE_ADDRESS },
	{ "primary_email", ROLE_ADDRESS },
	{ "e_mail_1_value", ROLE_ADDRESS }, /* Google's contacts */
	{ "e_mail_adresse", ROLE_ADDRESS },
	{ "emailadresse", ROLE_ADDRESS },
	{ "email_adresse", ROLE_ADDRESS },
	{ "mailadresse", ROLE_ADDRESS },
	{ "adresse_e_mail", ROLE_ADDRESS },
	{ "adresse_email", ROLE_ADDRESS },
	{ "adresse_mail", ROLE_ADDRESS },
	{ "adresse_electronique", ROLE_ADDRESS },
	{ "courriel", ROLE_ADDRESS },
	{ "correo", ROLE_ADDRESS },
	{ "correo_electronico", ROLE_ADDRESS },
	{ "direccion_de_correo", ROLE_ADDRESS },
	{ "direccion_de_correo_electronico", ROLE_ADDRESS },
	{ "alamat_email", ROLE_ADDRESS },
	{ "alamat_surel", ROLE_ADDRESS },
	{ "surel", ROLE_ADDRESS },
	{ "pos_el", ROLE_ADDRESS },
	{ "e_mailadres", ROLE_ADDRESS },
	{ "emailadres", ROLE_ADDRESS },
	{ "indirizzo_email", ROLE_ADDRESS },
	{ "indirizzo_e_mail", ROLE_ADDRESS },
	{ "endereco_de_email", ROLE_ADDRESS },
	{ "address", ROLE_MAYBE_ADDRESS },
	{ "mail", ROLE_MAYBE_ADDRESS },
	{ "recipient", ROLE_MAYBE_ADDRESS },
	{ "adresse", ROLE_MAYBE_ADDRESS },
	{ "alamat", ROLE_MAYBE_ADDRESS },
	{ "direccion", ROLE_MAYBE_ADDRESS },
	{ "name", ROLE_NAME },
	{ "full_name", ROLE_NAME },
	{ "fullname", ROLE_NAME },
	{ "display_name", ROLE_NAME },
	{ "subscriber_name", ROLE_NAME },
	{ "real_name", ROLE_NAME },
	{ "gecos", ROLE_NAME },
	{ "vollstandiger_name", ROLE_NAME },
	{ "anzeigename", ROLE_NAME },
	{ "nom_complet", ROLE_NAME },
	{ "nombre_completo", ROLE_NAME },
	{ "nama", ROLE_NAME },
	{ "nama_lengkap", ROLE_NAME },
	{ "naam", ROLE_NAME },
	{ "nome_completo", ROLE_NAME },
	{ "first_name", ROLE_FIRST_NAME },
	{ "firstname", ROLE_FIRST_NAME },
	{ "fname", ROLE_FIRST_NAME },
	{ "given_name", ROLE_FIRST_NAME },
	{ "forename", ROLE_FIRST_NAME },
	{ "vorname", ROLE_FIRST_NAME },
	{ "prenom", ROLE_FIRST_NAME },
	{ "nombre", ROLE_FIRST_NAME },
	{ "nama_depan", ROLE_FIRST_NAME },
	{ "voornaam", ROLE_FIRST_NAME },
	{ "nome", ROLE_FIRST_NAME },
	{ "last_name", ROLE_LAST_NAME },
	{ "lastname", ROLE_LAST_NAME },
	{ "lname", ROLE_LAST_NAME },
	{ "surname", ROLE_LAST_NAME },
	{ "family_name", ROLE_LAST_NAME },
	{ "nachname", ROLE_LAST_NAME },
	{ "familienname", ROLE_LAST_NAME },
	{ "nom", ROLE_LAST_NAME },
	{ "nom_de_famille", ROLE_LAST_NAME },
	{ "apellido", ROLE_LAST_NAME },
	{ "apellidos", ROLE_LAST_NAME },
	{ "nama_belakang", ROLE_LAST_NAME },
	{ "nama_keluarga", ROLE_LAST_NAME },
	{ "achternaam", ROLE_LAST_NAME },
	{ "cognome", ROLE_LAST_NAME },
	{ "sobrenome", ROLE_LAST_NAME },
	{ "_state", ROLE_STATUS },
	{ "_attributes", ROLE_OBJECT },
	{ "_consent_source", ROLE_CONSENT_SOURCE },
	{ "_consent_time", ROLE_CONSENT_TIME },
	{ "consent_source", ROLE_CONSENT_SOURCE },
	{ "consent_time", ROLE_CONSENT_TIME },
};

/* What --map says. The names of persons become attributes of these names whatever the column is called. */
static const struct {
	const char *word;
	enum role role;
} words[] = {
	{ "email", ROLE_ADDRESS },
	{ "name", ROLE_NAME },
	{ "first_name", ROLE_FIRST_NAME },
	{ "last_name", ROLE_LAST_NAME },
	{ "status", ROLE_STATUS },
	{ "consent_source", ROLE_CONSENT_SOURCE },
	{ "consent_time", ROLE_CONSENT_TIME },
	{ "-", ROLE_LEFT_OUT },
};

static const char *const taken[] = { "email", "name", "list", "campaign", "unsubscribe" };

/* U+0300 to U+036F: accents that stand behind their letter. */
static bool is_accent(struct view text)
{
	unsigned char first = (unsigned char)text.data[0];
	return text.len > 1 && (first == 0xcc || (first == 0xcd && (unsigned char)text.data[1] < 0xb0));
}

static void add_letters(struct view header, char name[COLUMN_NAME_SIZE])
{
	size_t len = 0;
	bool gap = false;
	if (view_starts(header, VIEW_LIT("_")))
		name[len++] = '_';
	for (; header.len > 0 && len < COLUMN_NAME_SIZE - 2; header = view_skip(header, 1)) {
		char byte = header.data[0];
		if (is_accent(header)) {
			header = view_skip(header, 1);
			continue;
		}
		if (byte >= 'A' && byte <= 'Z')
			byte = (char)(byte - 'A' + 'a');
		bool letter = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
		if (letter && gap && len > 0 && name[len - 1] != '_')
			name[len++] = '_';
		gap = !letter;
		if (letter)
			name[len++] = byte;
	}
	name[len] = '\0';
}

/* Letters with accents lose them: a name in French stays one. */
void column_name_normalise(struct view header, char name[COLUMN_NAME_SIZE])
{
	header = view_trim(header);
	size_t len = 0;
	uint8_t *apart = view_is_ascii(header) || !view_is_utf8(header)
			     ? NULL
			     : u8_normalize(UNINORM_NFD, (const uint8_t *)header.data, header.len, NULL, &len);
	add_letters(apart == NULL ? header : view_from(apart, len), name);
	free(apart);
}

const char *column_name_known(size_t index)
{
	return index < ARRAY_LEN(known) ? known[index].name : NULL;
}

enum role column_name_role(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (strcmp(known[i].name, name) == 0)
			return known[i].role;
	}
	if (name[0] == '\0')
		return ROLE_UNNAMED;
	return name[0] == '_' ? ROLE_LEFT_OUT : ROLE_ATTRIBUTE;
}

bool column_name_is_address(struct view header)
{
	char name[COLUMN_NAME_SIZE];
	column_name_normalise(header, name);
	enum role role = column_name_role(name);
	return role == ROLE_ADDRESS || role == ROLE_MAYBE_ADDRESS;
}

bool column_name_to_role(const char *word, enum role *ret_role)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(words[i].word, word) == 0) {
			*ret_role = words[i].role;
			return true;
		}
	}
	return false;
}

bool column_name_is_taken(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
		if (strcmp(taken[i], name) == 0)
			return true;
	}
	return false;
}
