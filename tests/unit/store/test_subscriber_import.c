#include "store/subscriber_import.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/limits.h"
#include "tests/support/database.h"
#include "tests/support/unit.h"

enum { ROWS_MOST = 8 };

/* What the database says of everybody afterwards: members of list 1 in the order of their addresses. */
#define EVERYBODY                                                                                                      \
	"SELECT coalesce(string_agg(concat_ws(' ', s.address, s.canonical, nullif(s.name, ''), s.attributes, m.state," \
	" m.reason, m.consent_source, extract(epoch FROM m.consent_at)::bigint), '; ' ORDER BY s.address_key), '')"    \
	" FROM subscriber s LEFT JOIN membership m ON m.subscriber_id = s.id AND m.list_id = 1"

/* By list and state: what is counted as members change, and what there is. */
#define MISCOUNTED                                                                                                     \
	"SELECT count(*) FROM (SELECT list_id, state, count(*) AS people FROM membership GROUP BY list_id, state) m"   \
	" FULL JOIN (SELECT * FROM member_count WHERE people <> 0) c USING (list_id, state)"                           \
	" WHERE m.people IS DISTINCT FROM c.people"

static const struct db_statement miscounted = { .name = "miscounted", .sql = MISCOUNTED };
static const struct db_statement everybody = { .name = "everybody", .sql = EVERYBODY };

struct given {
	const char *address, *canonical, *name, *attributes, *consent_source;
	int64_t consent_us;
	const char *erased;
};

#define FINGERPRINT "01234567890123456789012345678901"

/* before: SQL about a database that has the lists 1 and 2. */
struct scenario {
	const char *label, *before;
	struct given rows[ROWS_MOST];
	struct import_options options;
	struct import_counts counts; /* but rows */
	const char *after;
};

#define OLD(address, rest)                                                                                             \
	"INSERT INTO subscriber (address, address_key, name, attributes) VALUES ('" address "', lower('" address       \
	"')," rest ");"
#define IN_LIST(state)                                                                                                 \
	"INSERT INTO membership (list_id, subscriber_id, state, reason) SELECT 1, id, '" state "', 'x' FROM "          \
	"subscriber;"

