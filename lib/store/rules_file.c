#include "store/rules_file.h"

#include "base/file.h"
#include "base/limits.h"

enum err rules_file_read(const char *path, struct buf *ret_text, struct buf *why)
{
	return *path == '\0' ? ERR_OK : file_read(path, ret_text, why);
}

enum err rules_file_make(struct view text, const char *path, struct classifier **ret_classifier, struct buf *why)
{
	AUTO_BUF cause = buf_with_ceiling(LIMIT_WHY);
	enum err err = classifier_new_with(text, ret_classifier, &cause);
	if (err == ERR_INVALID)
		buf_addf(why, "%s, " VIEW_FMT, path, VIEW_ARG(buf_view(&cause)));
	else if (err != ERR_OK)
		buf_addf(why, "there is no memory left");
	return err;
}

enum err rules_file_load(const char *path, struct classifier **ret_classifier, struct buf *why)
{
	AUTO_BUF text = buf_with_ceiling(LIMIT_RULES_FILE);
	enum err err = rules_file_read(path, &text, why);
	return err == ERR_OK ? rules_file_make(buf_view(&text), path, ret_classifier, why) : err;
}
