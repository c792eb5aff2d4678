#include "bounced/readable.h"

#include <string.h>

#include "base/limits.h"
#include "store/db_files.h"

/* Names, hosts, libraries, certificates of authorities, time zones; and where /etc/resolv.conf may lead to. */
static const char *const of_the_system[] = {
	"/etc",
	"/lib",
	"/lib64",
	"/usr/lib",
	"/usr/lib64",
	"/usr/share",
	"/usr/local/lib",
	"/usr/local/share",
	"/run/systemd/resolve",
	"/run/resolvconf",
	"/run/NetworkManager",
	"/run/nscd",
	"/dev/null",
	"/dev/urandom",
#ifdef __SANITIZE_ADDRESS__
	"/proc",
	"/usr/bin", /* of the leak checker */
#endif
};

static void add(struct readable *self, struct view path)
{
	buf_add(&self->text, path);
	buf_add_byte(&self->text, '\0');
}

/* The folder: a new file takes the place of the old one by a rename. */
static void add_folder_of(struct readable *self, const char *path)
{
	if (path == NULL || *path == '\0')
		return;
	size_t slash = view_find_last_byte(view_of(path), '/');
	if (slash == VIEW_NONE)
		add(self, VIEW_LIT("."));
	else
		add(self, slash == 0 ? VIEW_LIT("/") : view_head(view_of(path), slash));
}

static void add_all(struct readable *self, const struct setup *setup)
{
	const struct settings *settings = &setup->settings;
	const char *own = settings->database_bounced;
	for (size_t i = 0; i < ARRAY_LEN(of_the_system); i++)
		add(self, view_of(of_the_system[i]));
	add_folder_of(self, setup->path);
	add_folder_of(self, settings->keys_file);
	add_folder_of(self, settings->bounced_tls_certificate);
	add_folder_of(self, settings->bounced_tls_key);
	add_folder_of(self, settings->bounce_rules);
	db_files(*own != '\0' ? own : settings->database_conninfo, &self->text);
}

enum err readable_find(const struct setup *setup, struct readable *ret_readable)
{
	*ret_readable = (struct readable){ .text = buf_with_ceiling(READABLE_MOST * LIMIT_PATH) };
	add_all(ret_readable, setup);
	if (buf_err(&ret_readable->text) != ERR_OK)
		return buf_err(&ret_readable->text);
	struct view rest = buf_view(&ret_readable->text), path;
	while (view_cut(&rest, '\0', &path)) {
		if (ret_readable->count == READABLE_MOST)
			return ERR_TOO_BIG;
		ret_readable->paths[ret_readable->count++] = path.data;
	}
	return ERR_OK;
}

void readable_done(struct readable *readable)
{
	buf_done(&readable->text);
}
