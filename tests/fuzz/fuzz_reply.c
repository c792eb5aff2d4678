/* Any octets as replies: read whole and cut in two they must mean the same, and what is read keeps to its contract. */
#include <assert.h>

#include "base/limits.h"
#include "mail/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct reply *reply)
{
	assert(reply->code >= 200 && reply->code <= 599);
	assert(reply->text.len <= LIMIT_REPLY && view_is_utf8(reply->text));
	assert(!status_is_set(reply->status) || reply->status.class_digit == reply->code / 100);
	for (size_t i = 0; i < reply->text.len; i++)
		assert((unsigned char)reply->text.data[i] >= ' ' || reply->text.data[i] == '\n');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view bytes = view_from(data, size);
	struct view head = view_head(bytes, size / 2);
	struct view tail = view_skip(bytes, size / 2);
	struct reply_parser whole = reply_parser_new();
	struct reply_parser cut = reply_parser_new();
	enum reply_progress progress = reply_feed(&whole, &bytes);
	enum reply_progress cut_progress = reply_feed(&cut, &head);
	if (cut_progress == REPLY_NEEDS_MORE)
		cut_progress = reply_feed(&cut, &tail);
	assert(progress == cut_progress);
	if (progress == REPLY_IS_READ) {
		struct reply reply = reply_read(&whole);
		struct reply cut_reply = reply_read(&cut);
		check(&reply);
		assert(view_eq(reply.text, cut_reply.text) && reply.code == cut_reply.code);
	}
	reply_parser_done(&whole);
	reply_parser_done(&cut);
	return 0;
}
