#include <openssl/evp.h>

#include "mail/fields.h"
#include "mail/intake.h"

/* What transport adds or changes when the same report is sent again. */
static bool is_trace(struct view name)
{
	static const char *const names[] = { "Received", "Return-Path", "Delivered-To" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (view_eq_nocase(name, view_of(names[i])))
			return true;
	}
	return view_starts_nocase(name, VIEW_LIT("X-"));
}

/* A line goes in with one LF whatever it ended with. */
static bool hash_line(EVP_MD_CTX *context, struct view line)
{
	return EVP_DigestUpdate(context, line.data, line.len) == 1 && EVP_DigestUpdate(context, "\n", 1) == 1;
}

static bool hash_message(EVP_MD_CTX *context, struct view raw)
{
	struct view line;
	bool in_head = true, skips = false;
	while (fields_cut_line(&raw, &line)) {
		bool is_fold = line.len > 0 && (line.data[0] == ' ' || line.data[0] == '\t');
		in_head = in_head && line.len > 0;
		if (in_head && !is_fold)
			skips = is_trace(view_head(line, view_find_byte(line, ':')));
		if (!(in_head && skips) && !hash_line(context, line))
			return false;
	}
	return true;
}

enum err intake_hash(struct view raw, unsigned char ret_hash[32])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	if (context == NULL)
		return ERR_MEMORY;
	bool is_done = EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 && hash_message(context, raw) &&
		       EVP_DigestFinal_ex(context, ret_hash, NULL) == 1;
	EVP_MD_CTX_free(context);
	return is_done ? ERR_OK : ERR_MEMORY;
}
