#include "listctl/resolver.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <unbound.h>

#include "base/clock.h"
#include "base/limits.h"

enum {
	CLASS_IN = 1,
	RCODE_OK = 0,
	RCODE_NO_NAME = 3,
	NAME_OCTETS = 255,
	LOOK_MS = 200,
};

static const int type_numbers[] = {
	[DNS_A] = 1, [DNS_AAAA] = 28, [DNS_MX] = 15, [DNS_PTR] = 12, [DNS_SOA] = 6, [DNS_TXT] = 16,
};
static_assert(ARRAY_LEN(type_numbers) == DNS_TYPE_COUNT, "one number a type");

struct resolver {
	struct ub_ctx *context;
	int64_t until_us; /* boot time */
};

/* ---- records as text ---- */

static void add_octet(unsigned char octet, struct buf *out)
{
	if (octet >= ' ' && octet <= '~' && octet != '\\')
		buf_add_byte(out, (char)octet);
	else
		buf_addf(out, "\\%03u", octet);
}

/* A name on the wire, uncompressed (RFC 1035 section 3.1). */
static void add_name(struct view wire, struct buf *out)
{
	bool any = false;
	while (wire.len > 0 && wire.data[0] != 0) {
		size_t len = (unsigned char)wire.data[0];
		if (len > 63 || len >= wire.len)
			return;
		if (any)
			buf_add_byte(out, '.');
		for (size_t i = 1; i <= len; i++) {
			char c = wire.data[i];
			add_octet((unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c), out);
		}
		any = true;
		wire = view_skip(wire, len + 1);
	}
	if (!any)
		buf_add_byte(out, '.');
}

static void add_a(struct view data, struct buf *out)
{
	for (size_t i = 0; i < 4 && data.len == 4; i++)
		buf_addf(out, "%s%u", i == 0 ? "" : ".", (unsigned char)data.data[i]);
}

static void add_aaaa(struct view data, struct buf *out)
{
	for (size_t i = 0; i < 16 && data.len == 16; i += 2)
		buf_addf(out, "%s%x", i == 0 ? "" : ":",
			 (unsigned char)data.data[i] << 8 | (unsigned char)data.data[i + 1]);
}

static void add_mx(struct view data, struct buf *out)
{
	if (data.len < 3)
		return;
	buf_addf(out, "%u ", (unsigned)((unsigned char)data.data[0] << 8 | (unsigned char)data.data[1]));
	add_name(view_skip(data, 2), out);
}

/* Its strings are one text (RFC 7208 section 3.3, RFC 6376 section 3.6.2.2). */
static void add_txt(struct view data, struct buf *out)
{
	size_t written = 0;
	while (data.len > 0) {
		size_t len = (unsigned char)data.data[0];
		struct view string = view_slice(data, 1, len + 1);
		for (size_t i = 0; i < string.len && written < DNS_RECORD_OCTETS; i++, written++)
			add_octet((unsigned char)string.data[i], out);
		data = view_skip(data, len + 1);
	}
}

static void (*const writers[])(struct view data, struct buf *out) = {
	[DNS_A] = add_a,      [DNS_AAAA] = add_aaaa, [DNS_MX] = add_mx,
	[DNS_PTR] = add_name, [DNS_SOA] = add_name,  [DNS_TXT] = add_txt,
};
static_assert(ARRAY_LEN(writers) == DNS_TYPE_COUNT, "one writer a type");

/* ---- asking ---- */

struct question {
	enum dns_type type;
	struct buf *records;
	enum dns_status status;
	bool is_over;
};

static enum dns_status read_answer(const struct ub_result *result, struct question *question)
{
	size_t before = question->records->len;
	if (result->nxdomain || result->rcode == RCODE_NO_NAME)
		return DNS_NO_NAME;
	if (result->rcode != RCODE_OK)
		return DNS_FAILED;
	if (!result->havedata)
		return DNS_NO_DATA;
	for (size_t i = 0; i < DNS_RECORDS_MOST && result->data[i] != NULL; i++) {
		writers[question->type](view_from(result->data[i], (size_t)result->len[i]), question->records);
		buf_add_byte(question->records, '\n');
	}
	if (buf_err(question->records) == ERR_OK)
		return DNS_FOUND;
	buf_cut(question->records, before);
	return DNS_FAILED;
}

