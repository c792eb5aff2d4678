/* Any octets as an mbox: no octet is invented, what is no mbox is one message, and messages written into an mbox come out of it as they
 * went in. */
#include <stdlib.h>

#include "base/limits.h"
#include "listctl/mbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Further than this a line comes in pieces, of which only the first is looked at. */
enum { INPUT_MOST = 8 << 10, COPY_MOST = 1 << 20 };

static void demand(bool condition)
{
	if (!condition)
		abort();
}

/* All messages of one reading behind each other, and as an mbox anew. */
struct reading {
	struct buf plain, again;
	size_t count;
	bool ends_in_line; /* every one */
};

static void write_quoted(struct view message, struct buf *out)
{
	buf_add(out, VIEW_LIT("From somebody\n"));
	while (message.len > 0) {
		size_t end = view_find_byte(message, '\n');
		struct view line = view_head(message, end == VIEW_NONE ? message.len : end + 1);
		size_t quotes = 0;
		while (quotes < line.len && line.data[quotes] == '>')
			quotes++;
		if (view_starts(view_skip(line, quotes), VIEW_LIT("From ")))
			buf_add_byte(out, '>');
		buf_add(out, line);
		message = view_skip(message, line.len);
	}
	buf_add_byte(out, '\n');
}

static enum err take(void *user, const char *name, struct view message)
{
	struct reading *reading = user;
	demand(name != NULL && message.len > 0);
	reading->count++;
	reading->ends_in_line = reading->ends_in_line && view_ends(message, VIEW_LIT("\n"));
	buf_addf(&reading->plain, "[%zu]", message.len);
	buf_add(&reading->plain, message);
	write_quoted(message, &reading->again);
	return ERR_OK;
}

static struct reading read_all(struct view input)
{
	struct reading reading = { .plain = buf_with_ceiling(COPY_MOST),
				   .again = buf_with_ceiling(COPY_MOST),
				   .ends_in_line = true };
	const struct message_taker taker = { .take = take, .user = &reading };
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	FILE *stream = fmemopen((void *)(uintptr_t)input.data, input.len, "r");
	demand(stream != NULL && mbox_read(stream, "fuzz", &taker, &why) == ERR_OK && why.len == 0);
	fclose(stream);
	return reading;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0 || size > INPUT_MOST)
		return 0;
	const struct view input = view_from(data, size);
	struct reading first = read_all(input);
	bool has_mark = view_starts(input, VIEW_LIT("\xef\xbb\xbf"));
	demand(view_starts(has_mark ? view_skip(input, 3) : input, VIEW_LIT("From ")) ||
	       (first.count == 1 && view_ends(buf_view(&first.plain), input)));
	if (first.count > 0 && first.ends_in_line) {
		struct reading second = read_all(buf_view(&first.again));
		demand(second.count == first.count && view_eq(buf_view(&second.plain), buf_view(&first.plain)));
		buf_done(&second.plain);
		buf_done(&second.again);
	}
	buf_done(&first.plain);
	buf_done(&first.again);
	return 0;
}
