#include "mail/eml_content.h"

#include "mail/charset.h"

static enum err refuse(struct buf *why, const char *remedy)
{
	buf_add(why, view_of(remedy));
	return ERR_INVALID;
}

static enum err check_encoding(GMimePart *leaf, struct buf *why)
{
	const char *encoding = g_mime_object_get_header(GMIME_OBJECT(leaf), "Content-Transfer-Encoding");
	if (encoding == NULL || g_mime_content_encoding_from_string(encoding) != GMIME_CONTENT_ENCODING_DEFAULT)
		return ERR_OK;
	return refuse(why, "its Content-Transfer-Encoding is not known; save the message with another one");
}

static GByteArray *decode(GMimePart *leaf)
{
	GByteArray *octets = g_byte_array_new();
	GMimeDataWrapper *content = g_mime_part_get_content(leaf);
	if (content == NULL)
		return octets;
	GMimeStream *memory = g_mime_stream_mem_new_with_byte_array(octets);
	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(memory), FALSE);
	g_mime_data_wrapper_write_to_stream(content, memory);
	g_object_unref(memory);
	return octets;
}

static bool is_text(GMimePart *leaf)
{
	return g_mime_content_type_is_type(g_mime_object_get_content_type(GMIME_OBJECT(leaf)), "text", "*");
}

static bool is_of_base64(unsigned char c)
{
	return g_ascii_isalnum(c) || c == '+' || c == '/' || c == '=';
}

/* GMime reads over what is none, such as a footer that a list has put behind it. */
static bool is_base64(struct view encoded)
{
	size_t count = 0, padding = 0;
	for (size_t i = 0; i < encoded.len; i++) {
		unsigned char c = (unsigned char)encoded.data[i];
		if (g_ascii_isspace(c))
			continue;
		if (!is_of_base64(c) || (padding > 0 && c != '='))
			return false;
		count++;
		padding += c == '=';
	}
	return count % 4 == 0 && padding <= 2;
}

static enum err check_base64(GMimePart *leaf, struct buf *why)
{
	GMimeDataWrapper *content = g_mime_part_get_content(leaf);
	if (content == NULL || g_mime_part_get_content_encoding(leaf) != GMIME_CONTENT_ENCODING_BASE64)
		return ERR_OK;
	GByteArray *octets = g_byte_array_new();
	GMimeStream *memory = g_mime_stream_mem_new_with_byte_array(octets);
	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(memory), FALSE);
	GMimeStream *encoded = g_mime_data_wrapper_get_stream(content);
	g_mime_stream_reset(encoded);
	g_mime_stream_write_to_stream(encoded, memory);
	g_mime_stream_reset(encoded);
	g_object_unref(memory);
	bool is_good = is_base64(view_from(octets->data, octets->len));
	g_byte_array_free(octets, TRUE);
	return is_good ? ERR_OK : refuse(why, "its base 64 is broken, or something stands behind it; save it anew");
}

enum err eml_content_read(GMimePart *leaf, struct buf *out, struct buf *why)
{
	enum err err = check_encoding(leaf, why);
	if (err == ERR_OK)
		err = check_base64(leaf, why);
	if (err != ERR_OK)
		return err;
	const char *charset = g_mime_object_get_content_type_parameter(GMIME_OBJECT(leaf), "charset");
	GByteArray *octets = decode(leaf);
	struct view content = view_from(octets->data, octets->len);
	if (is_text(leaf))
		err = charset_to_utf8(view_of(charset), content, out, why);
	else
		err = buf_add(out, content);
	g_byte_array_free(octets, TRUE);
	if (err == ERR_TOO_BIG)
		buf_add(why, VIEW_LIT("it is too big; make it smaller"));
	return err;
}
