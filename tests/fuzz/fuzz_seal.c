/* Seals: within their limit, words NAME=DIGEST and no other octet, and trace fields, blank lines at the end and other line ends change
 * nothing. */
#include <stdlib.h>

#include "base/limits.h"
#include "mail/seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_words(struct view words)
{
	struct view word, name;
	if (words.len == 0)
		abort();
	while (view_cut(&words, ' ', &word)) {
		bool is_known = false;
		if (!view_cut(&word, '=', &name) || word.len != 32)
			abort();
		for (size_t i = 0; seal_name(i) != NULL; i++)
			is_known = is_known || view_eq(name, view_of(seal_name(i)));
		if (!is_known)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view message = view_from(data, size);
	AUTO_BUF seal = buf_with_ceiling(LIMIT_SEAL);
	AUTO_BUF other = buf_with_ceiling(LIMIT_SEAL);
	AUTO_BUF relayed = buf_with_ceiling(size + LIMIT_WHY);
	if (seal_write(message, &seal) != ERR_OK)
		abort();
	check_words(buf_view(&seal));
	/* A first line that begins with a space would be a fold of what is put in front. */
	if (size > 0 && data[0] != ' ' && data[0] != '\t')
		buf_add(&relayed, VIEW_LIT("Received: by x;\r\n\tSun, 22 Nov 2026\r\n"));
	buf_add(&relayed, message);
	if (view_find(message, VIEW_LIT("\r\n\r\n")) != VIEW_NONE)
		buf_add(&relayed, VIEW_LIT("\r\n \r\n\r\n"));
	if (seal_write(buf_view(&relayed), &other) != ERR_OK || !view_eq(buf_view(&seal), buf_view(&other)))
		abort();
	return 0;
}
