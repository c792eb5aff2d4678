#include "listctl/relay_options.h"

#include <arpa/inet.h>
#include <stddef.h>

#include "base/limits.h"
#include "listctl/name_list.h"
#include "listctl/pace_options.h"
#include "mail/address.h"
#include "store/groups.h"
#include "store/lists.h"
#include "store/relay_tests.h"

enum {
	PORT_MOST = 65535,
	WEIGHT_MOST = 1000,
	USER_MOST = 320,
	PATH_MOST = 100,
	CA_MOST = 1024,
	PATTERNS_MOST = 16 << 10
};

const struct command_option relay_options[] = {
	{ "host", "HOST", "its name or address" },
	{ "port", "PORT",
	  "its TCP port; 25 unless told, 465 with --tls implicit, 587 with --auth, 24 with --protocol lmtp" },
	{ "socket", "PATH", "a Unix socket of sender's hosts, instead of --host" },
	{ "protocol", "smtp|lmtp", "what it speaks" },
	{ "tls", "none|starttls|implicit", "with TLS, its certificate is verified and nothing is ever sent without" },
	{ "tls-name", "NAME", "the name its certificate is for, when it is not HOST" },
	{ "tls-ca", "FILE", "a PEM file of authorities on sender's hosts, instead of the system's" },
	{ "auth", "MECHANISM", "none, any, scram-sha-256-plus, scram-sha-256, plain, login, xoauth2 or oauthbearer" },
	{ "user", "USER", "who logs in; the secret is the file NAME in the folder relay.secrets of sender's hosts" },
	{ "source", "ADDRESS", "connect from this IP address" },
	{ "helo", "DOMAIN", "the name said in EHLO" },
	{ "weight", "N", "its share beside other relays that can take the same message; 1 unless told" },
	{ "connections", "N", "at most so many, of all workers on all hosts together; none: no limit" },
	{ "rate", "N", "messages a second, of all workers together, such as 50 or 0.5; none: no limit" },
	{ "messages", "N", "messages a connection; none: relay.messages_per_connection" },
	{ "in-flight", "N", "messages of a connection on the way at once; none: relay.in_flight" },
	{ "notify", "WHAT", "failure, or failure,delay; none: relay.notify" },
	{ "campaigns", "NAMES", "only for these, separated by commas, * for any run of characters; none: for all" },
	{ "lists", "NAMES", "only for campaigns of these lists; none: for all" },
	{ "domains", "DOMAINS",
	  "only for recipients there: example.org, .example.org (below it), @GROUP; none: for all" },
	{ "enable", NULL, "use it" },
	{ "disable", NULL, "keep it, but do not use it" },
	{ "yes", NULL,
	  "do not ask, though it is the last one that is enabled and campaigns go on through that of the settings" },
	{ 0 },
};

struct relay_draft relay_draft_new(const struct relay_row *row)
{
	return (struct relay_draft){
		.row = *row,
		.campaigns = buf_with_ceiling(PATTERNS_MOST),
		.lists = buf_with_ceiling(PATTERNS_MOST),
		.domains = buf_with_ceiling(PATTERNS_MOST),
	};
}

void relay_draft_done(struct relay_draft *draft)
{
	buf_done(&draft->campaigns);
	buf_done(&draft->lists);
	buf_done(&draft->domains);
}

/* As the schema says it; a clear word instead of its own. */
bool relay_name_is_valid(struct view name)
{
	enum { NAME_MOST = 64 };
	for (size_t i = 0; i < name.len; i++) {
		char c = name.data[i];
		bool is_edge = i == 0 || i + 1 == name.len;
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c == '-' && !is_edge)))
			return false;
	}
	return name.len > 0 && name.len <= NAME_MOST && !view_eq(name, VIEW_LIT(RELAY_TESTS_DEFAULT));
}

/* ---- words ---- */

struct word_option {
	const char *name;
	size_t field;      /* of struct relay_row, a view */
	const char *words; /* what it may be, separated by blanks */
	bool is_optional;  /* none: nothing */
};

