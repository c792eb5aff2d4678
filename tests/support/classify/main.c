/* classify FILE...: reads each message and prints one JSON line about it; with -n COUNT reads them all COUNT times and prints the rate on
 * one processor, counting its own time only, on stderr. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/limits.h"
#include "mail/intake.h"
#include "mail/report_json.h"

static bool classify_file(struct intake *intake, const char *path, unsigned long times, size_t *octets)
{
	AUTO_BUF raw = buf_with_ceiling(16 << 20);
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF line = buf_with_ceiling(LIMIT_REPORT);
	if (file_read(path, &raw, &why) != ERR_OK) {
		fprintf(stderr, "classify: " VIEW_FMT "\n", VIEW_ARG(buf_view(&why)));
		return false;
	}
	for (unsigned long i = 0; i < times; i++) {
		struct report *report;
		if (intake_read(intake, buf_view(&raw), &report) != ERR_OK)
			return false;
		*octets += raw.len;
		if (i == 0) {
			if (report_json(report, view_of(path), &line) == ERR_OK)
				fwrite(line.data, 1, line.len, stdout);
		}
		report_done(report);
	}
	return true;
}

static double seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	struct classifier *classifier;
	struct intake *intake;
	unsigned long times = 1;
	int first = 1;
	if (argc > 3 && strcmp(argv[1], "-n") == 0) {
		times = strtoul(argv[2], NULL, 10);
		first = 3;
	}
	if (classifier_new(&classifier) != ERR_OK || intake_new(classifier, &intake) != ERR_OK)
		return 1;
	bool is_good = true;
	size_t octets = 0;
	double start = seconds();
	for (int i = first; i < argc; i++)
		is_good = classify_file(intake, argv[i], times, &octets) && is_good;
	double taken = seconds() - start;
	if (times > 1)
		fprintf(stderr, "%.0f messages/s, %.1f MB/s\n", (double)times * (argc - first) / taken,
			(double)octets / taken / 1e6);
	intake_done(intake);
	classifier_done(classifier);
	return is_good ? 0 : 1;
}
