/* The process that reads messages: inquiries come in by its socket, insights go out by it. It has nothing else. */
#ifndef BOUNCED_PARSER_H
#define BOUNCED_PARSER_H

#include <stdnoreturn.h>

#include "mail/intake.h"

/* Says that it is ready, answers inquiries of up to most octets one after the other, and ends with the socket, or when it cannot go on. */
noreturn void parser_run(int fd, struct intake *intake, size_t most);

#endif