static const struct scenario scenarios[] = {
	{
	    .label = "nobody was there",
	    .rows = { { "B@x.test", .name = "B" }, { "a@x.test", .attributes = "{\"n\": \"1\"}" } },
	    .counts = { .created = 2, .joined = 2 },
	    .after = "a@x.test {\"n\": \"1\"} active import; B@x.test B {} active import",
	},
	{
	    .label = "others take every second id",
	    .before = "ALTER SEQUENCE subscriber_id_seq RESTART 1001 INCREMENT BY 2; ALTER TABLE subscriber ADD CHECK "
		      "(id % 2 = 1);",
	    .rows = { { "b@x.test", .name = "B" }, { "a@x.test" }, { "c@x.test" } },
	    .counts = { .created = 3, .joined = 3 },
	    .after = "a@x.test {} active import; b@x.test B {} active import; c@x.test {} active import",
	},
	{
	    .label = "a later row wins with the values of all",
	    .rows = { { "a@x.test", .name = "A", .attributes = "{\"n\": \"1\", \"o\": \"o\"}" },
		      { "b@x.test" },
		      { "A@x.test", .attributes = "{\"n\": \"2\"}" } },
	    .counts = { .created = 2, .joined = 2, .duplicates = 1 },
	    .after = "!a@x.test A {\"n\": \"2\", \"o\": \"o\"} active import; b@x.test {} active import",
	},
	{
	    .label = "new values over old ones",
	    .before = OLD("Ann@x.test", "'Ann', '{\"n\": 42, \"o\": \"o\"}'"),
	    .rows = { { "ANN@x.test", .attributes = "{\"n\": \"42\", \"p\": \"p\"}" } },
	    .counts = { .updated = 1, .joined = 1 },
	    .after = "Ann@x.test Ann {\"n\": 42, \"o\": \"o\", \"p\": \"p\"} active import",
	},
	{
	    .label = "nothing new",
	    .before = OLD("ann@x.test", "'Ann', '{\"n\": 42}'") IN_LIST("active"),
	    .rows = { { "ann@x.test", .name = "Ann", .attributes = "{\"n\": \"42\"}" }, { "ann@x.test" } },
	    .counts = { .unchanged = 1, .already = 1, .duplicates = 1 },
	    .after = "ann@x.test Ann {\"n\": 42} active x",
	},
	{
	    .label = "what left a list or an object is gone",
	    .before = OLD("ann@x.test", "'', '{\"t\": [\"a\", \"b\"], \"o\": {\"x\": 1, \"y\": 2}, \"n\": 1}'")
		OLD("bob@x.test", "'', '{\"t\": [\"a\", \"b\"], \"o\": {\"x\": {\"z\": 1}}}'"),
	    .rows = { { "ann@x.test", .attributes = "{\"t\": [\"a\"], \"o\": {\"x\": 1}}" },
		      { "bob@x.test", .attributes = "{\"t\": [], \"o\": {}}" } },
	    .counts = { .updated = 2, .joined = 2 },
	    .after = "ann@x.test {\"n\": 1, \"o\": {\"x\": 1}, \"t\": [\"a\"]} active import; "
		     "bob@x.test {\"o\": {}, \"t\": []} active import",
	},
	{
	    .label = "a text becomes what the file says that it is",
	    .before = OLD("ann@x.test", "'', '{\"n\": \"32\", \"b\": \"true\", \"t\": \"[1]\", \"o\": \"{}\"}'"),
	    .rows = { { "ann@x.test", .attributes = "{\"n\": 32, \"b\": true, \"t\": [1], \"o\": {}}" } },
	    .counts = { .updated = 1, .joined = 1 },
	    .after = "ann@x.test {\"b\": true, \"n\": 32, \"o\": {}, \"t\": [1]} active import",
	},
	{
	    .label = "a text takes no type away from what is the same",
	    .before = OLD("ann@x.test", "'', '{\"n\": 32, \"b\": true, \"t\": [1]}'")
		OLD("bob@x.test", "'', '{\"n\": 32, \"b\": true, \"t\": [1]}'"),
	    .rows = { { "ann@x.test", .attributes = "{\"n\": \"32\", \"b\": \"true\", \"t\": \"[1]\"}" },
		      { "bob@x.test", .attributes = "{\"n\": \"33\", \"b\": \"true\", \"t\": \"[2]\"}" } },
	    .counts = { .updated = 1, .unchanged = 1, .joined = 2 },
	    .after = "ann@x.test {\"b\": true, \"n\": 32, \"t\": [1]} active import; "
		     "bob@x.test {\"b\": true, \"n\": \"33\", \"t\": \"[2]\"} active import",
	},
	{
	    .label = "the same where no value is a list or an object",
	    .before = OLD("ann@x.test", "'', '{\"n\": \"32\", \"o\": \"o\"}'")
		OLD("bob@x.test", "'', '{\"t\": [\"a\"]}'") OLD("cem@x.test", "'', '{\"n\": 32, \"o\": \"o\"}'"),
	    .rows = { { "ann@x.test", .attributes = "{\"n\": 32}" },
		      { "bob@x.test", .attributes = "{\"t\": \"a\"}" },
		      { "cem@x.test", .attributes = "{\"n\": \"32\"}" } },
	    .counts = { .updated = 2, .unchanged = 1, .joined = 3 },
	    .after = "ann@x.test {\"n\": 32, \"o\": \"o\"} active import; bob@x.test {\"t\": \"a\"} active import; "
		     "cem@x.test {\"n\": 32, \"o\": \"o\"} active import",
	},
	{
	    .label = "null is a value, of a new name, over another, and under another",
	    .before = OLD("ann@x.test", "'', '{\"a\": 1}'") OLD("bob@x.test", "'', '{\"a\": 1, \"b\": null}'")
		OLD("cem@x.test", "'', '{\"a\": null}'"),
	    .rows = { { "ann@x.test", .attributes = "{\"b\": null}" },
		      { "bob@x.test", .attributes = "{\"a\": null, \"b\": \"null\"}" },
		      { "cem@x.test", .attributes = "{\"a\": null}" },
		      { "dora@x.test", .attributes = "{\"a\": 1}" },
		      { "dora@x.test", .attributes = "{\"b\": null}" } },
	    .counts = { .created = 1, .updated = 2, .unchanged = 1, .joined = 4, .duplicates = 1 },
	    .after =
		"ann@x.test {\"a\": 1, \"b\": null} active import; bob@x.test {\"a\": null, \"b\": \"null\"} active "
		"import; cem@x.test {\"a\": null} active import; dora@x.test {\"a\": 1, \"b\": null} active import",
	},
	{
	    .label = "known people are kept, new ones of two rows are not known",
	    .before = OLD("ann@x.test", "'Ann', '{\"o\": \"o\"}'"),
	    .rows = { { "ann@x.test", .name = "Bea", .attributes = "{\"p\": \"p\"}" },
		      { "new@x.test", .name = "N" },
		      { "new@x.test", .name = "M" },
		      { "ann@x.test", .name = "Cea" } },
	    .options = { .on_conflict = IMPORT_KEEP },
	    .counts = { .created = 1, .unchanged = 1, .joined = 2, .duplicates = 2 },
	    .after = "ann@x.test Ann {\"o\": \"o\"} active import; new@x.test M {} active import",
	},
	{
	    .label = "the file's values replace those of before, not those of each other",
	    .before = OLD("ann@x.test", "'Ann', '{\"o\": \"o\"}'"),
	    .rows = { { "ann@x.test", .name = "Bea", .attributes = "{\"p\": \"p\"}" },
		      { "ann@x.test", .attributes = "{\"q\": \"q\"}" } },
	    .options = { .on_conflict = IMPORT_UPDATE },
	    .counts = { .updated = 1, .joined = 1, .duplicates = 1 },
	    .after = "ann@x.test Bea {\"p\": \"p\", \"q\": \"q\"} active import",
	},
	{
	    .label = "spellings of one mailbox",
	    .rows = { { "a.b+x@g.test", "ab@g.test", "A" },
		      { "ab@g.test", NULL, NULL, "{\"n\": \"1\"}" },
		      { "A.B@g.test", "ab@g.test" },
		      { "abc@g.test" } },
	    .counts = { .created = 2, .joined = 2, .duplicates = 2, .aliases = 2 },
	    .after = "?A {\"n\": \"1\"}",
	},
	{
	    .label = "a known mailbox by another spelling keeps its address",
	    .before = OLD("a.b@g.test", "'A', '{}'") "UPDATE subscriber SET canonical = 'ab@g.test';",
	    .rows = { { "ab@g.test", NULL, "B" } },
	    .counts = { .updated = 1, .joined = 1 },
	    .after = "a.b@g.test ab@g.test B {} active import",
	},
	{
	    .label = "an equal key wins, then the lowest id",
	    .before = OLD("a.b@g.test", "'1', '{}'") OLD("ab@g.test", "'2', '{}'")
		OLD("ab+y@g.test",
		    "'3', '{}'") "UPDATE subscriber SET canonical = 'ab@g.test' WHERE address <> 'ab@g.test';",
	    .rows = { { "ab@g.test", NULL, "B" },
		      { "ab+z@g.test", "ab@g.test", "Z" },
		      { "AB+y@g.test", "ab@g.test", "Y" } },
	    .counts = { .updated = 3, .joined = 3 },
	    .after = "=",
	},
	{
	    .label = "nobody is subscribed again",
	    .before = OLD("u@x.test", "'', '{}'") IN_LIST("unsubscribed"),
	    .rows = { { "u@x.test" }, { "U@x.test" } },
	    .counts = { .unchanged = 1, .unsubscribed = 1, .duplicates = 1 },
	    .after = "u@x.test {} unsubscribed x",
	},
	{
	    .label = "unless it is said why; who is disabled stays so",
	    .before = OLD("u@x.test", "'', '{}'") IN_LIST("unsubscribed")
		OLD("d@x.test", "'', '{}'") "INSERT INTO membership (list_id, subscriber_id, state, reason) SELECT 1, "
					    "max(id), 'disabled', 'x' FROM subscriber;",
	    .rows = { { "u@x.test" }, { "d@x.test" }, { "u@x.test" } },
	    .options = { .resubscribe = { .data = "asked", .len = 5 }, .unconfirmed = true },
	    .counts = { .unchanged = 2, .resubscribed = 1, .disabled = 1, .duplicates = 1 },
	    .after = "d@x.test {} disabled x; u@x.test {} unconfirmed asked",
	},
	{
	    .label = "what is said about consent",
	    .rows = { { "a@x.test" },
		      { "b@x.test", .consent_source = "fair", .consent_us = 2000000 },
		      { "c@x.test", .consent_us = 3000000 },
		      { "b@x.test" } },
	    .options = { .consent_source = { .data = "form", .len = 4 }, .consent_us = 1000000 },
	    .counts = { .created = 3, .joined = 3, .duplicates = 1 },
	    .after =
		"a@x.test {} active import form 1; b@x.test {} active import fair 2; c@x.test {} active import form 3",
	},
	{
	    .label = "suppressed: the address, the mailbox, the domain, where a known person's mail goes",
	    .before = "INSERT INTO suppression (kind, value, list_id, reason, source) VALUES ('address', 'a@x.test', "
		      "NULL, 'r', 's'),"
		      " ('address', 'cd@g.test', 1, 'r', 's'), ('domain', 'never.test', NULL, 'r', 's'), ('address', "
		      "'e.f@g.test', NULL, 'r', 's'),"
		      " ('address', 'here@x.test', 2, 'r', 's');" OLD(
			  "e.f@g.test", "'', '{}'") "UPDATE subscriber SET canonical = 'ef@g.test';",
	    .rows = { { "A@x.test" },
		      { "c.d@g.test", "cd@g.test" },
		      { "n@never.test" },
		      { "ef@g.test" },
		      { "a@x.test" },
		      { "here@x.test" } },
	    .counts = { .created = 1, .joined = 1, .suppressed = 4, .duplicates = 1 },
	    .after = "e.f@g.test ef@g.test {}; here@x.test {} active import",
	},
	{
	    .label = "left out where nobody was before: by address, mailbox and domain, and the erased",
	    .before =
		"INSERT INTO suppression (kind, value, list_id, reason, source) VALUES ('address', 'a@x.test', "
		"NULL, 'r', 's'), ('address', 'cd@g.test', 1, 'r', 's'), ('domain', 'never.test', NULL, 'r', 's'),"
		" ('domain', 'mailbox.test', 1, 'r', 's'), ('domain', 'other.test', 2, 'r', 's'),"
		" ('erased', encode('" FINGERPRINT "', 'hex'), NULL, 'erased', 'key:1');",
	    .rows = { { "A@x.test" },
		      { "c.d@g.test", "cd@g.test" },
		      { "n@never.test" },
		      { "n@alias.test", "n@mailbox.test" },
		      { "e@x.test", .erased = FINGERPRINT },
		      { "n@other.test", .erased = "98765432109876543210987654321098" },
		      { "a@x.test" },
		      { "new@x.test" } },
	    .counts = { .created = 2, .joined = 2, .suppressed = 4, .duplicates = 1, .erased = 1 },
	    .after = "n@other.test {} active import; new@x.test {} active import",
	},
};

