/* A probe as it goes out (store/probe_letters.h): the words of its list or the built-in ones, signed and with the list's fields as a campaign's copies are, its link
 * to unsubscribe its reader's own, its return path of campaign 0 and its id. */
#ifndef SENDER_PROBE_MAIL_H
#define SENDER_PROBE_MAIL_H

#include "sender/letter.h"
#include "sender/setup.h"
#include "store/probe_letters.h"

struct probe_mail;

/* Compiles. `why` says what keeps it from being sent: words that do not compile, missing keys where they are required. */
enum err probe_mail_new(const struct setup *setup, const struct probe_letter *of, struct probe_mail **ret_mail,
			struct buf *why) MUST_USE;
void probe_mail_done(struct probe_mail *mail); /* accepts NULL */

struct view probe_mail_address(const struct probe_mail *mail);
/* Writes the letter anew; each time the same. ERR as letter_write(). */
enum err probe_mail_write(const struct probe_mail *mail, const struct letterhead *letterhead, struct letter *letter,
			  struct buf *why) MUST_USE;

#endif
