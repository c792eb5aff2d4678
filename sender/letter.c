#include "sender/letter.h"

#include "base/limits.h"
#include "mail/verp.h"

struct letter letter_new(void)
{
	return (struct letter){
		.from = buf_with_ceiling(LIMIT_ADDRESS),
		.envid = buf_with_ceiling(LIMIT_TOKEN),
		.message = buf_with_ceiling(LIMIT_MESSAGE),
		.plain = buf_with_ceiling(LIMIT_MESSAGE),
		.unsubscribe = buf_with_ceiling(LIMIT_TOKEN),
	};
}

void letter_done(struct letter *letter)
{
	buf_done(&letter->from);
	buf_done(&letter->envid);
	buf_done(&letter->message);
	buf_done(&letter->plain);
	buf_done(&letter->unsubscribe);
}

static enum err sign(const struct letterhead *letterhead, enum token_purpose purpose, const struct opened *opened,
		     struct buf *ret_text)
{
	bool of_list = purpose == TOKEN_UNSUBSCRIBE;
	const struct token token = {
		.purpose = purpose,
		.key_id = opened->terms.key_id,
		.scope_id = (uint64_t)(of_list ? opened->list_id : opened->campaign_id),
		.subscriber_id = (uint64_t)opened->subscriber_id,
		.day = (uint16_t)opened->terms.day,
	};
	return token_sign(letterhead->tokens, &token, ret_text);
}

static enum err write_envelope(const struct letterhead *letterhead, const struct opened *opened, struct letter *letter)
{
	AUTO_BUF return_path = buf_with_ceiling(LIMIT_TOKEN);
	enum err err = sign(letterhead, TOKEN_RETURN_PATH, opened, &return_path);
	if (err == ERR_OK)
		err = verp_write(letterhead->bounce_prefix, buf_view(&return_path), letterhead->bounce_domain,
				 &letter->from);
	if (err == ERR_OK)
		err = sign(letterhead, TOKEN_MESSAGE, opened, &letter->envid);
	if (err == ERR_OK)
		err = sign(letterhead, TOKEN_UNSUBSCRIBE, opened, &letter->unsubscribe);
	return err;
}

/* Signatures stand in front, as trace fields do (RFC 6376 section 3.5). */
static enum err write_message(const struct letterhead *letterhead, struct composer *composer, const struct copy *copy,
			      const struct signing *signing, struct letter *letter, struct buf *why)
{
	if (signing->count == 0)
		return composer_write(composer, copy, &letter->message, why);
	buf_reset(&letter->plain);
	enum err err = composer_write(composer, copy, &letter->plain, why);
	if (err != ERR_OK)
		return err;
	err = dkim_sign(letterhead->signer, signing->keys, signing->count, buf_view(&letter->plain), copy->date_us,
			&letter->message);
	if (err != ERR_OK)
		buf_addf(why, "the message cannot be signed (%s)", err_name(err));
	return err != ERR_OK ? err : buf_add(&letter->message, buf_view(&letter->plain));
}

enum err letter_write(const struct letterhead *letterhead, struct composer *composer, const struct signing *signing,
		      const struct opened *opened, struct letter *letter, struct buf *why)
{
	buf_reset(&letter->from);
	buf_reset(&letter->envid);
	buf_reset(&letter->message);
	buf_reset(&letter->unsubscribe);
	enum err err = write_envelope(letterhead, opened, letter);
	if (err != ERR_OK) {
		buf_addf(why, "the tokens cannot be signed (%s): key %u is missing from the key file, or retired",
			 err_name(err), opened->terms.key_id);
		return err;
	}
	const struct copy copy = {
		.address = opened->address,
		.name = opened->name,
		.attributes = opened->attributes,
		.message_token = buf_view(&letter->envid),
		.unsubscribe_token = buf_view(&letter->unsubscribe),
		.date_us = opened->terms.date_us,
	};
	return write_message(letterhead, composer, &copy, signing, letter, why);
}
