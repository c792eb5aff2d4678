#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/limits.h"
#include "listctl/call.h"
#include "listctl/keys.h"
#include "store/audit.h"
#include "store/instance.h"
#include "store/key_uses.h"
#include "store/suppressions.h"

/* How long the unsubscribe links of a copy are honoured. */
enum { UNSUBSCRIBE_LIFE_DAYS = 400 };

static void today_text(char text[11])
{
	time_t now = (time_t)(clock_wall_us() / CLOCK_US_PER_SECOND);
	struct tm parts;
	gmtime_r(&now, &parts);
	strftime(text, 11, "%Y-%m-%d", &parts);
}

static enum err audit_key(struct call *call, const char *action, int id)
{
	AUTO_BUF subject = buf_with_ceiling(LIMIT_WHY);
	buf_addf(&subject, "key:%d", id);
	return audit_append(call->db, view_of(call->actor), action, buf_view(&subject), VIEW_LIT(""), call->why);
}

/* The keys so far, or none for this database; refused when they belong to another one. */
static enum err load_or_begin(struct call *call, struct keyring *ret_keyring)
{
	struct instance instance;
	enum err err = instance_read(call->db, &instance, call->why);
	if (err != ERR_OK)
		return err;
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	err = keys_load(call->settings, call->settings_path, ret_keyring, &why);
	if (err == ERR_NOT_FOUND) {
		*ret_keyring = (struct keyring){ .newest = -1 };
		memcpy(ret_keyring->instance, instance.id, sizeof(ret_keyring->instance));
		return ERR_OK;
	}
	if (err != ERR_OK)
		return call_refuse(call, err, "%s", buf_text(&why));
	if (strcmp(ret_keyring->instance, instance.id) == 0)
		return ERR_OK;
	return call_refuse(call, ERR_REFUSED,
			   "%s belongs to the database instance %s, and this one is %s; name the right database or "
			   "another key file",
			   call->settings->keys_file, ret_keyring->instance, instance.id);
}

static enum err add_key(struct call *call, struct keyring *keyring, int *ret_id)
{
	unsigned char bytes[KEYRING_KEY_SIZE];
	char today[11];
	today_text(today);
	if (!keys_random(bytes))
		return call_refuse(call, ERR_IO, "the system has no random numbers to give");
	enum err err = keyring_add(keyring, view_of(today), bytes, ret_id);
	if (err == ERR_REFUSED)
		call_refuse(call, err, "%s has all %d keys there can be", call->settings->keys_file, KEYRING_KEYS);
	return err;
}

/* The first key file has one from its beginning; one that was made before gets it by --erasure. A lost one is not made anew: by another key nobody
 * who was erased is known again. */
static enum err add_erasure(struct call *call, struct keyring *keyring)
{
	unsigned char bytes[KEYRING_KEY_SIZE];
	char today[11];
	bool any, foreign;
	enum err err = suppressions_erased(call->db, VIEW_LIT(""), &any, &foreign, call->why);
	if (err != ERR_OK)
		return err;
	if (any && !keyring->erasure.present)
		return call_refuse(call, ERR_REFUSED,
				   "people were erased by an erasure key that %s has not; bring the `erasure` line of "
				   "the former key file back",
				   call->settings->keys_file);
	today_text(today);
	if (!keys_random(bytes))
		return call_refuse(call, ERR_IO, "the system has no random numbers to give");
	err = keyring_set_erasure(keyring, view_of(today), bytes);
	return err == ERR_REFUSED ? call_refuse(call, err, "%s has its erasure key, and there is one for good",
						call->settings->keys_file)
				  : err;
}

/* The audit row is committed after the file is there: a key that nobody recorded is better than a record without a key. */
static enum err new_key(struct call *call)
{
	struct keyring keyring = { .newest = -1 };
	int id = 0;
	enum err err = load_or_begin(call, &keyring);
	bool first = keyring.newest < 0;
	bool only_erasure = call_has(call, "erasure");
	if (err == ERR_OK && (only_erasure || first))
		err = add_erasure(call, &keyring);
	if (err == ERR_OK && (!only_erasure || first))
		err = add_key(call, &keyring, &id);
	if (err == ERR_OK)
		err = keys_save(call->settings, &keyring, call->why);
	keyring_wipe(&keyring);
	if (err == ERR_OK && only_erasure && !first) {
		call_note(call, "the erasure key stands in %s; keep it as long as the database",
			  call->settings->keys_file);
		return audit_append(call->db, view_of(call->actor), "key.new", VIEW_LIT("key:erasure"), VIEW_LIT(""),
				    call->why);
	}
	if (err == ERR_OK)
		err = audit_key(call, "key.new", id);
	if (err != ERR_OK)
		return err;
	call_note(call, "key %d stands in %s", id, call->settings->keys_file);
	if (!first)
		call_note(
		    call,
		    "it signs once sender is restarted; on every host with this file: first reload bounced (SIGHUP), "
		    "then restart sender");
	return ERR_OK;
}

