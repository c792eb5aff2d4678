#include "listctl/attribute_options.h"

#include <string.h>

#include "base/limits.h"
#include "listctl/column_names.h"
#include "listctl/field_types.h"
#include "listctl/json_text.h"
#include "mail/header.h"

enum { SAID_MOST = 200 };

enum err attribute_text_check(struct call *call, const char *option, struct view text)
{
	if (!view_is_utf8(text) || view_has_control(text) || !header_takes(text) || header_has_encoded_word(text))
		return call_misused(
		    call, "--%s takes UTF-8 text without control characters and encoded words of mail headers", option);
	if (text.len > LIMIT_CSV_FIELD)
		return call_misused(call, "--%s takes at most %d octets", option, LIMIT_CSV_FIELD);
	return ERR_OK;
}

static enum err check_name(struct call *call, const char *option, struct view name)
{
	char normal[COLUMN_NAME_SIZE];
	column_name_normalise(name, normal);
	if (!view_eq(name, view_of(normal)) || name.len == 0 || name.data[0] == '_')
		return call_misused(
		    call, "--%s: an attribute's name is made of a to z, 0 to 9 and _, such as first_name", option);
	if (column_name_is_taken(normal))
		return call_misused(call, "--%s: %s is what templates use for something else", option, normal);
	return ERR_OK;
}

static void note_name(struct attribute_options *options, struct view name)
{
	buf_addf(&options->names, "%s" VIEW_FMT, options->names.len > 0 ? ", " : "", VIEW_ARG(name));
	options->any = true;
}

static enum err refuse_size(struct call *call, struct view said)
{
	return call_misused(call,
			    "--set " VIEW_FMT ": the attributes of a person take at most %d octets, names and all, and "
			    "with this one there are more",
			    VIEW_ARG(view_head(said, SAID_MOST)), LIMIT_ATTRIBUTES);
}

static enum err add_set(struct call *call, const char *text, struct attribute_options *options)
{
	struct view rest = view_of(text), name, type_name, said;
	enum field_type type = FIELD_TEXT;
	AUTO_BUF wrong = buf_with_ceiling(LIMIT_WHY);
	if (!view_cut(&rest, '=', &name) || view_find_byte(view_of(text), '=') == VIEW_NONE)
		return call_misused(call, "--set takes name=value or name:type=value, not %.200s", text);
	said = type_name = name; /* without the value, which may be long */
	if (view_find_byte(name, ':') != VIEW_NONE &&
	    (!view_cut(&type_name, ':', &name) || !field_type_from_name(type_name, &type)))
		return call_misused(call, "--set " VIEW_FMT ": a type is text, number, boolean, date, json or tags",
				    VIEW_ARG(view_head(said, SAID_MOST)));
	enum err err = check_name(call, "set", name);
	if (err == ERR_OK && type != FIELD_JSON &&
	    (!view_is_utf8(rest) || !header_takes_lines(rest) || header_has_encoded_word(rest)))
		err = attribute_text_check(call, "set", rest);
	if (err != ERR_OK)
		return err;
	if (type == FIELD_JSON && json_text_hides_control(view_trim(rest)))
		return call_misused(call,
				    "--set " VIEW_FMT
				    ": the text holds a control character other than line breaks and tabs; take it out",
				    VIEW_ARG(view_head(said, SAID_MOST)));
	if (options->set.len > 1)
		buf_add_byte(&options->set, ',');
	output_json_string(&options->set, name);
	buf_add_byte(&options->set, ':');
	size_t before = options->set.len;
	if (!view_is_utf8(rest) || !field_type_add(type, DATE_ORDER_UNSAYABLE, rest, &options->set, &wrong) ||
	    options->set.len == before)
		return call_misused(call, "--set " VIEW_FMT ": %s", VIEW_ARG(view_head(said, SAID_MOST)),
				    wrong.len > 0 ? buf_text(&wrong) : "there is no value of this type");
	note_name(options, name);
	if (buf_err(&options->set) == ERR_TOO_BIG || options->set.len >= LIMIT_ATTRIBUTES) /* the brace at the end */
		return refuse_size(call, said);
	return buf_err(&options->set);
}

enum err attribute_options_read(struct call *call, struct attribute_options *ret_options)
{
	struct attribute_options *options = ret_options;
	*options = (struct attribute_options){ .set = buf_with_ceiling(LIMIT_ATTRIBUTES),
					       .names = buf_with_ceiling(LIMIT_WHY),
					       .unset = db_array_of(DB_TEXT) };
	enum err err = buf_add_byte(&options->set, '{');
	const char *text;
	for (size_t i = 0; err == ERR_OK && (text = call_option_at(call, "set", i)) != NULL; i++)
		err = add_set(call, text, options);
	bool may_unset = call_takes(call, "unset");
	for (size_t i = 0; err == ERR_OK && may_unset && (text = call_option_at(call, "unset", i)) != NULL; i++) {
		if (*text == '\0')
			return call_misused(call, "--unset takes the name of an attribute");
		db_array_add_bytes(&options->unset, view_of(text));
		note_name(options, view_of(text));
	}
	return err == ERR_OK ? buf_add_byte(&options->set, '}') : err;
}

void attribute_options_done(struct attribute_options *options)
{
	buf_done(&options->set);
	buf_done(&options->names);
	db_array_done(&options->unset);
}
