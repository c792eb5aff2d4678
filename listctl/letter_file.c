#include "listctl/letter_file.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/limits.h"
#include "listctl/letter_eml.h"
#include "mail/template.h"

enum { PATH_MOST = 4096 };

/* What a letter's file may be called. */
static const struct ending_row {
	const char *ending;
	bool is_markdown, is_eml;
} endings[] = {
	{ ".md", true, false },   { ".markdown", true, false }, { ".html", false, false },
	{ ".htm", false, false }, { ".eml", false, true },
};

/* What people write letters in that cannot be read here. */
static const char *const documents[] = { ".docx", ".doc", ".odt", ".rtf", ".pdf", ".pages" };

/* What a folder may hold. */
static const struct {
	const char *name;
	bool is_markdown;
} mains[] = {
	{ "letter.md", true },
	{ "letter.html", false },
};

void letter_file_open(struct letter_file *file)
{
	*file = (struct letter_file){
		.path = buf_with_ceiling(PATH_MOST),
		.source = buf_with_ceiling(LIMIT_TEMPLATE),
		.body = buf_with_ceiling(LIMIT_TEMPLATE),
		.body_path = buf_with_ceiling(PATH_MOST),
		.text_path = buf_with_ceiling(PATH_MOST),
		.text = buf_with_ceiling(LIMIT_TEMPLATE),
	};
}

void letter_file_done(struct letter_file *file)
{
	buf_done(&file->path);
	buf_done(&file->source);
	buf_done(&file->body);
	buf_done(&file->body_path);
	eml_done(&file->eml);
	buf_done(&file->text_path);
	buf_done(&file->text);
}

enum err letter_file_place(struct view text, size_t line, size_t column, struct buf *out)
{
	for (size_t i = 1; i < line; i++)
		buf_add_byte(out, '\n');
	for (size_t i = 1; i < column; i++)
		buf_add_byte(out, ' ');
	return buf_add(out, text);
}

enum err letter_file_read_text(struct call *call, const char *path, struct buf *ret_text)
{
	AUTO_BUF raw = buf_with_ceiling(LIMIT_TEMPLATE);
	enum err err = file_read(path, &raw, call->why);
	if (err != ERR_OK)
		return err;
	if (!view_is_utf8(buf_view(&raw)))
		return call_refuse(call, ERR_INVALID, "%s is not UTF-8 text; convert it, for example with iconv", path);
	if (view_find_byte(buf_view(&raw), '\0') != VIEW_NONE)
		return call_refuse(call, ERR_INVALID, "%s holds a NUL octet: it is no text", path);
	return template_normalise(buf_view(&raw), ret_text);
}

bool letter_file_leads_out(const char *path, struct buf *ret_target)
{
	AUTO_BUF folder = buf_with_ceiling(PATH_MOST);
	size_t slash = view_find_last_byte(view_of(path), '/');
	buf_add(&folder, slash == VIEW_NONE ? VIEW_LIT(".") : view_head(view_of(path), slash + 1));
	char *target = realpath(path, NULL), *home = realpath(buf_text(&folder), NULL);
	bool leads_out = target != NULL && home != NULL;
	if (leads_out) {
		struct view inside = view_of(home);
		leads_out = !view_starts(view_of(target), inside) ||
			    (!view_ends(inside, VIEW_LIT("/")) && target[inside.len] != '/');
		buf_add(ret_target, view_of(target));
	}
	free(target);
	free(home);
	return leads_out;
}

static bool is_folder(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* FOLDER/NAME into ret_path; true when it is there. */
static bool find_in(const char *folder, const char *name, struct buf *ret_path)
{
	struct stat status;
	buf_reset(ret_path);
	buf_addf(ret_path, "%s%s%s", folder, view_ends(view_of(folder), VIEW_LIT("/")) ? "" : "/", name);
	return buf_err(ret_path) == ERR_OK && stat(buf_text(ret_path), &status) == 0;
}

static enum err find_main(struct call *call, const char *folder, struct letter_file *file)
{
	AUTO_BUF path = buf_with_ceiling(PATH_MOST);
	size_t found = 0;
	for (size_t i = 0; i < ARRAY_LEN(mains); i++) {
		if (!find_in(folder, mains[i].name, &path))
			continue;
		found++;
		file->is_markdown = mains[i].is_markdown;
		buf_reset(&file->path);
		buf_add(&file->path, buf_view(&path));
	}
	if (found == 0)
		return call_refuse(call, ERR_NOT_FOUND,
				   "the folder %s holds neither letter.md nor letter.html; write one", folder);
	if (found > 1)
		return call_refuse(call, ERR_INVALID,
				   "the folder %s holds letter.md and letter.html; remove one, or name the "
				   "file that is meant",
				   folder);
	if (!find_in(folder, "letter.txt", &file->text_path))
		buf_reset(&file->text_path);
	return ERR_OK;
}

static enum err find_file(struct call *call, const char *path, struct letter_file *file)
{
	for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
		if (!view_ends_nocase(view_of(path), view_of(endings[i].ending)))
			continue;
		file->is_markdown = endings[i].is_markdown;
		file->is_eml = endings[i].is_eml;
		return buf_add(&file->path, view_of(path));
	}
	for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
		if (view_ends_nocase(view_of(path), view_of(documents[i])))
			return call_refuse(
			    call, ERR_INVALID,
			    "%s is a document of an office program; save it there as HTML (.html), or write "
			    "its text into a Markdown file (.md)",
			    path);
	}
	return call_refuse(call, ERR_INVALID,
			   "%s is neither a folder nor named .md, .html or .eml; rename it, or give a text with --text",
			   path);
}

static enum err read_front(struct call *call, struct letter_file *file)
{
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	enum err err = front_matter_read(buf_view(&file->source), &file->front, &reason);
	if (err != ERR_OK)
		return call_refuse(call, err, "%s: %s", buf_text(&file->path), buf_text(&reason));
	if (view_trim(file->front.body).len == 0)
		return call_refuse(call, ERR_INVALID, "%s holds no letter%s; write it", buf_text(&file->path),
				   file->front.body_line > 1 ? " behind its front matter" : "");
	return letter_file_place(file->front.body, file->front.body_line, 1, &file->body);
}

/* In a folder each file is the folder's own. */
static enum err read_own_text(struct call *call, const struct letter_file *file, const char *path, struct buf *ret_text)
{
	AUTO_BUF target = buf_with_ceiling(PATH_MOST);
	if (file->is_folder && letter_file_leads_out(path, &target))
		return call_refuse(call, ERR_REFUSED,
				   "%s is a link to %s, out of its folder; put the file itself there", path,
				   buf_text(&target));
	return letter_file_read_text(call, path, ret_text);
}

static enum err read_texts(struct call *call, struct letter_file *file)
{
	enum err err = read_own_text(call, file, buf_text(&file->path), &file->source);
	if (err == ERR_OK)
		err = read_front(call, file);
	if (err == ERR_OK && file->text_path.len > 0)
		err = read_own_text(call, file, buf_text(&file->text_path), &file->text);
	return err;
}

enum err letter_file_read(struct call *call, const char *path, struct letter_file *file)
{
	file->is_folder = is_folder(path);
	enum err err = file->is_folder ? find_main(call, path, file) : find_file(call, path, file);
	if (err == ERR_OK)
		err = buf_add(&file->body_path, buf_view(&file->path));
	if (err == ERR_OK)
		err = file->is_eml ? letter_eml_read(call, file) : read_texts(call, file);
	if (err == ERR_TOO_BIG && call->why->len == 0)
		call_refuse(call, err, "%s is too big", path);
	file->given = err == ERR_OK;
	return err;
}
