/* What stream.c and listener.c need of the loop. For lib/net only. */
#ifndef NET_LOOP_BASE_H
#define NET_LOOP_BASE_H

#include <event2/event.h>

#include "net/loop.h"

enum { LOOP_READ_SIZE = 64 << 10 };

struct event_base *loop_base(struct loop *loop);
/* LOOP_READ_SIZE octets for the one read that is under way. */
char *loop_read_room(struct loop *loop);
struct timeval loop_timeval(int64_t us);

#endif
