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

static enum err sign(const struct letterhead *letterhead, enum token_purpose purpose, const struct letter_ids *ids,
		     struct buf *ret_text)
{
	bool of_list = purpose == TOKEN_UNSUBSCRIBE;
	const struct token token = {
		.purpose = purpose,
		.key_id = ids->key_id,
		.scope_id = (uint64_t)(of_list ? ids->list_id : ids->campaign_id),
		.subscriber_id = (uint64_t)(of_list ? ids->leaver_id : ids->subscriber_id),
		.day = (uint16_t)ids->day,
	};
	return token_sign(letterhead->tokens, &token, ret_text);
}

static enum err write_envelope(const struct letterhead *letterhead, const struct letter_ids *ids, struct letter *letter)
{
	AUTO_BUF return_path = buf_with_ceiling(LIMIT_TOKEN);
	enum err err = sign(letterhead, TOKEN_RETURN_PATH, ids, &return_path);
	if (err == ERR_OK)
		err = verp_write(letterhead->bounce_prefix, buf_view(&return_path), letterhead->bounce_domain,
				 &letter->from);
	if (err == ERR_OK)
		err = sign(letterhead, TOKEN_MESSAGE, ids, &letter->envid);
	if (err == ERR_OK)
		err = sign(letterhead, TOKEN_UNSUBSCRIBE, ids, &letter->unsubscribe);
	return err;
}

/* Signatures stand in front, as trace fields do (RFC 6376 section 3.5). */
static enum err write_message(const struct letterhead *letterhead, struct composer *composer, const struct copy *copy,
			      const struct signing *signing, struct letter *letter, struct buf *why)
{
	struct view tail = composer_tail(composer);
	if (signing->count == 0) {
		enum err err = composer_write(composer, copy, &letter->message, why);
		return err != ERR_OK ? err : buf_add(&letter->message, tail);
	}
	buf_reset(&letter->plain);
	enum err err = composer_write(composer, copy, &letter->plain, why);
	if (err != ERR_OK)
		return err;
	err = dkim_sign(letterhead->signer, signing->keys, signing->count, buf_view(&letter->plain), tail,
			copy->date_us, &letter->message);
	if (err != ERR_OK)
		buf_addf(why, "the message cannot be signed (%s)", err_name(err));
	if (err != ERR_OK)
		return err;
	buf_add(&letter->message, buf_view(&letter->plain));
	return buf_add(&letter->message, tail);
}

enum err letter_write_copy(const struct letterhead *letterhead, struct composer *composer,
			   const struct signing *signing, const struct letter_ids *ids, struct copy *copy,
			   struct letter *letter, struct buf *why)
{
	buf_reset(&letter->from);
	buf_reset(&letter->envid);
	buf_reset(&letter->message);
	buf_reset(&letter->unsubscribe);
	enum err err = write_envelope(letterhead, ids, letter);
	if (err != ERR_OK) {
		buf_addf(why, "the tokens cannot be signed (%s): key %u is missing from the key file, or retired",
			 err_name(err), ids->key_id);
		return err;
	}
	copy->message_token = buf_view(&letter->envid);
	copy->unsubscribe_token = buf_view(&letter->unsubscribe);
	return write_message(letterhead, composer, copy, signing, letter, why);
}

enum err letter_write(const struct letterhead *letterhead, struct composer *composer, const struct signing *signing,
		      const struct opened *opened, struct letter *letter, struct buf *why)
{
	const struct letter_ids ids = {
		.campaign_id = opened->campaign_id,
		.subscriber_id = opened->subscriber_id,
		.list_id = opened->list_id,
		.leaver_id = opened->subscriber_id,
		.key_id = opened->terms.key_id,
		.day = opened->terms.day,
	};
	struct copy copy = {
		.address = opened->address,
		.name = opened->name,
		.attributes = opened->attributes,
		.date_us = opened->terms.date_us,
	};
	return letter_write_copy(letterhead, composer, signing, &ids, &copy, letter, why);
}
