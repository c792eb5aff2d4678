/* What the columns of subscriber files are called, in several languages, and what that means. Pure. */
#ifndef LISTCTL_COLUMN_NAMES_H
#define LISTCTL_COLUMN_NAMES_H

#include "base/buf.h"

enum { COLUMN_NAME_SIZE = 64 };

enum role {
	ROLE_ATTRIBUTE,
	ROLE_ADDRESS,
	ROLE_MAYBE_ADDRESS, /* an address column when there is no better one, else an attribute */
	ROLE_NAME,
	ROLE_FIRST_NAME, /* also kept as attributes: letters begin with them */
	ROLE_LAST_NAME,
	ROLE_STATUS,    /* only who is subscribed is taken */
	ROLE_LEFT_AT,   /* who has a value here has left */
	ROLE_RECEPTION, /* how he gets mail; only whether he gets any is looked at */
	ROLE_SUSPENDED, /* he gets none, perhaps only from and until these times */
	ROLE_SUSPENDED_FROM,
	ROLE_SUSPENDED_UNTIL,
	ROLE_CONSENT_SOURCE, /* how and when the person agreed */
	ROLE_CONSENT_TIME,
	ROLE_OPT_IN_TIME, /* counts where there is no other time of consent */
	ROLE_OBJECT,      /* JSON whose members are attributes */
	ROLE_LEFT_OUT,
	ROLE_UNNAMED,
	ROLE_COUNT
};

/* "E-Mail Address" becomes e_mail_address and "Prénom" prenom: what stands in merge fields. A leading _ is kept: it marks the columns that listctl itself
 * writes. */
void column_name_normalise(struct view header, char name[COLUMN_NAME_SIZE]);
/* By a normalised name. */
enum role column_name_role(const char *name);
/* By the name as it stands in the header. */
bool column_name_is_address(struct view header);
/* A role by the word that a person says for it (email, first_name, -); false: the word is an attribute's name. */
bool column_name_to_role(const char *word, enum role *ret_role);
/* The names that mean more than an attribute, one an index from 0; NULL after the last. */
const char *column_name_known(size_t index);
/* Words that templates know by themselves: no attribute may be called so. */
bool column_name_is_taken(const char *name);

#endif
