/* What each process of bounced may do once it stands, as tables for base/sandbox.h. */
#ifndef BOUNCED_CONFINE_H
#define BOUNCED_CONFINE_H

#include "base/settings.h"

/* bounced.sandbox. PREFER: as far as the kernel can. */
enum confine_mode { CONFINE_OFF, CONFINE_PREFER, CONFINE_REQUIRE };
enum confine_mode confine_mode(const struct settings *settings);

enum confine_role {
	CONFINE_MAIN,    /* reads the files given; connects, and accepts what it listens on already */
	CONFINE_NURSERY, /* no file; bears and ends children */
	CONFINE_PARSER,  /* in a nursery's child: computes, reads and writes what is open, and nothing else */
	CONFINE_ROLE_COUNT
};

/* What could be had. */
struct confinement {
	bool files, calls;
};

/* paths: for CONFINE_MAIN. ERR_UNAVAILABLE when CONFINE_REQUIRE cannot be had: `why` tells what is missing. Else as base/sandbox.h. */
enum err confine(enum confine_role role, enum confine_mode mode, const char *const *paths, size_t count,
		 struct confinement *ret_confinement, struct buf *why) MUST_USE;

#endif
