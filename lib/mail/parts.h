/* A message taken apart: the header fields and the parts that tell what came back, decoded to UTF-8. The door to GMime. */
#ifndef MAIL_PARTS_H
#define MAIL_PARTS_H

#include "base/buf.h"
#include "base/limits.h"

enum head_field {
	HEAD_FROM,
	HEAD_TO,
	HEAD_SUBJECT,
	HEAD_RETURN_PATH,
	HEAD_AUTO_SUBMITTED,
	HEAD_PRECEDENCE,
	HEAD_LIST_ID,
	HEAD_LIST_UNSUBSCRIBE,
	HEAD_REFERENCES,
	HEAD_IN_REPLY_TO,
	HEAD_X_AUTOREPLY,
	HEAD_X_AUTORESPOND,
	HEAD_X_AUTO_RESPONSE_SUPPRESS,
	HEAD_X_FAILED_RECIPIENTS,
	HEAD_FIELD_COUNT
};

enum part_role {
	PART_TEXT,        /* text/plain, or text/html without its tags */
	PART_STATUS,      /* message/delivery-status, message/global-delivery-status */
	PART_FEEDBACK,    /* message/feedback-report */
	PART_DISPOSITION, /* message/disposition-notification, message/global-disposition-notification */
	PART_RETURNED,    /* header and, if it came, body of the message that was returned */
	PART_ROLE_COUNT
};

struct part {
	enum part_role role;
	bool was_html;
	size_t at, len; /* in the text */
};

struct parts {
	struct buf text;
	struct part parts[LIMIT_INTAKE_PARTS];
	size_t count;
	size_t seen;    /* parts met, those of no use included */
	bool is_report; /* multipart/report */
	bool is_status; /* of report-type delivery-status */
	struct {
		size_t at, len;
	} head[HEAD_FIELD_COUNT];
};

/* GMime counts its users without locking: before the first thread, after the last. */
void parts_library_open(void);
void parts_library_close(void);

/* *parts is zeroed at first; it may be used again and again and ends with parts_done(). Beyond the limits of base/limits.h the rest
 * is passed over. ERR_INVALID when there is no header or it is larger than LIMIT_INTAKE_HEAD; ERR_MEMORY. */
enum err parts_read(struct parts *parts, struct view raw) MUST_USE;
void parts_done(struct parts *parts);

struct view parts_head(const struct parts *parts, enum head_field field);
struct view parts_text(const struct parts *parts, const struct part *part);
/* The first part of the role, or NULL. */
const struct part *parts_find(const struct parts *parts, enum part_role role);

#endif