static void run(struct db *db, const char *sql)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	ck_assert_msg(db_run_script(db, view_of(sql), &why) == ERR_OK, "%s: %s", sql, buf_text(&why));
}

static struct view view_or_empty(const char *text)
{
	return text == NULL ? VIEW_LIT("") : view_of(text);
}

static void add(struct subscriber_import *import, const struct given *given)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	char key[LIMIT_ADDRESS];
	size_t len = strlen(given->address);
	for (size_t i = 0; i < len; i++)
		key[i] =
		    (char)(given->address[i] + (given->address[i] >= 'A' && given->address[i] <= 'Z' ? 'a' - 'A' : 0));
	const struct subscriber_row row = {
		.address = view_of(given->address),
		.address_key = view_from(key, len),
		.canonical = view_or_empty(given->canonical),
		.name = view_or_empty(given->name),
		.attributes = view_of(given->attributes == NULL ? "{}" : given->attributes),
		.consent_source = view_or_empty(given->consent_source),
		.consent_us = given->consent_us,
		.erased = view_or_empty(given->erased),
	};
	ck_assert_msg(subscriber_import_add(import, &row, &why) == ERR_OK, "%s", buf_text(&why));
}

static void check_counts(const char *label, size_t together, const struct import_counts *got,
			 const struct import_counts *expected)
{
	const struct {
		const char *name;
		uint64_t got, expected;
	} pairs[] = {
		{ "duplicates", got->duplicates, expected->duplicates },
		{ "suppressed", got->suppressed, expected->suppressed },
		{ "erased", got->erased, expected->erased },
		{ "created", got->created, expected->created },
		{ "updated", got->updated, expected->updated },
		{ "unchanged", got->unchanged, expected->unchanged },
		{ "joined", got->joined, expected->joined },
		{ "already", got->already, expected->already },
		{ "resubscribed", got->resubscribed, expected->resubscribed },
		{ "unsubscribed", got->unsubscribed, expected->unsubscribed },
		{ "disabled", got->disabled, expected->disabled },
		{ "removed", got->removed, expected->removed },
	};
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		ck_assert_msg(pairs[i].got == pairs[i].expected, "%s, %zu at a time: %s is %llu, not %llu", label,
			      together, pairs[i].name, (unsigned long long)pairs[i].got,
			      (unsigned long long)pairs[i].expected);
}

