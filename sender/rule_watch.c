#include "sender/rule_watch.h"

#include <sys/stat.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "store/rules_file.h"

static const int64_t look_every_us = INT64_C(5) * CLOCK_US_PER_SECOND;

enum err rule_watch_begin(const char *path, struct view text, struct rule_watch *ret_watch, struct buf *why)
{
	struct rule_watch watch = { .path = path, .text = buf_with_ceiling(LIMIT_RULES_FILE) };
	enum err err = buf_add(&watch.text, text);
	if (err == ERR_OK)
		err = rules_file_make(text, path, &watch.classifier, why);
	if (err != ERR_OK) {
		rule_watch_done(&watch);
		return err;
	}
	*ret_watch = watch;
	return ERR_OK;
}

void rule_watch_done(struct rule_watch *watch)
{
	classifier_done(watch->classifier);
	buf_done(&watch->text);
	*watch = (struct rule_watch){ 0 };
}

/* False when it is as it was, or not there just now, as while an editor replaces it. */
static bool has_changed(struct rule_watch *watch)
{
	struct stat now;
	const struct rule_stamp *before = &watch->stamp;
	if (stat(watch->path, &now) != 0)
		return false;
	bool is_same = before->device == now.st_dev && before->inode == now.st_ino && before->size == now.st_size &&
		       before->changed.tv_sec == now.st_mtim.tv_sec && before->changed.tv_nsec == now.st_mtim.tv_nsec;
	watch->stamp = (struct rule_stamp){ now.st_dev, now.st_ino, now.st_size, now.st_mtim };
	return !is_same;
}

static enum err take_file(struct rule_watch *watch, struct buf *why)
{
	struct buf text = buf_with_ceiling(LIMIT_RULES_FILE);
	struct classifier *fresh;
	enum err err = rules_file_read(watch->path, &text, why);
	if (err == ERR_OK && !view_eq(buf_view(&text), buf_view(&watch->text))) {
		err = rules_file_make(buf_view(&text), watch->path, &fresh, why);
		if (err == ERR_OK) {
			classifier_replace(watch->classifier, fresh);
			buf_done(&watch->text);
			watch->text = text;
			log_event(LOG_INFO, "rules.reloaded", "file=%s", watch->path);
			return ERR_OK;
		}
	}
	buf_done(&text);
	return err;
}

void rule_watch_look(struct rule_watch *watch, int64_t boot_us)
{
	if (*watch->path == '\0' || boot_us < watch->look_us)
		return;
	watch->look_us = boot_us + look_every_us;
	if (!has_changed(watch))
		return;
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct log_text room;
	enum err err = take_file(watch, &why);
	if (err != ERR_OK)
		log_event(LOG_ERROR, "rules.kept", "outcome=%s cause=%s", err_name(err),
			  log_quoted(buf_view(&why), &room));
}
