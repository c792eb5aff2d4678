/* What GMime finds in a message on standard input, as JSON: its subject, and each part that is no multipart in their order. For the system
 * tests, which compare it with what Python finds. */
#include <stdio.h>

#include <gmime/gmime.h>
#include <jansson.h>

static json_t *string_or_null(const char *text)
{
	return text == NULL ? json_null() : json_string(text);
}

static void add_part(GMimeObject *parent, GMimeObject *object, gpointer context)
{
	json_t *parts = context;
	(void)parent;
	if (!GMIME_IS_PART(object))
		return;
	GMimeStream *stream = g_mime_stream_mem_new();
	g_mime_data_wrapper_write_to_stream(g_mime_part_get_content(GMIME_PART(object)), stream);
	GByteArray *octets = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
	char *type = g_mime_content_type_get_mime_type(g_mime_object_get_content_type(object));
	char *digest = g_compute_checksum_for_data(G_CHECKSUM_SHA256, octets->data, octets->len);
	json_t *part = json_object();
	json_object_set_new(part, "type", json_string(type));
	json_object_set_new(part, "filename", string_or_null(g_mime_part_get_filename(GMIME_PART(object))));
	json_object_set_new(part, "id", string_or_null(g_mime_object_get_content_id(object)));
	json_object_set_new(part, "disposition", string_or_null(g_mime_object_get_disposition(object)));
	json_object_set_new(part, "sha256", json_string(digest));
	json_array_append_new(parts, part);
	g_free(digest);
	g_free(type);
	g_object_unref(stream);
}

int main(void)
{
	g_mime_init();
	/* All of it in memory: the parser goes back and forth. */
	static char room[16 << 20];
	size_t len = fread(room, 1, sizeof(room), stdin);
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer(room, len);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
	if (message == NULL)
		return 1;
	json_t *parts = json_array();
	g_mime_message_foreach(message, add_part, parts);
	json_t *tree = json_object();
	json_object_set_new(tree, "subject", string_or_null(g_mime_message_get_subject(message)));
	json_object_set_new(tree, "parts", parts);
	json_dumpf(tree, stdout, 0);
	json_decref(tree);
	g_object_unref(message);
	g_object_unref(parser);
	g_object_unref(stream);
	return 0;
}
