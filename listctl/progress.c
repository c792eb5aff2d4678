#include "listctl/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"

enum {
	SHOW_AFTER_US = 1000000,
	SHOW_EVERY_US = 100000,
	BAR_WIDTH = 24,
	LINE_SIZE = 160,
};

struct progress progress_begin(const char *what, const char *unit, uint64_t total, bool quiet)
{
	return (struct progress){
		.what = what,
		.unit = unit,
		.total = total,
		.started_us = clock_boot_us(),
		.enabled = !quiet && isatty(STDERR_FILENO) == 1,
	};
}

/* "12.3 MB", "4,096 rows" without the comma: short enough for a line. */
static void amount(const struct progress *progress, double count, char *text, size_t size)
{
	static const char *const units[] = { "octets", "KB", "MB", "GB", "TB" };
	if (strcmp(progress->unit, "octets") != 0) {
		snprintf(text, size, "%.0f %s", count, progress->unit);
		return;
	}
	size_t unit = 0;
	for (; count >= 1000 && unit < 4; unit++)
		count /= 1000;
	snprintf(text, size, unit == 0 ? "%.0f %s" : "%.1f %s", count, units[unit]);
}

static void draw_bar(const struct progress *progress, char bar[BAR_WIDTH + 4])
{
	size_t full = progress->done >= progress->total
			  ? BAR_WIDTH
			  : (size_t)((double)progress->done * BAR_WIDTH / (double)progress->total);
	bar[0] = '[';
	for (size_t i = 0; i < BAR_WIDTH; i++)
		bar[i + 1] = i < full ? '#' : '.';
	memcpy(bar + BAR_WIDTH + 1, "] ", 3);
}

static void time_left(const struct progress *progress, double rate, char *text, size_t size)
{
	text[0] = '\0';
	if (progress->total <= progress->done || rate <= 0)
		return;
	double seconds = (double)(progress->total - progress->done) / rate;
	if (seconds < 100 * 3600)
		snprintf(text, size, ", %d:%02d:%02d left", (int)(seconds / 3600), (int)(seconds / 60) % 60,
			 (int)seconds % 60);
}

static void draw(const struct progress *progress, int64_t now_us)
{
	double seconds = (double)(now_us - progress->started_us) / CLOCK_US_PER_SECOND;
	if (progress->unit == NULL || progress->done + progress->total == 0) {
		fprintf(stderr, "\r\033[K%s, %d:%02d so far", progress->what, (int)(seconds / 60), (int)seconds % 60);
		fflush(stderr);
		return;
	}
	double rate = (double)progress->done / seconds;
	char bar[BAR_WIDTH + 4] = "", done[48], speed[48], left[32], rows[48] = "", line[LINE_SIZE];
	if (progress->total > 0)
		draw_bar(progress, bar);
	amount(progress, (double)progress->done, done, sizeof(done));
	amount(progress, rate, speed, sizeof(speed));
	time_left(progress, rate, left, sizeof(left));
	if (progress->rows > 0)
		snprintf(rows, sizeof(rows), ", %.0f rows/s", (double)progress->rows / seconds);
	int len = snprintf(line, sizeof(line), "%s %s%s, %s/s%s%s", progress->what, bar, done, speed, rows, left);
	struct winsize window = { 0 };
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 1 && len >= window.ws_col)
		line[window.ws_col - 1] = '\0';
	fprintf(stderr, "\r\033[K%s", line);
	fflush(stderr);
}

void progress_update(struct progress *progress, uint64_t done)
{
	progress->done = done;
	if (!progress->enabled)
		return;
	int64_t now_us = clock_boot_us();
	if (now_us - progress->started_us < SHOW_AFTER_US || now_us - progress->shown_us < SHOW_EVERY_US)
		return;
	progress->shown_us = now_us;
	progress->shown = true;
	draw(progress, now_us);
}

void progress_end(struct progress *progress)
{
	if (progress->shown)
		fputs("\r\033[K", stderr);
	progress->shown = false;
}
