#include "listctl/letter_files.h"

#include <dirent.h>

#include "base/file.h"
#include "mail/srcset.h"
#include "mail/template.h"

/* ---- one file ---- */

static struct view folder_of(const struct letter_file *letter)
{
	size_t slash = view_find_last_byte(buf_view(&letter->path), '/');
	return slash == VIEW_NONE ? VIEW_LIT(".") : view_head(buf_view(&letter->path), slash + 1);
}

/* On other systems Garden.JPG is garden.jpg. */
static void say_alike(struct view folder, struct view name, struct buf *why)
{
	AUTO_BUF path = buf_with_ceiling(LIMIT_PATH);
	buf_add(&path, folder);
	DIR *opened = opendir(buf_text(&path));
	const struct dirent *entry;
	while (opened != NULL && (entry = readdir(opened)) != NULL) {
		if (view_eq_nocase(view_of(entry->d_name), name))
			buf_addf(why, "; there is %s, and capitals make a difference here", entry->d_name);
	}
	if (opened != NULL)
		closedir(opened);
}

static enum err read_file(struct call *call, const struct letter_file *letter, struct view name, struct buf *content,
			  struct buf *why)
{
	AUTO_BUF path = buf_with_ceiling(LIMIT_PATH);
	uint64_t most = call->settings->campaign_attachments_max;
	if (most > LIMIT_FILES_TOTAL)
		most = LIMIT_FILES_TOTAL;
	enum err err = attachment_check_name(name, why);
	if (err != ERR_OK)
		return err;
	*content = buf_with_ceiling((size_t)most + 1);
	struct view folder = folder_of(letter);
	buf_addf(&path, VIEW_FMT "%s" VIEW_FMT, VIEW_ARG(folder), view_ends(folder, VIEW_LIT("/")) ? "" : "/",
		 VIEW_ARG(name));
	AUTO_BUF target = buf_with_ceiling(LIMIT_PATH);
	if (letter_file_leads_out(buf_text(&path), &target)) {
		buf_addf(why, "it is a link to %s, out of its folder; put the file itself there", buf_text(&target));
		return ERR_REFUSED;
	}
	err = file_read(buf_text(&path), content, why);
	if (err == ERR_NOT_FOUND)
		say_alike(folder, name, why);
	if (err == ERR_TOO_BIG || content->len > most) {
		buf_reset(why);
		buf_addf(why,
			 "it has more than %llu octets; make it smaller, put it on a web page, or allow more by "
			 "campaign.attachments_max (at most 11M)",
			 (unsigned long long)most);
		return ERR_TOO_BIG;
	}
	return err;
}

static enum err check(struct call *call, const struct letter_files *files, const struct attachment *item, bool is_shown,
		      struct buf *why)
{
	if (files->count == LIMIT_FILES) {
		buf_addf(why, "a letter has at most %d images and attachments; take some away", LIMIT_FILES);
		return ERR_INVALID;
	}
	if (files->octets + item->content.len > call->settings->campaign_attachments_max ||
	    files->octets + item->content.len > LIMIT_FILES_TOTAL) {
		buf_addf(why,
			 "with it the letter's files have more octets together than campaign.attachments_max allows; "
			 "make them smaller or put them on a web page");
		return ERR_TOO_BIG;
	}
	if (is_shown && !attachment_is_image(item->type)) {
		buf_add(why, VIEW_LIT("it is no image; name it in the front matter's attachments"));
		return ERR_INVALID;
	}
	return ERR_OK;
}

/* The part of an .eml that its HTML names by a Content-ID, or that stands at a place. */
static enum err take_part(struct letter_file *letter, struct view key, bool is_shown, struct letter_file_beside *file,
			  struct buf *why)
{
	for (size_t i = 0; i < letter->eml.file_count; i++) {
		struct eml_file *part = &letter->eml.files[i];
		if (part->is_taken || !view_eq(buf_view(is_shown ? &part->content_id : &part->place), key))
			continue;
		part->is_taken = true;
		file->content = part->content;
		part->content = (struct buf){ 0 };
		return buf_add(&file->name, buf_view(&part->name));
	}
	buf_add(why, VIEW_LIT("no part of the message has this Content-ID; put the image into the message"));
	return ERR_NOT_FOUND;
}

