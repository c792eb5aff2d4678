/* A message on its way to a parser and back, and lines of such: those that wait for a parser, and those that one has been given. */
#ifndef BOUNCED_JOB_H
#define BOUNCED_JOB_H

#include "bounced/record.h"
#include "net/stream.h"

struct job {
	struct job *next;
	struct record *record;
	struct buf head; /* of its frame */
	size_t sent;     /* octets of the frame */
	uint32_t number;
	bool again; /* a parser has died of it before, or while it had it */
	uint64_t
	    after; /* births: only one that was born later may have it, since what kills one parser may kill all there are */
};

struct line {
	struct job *first, **end;
};

/* The record stays the caller's. ERR_MEMORY. */
enum err job_new(struct record *record, struct job **ret_job) MUST_USE;
void job_done(struct job *job);

/* Of its frame, head and message. */
size_t job_octets(const struct job *job);
/* By which its answer is known. It is sent from its beginning. */
void job_number(struct job *job, uint32_t number);
/* What is left of its frame. False: the stream takes no more now. */
bool job_send(struct job *job, struct stream *stream);

void line_init(struct line *line);
void line_add(struct line *line, struct job *job);
struct job *line_take(struct line *line); /* NULL: nobody is there */
/* All of `behind` behind all of `line`; behind is empty then. */
void line_join(struct line *line, struct line *behind);
/* Releases all, with their records. */
void line_drop(struct line *line);

#endif