static void on_answer(void *user, int trouble, struct ub_result *result)
{
	struct question *question = user;
	question->is_over = true;
	question->status = trouble == 0 && result != NULL ? read_answer(result, question) : DNS_FAILED;
	ub_resolve_free(result);
}

static void wait(struct resolver *resolver, struct question *question)
{
	while (!question->is_over && clock_boot_us() < resolver->until_us) {
		struct pollfd fd = { .fd = ub_fd(resolver->context), .events = POLLIN };
		if (poll(&fd, 1, LOOK_MS) > 0 && ub_process(resolver->context) != 0)
			return;
	}
}

static enum dns_status ask(void *context, struct view name, enum dns_type type, struct buf *records)
{
	struct resolver *resolver = context;
	struct question question = { .type = type, .records = records, .status = DNS_FAILED };
	AUTO_BUF text = buf_with_ceiling(NAME_OCTETS);
	int id = 0;
	/* What is no name for the DNS is not there. */
	if (name.len == 0 || buf_add(&text, name) != ERR_OK || view_find_byte(name, '\\') != VIEW_NONE)
		return DNS_NO_NAME;
	if (clock_boot_us() >= resolver->until_us)
		return DNS_FAILED;
	if (ub_resolve_async(resolver->context, buf_text(&text), type_numbers[type], CLASS_IN, &question, on_answer,
			     &id) != 0)
		return DNS_FAILED;
	wait(resolver, &question);
	if (!question.is_over && ub_cancel(resolver->context, id) != 0)
		return DNS_FAILED; /* it was over meanwhile; nothing more is called without ub_process() */
	return question.status;
}

struct dns_source resolver_source(struct resolver *resolver)
{
	return (struct dns_source){ .context = resolver, .ask = ask };
}

/* ---- the context ---- */

static enum err set_server(struct resolver *resolver, const char *server, struct buf *why)
{
	int trouble;
	if (*server == '\0')
		trouble = ub_ctx_resolvconf(resolver->context, NULL);
	else
		trouble = ub_ctx_set_fwd(resolver->context, server);
	if (trouble == 0)
		return ERR_OK;
	buf_addf(why, "%s: %s; an address is wanted, such as 192.0.2.1 or 192.0.2.1@5353",
		 *server == '\0' ? "/etc/resolv.conf" : server, ub_strerror(trouble));
	return ERR_INVALID;
}

/* A resolver on this host is as good as any, and what it serves is its business: names that libunbound would answer by itself, those of private
 * networks and of tests, are asked for too. A thread of this process asks, which ends with it. */
static enum err set_options(struct resolver *resolver)
{
	static const char *const options[][2] = { { "do-not-query-localhost:", "no" },
						  { "unblock-lan-zones:", "yes" } };
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		if (ub_ctx_set_option(resolver->context, options[i][0], options[i][1]) != 0)
			return ERR_MEMORY;
	}
	bool done = ub_ctx_async(resolver->context, 1) == 0 && ub_ctx_zone_remove(resolver->context, "test.") == 0;
	return done ? ERR_OK : ERR_MEMORY;
}

enum err resolver_new(const char *server, int64_t patience_us, struct resolver **ret_resolver, struct buf *why)
{
	struct resolver *resolver = calloc(1, sizeof(*resolver));
	if (resolver == NULL)
		return ERR_MEMORY;
	resolver->until_us = clock_boot_us() + patience_us;
	resolver->context = ub_ctx_create();
	enum err err = resolver->context == NULL ? ERR_MEMORY : set_server(resolver, server, why);
	if (err == ERR_OK)
		err = set_options(resolver);
	if (err == ERR_OK)
		*ret_resolver = resolver;
	else
		resolver_done(resolver);
	return err;
}

void resolver_done(struct resolver *resolver)
{
	if (resolver == NULL)
		return;
	if (resolver->context != NULL)
		ub_ctx_delete(resolver->context);
	free(resolver);
}