static const struct word_option word_options[] = {
	{ "protocol", offsetof(struct relay_row, protocol), "smtp lmtp", false },
	{ "tls", offsetof(struct relay_row, tls), "none starttls implicit", false },
	{ "auth", offsetof(struct relay_row, auth),
	  "none any scram-sha-256-plus scram-sha-256 plain login xoauth2 oauthbearer", false },
	{ "notify", offsetof(struct relay_row, notify), "failure failure,delay", true },
};

static struct view *field_of(struct relay_row *row, size_t offset)
{
	return (struct view *)(void *)((char *)row + offset);
}

static bool is_among(struct view word, struct view words)
{
	struct view one;
	while (view_cut(&words, ' ', &one)) {
		if (view_eq(one, word))
			return true;
	}
	return false;
}

static enum err take_words(struct call *call, struct relay_row *row)
{
	for (size_t i = 0; i < ARRAY_LEN(word_options); i++) {
		const struct word_option *option = &word_options[i];
		const char *text = call_option(call, option->name);
		struct view word = view_of(text);
		if (text == NULL)
			continue;
		bool is_nothing = option->is_optional && view_eq(word, VIEW_LIT("none"));
		if (!is_nothing && !is_among(word, view_of(option->words)))
			return call_misused(call, "--%s is one of %s, not %s", option->name, option->words, text);
		*field_of(row, option->field) = is_nothing ? (struct view){ 0 } : word;
	}
	return ERR_OK;
}

/* ---- texts ---- */

struct text_option {
	const char *name;
	size_t field;
	size_t most;
	const char *what;
	bool is_path;
};

static const struct text_option text_options[] = {
	{ "host", offsetof(struct relay_row, host), LIMIT_DOMAIN, "a host name or an IP address", false },
	{ "socket", offsetof(struct relay_row, socket), PATH_MOST, "a path that begins with /, of 100 octets at most",
	  true },
	{ "tls-name", offsetof(struct relay_row, tls_name), LIMIT_DOMAIN, "a host name", false },
	{ "tls-ca", offsetof(struct relay_row, tls_ca), CA_MOST, "a path that begins with /", true },
	{ "user", offsetof(struct relay_row, auth_user), USER_MOST, "a user name of 320 octets at most", false },
	{ "source", offsetof(struct relay_row, source), LIMIT_DOMAIN, "an IP address", false },
	{ "helo", offsetof(struct relay_row, helo), LIMIT_DOMAIN, "a domain", false },
};

static bool is_text(struct view text, const struct text_option *option)
{
	bool begins_well = !option->is_path || view_starts(text, VIEW_LIT("/"));
	return text.len > 0 && text.len <= option->most && begins_well && view_is_utf8(text) &&
	       !view_has_control(text) && view_find_byte(text, ' ') == VIEW_NONE;
}

static enum err take_texts(struct call *call, struct relay_row *row)
{
	for (size_t i = 0; i < ARRAY_LEN(text_options); i++) {
		const struct text_option *option = &text_options[i];
		const char *text = call_option(call, option->name);
		struct view value = view_of(text);
		if (text == NULL)
			continue;
		bool is_nothing = view_eq(value, VIEW_LIT("none"));
		if (!is_nothing && !is_text(value, option))
			return call_misused(call, "--%s takes %s, or the word none", option->name, option->what);
		*field_of(row, option->field) = is_nothing ? (struct view){ 0 } : value;
	}
	return ERR_OK;
}

/* ---- numbers ---- */

static enum err take_numbers(struct call *call, struct relay_row *row)
{
	int64_t port = row->port, weight = row->weight, connections = row->connections, in_flight = row->in_flight;
	int64_t messages = (int64_t)row->messages_per_connection;
	enum err err = pace_option_count(call, "port", PORT_MOST, &port);
	if (err == ERR_OK)
		err = pace_option_count(call, "weight", WEIGHT_MOST, &weight);
	if (err == ERR_OK)
		err = pace_option_count(call, "connections", INT32_MAX, &connections);
	if (err == ERR_OK)
		err = pace_option_count(call, "in-flight", LIMIT_IN_FLIGHT, &in_flight);
	if (err == ERR_OK)
		err = pace_option_count(call, "messages", INT64_MAX, &messages);
	if (err == ERR_OK)
		err = pace_option_rate(call, "rate", &row->messages_per_second);
	if (err != ERR_OK)
		return err;
	row->port = (unsigned)port;
	row->weight = weight == 0 ? 1 : (unsigned)weight;
	row->connections = (unsigned)connections;
	row->in_flight = (unsigned)in_flight;
	row->messages_per_connection = (uint64_t)messages;
	return ERR_OK;
}