static enum err open_file(struct call *call, struct letter_file *letter, struct view key, bool is_shown,
			  struct letter_file_beside *file, struct buf *why)
{
	*file = (struct letter_file_beside){ .key = buf_with_ceiling(LIMIT_PATH),
					     .name = buf_with_ceiling(LIMIT_PATH),
					     .content_id = buf_with_ceiling(LIMIT_PATH) };
	enum err err = buf_add(&file->key, key);
	if (err != ERR_OK)
		return err;
	if (letter->is_eml)
		return take_part(letter, key, is_shown, file, why);
	err = read_file(call, letter, key, &file->content, why);
	return err == ERR_OK ? buf_add(&file->name, key) : err;
}

static void close_file(struct letter_file_beside *file)
{
	buf_done(&file->key);
	buf_done(&file->name);
	buf_done(&file->content_id);
	buf_done(&file->content);
}

void letter_files_done(struct letter_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		close_file(&files->kept[i]);
	files->count = 0;
}

/* Takes it, or finds it taken already. */
static enum err take(struct call *call, struct letter_file *letter, struct view key, const struct view *domain,
		     struct letter_files *files, struct view *ret_id, struct buf *why)
{
	bool is_shown = domain != NULL;
	for (size_t i = 0; i < files->count; i++) {
		if (!view_eq(buf_view(&files->kept[i].key), key) || (files->items[i].content_id.len > 0) != is_shown)
			continue;
		*ret_id = files->items[i].content_id;
		return ERR_OK;
	}
	struct letter_file_beside file;
	const char *type = "";
	enum err err = open_file(call, letter, key, is_shown, &file, why);
	struct attachment item = { .name = buf_view(&file.name), .content = buf_view(&file.content) };
	if (err == ERR_OK)
		err = attachment_check(item.name, item.content, &type, why);
	item.type = view_of(type);
	if (err == ERR_OK)
		err = check(call, files, &item, is_shown, why);
	if (err == ERR_OK && is_shown)
		err = attachment_write_id(files->count + 1, item.content, *domain, &file.content_id);
	if (err != ERR_OK) {
		close_file(&file);
		return err;
	}
	item.content_id = buf_view(&file.content_id);
	*ret_id = item.content_id;
	files->octets += item.content.len;
	files->kept[files->count] = file;
	files->items[files->count++] = item;
	return ERR_OK;
}

/* ---- names in HTML ---- */

/* html[start, end) names a file. */
struct reference {
	size_t start, end;
	struct view name; /* as it is written */
};

static bool is_boundary(char c)
{
	return c == '"' || c == '\'' || c == '(' || c == '=' || c == ' ' || c == '\n' || c == '\t';
}

static bool ends_reference(char c)
{
	return c == '"' || c == '\'' || c == ')' || c == '>' || c == '<' || c == ' ' || c == '\n' || c == '\t';
}

/* cid:NAME at this place. */
static bool read_cid(struct view html, size_t at, struct reference *ret)
{
	struct view rest = view_skip(html, at);
	size_t end = sizeof("cid:") - 1;
	char quote = at > 0 && (html.data[at - 1] == '"' || html.data[at - 1] == '\'') ? html.data[at - 1] : '\0';
	if (at == 0 || !is_boundary(html.data[at - 1]) || !view_starts_nocase(rest, VIEW_LIT("cid:")))
		return false;
	while (end < rest.len && (quote != '\0' ? rest.data[end] != quote : !ends_reference(rest.data[end])))
		end++;
	*ret = (struct reference){ .start = at, .end = at + end, .name = view_slice(rest, sizeof("cid:") - 1, end) };
	return true;
}