/* As it stands; "!": in any case of letters; "?": it holds this; "=": not looked at. */
static void check_people(const char *label, size_t together, struct view people, const char *expected)
{
	AUTO_BUF lower = buf_with_ceiling(LIMIT_WHY);
	bool good = true;
	for (size_t i = 0; i < people.len; i++)
		buf_add_byte(&lower, people.data[i] == 'A' && i == 0 ? 'a' : people.data[i]);
	if (expected[0] == '!')
		good = view_eq(buf_view(&lower), view_of(expected + 1));
	else if (expected[0] == '?')
		good = view_find(people, view_of(expected + 1)) != VIEW_NONE;
	else if (expected[0] != '=')
		good = view_eq(people, view_of(expected));
	ck_assert_msg(good, "%s, %zu at a time: " VIEW_FMT, label, together, VIEW_ARG(people));
}

static void play(struct db *db, const struct scenario *scenario, size_t together)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	AUTO_DB_ROWS *rows = NULL;
	AUTO_DB_ROWS *members = NULL;
	struct subscriber_import *import = NULL;
	struct import_counts counts;
	struct import_options options = scenario->options;
	options.together = together;
	ck_assert_int_eq(db_begin(db, &why), ERR_OK);
	run(db, "INSERT INTO list (id, name, title, list_id, from_address) OVERRIDING SYSTEM VALUE SELECT n, 'list-' "
		"|| n, 't',"
		" n || '.example.org', 'a@example.org' FROM generate_series(1, 2) AS n");
	if (scenario->before != NULL)
		run(db, scenario->before);
	ck_assert_msg(subscriber_import_begin(db, 1, &options, &import, &why) == ERR_OK, "%s", buf_text(&why));
	for (size_t i = 0; i < ROWS_MOST && scenario->rows[i].address != NULL; i++)
		add(import, &scenario->rows[i]);
	ck_assert_msg(subscriber_import_merge(import, &counts, &why) == ERR_OK, "%s: %s", scenario->label,
		      buf_text(&why));
	ck_assert_uint_eq(subscriber_import_merged(import), counts.rows);
	subscriber_import_done(import);
	check_counts(scenario->label, together, &counts, &scenario->counts);
	ck_assert_int_eq(db_run(db, &everybody, NULL, 0, &rows, &why), ERR_OK);
	check_people(scenario->label, together, db_get_text(rows, 0, 0), scenario->after);
	ck_assert_int_eq(db_run(db, &miscounted, NULL, 0, &members, &why), ERR_OK);
	ck_assert_msg(db_get_int(members, 0, 0) == 0, "%s: members are miscounted", scenario->label);
	db_rollback(db);
}

