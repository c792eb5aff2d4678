/* Any octets as what follows 354, read whole and octet by octet, beside a simple-minded second reading: content ends at the first line that is
 * a dot, and nowhere else. What content_stuff() writes comes back as it was. */
#include <assert.h>

#include "smtp/content.h"
#include "smtp/data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 1 << 20 };

struct reading {
	bool is_ended, is_broken;
	size_t left; /* octets behind the end */
	struct buf content;
};

static bool is_bare(char octet)
{
	return octet == '\r' || octet == '\n' || octet == '\0';
}

static struct reading read_simply(struct view text)
{
	struct reading reading = { .content = buf_with_ceiling(MOST) };
	for (size_t end; (end = view_find(text, VIEW_LIT("\r\n"))) != VIEW_NONE; text = view_skip(text, end + 2)) {
		struct view line = view_head(text, end);
		if (view_eq(line, VIEW_LIT("."))) {
			reading.is_ended = true;
			reading.left = text.len - end - 2;
			return reading;
		}
		for (size_t i = 0; i < line.len; i++)
			reading.is_broken = reading.is_broken || is_bare(line.data[i]);
		buf_add(&reading.content, view_starts(line, VIEW_LIT(".")) ? view_skip(line, 1) : line);
		buf_add(&reading.content, VIEW_LIT("\r\n"));
	}
	return reading;
}

static struct reading read_in_steps(struct view text, size_t step)
{
	struct data_reader reader = data_reader_new(MOST);
	struct reading reading = { .content = buf_with_ceiling(MOST) };
	while (!reading.is_ended && text.len > 0) {
		struct view piece = view_head(text, step);
		size_t given = piece.len;
		reading.is_ended = data_feed(&reader, &piece);
		assert(reading.is_ended || piece.len == 0);
		text = view_skip(text, given - piece.len);
	}
	reading.is_broken = reader.is_broken;
	reading.left = text.len;
	buf_add(&reading.content, buf_view(&reader.content));
	data_reader_done(&reader);
	return reading;
}

static void compare(struct view text, size_t step)
{
	struct reading simple = read_simply(text), read = read_in_steps(text, step);
	assert(simple.is_ended == read.is_ended);
	if (simple.is_ended) {
		assert(simple.left == read.left && simple.is_broken == read.is_broken);
		assert(simple.is_broken || view_eq(buf_view(&simple.content), buf_view(&read.content)));
	}
	buf_done(&simple.content);
	buf_done(&read.content);
}

static void go_there_and_back(struct view message)
{
	struct buf stuffed = buf_with_ceiling(2 * MOST);
	if (content_stuff(message, &stuffed) == ERR_OK) {
		struct reading read = read_in_steps(buf_view(&stuffed), SIZE_MAX);
		size_t end = message.len == 0 || view_ends(message, VIEW_LIT("\r\n")) ? 0 : 2;
		assert(read.is_ended && !read.is_broken && read.left == 0);
		assert(read.content.len == message.len + end && view_starts(buf_view(&read.content), message));
		buf_done(&read.content);
	}
	buf_done(&stuffed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view text = view_from(data, size);
	compare(text, SIZE_MAX);
	compare(text, 1);
	go_there_and_back(text);
	return 0;
}
