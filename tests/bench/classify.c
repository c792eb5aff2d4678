/* bench_classify: reads returned messages as bounced does, hash and all, over and over, on one core.
 *
 *     bench_classify SECONDS FILE...
 *
 * Prints {"messages":N,"seconds":S,"rate":R,"octets":MEAN}; seconds of processor time, so that others on the machine do not matter. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/file.h"
#include "base/limits.h"
#include "mail/intake.h"

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fail(const char *what)
{
	fprintf(stderr, "bench_classify: %s\n", what);
	exit(EXIT_FAILURE);
}

static void read_one(struct intake *intake, struct view message)
{
	unsigned char hash[32];
	struct report *report;
	if (intake_read(intake, message, &report) != ERR_OK || intake_hash(message, hash) != ERR_OK)
		fail("no memory");
	report_done(report);
}

int main(int argc, char **argv)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct classifier *classifier;
	struct intake *intake;
	if (argc < 3)
		fail("usage: bench_classify SECONDS FILE...");
	size_t count = (size_t)argc - 2, octets = 0;
	struct buf *messages = calloc(count, sizeof(*messages));
	if (messages == NULL || classifier_new(&classifier) != ERR_OK || intake_new(classifier, &intake) != ERR_OK)
		fail("no memory");
	for (size_t i = 0; i < count; i++) {
		messages[i] = buf_with_ceiling(LIMIT_MESSAGE);
		if (file_read(argv[i + 2], &messages[i], &why) != ERR_OK)
			fail(buf_text(&why));
		octets += messages[i].len;
	}
	long done = 0;
	double begun = now(), until = begun + atof(argv[1]);
	while (now() < until) {
		for (size_t i = 0; i < count; i++)
			read_one(intake, buf_view(&messages[i]));
		done += (long)count;
	}
	double seconds = now() - begun;
	printf("{\"messages\":%ld,\"seconds\":%.3f,\"rate\":%.1f,\"octets\":%zu}\n", done, seconds,
	       (double)done / seconds, octets / count);
	for (size_t i = 0; i < count; i++)
		buf_done(&messages[i]);
	free(messages);
	intake_done(intake);
	classifier_done(classifier);
	return EXIT_SUCCESS;
}
