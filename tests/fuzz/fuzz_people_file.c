/* A whole file of people, as an administrator may name any: packed, in any encoding, CSV or lines, or nothing of the kind. It is opened and read through a file in
 * memory, twice, to the same end; every row has a line and is UTF-8. */
#define _GNU_SOURCE /* memfd_create */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/limits.h"
#include "listctl/people_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool condition)
{
	if (!condition)
		abort();
}

struct reading {
	size_t headers;
	struct buf seen;
};

static void show(struct reading *reading, const struct csv_row *row)
{
	demand(row->line > 0 || reading->headers > 0);
	demand(row->count <= LIMIT_CSV_COLUMNS);
	buf_addf(&reading->seen, "%llu:", (unsigned long long)row->line);
	for (size_t i = 0; i < row->count; i++) {
		demand(view_is_utf8(row->fields[i].text));
		buf_addf(&reading->seen, "%s" VIEW_FMT "|", row->fields[i].absent ? "~" : "",
			 VIEW_ARG(row->fields[i].text));
	}
}

static enum err on_header(void *context, const struct csv_row *row, struct buf *why)
{
	struct reading *reading = context;
	(void)why;
	demand(++reading->headers == 1 && row->count > 0);
	show(reading, row);
	return ERR_OK;
}

static enum err on_row(void *context, const struct csv_row *row, struct buf *why)
{
	struct reading *reading = context;
	(void)why;
	demand(reading->headers == 1);
	show(reading, row);
	return ERR_OK;
}

static enum err on_fault(void *context, const struct csv_fault *fault, struct buf *why)
{
	struct reading *reading = context;
	(void)why;
	demand(reading->headers == 1 && fault->text[0] != '\0' && view_is_utf8(fault->raw));
	buf_addf(&reading->seen, "%llu!" VIEW_FMT "\n", (unsigned long long)fault->line, VIEW_ARG(fault->raw));
	return ERR_OK;
}

static struct reading read_file(const char *path)
{
	struct reading reading = { .seen = buf_with_ceiling(1 << 20) };
	const struct people_handlers handlers = { on_header, on_row, on_fault, &reading };
	const struct people_file_wishes wishes = { 0 };
	struct people_file *file = NULL;
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	enum err err = people_file_open(path, &wishes, true, &file, &why);
	if (err == ERR_OK)
		err = people_file_read(file, &handlers, &why);
	demand((err == ERR_OK) == (why.len == 0));
	if (err == ERR_OK)
		people_file_describe(file, &reading.seen);
	people_file_free(file);
	return reading;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	int fd = memfd_create("people", MFD_CLOEXEC);
	demand(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	struct reading first = read_file(path), second = read_file(path);
	demand(view_eq(buf_view(&first.seen), buf_view(&second.seen)));
	buf_done(&first.seen);
	buf_done(&second.seen);
	close(fd);
	return 0;
}
