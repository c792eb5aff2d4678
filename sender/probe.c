#include "sender/probe.h"

#include "base/clock.h"
#include "base/limits.h"
#include "mail/date.h"
#include "mail/header.h"
#include "mail/verp.h"
#include "store/relay_tests.h"

static enum err sign(const struct letterhead *letterhead, const struct probe_facts *facts, enum token_purpose purpose,
		     struct buf *out)
{
	const struct token token = {
		.purpose = purpose,
		.key_id = facts->key_id,
		.scope_id = RELAY_TESTS_CAMPAIGN,
		.subscriber_id = (uint64_t)facts->test_id,
		.day = clock_day(facts->now_us),
	};
	return token_sign(letterhead->tokens, &token, out);
}

static struct view from_of(const struct probe_facts *facts, const struct letter *letter)
{
	size_t at = view_find_last_byte(facts->from_address, '@');
	bool is_usable = at != VIEW_NONE && at > 0 && at + 1 < facts->from_address.len &&
			 view_is_ascii(facts->from_address) && header_fits(facts->from_address);
	return is_usable ? facts->from_address : buf_view(&letter->from);
}

static void write_ids(const struct letter *letter, struct view from, struct buf *out)
{
	struct view domain = view_skip(from, view_find_last_byte(from, '@') + 1);
	buf_add(out, VIEW_LIT("\r\nMessage-ID: <"));
	buf_add(out, buf_view(&letter->envid));
	buf_add_byte(out, '@');
	buf_add(out, domain);
	buf_add(out, VIEW_LIT(">\r\nX-Verpost-Test: "));
	buf_add(out, buf_view(&letter->envid));
	buf_add(out, VIEW_LIT("\r\nAuto-Submitted: auto-generated\r\nList-Id: <verpost-test."));
	buf_add(out, domain);
	buf_add(out, VIEW_LIT(">\r\nList-Unsubscribe: <mailto:"));
	buf_add(out, buf_view(&letter->from));
	buf_add(out, VIEW_LIT(">\r\n"));
}

static void write_text(const struct letter *letter, struct buf *out)
{
	buf_add(
	    out,
	    VIEW_LIT("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n"
		     "Content-Transfer-Encoding: 7bit\r\n\r\n"
		     "This message tests whether a relay leaves it, and the sender of its envelope, as they are.\r\n"
		     "A program waits for it; no person needs to read or answer it.\r\n\r\n"));
	buf_add(out, buf_view(&letter->envid));
	buf_add(out, VIEW_LIT("\r\n"));
}

static enum err write_message(const struct probe_facts *facts, struct letter *letter)
{
	struct buf *out = &letter->message;
	AUTO_BUF subject = buf_with_ceiling(LIMIT_WHY);
	struct view from = from_of(facts, letter);
	buf_addf(&subject, "Return-path test of relay " VIEW_FMT, VIEW_ARG(facts->relay));
	enum err err = header_write_mailbox(VIEW_LIT("From"), VIEW_LIT("verpost"), from, out);
	if (err == ERR_OK)
		err = header_write_mailbox(VIEW_LIT("To"), VIEW_LIT(""), buf_view(&letter->from), out);
	if (err == ERR_OK)
		err = header_write_text(VIEW_LIT("Subject"), buf_view(&subject), out);
	buf_add(out, VIEW_LIT("Date: "));
	if (err == ERR_OK)
		err = date_write(facts->now_us, out);
	if (err != ERR_OK)
		return err;
	write_ids(letter, from, out);
	write_text(letter, out);
	return buf_err(out);
}

enum err probe_write(const struct letterhead *letterhead, const struct probe_facts *facts, struct letter *letter)
{
	AUTO_BUF return_path = buf_with_ceiling(LIMIT_TOKEN);
	buf_reset(&letter->from);
	buf_reset(&letter->envid);
	buf_reset(&letter->message);
	buf_reset(&letter->unsubscribe);
	enum err err = sign(letterhead, facts, TOKEN_RETURN_PATH, &return_path);
	if (err == ERR_OK)
		err = verp_write(letterhead->bounce_prefix, buf_view(&return_path), letterhead->bounce_domain,
				 &letter->from);
	if (err == ERR_OK)
		err = sign(letterhead, facts, TOKEN_MESSAGE, &letter->envid);
	return err == ERR_OK ? write_message(facts, letter) : err;
}
