/* The process that parsers are born from. It is forked first of all, before settings, keys, threads and connections exist, so that neither it nor
 * what it bears has ever held a secret; it makes the reader of messages once, and from then on only does what it is told through its socket: a
 * packet in, a packet out. It knows nothing of messages. */
#ifndef BOUNCED_NURSERY_H
#define BOUNCED_NURSERY_H

#include <stdint.h>
#include <sys/types.h>

#include "base/view.h"
#include "bounced/confine.h"
#include "bounced/rights.h"

enum { NURSERY_SLOTS = 64 }; /* parsers at the same time */

enum nursery_verb {
	NURSERY_OPEN,  /* the first order: how parsers are to be */
	NURSERY_RULES, /* takes the rules that the descriptor passed holds, for parsers that are born from then on */
	NURSERY_BEAR, /* ends the slot's parser, if there is one, and bears another at the end of the descriptor passed */
	NURSERY_TWIN, /* bears another nursery there */
	NURSERY_VERB_COUNT
};

/* All packets are of one host and one program: as they stand in memory. */
struct nursery_order {
	enum nursery_verb verb;
	unsigned slot;
	/* NURSERY_OPEN */
	size_t most; /* octets of an inquiry */
	enum confine_mode confine;
	struct rights rights;
};

struct nursery_word {
	enum nursery_verb verb;
	unsigned slot;
	pid_t pid;       /* of what was born; 0: it could not be, and errno_value tells why */
	int errno_value; /* NURSERY_RULES: 0 when they have been taken */
	int ended_with;  /* how the slot's earlier parser ended, as wait(2) says; -1: there was none */
};

/* Forks it; *ret_fd leads to it, and its end is the nursery's end. ERR_IO with errno, ERR_MEMORY. */
enum err nursery_fork(int *ret_fd) MUST_USE;

/* ERR_IO: it is gone. passed: a descriptor, or -1. */
enum err nursery_ask(int fd, const struct nursery_order *order, int passed) MUST_USE;
/* The text goes by a file in memory of its own, which the nursery reads to its end. ERR_IO: it is gone, or there is no such file. */
enum err nursery_ask_rules(int fd, struct view text) MUST_USE;
bool nursery_hear(struct view packet, struct nursery_word *ret_word) MUST_USE;

#endif
