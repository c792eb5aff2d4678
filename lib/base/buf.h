/* struct buf owns bytes that grow up to a ceiling. Its error is sticky: after the first failed addition the content
 * stays as it was and every later addition fails alike, so that a text is written without a test on each piece and
 * buf_err() is asked once at the end. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>

#include "base/err.h"
#include "base/view.h"

struct buf {
	char *data; /* never terminated; NULL while empty */
	size_t len;
	size_t cap;
	size_t ceiling; /* len never passes it */
	enum err err;   /* ERR_OK, ERR_TOO_BIG or ERR_MEMORY */
};

/* A local that releases itself: AUTO_BUF text = buf_with_ceiling(LIMIT_WHY); */
#define AUTO_BUF __attribute__((cleanup(buf_done))) struct buf

struct buf buf_with_ceiling(size_t ceiling);
/* Releases the bytes; accepts a zeroed object and may run twice. */
void buf_done(struct buf *buf);
/* The same for a secret: its bytes are overwritten before. */
void buf_wipe(struct buf *buf);
/* Empties the buf and its error, keeping the memory for reuse. */
void buf_reset(struct buf *buf);

/* Additions return the sticky state, which may be ignored here when buf_err() is asked later. */
enum err buf_add(struct buf *buf, struct view bytes);
enum err buf_add_byte(struct buf *buf, char byte);
enum err buf_add_u64(struct buf *buf, uint64_t number);
enum err buf_addf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);
enum err buf_addv(struct buf *buf, const char *format, va_list values) PRINTF_LIKE(2, 0);

/* Room for count more bytes to be written at the returned place, then claimed by buf_grown(); NULL when refused. */
char *buf_room(struct buf *buf, size_t count);
void buf_grown(struct buf *buf, size_t count);

/* Removes bytes at the front, or everything beyond len. */
void buf_drop_front(struct buf *buf, size_t count);
void buf_cut(struct buf *buf, size_t len);

enum err buf_err(const struct buf *buf) MUST_USE;
struct view buf_view(const struct buf *buf);
/* The bytes as a C string, valid until the next change; "" on failure. Only for a library's border. */
const char *buf_text(struct buf *buf);

#endif
