/* By what words a message without a machine-readable part is known for what it is. The words are a table (marks.c). */
#ifndef MAIL_MARKS_H
#define MAIL_MARKS_H

enum mark {
	/* looked for in the subject */
	MARK_SUBJECT_BOUNCE,
	MARK_SUBJECT_DELAY,
	MARK_SUBJECT_AUTO_REPLY,
	MARK_SUBJECT_COMPLAINT,
	MARK_SUBJECT_RECEIPT, /* delivered, read */
	/* looked for in From, its @ a space */
	MARK_FROM_DAEMON,
	MARK_FROM_MACHINE, /* perhaps */
	/* looked for in the text */
	MARK_TEXT_BOUNCE,  /* words that only a mail system writes */
	MARK_TEXT_FAILURE, /* words that speak of a failed delivery, whoever writes them */
	MARK_TEXT_DELAY,
	MARK_TEXT_AUTO_REPLY,
	MARK_TEXT_COMPLAINT,
	MARK_COUNT
};

extern const char *const *const marks[MARK_COUNT]; /* sets of mail/phrases.h */

#endif