static enum err ls(struct call *call)
{
	static const struct output_column columns[] = {
		{ .name = "id", .type = OUTPUT_INT },
		{ .name = "created" },
		{ .name = "state" },
	};
	struct keyring keyring;
	enum err err = keys_load(call->settings, call->settings_path, &keyring, call->why);
	if (err != ERR_OK)
		return err;
	output_begin(call->out, columns, ARRAY_LEN(columns));
	for (int id = 0; id < KEYRING_KEYS; id++) {
		const struct key *key = &keyring.keys[id];
		const char *state = key->retired ? "retired" : id == keyring.newest ? "signing" : "active";
		if (key->present)
			output_row(call->out, (struct output_cell[]){ cell_int(id), cell_text(view_of(key->created)),
								      cell_text(view_of(state)) });
	}
	if (keyring.erasure.present)
		output_row(call->out, (struct output_cell[]){ cell_null(), cell_text(view_of(keyring.erasure.created)),
							      cell_text(VIEW_LIT("erasure")) });
	keyring_wipe(&keyring);
	return output_end(call->out, call->why);
}

/* Days after the last copy on which something signed with the key may still come back. */
static int64_t longest_life_days(const struct settings *settings)
{
	int64_t longest = UNSUBSCRIBE_LIFE_DAYS;
	const int64_t lives[] = { settings->bounce_token_life, settings->bounce_inside_life };
	for (size_t i = 0; i < ARRAY_LEN(lives); i++) {
		int64_t days = lives[i] / CLOCK_US_PER_DAY + 1;
		longest = days > longest ? days : longest;
	}
	return longest;
}

static enum err check_unused(struct call *call, int id)
{
	struct key_use use;
	enum err err = key_uses_find(call->db, id, &use, call->why);
	if (err != ERR_OK || call_has(call, "force"))
		return err;
	int64_t today = clock_wall_us() / CLOCK_US_PER_DAY;
	int64_t free_in = use.last_day < 0 ? 0 : use.last_day + longest_life_days(call->settings) - today;
	if (use.chunks + use.deferrals > 0)
		return call_refuse(call, ERR_REFUSED,
				   "key %d is still used: %lld chunks being sent, %lld recipients waiting for another "
				   "attempt; wait for them or say --force",
				   id, (long long)use.chunks, (long long)use.deferrals);
	if (free_in > 0)
		return call_refuse(
		    call, ERR_REFUSED,
		    "letters signed with key %d may bounce or unsubscribe for another %lld day%s; wait, or "
		    "say --force and lose these",
		    id, (long long)free_in, free_in == 1 ? "" : "s");
	return ERR_OK;
}

static enum err retire_in(struct call *call, struct keyring *keyring, int id)
{
	struct key *key = &keyring->keys[id];
	if (!key->present || key->retired)
		return call_refuse(call, ERR_NOT_FOUND, "%s has no active key %d; `listctl key ls` shows them",
				   call->settings->keys_file, id);
	if (id == keyring->newest)
		return call_refuse(call, ERR_REFUSED, "key %d is the signing key; make a new one first", id);
	enum err err = check_unused(call, id);
	if (err != ERR_OK)
		return err;
	key->retired = true;
	return keys_save(call->settings, keyring, call->why);
}

static enum err retire(struct call *call)
{
	uint64_t id;
	if (!view_to_u64(view_of(call->operands[0]), KEYRING_KEYS - 1, &id))
		return call_misused(call, "a key id is a number from 0 to %d, not %s", KEYRING_KEYS - 1,
				    call->operands[0]);
	struct keyring keyring;
	enum err err = load_or_begin(call, &keyring);
	if (err == ERR_OK)
		err = retire_in(call, &keyring, (int)id);
	keyring_wipe(&keyring);
	if (err == ERR_OK)
		err = audit_key(call, "key.retire", (int)id);
	if (err == ERR_OK)
		call_note(call, "key %d is retired; reload bounced (SIGHUP) and restart sender", (int)id);
	return err;
}

static const struct command_option new_options[] = {
	{ "erasure", NULL, "the key that makes what stays of people who are erased, for a key file without one" },
	{ NULL, NULL, NULL },
};

static const struct command_option retire_options[] = {
	{ "force", NULL, "even when letters signed with it may still come back" },
	{ NULL, NULL, NULL },
};

const struct command key_commands[] = {
	{
	    .noun = "key",
	    .verb = "new",
	    .operands = "",
	    .help = "make a new signing key in the key file",
	    .details = "The first one makes the file named by keys.file, which belongs to this database. Keys\n"
		       "made before go on verifying. Back the file up: without it no bounce is understood, and\n"
		       "nobody who was erased is known again.\n",
	    .options = new_options,
	    .needs = NEEDS_DATABASE,
	    .run = new_key,
	},
	{
	    .noun = "key",
	    .verb = "ls",
	    .operands = "",
	    .help = "show the keys, without their secrets",
	    .needs = NEEDS_SETTINGS,
	    .run = ls,
	},
	{
	    .noun = "key",
	    .verb = "retire",
	    .operands = "ID",
	    .help = "stop accepting what a key has signed",
	    .options = retire_options,
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = retire,
	},
	{ 0 },
};
