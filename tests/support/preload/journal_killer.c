/* Loaded into sender before its own libraries (LD_PRELOAD) by system tests: ends a worker at a write of its journal, at which no signal from
 * outside can be aimed.
 *
 * The file that JOURNAL_KILLER names, as soon as it is there, is an order: "KIND WHAT N", to die at the Nth "write" of a journal from then on,
 * or at the Nth "rewrite", which begins at a page and not where the write before ended; KIND:
 *   before   when nothing of it is in the file
 *   half     when its first half is
 *   after    when all of it is, and nothing was done since
 * The process that takes the order renames it to NAME.taken, so that only one dies of it, and removes that with its last breath. */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <dlfcn.h>

enum { PATH_MOST = 4096, PAGE = 4096, DEATH_STATUS = 98 };

typedef ssize_t writer(int fd, const void *bytes, size_t size, off_t at);

static struct {
	char kind, what; /* the first letters; NUL: there is no order */
	int left;
	char taken[PATH_MOST];
} order;

/* POSIX has no other way from a void pointer to a function. */
static writer *next_writer(void)
{
	void *symbol = dlsym(RTLD_NEXT, "pwrite");
	writer *found;
	memcpy(&found, &symbol, sizeof(found));
	return found;
}

static bool is_journal(int fd)
{
	static const char end[] = ".journal";
	char link[64], path[PATH_MOST];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t size = readlink(link, path, sizeof(path));
	size_t least = sizeof(end) - 1;
	return size >= (ssize_t)least && memcmp(path + (size_t)size - least, end, least) == 0;
}

static void take_order(void)
{
	const char *path = getenv("JOURNAL_KILLER");
	char kind[16], what[16];
	if (path == NULL || access(path, F_OK) != 0)
		return;
	snprintf(order.taken, sizeof(order.taken), "%s.taken", path);
	if (rename(path, order.taken) != 0)
		return; /* another was faster */
	FILE *file = fopen(order.taken, "r");
	if (file == NULL || fscanf(file, "%15s %15s %d", kind, what, &order.left) != 3)
		_exit(DEATH_STATUS);
	fclose(file);
	order.kind = kind[0];
	order.what = what[0];
}

static bool is_last(size_t size, off_t at)
{
	static off_t end;
	bool is_rewrite = at % PAGE == 0 && at != end;
	end = at + (off_t)size;
	if (order.kind == '\0')
		take_order();
	return order.kind != '\0' && (order.what == 'w' || is_rewrite) && --order.left <= 0;
}

static void die(void)
{
	unlink(order.taken);
	kill(getpid(), SIGKILL);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at)
{
	static writer *next;
	if (next == NULL)
		next = next_writer();
	if (!is_journal(fd) || !is_last(size, at))
		return next(fd, bytes, size, at);
	if (order.kind != 'b' && next(fd, bytes, order.kind == 'h' ? size / 2 : size, at) < 0)
		_exit(DEATH_STATUS);
	die();
	return -1;
}