/* However many rows are merged at a time, it comes to the same. */
START_TEST(rows_become_people)
	{
		struct db *db = database_open();
		for (size_t i = 0; i < ARRAY_LEN(scenarios); i++)
			for (size_t together = 0; together <= 3; together++)
				play(db, &scenarios[i], together);
		db_close(db);
	}
END_TEST

/* ---- who else changes people ---- */

static int64_t number(struct db *db, const char *sql)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	AUTO_DB_ROWS *rows = NULL;
	static struct db_statement statements[16]; /* a connection knows a statement by its place */
	static size_t count;
	size_t at = 0;
	while (at < count && strcmp(statements[at].sql, sql) != 0)
		at++;
	ck_assert_uint_lt(at, ARRAY_LEN(statements));
	if (at == count)
		statements[count++] = (struct db_statement){ .name = sql, .sql = sql };
	ck_assert_msg(db_run(db, &statements[at], NULL, 0, &rows, &why) == ERR_OK, "%s: %s", sql, buf_text(&why));
	return db_get_int(rows, 0, 0);
}

#define ORPHANS                                                                                                        \
	"SELECT count(*) FROM membership m WHERE NOT EXISTS (SELECT FROM subscriber s WHERE s.id = m.subscriber_id)"   \
	" OR NOT EXISTS (SELECT FROM list l WHERE l.id = m.list_id)"

