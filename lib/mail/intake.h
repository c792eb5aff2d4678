/* One message that came back, read: RFC 3464 delivery reports, RFC 5965 feedback reports, automatic replies, and the free text of
 * MTAs that know no format. Hostile input: bounded by base/limits.h, never recursive without a counter; all text given out is
 * UTF-8 without control characters (newlines excepted in text).
 *
 * Nothing in the message is trusted to say whom it is about: that is for the token in the envelope. */
#ifndef MAIL_INTAKE_H
#define MAIL_INTAKE_H

#include "mail/classify.h"

struct intake; /* a reader, used by one thread at a time, for any number of messages */
struct report; /* owns what it read */

/* The classifier is borrowed for the reader's life. Initialises GMime, which counts its users without locking: call new and done
 * before the first thread starts and after the last has ended. ERR_MEMORY. */
enum err intake_new(const struct classifier *classifier, struct intake **ret_intake) MUST_USE;
void intake_done(struct intake *intake); /* accepts NULL */

/* Reads raw (any line ends). ERR_OK whatever the content: what cannot be read is KIND_UNKNOWN or KIND_NOT_BOUNCE. ERR_MEMORY otherwise.
 * The caller releases *ret_report. raw may go away afterwards. */
enum err intake_read(struct intake *intake, struct view raw, struct report **ret_report) MUST_USE;
void report_done(struct report *report); /* accepts NULL */

/* The message's overall finding: that of its failed recipient (VERP: there is one). */
const struct finding *report_finding(const struct report *report);
/* What was read to reach it; empty when absent. Borrowed from the report. */
struct view report_diagnostic(const struct report *report);
struct view report_reporting_mta(const struct report *report);

/* Recipients the report names as failed or delayed (Final-Recipient, else Original-Recipient, else from text). */
size_t report_recipient_count(const struct report *report);
struct view report_recipient(const struct report *report, size_t index);

/* Candidate tokens inside: Original-Envelope-Id, the local part of the returned Message-ID, and return paths seen in the returned
 * headers. Strings only; the caller checks them. */
size_t report_token_count(const struct report *report);
struct view report_token(const struct report *report, size_t index);

/* SHA-256 of the message without trace fields (Received, Return-Path, Delivered-To, X-*): the same report sent again hashes alike. */
enum err intake_hash(struct view raw, unsigned char ret_hash[32]) MUST_USE;

#endif
