/* The two languages of slots, shared by the files of this module and by nobody else. */
#ifndef MAIL_SLOT_PRIVATE_H
#define MAIL_SLOT_PRIVATE_H

#include "mail/slot.h"

/* What of a link may have come before a place: a set of these. */
enum {
	LINK_NOTHING = 1, /* not an octet */
	LINK_HEAD = 2,    /* no : / ? or #, so that a scheme may still follow */
	LINK_REST = 4,
	LINK_ADDRESS = 8, /* mailto: */
	LINK_WHOLE = 16,  /* all of it: nothing may follow */
};

#define NOT_ALONE "{{unsubscribe}} is a whole link and would not work here; write {{unsubscribe}} alone as the link"

/* slot_html.c */
/* Reads one character, or one character reference, and returns its octets. */
size_t slot_html_read(struct slot_place *place, struct view text, const char **ret_why);
bool slot_html_takes_html(const struct slot_place *place);
bool slot_html_field(struct slot_place *place, enum slot_value value, enum slot_escape *ret_escape,
		     const char **ret_why);
bool slot_html_section(struct slot_place *place, const char **ret_why);
bool slot_html_join(const struct slot_place *one, const struct slot_place *other, struct slot_place *ret_place);

/* slot_link.c: the value of an attribute that is a link. */
void slot_link_begin(struct slot_place *place);
void slot_link_read(struct slot_place *place, char c, const char **ret_why);
bool slot_link_field(struct slot_place *place, enum slot_value value, enum slot_escape *ret_escape,
		     const char **ret_why);

/* A name that is being read. */
void slot_name_begin(struct slot_place *place);
void slot_name_add(struct slot_place *place, char c);
bool slot_name_is(const struct slot_place *place, const char *name);

#endif
