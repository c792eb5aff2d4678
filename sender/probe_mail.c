#include "sender/probe_mail.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "mail/probe_text.h"

struct probe_mail {
	int64_t id, list_id, subscriber_id, now_us;
	unsigned key_id;
	struct buf address, name;
	struct composer *composer;
	struct signing signing;
};

static enum err compile(struct probe_mail *mail, const struct setup *setup, const struct probe_letter *of,
			struct buf *why)
{
	bool is_own = of->body.len > 0;
	const struct composition composition = {
		.subject = is_own ? of->subject : probe_text_subject,
		.text_body = is_own ? of->body : probe_text_body,
		.from_name = of->from_name,
		.from_address = of->from_address,
		.reply_to = of->reply_to,
		.list_id = of->list_header_id,
		.list_title = of->list_title,
		.list_name = of->list_name,
		.list_headers = of->list_headers,
		.campaign_name = VIEW_LIT(PROBE_TEXT_CAMPAIGN),
		.bounce_domain = view_of(setup->settings.bounce_domain),
		.web_base_url = view_of(setup->settings.web_base_url),
	};
	return composer_compile(&composition, NULL, 0, &mail->composer, why);
}

static enum err find_keys(struct probe_mail *mail, const struct setup *setup, struct buf *why)
{
	struct view domain = composer_from_domain(mail->composer);
	mail->signing.count = dkim_folder_find(&setup->dkim, domain, mail->signing.keys);
	if (mail->signing.count > 0 || !setup->settings.dkim_required)
		return ERR_OK;
	buf_addf(why,
		 "there are no keys in %s to sign mail from " VIEW_FMT
		 ": make them (`listctl dkim new`), restart sender",
		 setup->settings.dkim_dir, VIEW_ARG(domain));
	return ERR_REFUSED;
}

enum err probe_mail_new(const struct setup *setup, const struct probe_letter *of, struct probe_mail **ret_mail,
			struct buf *why)
{
	struct probe_mail *mail = malloc(sizeof(*mail));
	if (mail == NULL)
		return ERR_MEMORY;
	*mail = (struct probe_mail){ .id = of->id,
				     .list_id = of->list_id,
				     .subscriber_id = of->subscriber_id,
				     .now_us = clock_wall_us(),
				     .key_id = (unsigned)setup->keyring.newest,
				     .address = buf_with_ceiling(LIMIT_ADDRESS),
				     .name = buf_with_ceiling(LIMIT_WHY) };
	buf_add(&mail->address, of->address);
	buf_add(&mail->name, of->name);
	enum err err = buf_err(&mail->address);
	if (err == ERR_OK)
		err = compile(mail, setup, of, why);
	if (err == ERR_OK)
		err = find_keys(mail, setup, why);
	if (err == ERR_OK)
		*ret_mail = mail;
	else
		probe_mail_done(mail);
	return err;
}

void probe_mail_done(struct probe_mail *mail)
{
	if (mail == NULL)
		return;
	buf_done(&mail->address);
	buf_done(&mail->name);
	composer_done(mail->composer);
	free(mail);
}

struct view probe_mail_address(const struct probe_mail *mail)
{
	return buf_view(&mail->address);
}

enum err probe_mail_write(const struct probe_mail *mail, const struct letterhead *letterhead, struct letter *letter,
			  struct buf *why)
{
	const struct letter_ids ids = {
		.campaign_id = PROBE_LETTERS_CAMPAIGN,
		.subscriber_id = mail->id,
		.list_id = mail->list_id,
		.leaver_id = mail->subscriber_id,
		.key_id = mail->key_id,
		.day = clock_day(mail->now_us),
	};
	struct copy copy = { .address = buf_view(&mail->address),
			     .name = buf_view(&mail->name),
			     .date_us = mail->now_us };
	return letter_write_copy(letterhead, mail->composer, &mail->signing, &ids, &copy, letter, why);
}