/* ---- what it is for ---- */

typedef enum err take_name(struct call *call, struct view name, struct buf *out);

static enum err take_campaign(struct call *call, struct view name, struct buf *out)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.data[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '*'))
			return call_misused(call, "--campaigns takes campaign names, in which * stands for any run of "
						  "characters");
	}
	return buf_add(out, name);
}

static enum err take_list(struct call *call, struct view name, struct buf *out)
{
	AUTO_DB_ROWS *rows = NULL;
	struct list list;
	enum err err = lists_find(call->db, name, &rows, &list, call->why);
	return err == ERR_OK ? buf_add(out, list.name) : err;
}

static enum err take_domain(struct call *call, struct view name, struct buf *out)
{
	AUTO_DB_ROWS *rows = NULL;
	if (view_starts(name, VIEW_LIT("@"))) {
		enum err err = groups_list(call->db, view_skip(name, 1), &rows, call->why);
		return err == ERR_OK ? buf_add(out, name) : err;
	}
	if (view_starts(name, VIEW_LIT("."))) {
		buf_add_byte(out, '.');
		name = view_skip(name, 1);
	}
	return address_parse_domain(name, out, call->why);
}

/* A list of names; "none" for none. */
static enum err take_names(struct call *call, const char *option, take_name *take, struct buf *room, struct view *field)
{
	const char *text = call_option(call, option);
	struct view rest = view_of(text), one;
	if (text == NULL)
		return ERR_OK;
	/* An empty variable of a script must not make a relay that is for some one for all. */
	if (!name_list_names_any(rest))
		return call_misused(call, "--%s names nothing; the word for no restriction is none", option);
	if (view_eq(rest, VIEW_LIT("none")))
		rest = (struct view){ 0 };
	enum err err = rest.len == 0 ? ERR_OK : name_list_check(call, option, rest);
	while (err == ERR_OK && name_list_cut(&rest, &one)) {
		if (room->len > 0)
			buf_add_byte(room, ' ');
		err = take(call, one, room);
	}
	if (err != ERR_OK)
		return err;
	*field = buf_view(room);
	return buf_err(room) == ERR_OK ? ERR_OK : call_misused(call, "--%s names too many", option);
}

static enum err take_purpose(struct call *call, struct relay_draft *draft)
{
	struct relay_row *row = &draft->row;
	enum err err = take_names(call, "campaigns", take_campaign, &draft->campaigns, &row->campaigns);
	if (err == ERR_OK)
		err = take_names(call, "lists", take_list, &draft->lists, &row->lists);
	return err == ERR_OK ? take_names(call, "domains", take_domain, &draft->domains, &row->domains) : err;
}

/* ---- the whole ---- */

static bool is(struct view text, const char *word)
{
	return view_eq(text, view_of(word));
}

static unsigned usual_port(const struct relay_row *row)
{
	if (is(row->protocol, "lmtp"))
		return 24;
	if (is(row->tls, "implicit"))
		return 465;
	return is(row->auth, "none") ? 25 : 587;
}

/* The one of host and socket that was given last takes the other's place. */
static void settle_place(const struct call *call, struct relay_row *row)
{
	if (call_has(call, "socket") && row->socket.len > 0) {
		row->host = (struct view){ 0 };
		row->port = 0;
	} else if (call_has(call, "host") && row->host.len > 0) {
		row->socket = (struct view){ 0 };
	}
	if (row->host.len > 0 && row->port == 0)
		row->port = usual_port(row);
}

