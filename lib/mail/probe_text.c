#include "mail/probe_text.h"

#define SUBJECT "Does {{list.title}} still reach you?"
#define BODY                                                                                                           \
	"Hello {{name|reader}},\n"                                                                                     \
	"\n"                                                                                                           \
	"several of our messages to {{email}} have come back, so we have stopped sending\n"                            \
	"{{list.title}} there for the moment. With this letter we ask the address once whether\n"                      \
	"it still takes mail.\n"                                                                                       \
	"\n"                                                                                                           \
	"There is nothing to do: if you can read this, {{list.title}} comes again within days.\n"                      \
	"\n"                                                                                                           \
	"If you do not want it any more, leave here:\n"                                                                \
	"{{unsubscribe}}\n"

const struct view probe_text_subject = { SUBJECT, sizeof(SUBJECT) - 1 };
const struct view probe_text_body = { BODY, sizeof(BODY) - 1 };
