#include "mail/keyring.h"

#include <string.h>

#include <openssl/crypto.h>

#include "base/base32.h"

static bool is_made_of(struct view text, const char *allowed)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '\0' || strchr(allowed, text.data[i]) == NULL)
			return false;
	}
	return true;
}

/* The date and the octets of a key. */
static bool parse_secret(struct view created, struct view hex, struct key *key, struct buf *why)
{
	if (created.len != sizeof(key->created) - 1 || !is_made_of(created, "0123456789-") ||
	    !hex_decode(view_trim(hex), key->bytes, sizeof(key->bytes))) {
		buf_addf(why, "a key has a date (YYYY-MM-DD) and 64 hexadecimal digits");
		return false;
	}
	memcpy(key->created, created.data, created.len);
	key->present = true;
	return true;
}

static bool parse_erasure(struct view rest, struct keyring *keyring, struct buf *why)
{
	struct view created;
	if (keyring->erasure.present || !view_cut(&rest, ' ', &created)) {
		buf_addf(why, "one line reads: erasure YYYY-MM-DD 64-HEX-DIGITS");
		return false;
	}
	return parse_secret(created, rest, &keyring->erasure, why);
}

static bool parse_key(struct view rest, struct keyring *keyring, struct buf *why)
{
	struct view id_text, created, state;
	uint64_t id;
	if (!view_cut(&rest, ' ', &id_text) || !view_cut(&rest, ' ', &created) || !view_cut(&rest, ' ', &state)) {
		buf_addf(why, "a key line reads: key ID YYYY-MM-DD active|retired 64-HEX-DIGITS");
		return false;
	}
	if (!view_to_u64(id_text, KEYRING_KEYS - 1, &id)) {
		buf_addf(why, "a key id is a number from 0 to %d", KEYRING_KEYS - 1);
		return false;
	}
	struct key key = { .retired = view_eq(state, VIEW_LIT("retired")) };
	if (!key.retired && !view_eq(state, VIEW_LIT("active"))) {
		buf_addf(why, "a key is active or retired");
		return false;
	}
	if (!parse_secret(created, rest, &key, why))
		return false;
	if (keyring->keys[id].present) {
		buf_addf(why, "key %d stands there twice", (int)id);
		return false;
	}
	keyring->keys[id] = key;
	if (!key.retired)
		keyring->newest = (int)id;
	return true;
}

static bool parse_instance(struct view text, struct keyring *keyring, struct buf *why)
{
	text = view_trim(text);
	if (text.len != KEYRING_INSTANCE_SIZE || !is_made_of(text, "0123456789abcdef-") ||
	    keyring->instance[0] != '\0') {
		buf_addf(why, "one line names the database: instance UUID");
		return false;
	}
	memcpy(keyring->instance, text.data, text.len);
	return true;
}

static bool parse_line(struct view line, struct keyring *keyring, struct buf *why)
{
	struct view word;
	line = view_trim(line);
	if (line.len == 0 || line.data[0] == '#' || !view_cut(&line, ' ', &word))
		return true;
	if (view_eq(word, VIEW_LIT("key")))
		return parse_key(line, keyring, why);
	if (view_eq(word, VIEW_LIT("instance")))
		return parse_instance(line, keyring, why);
	if (view_eq(word, VIEW_LIT("erasure")))
		return parse_erasure(line, keyring, why);
	buf_addf(why, "a line begins with `instance`, `key`, `erasure` or #");
	return false;
}

enum err keyring_parse(struct view text, const char *path, struct keyring *ret_keyring, struct buf *why)
{
	struct keyring keyring = { .newest = -1 };
	struct view line;
	unsigned number = 0;
	size_t why_len = why->len;
	buf_addf(why, "%s line ", path);
	while (view_cut_line(&text, &line)) {
		buf_cut(why, why_len);
		buf_addf(why, "%s line %u: ", path, ++number);
		if (!parse_line(line, &keyring, why)) {
			keyring_wipe(&keyring);
			return ERR_INVALID;
		}
	}
	buf_cut(why, why_len);
	if (keyring.instance[0] == '\0' || keyring.newest < 0) {
		buf_addf(why, "%s has no %s; `listctl key new` makes one", path,
			 keyring.instance[0] == '\0' ? "instance line" : "active key");
		keyring_wipe(&keyring);
		return ERR_INVALID;
	}
	*ret_keyring = keyring;
	keyring_wipe(&keyring);
	return ERR_OK;
}

static void write_key(const struct keyring *keyring, int id, struct buf *out)
{
	const struct key *key = &keyring->keys[id];
	if (!key->present)
		return;
	buf_addf(out, "key %d %s %s ", id, key->created, key->retired ? "retired" : "active");
	hex_encode(view_from(key->bytes, sizeof(key->bytes)), out);
	buf_add_byte(out, '\n');
}

enum err keyring_write(const struct keyring *keyring, struct buf *out)
{
	buf_addf(out,
		 "# verpost signing keys. The last active key signs; all active keys verify. Keep this file secret.\n");
	buf_addf(out, "instance %s\n", keyring->instance);
	if (keyring->erasure.present) {
		buf_addf(out, "erasure %s ", keyring->erasure.created);
		hex_encode(view_from(keyring->erasure.bytes, sizeof(keyring->erasure.bytes)), out);
		buf_add_byte(out, '\n');
	}
	for (int id = 0; id < KEYRING_KEYS; id++) {
		if (id != keyring->newest)
			write_key(keyring, id, out);
	}
	if (keyring->newest >= 0)
		write_key(keyring, keyring->newest, out);
	return buf_err(out);
}

enum err keyring_add(struct keyring *keyring, struct view created, const unsigned char bytes[KEYRING_KEY_SIZE],
		     int *ret_id)
{
	if (created.len != sizeof(keyring->keys[0].created) - 1)
		return ERR_INVALID;
	for (int id = 0; id < KEYRING_KEYS; id++) {
		struct key *key = &keyring->keys[id];
		if (key->present)
			continue;
		*key = (struct key){ .present = true };
		memcpy(key->created, created.data, created.len);
		memcpy(key->bytes, bytes, sizeof(key->bytes));
		keyring->newest = id;
		*ret_id = id;
		return ERR_OK;
	}
	return ERR_REFUSED;
}

enum err keyring_set_erasure(struct keyring *keyring, struct view created, const unsigned char bytes[KEYRING_KEY_SIZE])
{
	struct key *key = &keyring->erasure;
	if (created.len != sizeof(key->created) - 1)
		return ERR_INVALID;
	if (key->present)
		return ERR_REFUSED;
	*key = (struct key){ .present = true };
	memcpy(key->created, created.data, created.len);
	memcpy(key->bytes, bytes, sizeof(key->bytes));
	return ERR_OK;
}

void keyring_wipe(struct keyring *keyring)
{
	OPENSSL_cleanse(keyring, sizeof(*keyring));
	keyring->newest = -1;
}