static bool is_address(struct view text)
{
	AUTO_BUF room = buf_with_ceiling(LIMIT_DOMAIN);
	unsigned char address[sizeof(struct in6_addr)];
	buf_add(&room, text);
	return inet_pton(AF_INET, buf_text(&room), address) == 1 || inet_pton(AF_INET6, buf_text(&room), address) == 1;
}

static bool is_label(struct view label)
{
	enum { LABEL_MOST = 63 };
	for (size_t i = 0; i < label.len; i++) {
		char c = label.data[i];
		bool is_alphanumeric = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!is_alphanumeric && (c != '-' || i == 0 || i + 1 == label.len))
			return false;
	}
	return label.len > 0 && label.len <= LABEL_MOST;
}

/* RFC 1123 section 2.1, a last dot allowed; all digits at the end would be an address, and a wrong one. */
static bool is_host_name(struct view name)
{
	struct view rest = view_ends(name, VIEW_LIT(".")) ? view_head(name, name.len - 1) : name, label = { 0 };
	if (rest.len == 0 || rest.len > LIMIT_DOMAIN || view_ends(rest, VIEW_LIT(".")))
		return false;
	while (view_cut(&rest, '.', &label)) {
		if (!is_label(label))
			return false;
	}
	for (size_t i = 0; i < label.len; i++) {
		if (label.data[i] < '0' || label.data[i] > '9')
			return true;
	}
	return false;
}

static enum err check_host(struct call *call, struct view host)
{
	if (is_address(host) || is_host_name(host))
		return ERR_OK;
	if (view_find_byte(host, '/') != VIEW_NONE)
		return call_misused(call, "--host takes a name or an address; a Unix socket is given with --socket");
	if (view_find_byte(host, ':') != VIEW_NONE)
		return call_misused(call, "--host takes a name or an address; the port is given with --port");
	return call_misused(call,
			    VIEW_FMT " is no host name (letters, digits and - in parts separated by dots, an "
				     "international one in its xn-- form) and no IP address: --host takes one of them",
			    VIEW_ARG(host));
}

static enum err check(struct call *call, const struct relay_row *row)
{
	if (call_has(call, "host") && row->host.len > 0) {
		enum err err = check_host(call, row->host);
		if (err != ERR_OK)
			return err;
	}
	bool is_local = row->socket.len > 0;
	if (!is_local && row->host.len == 0)
		return call_misused(call, "a relay needs --host or --socket");
	if (row->tls_ca.len > 0 && is(row->tls, "none"))
		return call_misused(call, "--tls-ca goes with --tls starttls or implicit; without TLS there is no "
					  "certificate to verify (--tls-ca none takes it away)");
	if (is_local && !is(row->tls, "none") && row->tls_name.len == 0)
		return call_misused(call, "TLS on a Unix socket needs --tls-name, for there is no host name to verify");
	if (!is(row->auth, "none") && row->auth_user.len == 0)
		return call_misused(call, "--auth needs --user");
	if (!is(row->auth, "none") && is(row->tls, "none") && !is_local)
		return call_misused(call,
				    "a password is never sent in the clear: --auth needs --tls starttls or implicit");
	if (row->source.len > 0 && !is_address(row->source))
		return call_misused(call, "--source takes an IP address");
	if (row->source.len > 0 && is_local)
		return call_misused(call, "--source does not go with --socket");
	return ERR_OK;
}

enum err relay_options_take(struct call *call, struct relay_draft *draft)
{
	struct relay_row *row = &draft->row;
	if (call_has(call, "enable") && call_has(call, "disable"))
		return call_misused(call, "--enable and --disable contradict each other");
	if (call_has(call, "enable") || call_has(call, "disable"))
		row->is_enabled = call_has(call, "enable");
	enum err err = take_words(call, row);
	if (err == ERR_OK)
		err = take_texts(call, row);
	if (err == ERR_OK)
		err = take_numbers(call, row);
	if (err == ERR_OK)
		err = take_purpose(call, draft);
	if (err != ERR_OK)
		return err;
	if (call_has(call, "host") && call_has(call, "socket") && row->host.len > 0 && row->socket.len > 0)
		return call_misused(call, "a relay has --host or --socket, not both");
	settle_place(call, row);
	return check(call, row);
}
