#include "store/dkim_folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/limits.h"
#include "mail/verp.h"

#define CREATED VIEW_LIT("created: ")
#define PEM VIEW_LIT(".pem")
#define RETIRED VIEW_LIT(".retired")

enum err dkim_folder_path(const char *folder, struct view domain, struct view selector, enum dkim_kind kind,
			  bool is_retired, struct buf *out)
{
	return buf_addf(out, "%s/" VIEW_FMT "/" VIEW_FMT ".%s.pem%s", folder, VIEW_ARG(domain), VIEW_ARG(selector),
			dkim_kind_name(kind), is_retired ? ".retired" : "");
}

/* ---- one file ---- */

struct file_name {
	struct view selector;
	enum dkim_kind kind;
	bool is_retired;
};

/* ERR_NOT_FOUND: no key's at all; ERR_INVALID: meant to be one. */
static enum err read_name(struct view name, struct file_name *ret_name)
{
	struct file_name found = { .is_retired = view_ends(name, RETIRED) };
	if (found.is_retired)
		name.len -= RETIRED.len;
	if (!view_ends(name, PEM))
		return ERR_NOT_FOUND;
	name.len -= PEM.len;
	size_t dot = view_find_last_byte(name, '.');
	found.selector = view_head(name, dot == VIEW_NONE ? 0 : dot);
	for (int kind = 0; kind < DKIM_KIND_COUNT; kind++) {
		found.kind = (enum dkim_kind)kind;
		if (view_eq(view_skip(name, found.selector.len + 1), view_of(dkim_kind_name(found.kind))) &&
		    dkim_selector_is_valid(found.selector)) {
			*ret_name = found;
			return ERR_OK;
		}
	}
	return ERR_INVALID;
}

/* Whoever can read a key can sign as its domain; whoever can write one decides who can. */
static enum err check_rights(const char *path, bool is_folder, struct buf *why)
{
	struct stat info;
	mode_t forbidden = is_folder ? S_IWOTH : S_IROTH | S_IWOTH | S_IWGRP;
	if (stat(path, &info) != 0 || (info.st_mode & forbidden) == 0)
		return ERR_OK;
	buf_addf(why,
		 is_folder ? "everybody may write into %s, where keys of DKIM are; take that right away: chmod o-w %s"
			   : "others may read or write the key in %s; take that right away: chmod g-w,o= %s",
		 path, path);
	return ERR_DENIED;
}

static void take_created(struct view text, struct dkim_entry *entry)
{
	struct view line;
	if (!view_starts(text, CREATED) || !view_cut_line(&text, &line))
		return;
	struct view time = view_head(view_trim(view_skip(line, CREATED.len)), DKIM_CREATED);
	memcpy(entry->created, time.data, time.len);
}

static enum err read_key(const char *path, struct view domain, const struct file_name *name, struct dkim_entry *entry,
			 struct buf *why)
{
	AUTO_BUF text = buf_with_ceiling(LIMIT_KEY_FILE);
	AUTO_BUF cause = buf_with_ceiling(LIMIT_WHY);
	enum err err = check_rights(path, false, why);
	if (err == ERR_OK)
		err = file_read(path, &text, why);
	if (err != ERR_OK) {
		if (err == ERR_DENIED && why->len > 0 && text.len == 0)
			buf_addf(why, "; only root and the daemons may read the keys of DKIM");
		return err;
	}
	err = dkim_key_read(buf_view(&text), domain, name->selector, &entry->key, &cause);
	if (err == ERR_INVALID)
		buf_addf(why, "%s " VIEW_FMT, path, VIEW_ARG(buf_view(&cause)));
	if (err == ERR_OK && dkim_key_kind(entry->key) != name->kind) {
		buf_addf(why, "%s is named after another kind of key than it holds; rename it", path);
		dkim_key_done(entry->key);
		err = ERR_INVALID;
	}
	entry->is_retired = name->is_retired;
	if (err == ERR_OK)
		take_created(buf_view(&text), entry);
	buf_wipe(&text);
	return err;
}

/* ---- folders ---- */

static enum err add_entry(struct dkim_folder *folder, const struct dkim_entry *entry)
{
	if (folder->count == folder->room) {
		size_t room = folder->room == 0 ? 8 : folder->room * 2;
		struct dkim_entry *grown =
		    folder->count >= LIMIT_DKIM_KEYS ? NULL : realloc(folder->entries, room * sizeof(*grown));
		if (grown == NULL)
			return folder->count >= LIMIT_DKIM_KEYS ? ERR_TOO_BIG : ERR_MEMORY;
		folder->entries = grown;
		folder->room = room;
	}
	folder->entries[folder->count++] = *entry;
	return ERR_OK;
}

static enum err explain(const char *path, struct buf *why)
{
	int code = errno;
	buf_addf(why, "cannot read %s: %s", path, strerror(code));
	if (code == EACCES)
		buf_addf(why, "; only root and the daemons may read the keys of DKIM");
	return code == EACCES ? ERR_DENIED : ERR_IO;
}

/* Calls take for each name in the folder, "." and ".." and hidden ones left out. */
static enum err walk(const char *path, struct dkim_folder *folder,
		     enum err (*take)(const char *parent, const char *name, struct dkim_folder *folder,
				      struct buf *why),
		     struct buf *why)
{
	DIR *dir = opendir(path);
	const struct dirent *found;
	if (dir == NULL)
		return explain(path, why);
	enum err err = check_rights(path, true, why);
	while (err == ERR_OK && (found = readdir(dir)) != NULL) {
		if (found->d_name[0] != '.')
			err = take(path, found->d_name, folder, why);
	}
	closedir(dir);
	return err;
}

