/* The argument of MAIL and RCPT as a server reads it (RFC 5321 section 4.1.1.2 and 4.1.1.3, with extensions'
 * parameters).
 *
 *     argument = keyword [ SP ] path *( SP parameter )
 *     path     = "<" [ source-route ":" ] mailbox ">" / "<>"   ; a source route is passed over (RFC 5321 appendix C)
 *     parameter = name [ "=" value ]
 * */
#ifndef SMTP_COMMAND_H
#define SMTP_COMMAND_H

#include "base/view.h"

struct smtp_path {
	struct view address; /* without brackets and source route; empty: <> */
	bool smtputf8;
};

enum path_verdict {
	PATH_VALID,
	PATH_MALFORMED,         /* 501 5.5.4 */
	PATH_UNKNOWN_PARAMETER, /* 555 5.5.4 */
	PATH_BAD_VALUE,         /* 501 5.5.4: a known parameter with a value it cannot have */
	PATH_VERDICT_COUNT
};

enum path_verdict smtp_path_of_mail(struct view argument, struct smtp_path *ret_path);
enum path_verdict smtp_path_of_rcpt(struct view argument, struct smtp_path *ret_path);

#endif
