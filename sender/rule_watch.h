/* The rules of bounce.rules in a worker: read anew when the file has changed. One that is broken is told once and refused. */
#ifndef SENDER_RULE_WATCH_H
#define SENDER_RULE_WATCH_H

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "mail/classify.h"

struct rule_watch {
	const char *path; /* "": there are none to watch */
	struct classifier *classifier;
	struct buf text; /* what it is made of */
	/* The file as it was looked at last. */
	struct rule_stamp {
		dev_t device;
		ino_t inode;
		off_t size;
		struct timespec changed;
	} stamp;
	int64_t look_us; /* when to look again */
};

/* text: rules that are sound already. Errors as rules_file_make(). */
enum err rule_watch_begin(const char *path, struct view text, struct rule_watch *ret_watch, struct buf *why) MUST_USE;
void rule_watch_done(struct rule_watch *watch); /* accepts a zeroed one */

/* Looks at the file every five seconds. The classifier stays the same object. */
void rule_watch_look(struct rule_watch *watch, int64_t boot_us);

#endif