static struct view last_part(const char *path)
{
	struct view all = view_of(path);
	return view_skip(all, view_find_last_byte(all, '/') + 1);
}

/* parent ends in the domain. */
static enum err take_file(const char *parent, const char *name, struct dkim_folder *folder, struct buf *why)
{
	struct file_name parts;
	struct dkim_entry entry = { 0 };
	AUTO_BUF path = buf_with_ceiling(LIMIT_PATH);
	buf_addf(&path, "%s/%s", parent, name);
	enum err err = read_name(view_of(name), &parts);
	if (err == ERR_NOT_FOUND)
		return ERR_OK;
	if (err == ERR_INVALID)
		buf_addf(why, "%s is not named SELECTOR.rsa.pem or SELECTOR.ed25519.pem; rename it", buf_text(&path));
	if (err == ERR_OK)
		err = read_key(buf_text(&path), last_part(parent), &parts, &entry, why);
	if (err != ERR_OK)
		return err;
	err = add_entry(folder, &entry);
	if (err != ERR_OK)
		dkim_key_done(entry.key);
	return err;
}

static enum err take_domain(const char *parent, const char *name, struct dkim_folder *folder, struct buf *why)
{
	struct stat info;
	AUTO_BUF path = buf_with_ceiling(LIMIT_PATH);
	buf_addf(&path, "%s/%s", parent, name);
	if (stat(buf_text(&path), &info) != 0 || !S_ISDIR(info.st_mode))
		return ERR_OK;
	if (verp_domain_is_valid(view_of(name)))
		return walk(buf_text(&path), folder, take_file, why);
	buf_addf(why, "%s is not named after a domain in its ASCII form; rename it", buf_text(&path));
	return ERR_INVALID;
}

/* ---- order ---- */

static int compare_views(struct view a, struct view b)
{
	size_t least = a.len < b.len ? a.len : b.len;
	int order = least == 0 ? 0 : memcmp(a.data, b.data, least);
	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare(const void *left, const void *right)
{
	const struct dkim_entry *a = left, *b = right;
	int order = compare_views(dkim_key_domain(a->key), dkim_key_domain(b->key));
	if (order == 0)
		order = (int)dkim_key_kind(a->key) - (int)dkim_key_kind(b->key);
	if (order == 0)
		order = (int)a->is_retired - (int)b->is_retired;
	if (order == 0)
		order = strcmp(a->created, b->created);
	return order != 0 ? order : compare_views(dkim_key_selector(a->key), dkim_key_selector(b->key));
}

/* RSA keys stand before the others of their domain. */
static void choose_signing(struct dkim_folder *folder)
{
	bool has_rsa = false;
	for (size_t i = 0; i < folder->count; i++) {
		struct dkim_entry *entry = &folder->entries[i];
		const struct dkim_entry *before = i == 0 ? NULL : &folder->entries[i - 1];
		bool is_same = before != NULL && view_eq(dkim_key_domain(before->key), dkim_key_domain(entry->key));
		bool is_first = !is_same || dkim_key_kind(before->key) != dkim_key_kind(entry->key);
		has_rsa = is_same && has_rsa;
		entry->signs = is_first && !entry->is_retired && (has_rsa || dkim_key_kind(entry->key) == DKIM_RSA);
		has_rsa = has_rsa || entry->signs;
	}
}

enum err dkim_folder_load(const char *path, struct dkim_folder *ret_folder, struct buf *why)
{
	struct dkim_folder folder = { 0 };
	struct stat info;
	bool is_there = stat(path, &info) == 0 || errno != ENOENT;
	enum err err = is_there ? walk(path, &folder, take_domain, why) : ERR_OK;
	if (err != ERR_OK) {
		dkim_folder_done(&folder);
		return err;
	}
	if (folder.count > 0)
		qsort(folder.entries, folder.count, sizeof(*folder.entries), compare);
	choose_signing(&folder);
	*ret_folder = folder;
	return ERR_OK;
}

void dkim_folder_done(struct dkim_folder *folder)
{
	for (size_t i = 0; i < folder->count; i++)
		dkim_key_done(folder->entries[i].key);
	free(folder->entries);
	*folder = (struct dkim_folder){ 0 };
}

/* ---- finding ---- */

static size_t find_exactly(const struct dkim_folder *folder, struct view domain,
			   struct dkim_key *ret_keys[DKIM_SIGNATURES])
{
	size_t count = 0;
	for (size_t i = 0; i < folder->count && count < DKIM_SIGNATURES; i++) {
		const struct dkim_entry *entry = &folder->entries[i];
		if (entry->signs && view_eq_nocase(dkim_key_domain(entry->key), domain))
			ret_keys[count++] = entry->key;
	}
	return count;
}

size_t dkim_folder_find(const struct dkim_folder *folder, struct view from_domain,
			struct dkim_key *ret_keys[DKIM_SIGNATURES])
{
	size_t count = 0;
	while (count == 0 && view_find_byte(from_domain, '.') != VIEW_NONE) {
		count = find_exactly(folder, from_domain, ret_keys);
		from_domain = view_skip(from_domain, view_find_byte(from_domain, '.') + 1);
	}
	return count;
}

const struct dkim_entry *dkim_folder_named(const struct dkim_folder *folder, struct view domain, struct view selector)
{
	for (size_t i = 0; i < folder->count; i++) {
		const struct dkim_entry *entry = &folder->entries[i];
		if (view_eq_nocase(dkim_key_domain(entry->key), domain) &&
		    view_eq_nocase(dkim_key_selector(entry->key), selector))
			return entry;
	}
	return NULL;
}
