/* Templates in unit tests: attributes as a source, a buf as a sink. */
#ifndef TESTS_SUPPORT_RENDERING_H
#define TESTS_SUPPORT_RENDERING_H

#include "mail/template.h"

/* Compiles with these known fields, a blank between. */
enum err rendering_compile(const char *source, enum slot_language language, const char *known,
			   struct template **ret_template, struct buf *why) MUST_USE;
/* Renders for these attributes, which are a JSON object. */
enum err rendering_render(const struct template *template, const char *json, struct buf *out, struct buf *why) MUST_USE;

#endif
