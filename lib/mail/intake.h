/* One message that came back, read: RFC 3464 delivery reports, RFC 5965 feedback reports, automatic replies, and the free text of
 * MTAs that know no format. Hostile input: bounded by base/limits.h, never recursive without a counter.
 *
 * Nothing in the message is trusted to say whom it is about: that is for the token in the envelope. */
#ifndef MAIL_INTAKE_H
#define MAIL_INTAKE_H

#include "mail/report.h"

struct intake; /* a reader, used by one thread at a time, for any number of messages */

/* The classifier is borrowed for the reader's life. Initialises GMime, which counts its users without locking: call it before
 * the first thread starts. ERR_MEMORY. */
enum err intake_new(const struct classifier *classifier, struct intake **ret_intake) MUST_USE;
void intake_done(struct intake *intake); /* accepts NULL */

/* Reads raw (any line ends). ERR_OK whatever the content: what cannot be read is KIND_UNKNOWN or KIND_NOT_BOUNCE. ERR_MEMORY otherwise.
 * The caller releases *ret_report with report_done(). raw may go away afterwards. */
enum err intake_read(struct intake *intake, struct view raw, struct report **ret_report) MUST_USE;

/* What the last reading went by, for people. Valid until the next one. */
struct intake_ground {
	const char *place; /* "diagnostic", "paragraph", "notice", "subject" or "structure" */
	struct view line;  /* in which the deciding rule's words stand; empty where the structure decided */
};
struct intake_ground intake_ground(const struct intake *intake, const struct finding *finding);

/* SHA-256 of the message without trace fields (Received, Return-Path, Delivered-To, X-*): the same report sent again hashes alike. */
enum err intake_hash(struct view raw, unsigned char ret_hash[32]) MUST_USE;

#endif