static void make_lists(struct db *db)
{
	run(db, "INSERT INTO list (name, title, list_id, from_address) SELECT 'list-' || n, 't', n || '.example.org',"
		" 'a@example.org' FROM generate_series(1, 2) AS n");
}

static void refused(struct db *db, const char *sql, const char *sqlstate)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	ck_assert_msg(db_run_script(db, view_of(sql), &why) != ERR_OK, "%s", sql);
	ck_assert_msg(strcmp(db_sqlstate(db), sqlstate) == 0, "%s: %s", sql, buf_text(&why));
}

/* Everything up to the commit. */
static enum err import_one(struct db *db, const char *address, struct import_counts *ret_counts, struct buf *why)
{
	struct subscriber_import *import = NULL;
	ck_assert_int_eq(db_begin(db, why), ERR_OK);
	enum err err = subscriber_import_begin(db, 1, &(struct import_options){ 0 }, &import, why);
	if (err != ERR_OK)
		return err;
	add(import, &(struct given){ .address = address });
	err = subscriber_import_merge(import, ret_counts, why);
	subscriber_import_done(import);
	return err;
}

/* Whom an import has joined cannot be deleted before it ends, and not afterwards; the same goes for the list. */
START_TEST(a_deletion_behind_an_import)
	{
		static const char *const deletions[] = { "DELETE FROM subscriber", "DELETE FROM list WHERE id = 1" };
		struct db *db = database_open();
		struct db *other = database_connect(database_last());
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct import_counts counts;
		make_lists(db);
		run(db, OLD("ann@x.test", "'', '{}'"));
		run(other, "SET lock_timeout = '100ms'");
		ck_assert_int_eq(import_one(db, "ann@x.test", &counts, &why), ERR_OK);
		ck_assert_uint_eq(counts.joined, 1);
		for (size_t i = 0; i < ARRAY_LEN(deletions); i++)
			refused(other, deletions[i], "55P03");
		ck_assert_int_eq(db_commit(db, &why), ERR_OK);
		for (size_t i = 0; i < ARRAY_LEN(deletions); i++)
			refused(other, deletions[i], "23503");
		run(other, "DELETE FROM membership");
		for (size_t i = 0; i < ARRAY_LEN(deletions); i++)
			run(other, deletions[i]);
		ck_assert_int_eq(import_one(db, "ann@x.test", &counts, &why), ERR_NOT_FOUND);
		db_rollback(db);
		db_close(other);
		db_close(db);
	}
