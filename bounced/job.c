#include "bounced/job.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/wire.h"
#include "bounced/insight_wire.h"

enum err job_new(struct record *record, struct job **ret_job)
{
	struct job *job = calloc(1, sizeof(*job));
	if (job == NULL)
		return ERR_MEMORY;
	job->record = record;
	job->head = buf_with_ceiling(FRAME_HEAD + FRAME_MOST_WORDS * (2 + LIMIT_TOKEN) + 8);
	enum err err = inquiry_write_head(&record->inquiry, 0, &job->head);
	if (err != ERR_OK) {
		job_done(job);
		return err;
	}
	*ret_job = job;
	return ERR_OK;
}

void job_done(struct job *job)
{
	buf_done(&job->head);
	free(job);
}

size_t job_octets(const struct job *job)
{
	return job->head.len + job->record->inquiry.message.len;
}

/* The number stands behind the length. */
void job_number(struct job *job, uint32_t number)
{
	AUTO_BUF octets = buf_with_ceiling(sizeof(number));
	wire_add_u32(&octets, number);
	memcpy(job->head.data + sizeof(number), octets.data, octets.len);
	job->number = number;
	job->sent = 0;
}

bool job_send(struct job *job, struct stream *stream)
{
	while (job->sent < job_octets(job)) {
		struct view message = job->record->inquiry.message;
		struct view left = job->sent < job->head.len ? view_skip(buf_view(&job->head), job->sent)
							     : view_skip(message, job->sent - job->head.len);
		size_t taken = stream_write(stream, left);
		job->sent += taken;
		if (taken < left.len)
			return false;
	}
	return true;
}

/* ---- lines ---- */

void line_init(struct line *line)
{
	*line = (struct line){ .first = NULL, .end = &line->first };
}

void line_add(struct line *line, struct job *job)
{
	job->next = NULL;
	*line->end = job;
	line->end = &job->next;
}

struct job *line_take(struct line *line)
{
	struct job *job = line->first;
	if (job == NULL)
		return NULL;
	line->first = job->next;
	if (line->first == NULL)
		line->end = &line->first;
	return job;
}

void line_join(struct line *line, struct line *behind)
{
	if (behind->first == NULL)
		return;
	*line->end = behind->first;
	line->end = behind->end;
	line_init(behind);
}

void line_drop(struct line *line)
{
	for (struct job *job; (job = line_take(line)) != NULL; job_done(job))
		record_done(job->record);
}
