/* bench_render: writes copies of one letter as sender does before it signs them, each for other data, on one core.
 *
 *     bench_render TEXT HTML SECONDS
 *
 * TEXT and HTML are templates with the fields of scripts/bench. Prints {"messages":N,"seconds":S,"rate":R,"octets":SIZE,"fields":F}; seconds of
 * processor time, so that others on the machine do not matter. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/file.h"
#include "base/limits.h"
#include "mail/compose.h"

enum { STEP = 200 };

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fail(const char *what)
{
	fprintf(stderr, "bench_render: %s\n", what);
	exit(EXIT_FAILURE);
}

static void write_copy(struct composer *composer, long number, struct buf *out)
{
	char address[64], name[32], attributes[128];
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	snprintf(address, sizeof(address), "user%08ld@d%ld.example.net", number, number % 997);
	snprintf(name, sizeof(name), "Reader %ld", number);
	snprintf(attributes, sizeof(attributes), "{\"city\": \"City %ld\", \"code\": \"c%ld\", \"plan\": \"plan %ld\"}",
		 number % 211, number * 7919 % 1000003, number % 3);
	const struct copy copy = { .address = view_of(address),
				   .name = view_of(name),
				   .attributes = view_of(attributes),
				   .message_token = VIEW_LIT("abcdefghijklmnopqrstuvwxyz23456"),
				   .unsubscribe_token = VIEW_LIT("abcdefghijklmnopqrstuvwxyz234567abcdefghijklm"),
				   .date_us = INT64_C(1795325761000000) };
	buf_reset(out);
	if (composer_write(composer, &copy, out, &why) != ERR_OK)
		fail(buf_text(&why));
}

static size_t count_fields(struct view text)
{
	size_t count = 0;
	for (size_t at = view_find(text, VIEW_LIT("{{")); at != VIEW_NONE; at = view_find(text, VIEW_LIT("{{"))) {
		text = view_skip(text, at + 2);
		count++;
	}
	return count;
}

int main(int argc, char **argv)
{
	const struct view known[] = { VIEW_LIT("city"), VIEW_LIT("code"), VIEW_LIT("plan") };
	AUTO_BUF text = buf_with_ceiling(LIMIT_TEMPLATE);
	AUTO_BUF html = buf_with_ceiling(LIMIT_TEMPLATE);
	AUTO_BUF out = buf_with_ceiling(LIMIT_MESSAGE);
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct composer *composer = NULL;
	if (argc != 4)
		fail("usage: bench_render TEXT HTML SECONDS");
	if (file_read(argv[1], &text, &why) != ERR_OK || file_read(argv[2], &html, &why) != ERR_OK)
		fail(buf_text(&why));
	const struct composition composition = { .subject = VIEW_LIT("News for {{name|friend}}"),
						 .from_name = VIEW_LIT("Example News"),
						 .from_address = VIEW_LIT("news@example.org"),
						 .list_id = VIEW_LIT("news.example.org"),
						 .list_title = VIEW_LIT("Example News"),
						 .text_body = buf_view(&text),
						 .html_body = buf_view(&html),
						 .bounce_domain = VIEW_LIT("bounce.example.org"),
						 .list_name = VIEW_LIT("news"),
						 .campaign_name = VIEW_LIT("bench") };
	if (composer_compile(&composition, known, ARRAY_LEN(known), &composer, &why) != ERR_OK)
		fail(buf_text(&why));
	long count = 0;
	double begun = now(), until = begun + atof(argv[3]);
	for (; now() < until; count += STEP) {
		for (long i = 0; i < STEP; i++)
			write_copy(composer, count + i, &out);
	}
	double seconds = now() - begun;
	printf("{\"messages\":%ld,\"seconds\":%.3f,\"rate\":%.1f,\"octets\":%zu,\"fields\":%zu}\n", count, seconds,
	       (double)count / seconds, out.len, 1 + count_fields(buf_view(&text)) + count_fields(buf_view(&html)));
	composer_done(composer);
	return EXIT_SUCCESS;
}