END_TEST

struct rival {
	struct db *db;
	struct import_counts counts;
	enum err err;
	atomic_bool is_over;
};

static void *import_in_a_thread(void *context)
{
	struct rival *rival = context;
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	rival->err = import_one(rival->db, "ann@x.test", &rival->counts, &why);
	if (rival->err == ERR_OK)
		rival->err = db_commit(rival->db, &why);
	atomic_store(&rival->is_over, true);
	return NULL;
}

/* One that does not wait for us has missed what we do. */
static void await_rival(struct db *db, struct rival *rival, const char *label)
{
	while (number(db, "SELECT count(*) FROM pg_locks WHERE NOT granted") == 0)
		ck_assert_msg(!atomic_load(&rival->is_over), "%s: the import did not wait", label);
}

/* Done in a transaction that commits while the import waits for it. */
static const struct {
	const char *label, *before, *meanwhile;
	uint64_t created, joined, already;
} meetings[] = {
	{ "erased", OLD("ann@x.test", "'', '{}'"), "DELETE FROM subscriber WHERE address_key = 'ann@x.test'", 1, 1, 0 },
	{ "added", NULL, OLD("ann@x.test", "'', '{}'"), 0, 1, 0 },
	{ "added and joined", NULL,
	  OLD("ann@x.test",
	      "'', '{}'") "INSERT INTO membership (list_id, subscriber_id) SELECT 1, id FROM subscriber WHERE "
			  "address_key = 'ann@x.test'",
	  0, 0, 1 },
};

START_TEST(an_import_behind_a_change)
	{
		for (size_t i = 0; i < ARRAY_LEN(meetings); i++) {
			struct db *db = database_open();
			struct rival rival = { .db = database_connect(database_last()) };
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			pthread_t thread;
			make_lists(db);
			if (meetings[i].before != NULL)
				run(db, meetings[i].before);
			ck_assert_int_eq(db_begin(db, &why), ERR_OK);
			run(db, meetings[i].meanwhile);
			ck_assert(pthread_create(&thread, NULL, import_in_a_thread, &rival) == 0);
			await_rival(db, &rival, meetings[i].label);
			ck_assert_int_eq(db_commit(db, &why), ERR_OK);
			ck_assert(pthread_join(thread, NULL) == 0);
			ck_assert_msg(rival.err == ERR_OK && rival.counts.created == meetings[i].created &&
					  rival.counts.joined == meetings[i].joined &&
					  rival.counts.already == meetings[i].already,
				      "%s: %s", meetings[i].label, err_name(rival.err));
			ck_assert_int_eq(number(db, ORPHANS), 0);
			ck_assert_int_eq(number(db, "SELECT count(*) FROM membership"), 1);
			db_close(rival.db);
			db_close(db);
		}
	}
END_TEST

/* Whoever brings in members otherwise is held to it too. */
START_TEST(no_member_without_person_and_list)
	{
		struct db *db = database_open();
		make_lists(db);
		run(db, OLD("ann@x.test", "'', '{}'") IN_LIST("active"));
		refused(db, "INSERT INTO membership (list_id, subscriber_id) VALUES (1, 77)", "23503");
		refused(db, "INSERT INTO membership (list_id, subscriber_id) SELECT 77, id FROM subscriber", "23503");
		refused(db, "UPDATE membership SET list_id = 77", "23503");
		refused(db, "UPDATE membership SET subscriber_id = 77", "23503");
		run(db, "UPDATE membership SET list_id = 2");
		ck_assert_int_eq(number(db, ORPHANS), 0);
		db_close(db);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { rows_become_people, a_deletion_behind_an_import, an_import_behind_a_change,
				       no_member_without_person_and_list };
	return suite_of("subscriber_import", tests, database_start() ? ARRAY_LEN(tests) : 0);
}
