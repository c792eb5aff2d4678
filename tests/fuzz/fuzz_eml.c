/* The input is a complete message. What comes of it is text without NUL, within the ceilings, or a refusal with its reason. */
#include <stdlib.h>

#include "mail/attachment.h"
#include "mail/eml.h"
#include "mail/parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool condition)
{
	if (!condition)
		abort();
}

static void check_text(const struct buf *text)
{
	demand(buf_err(text) == ERR_OK && view_is_utf8(buf_view(text)));
	demand(view_find_byte(buf_view(text), '\0') == VIEW_NONE);
}

static void check_file(const struct eml_file *file)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	const char *type;
	demand(file->name.len > 0 && file->place.len > 0 && buf_err(&file->content) == ERR_OK);
	enum err err = attachment_check(buf_view(&file->name), buf_view(&file->content), &type, &why);
	demand(err == ERR_OK || why.len > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct eml eml = { 0 };
	parts_library_open();
	if (eml_read(view_from(data, size), &eml, &why) == ERR_OK) {
		demand(why.len == 0 && (eml.text.text.len > 0 || eml.html.text.len > 0));
		check_text(&eml.text.text);
		check_text(&eml.html.text);
		for (size_t i = 0; i < EML_FIELD_COUNT; i++) {
			check_text(&eml.fields[i].text);
			demand(!view_has_control(buf_view(&eml.fields[i].text)));
		}
		for (size_t i = 0; i < eml.file_count; i++)
			check_file(&eml.files[i]);
	} else {
		demand(why.len > 0);
	}
	eml_done(&eml);
	return 0;
}
