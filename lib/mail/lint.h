/* What is likely to keep a campaign's message from being delivered or read, said before it is sent. The rules are a table. Pure. */
#ifndef MAIL_LINT_H
#define MAIL_LINT_H

#include <stdint.h>

#include "mail/attachment.h"

enum lint_severity { LINT_NOTE, LINT_WARNING, LINT_ERROR, LINT_SEVERITY_COUNT };
const char *lint_severity_name(enum lint_severity severity);

/* A field that stands in the letter without a default, and for how many readers it is empty. */
struct lint_gap {
	struct view field;
	int64_t empty;
};

/* Views borrowed for the call. */
struct lint_letter {
	struct view subject, text_body, html_body; /* templates; html_body empty: none */
	struct view written, written_name;         /* the file that text and HTML were made from; empty: not known */
	const struct attachment *files;            /* its images and attachments */
	size_t file_count;
	struct view from_name, list_title; /* in the header of every copy; no fields stand there */
	struct view from_domain, bounce_domain;
	struct view dkim_domain;        /* d= of its signatures; empty: it is not signed, or nobody knows */
	bool signing_known;             /* whether it is signed can be told here */
	bool has_web;                   /* web.base_url is set */
	struct view list_headers;       /* lines of mail/list_headers.h */
	size_t message_size, html_size; /* octets of the largest copy of those tried, and of its HTML; 0: not known */
	struct view largest_reader;     /* whose it is */
	int64_t readers;
	const struct lint_gap *gaps;
	size_t gap_count;
	int64_t gaps_among;     /* of how many readers, from all over the list, the gaps were counted; 0: of all */
	int64_t tried, skipped; /* of how many readers, the first ones, a copy was made, and for how many none can be */
	struct view skipped_reader, skipped_why; /* one of them */
};

struct lint_finding {
	const char *code; /* such as "image-without-alt": never changes */
	enum lint_severity severity;
	struct view text;   /* what is wrong, with numbers and examples; borrowed for the call */
	const char *remedy; /* what to do */
};
typedef void lint_found(void *context, const struct lint_finding *finding);

/* Calls found() for each finding, in the order of the table. ERR_INVALID: the HTML cannot be read; ERR_MEMORY. */
enum err lint_letter(const struct lint_letter *letter, lint_found *found, void *context) MUST_USE;

/* The rule at that place; NULL beyond the last. */
const char *lint_rule_code(size_t index);

#endif