/* A value without a scheme, and no field. */
static bool is_local(struct view value)
{
	return value.len > 0 && view_find_byte(value, ':') == VIEW_NONE && value.data[0] != '/' &&
	       value.data[0] != '#' && view_find(value, VIEW_LIT("{{")) == VIEW_NONE;
}

/* src="NAME" at this place. */
static bool read_source(struct view html, size_t at, struct reference *ret)
{
	static const char *const names[] = { "src=", "background=" };
	if (at == 0 || (html.data[at - 1] != ' ' && html.data[at - 1] != '\n' && html.data[at - 1] != '\t'))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		size_t len = view_of(names[i]).len;
		struct view rest = view_skip(html, at);
		if (!view_starts_nocase(rest, view_of(names[i])) || rest.len <= len ||
		    (rest.data[len] != '"' && rest.data[len] != '\''))
			continue;
		struct view value = view_skip(rest, len + 1);
		size_t end = view_find_byte(value, rest.data[len]);
		value = view_head(value, end);
		if (end == VIEW_NONE || !is_local(value))
			return false;
		size_t start = at + len + 1;
		*ret = (struct reference){ .start = start, .end = start + end, .name = value };
		return true;
	}
	return false;
}

static bool next_reference(struct view html, size_t from, struct reference *ret)
{
	for (size_t at = from; at < html.len; at++) {
		if (read_cid(html, at, ret) || read_source(html, at, ret))
			return true;
	}
	return false;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* %XX and &amp; are undone. */
static void decode(struct view written, struct buf *out)
{
	for (size_t i = 0; i < written.len; i++) {
		struct view rest = view_skip(written, i);
		if (rest.len > 2 && rest.data[0] == '%' && digit_of(rest.data[1]) >= 0 && digit_of(rest.data[2]) >= 0) {
			buf_add_byte(out, (char)(digit_of(rest.data[1]) << 4 | digit_of(rest.data[2])));
			i += 2;
			continue;
		}
		buf_add_byte(out, written.data[i]);
		if (view_starts(rest, VIEW_LIT("&amp;")))
			i += sizeof("amp;") - 1;
	}
}

/* Behind `attribute`, if it stands in one of its own. */
static enum err refuse(struct call *call, struct letter_file *letter, const char *attribute, struct view written,
		       struct view name, enum err err, struct view reason)
{
	AUTO_BUF place = buf_with_ceiling(LIMIT_WHY);
	size_t from = view_find_nocase(buf_view(&letter->body), view_of(attribute));
	from = from == VIEW_NONE ? 0 : from;
	size_t at = view_find(view_skip(buf_view(&letter->body), from), written);
	if (at == VIEW_NONE)
		at = view_find(view_skip(buf_view(&letter->body), from), name);
	if (at != VIEW_NONE) {
		struct template_place where = template_place(buf_view(&letter->body), from + at);
		buf_addf(&place, "line %zu, column %zu: ", where.line, where.column);
	}
	return call_refuse(call, err, "%s: %sthe image " VIEW_FMT ": " VIEW_FMT, buf_text(&letter->body_path),
			   buf_text(&place), VIEW_ARG(view_head(name, LIMIT_FILE_NAME)), VIEW_ARG(reason));
}

/* ./NAME is NAME. */
static struct view beside(struct view name)
{
	while (view_starts(name, VIEW_LIT("./")))
		name = view_skip(name, 2);
	return name;
}

/* By its decoded name; by the written one where a file is really called my%20logo.png. */
static enum err take_shown(struct call *call, struct letter_file *letter, const struct reference *reference,
			   struct view domain, struct letter_files *files, struct view *ret_id)
{
	AUTO_BUF name = buf_with_ceiling(LIMIT_PATH);
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF unused = buf_with_ceiling(LIMIT_WHY);
	decode(reference->name, &name);
	struct view key = letter->is_eml ? buf_view(&name) : beside(buf_view(&name));
	enum err err = take(call, letter, key, &domain, files, ret_id, &reason);
	if (err == ERR_NOT_FOUND && !letter->is_eml && view_find_byte(reference->name, '%') != VIEW_NONE &&
	    take(call, letter, beside(reference->name), &domain, files, ret_id, &unused) == ERR_OK)
		return ERR_OK;
	return err == ERR_OK ? err : refuse(call, letter, "", reference->name, key, err, buf_view(&reason));
}

/* The value of a srcset that begins at this place. */
static bool read_srcset(struct view html, size_t at, struct view *ret_value)
{
	const struct view name = VIEW_LIT("srcset=");
	struct view value = view_skip(html, at + name.len);
	if (at == 0 || !is_boundary(html.data[at - 1]) || !view_starts_nocase(view_skip(html, at), name) ||
	    value.len == 0)
		return false;
	bool is_quoted = value.data[0] == '"' || value.data[0] == '\'';
	size_t end = is_quoted ? view_find_byte(view_skip(value, 1), value.data[0]) : 0;
	while (!is_quoted && end < value.len && !ends_reference(value.data[end]))
		end++;
	*ret_value = view_head(view_skip(value, is_quoted ? 1 : 0), end);
	return end != VIEW_NONE;
}

/* A file of the letter's own in a srcset: mail programs that read it find no parts of the message there. */
static enum err refuse_candidate(struct call *call, struct letter_file *letter, struct view written)
{
	AUTO_BUF name = buf_with_ceiling(LIMIT_PATH);
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF content = { 0 };
	decode(written, &name);
	struct view key = beside(buf_view(&name));
	bool is_part = letter->is_eml || view_starts_nocase(key, VIEW_LIT("cid:"));
	enum err err = is_part ? ERR_OK : read_file(call, letter, key, &content, &reason);
	if (err == ERR_OK)
		buf_add(&reason,
			VIEW_LIT("a srcset takes images on the web alone, since none that is sent along (cid:) "
				 "can stand there; give it https:// addresses, or leave it out: src is shown"));
	return refuse(call, letter, "srcset", written, key, err == ERR_OK ? ERR_INVALID : err, buf_view(&reason));
}

static enum err check_srcsets(struct call *call, struct letter_file *letter, struct view html)
{
	for (size_t at = 0; at < html.len; at++) {
		struct view candidates, address;
		if (!read_srcset(html, at, &candidates))
			continue;
		while (srcset_cut(&candidates, &address)) {
			if (is_local(address) || view_starts_nocase(address, VIEW_LIT("cid:")))
				return refuse_candidate(call, letter, address);
		}
	}
	return ERR_OK;
}

enum err letter_files_show(struct call *call, struct letter_file *letter, struct view domain, struct view html,
			   struct letter_files *files, struct buf *out)
{
	size_t done = 0;
	struct reference reference;
	enum err err = check_srcsets(call, letter, html);
	if (err != ERR_OK)
		return err;
	while (next_reference(html, done, &reference)) {
		struct view id;
		err = take_shown(call, letter, &reference, domain, files, &id);
		if (err != ERR_OK)
			return err;
		buf_add(out, view_slice(html, done, reference.start));
		buf_add(out, VIEW_LIT("cid:"));
		buf_add(out, id);
		done = reference.end;
	}
	return buf_add(out, view_skip(html, done));
}

/* ---- attachments ---- */

static struct view base_name(const struct buf *path)
{
	size_t slash = view_find_last_byte(buf_view(path), '/');
	return slash == VIEW_NONE ? buf_view(path) : view_skip(buf_view(path), slash + 1);
}

static bool is_letter(const struct letter_file *letter, struct view name)
{
	return view_eq(name, base_name(&letter->path)) ||
	       (letter->text_path.len > 0 && view_eq(name, base_name(&letter->text_path)));
}

static enum err attach_one(struct call *call, struct letter_file *letter, struct view name, struct letter_files *files,
			   struct buf *reason)
{
	struct view id;
	if (!is_letter(letter, name))
		return take(call, letter, name, NULL, files, &id, reason);
	buf_add(reason, VIEW_LIT("it is the letter itself, which every reader gets already; take it off the list"));
	return ERR_INVALID;
}

static enum err attach_named(struct call *call, struct letter_file *letter, struct letter_files *files)
{
	const struct front_value *value = &letter->front.values[FRONT_ATTACHMENTS];
	struct view rest = value->text, name;
	while (front_matter_cut_name(&rest, &name)) {
		AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
		name = beside(name);
		enum err err = attach_one(call, letter, name, files, &reason);
		if (err == ERR_NOT_FOUND && view_find_byte(name, ',') != VIEW_NONE)
			buf_add(&reason, VIEW_LIT("; of several names each stands in quotes of its own"));
		if (err != ERR_OK)
			return call_refuse(call, err, "%s: line %zu: the attachment " VIEW_FMT ": " VIEW_FMT,
					   buf_text(&letter->path), value->line,
					   VIEW_ARG(view_head(name, LIMIT_FILE_NAME)), VIEW_ARG(buf_view(&reason)));
	}
	return ERR_OK;
}

static enum err attach_parts(struct call *call, struct letter_file *letter, struct letter_files *files)
{
	struct view id;
	for (size_t i = 0; i < letter->eml.file_count; i++) {
		const struct eml_file *part = &letter->eml.files[i];
		AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
		if (part->is_taken)
			continue;
		enum err err = take(call, letter, buf_view(&part->place), NULL, files, &id, &reason);
		if (err != ERR_OK)
			return call_refuse(call, err, "%s, " VIEW_FMT ": the attachment " VIEW_FMT ": " VIEW_FMT,
					   buf_text(&letter->path), VIEW_ARG(buf_view(&part->place)),
					   VIEW_ARG(view_head(buf_view(&part->name), LIMIT_FILE_NAME)),
					   VIEW_ARG(buf_view(&reason)));
	}
	return ERR_OK;
}

enum err letter_files_attach(struct call *call, struct letter_file *letter, struct letter_files *files)
{
	return letter->is_eml ? attach_parts(call, letter, files) : attach_named(call, letter, files);
}

/* ---- what is left ---- */

static bool is_used(const struct letter_file *letter, const struct letter_files *files, struct view name)
{
	bool is = is_letter(letter, name);
	for (size_t i = 0; i < files->count; i++)
		is |= view_eq(files->items[i].name, name);
	return is;
}

static void add_name(struct view name, struct buf *names)
{
	buf_addf(names, "%s" VIEW_FMT, names->len > 0 ? ", " : "", VIEW_ARG(name));
}

/* Hidden files are not the author's affair, unless they came with a folder by chance. */
void letter_files_note_unused(struct call *call, struct letter_file *letter, const struct letter_files *files)
{
	AUTO_BUF path = buf_with_ceiling(LIMIT_PATH);
	AUTO_BUF names = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF litter = buf_with_ceiling(LIMIT_WHY);
	buf_add(&path, folder_of(letter));
	DIR *folder = letter->is_folder ? opendir(buf_text(&path)) : NULL;
	const struct dirent *entry;
	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		struct view name = view_of(entry->d_name);
		if (attachment_is_litter(name))
			add_name(name, &litter);
		else if (name.data[0] != '.' && !is_used(letter, files, name))
			add_name(name, &names);
	}
	if (folder != NULL)
		closedir(folder);
	if (names.len > 0)
		call_warn(call, "the letter does not use %s", buf_text(&names));
	if (litter.len > 0)
		call_note(call, "left aside in the letter's folder, as files of the system or an editor: %s",
			  buf_text(&litter));
}
