#include "tests/support/mailworld/shapes.h"

#include <time.h>

#include "base/clock.h"

static void add(struct buf *out, const char *text)
{
	buf_add(out, view_of(text));
}

static void add_date(const struct report_facts *facts, struct buf *out)
{
	time_t seconds = (time_t)(facts->written_us / CLOCK_US_PER_SECOND);
	struct tm utc;
	gmtime_r(&seconds, &utc);
	char text[64];
	strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S +0000", &utc);
	add(out, text);
}

static void add_head(const struct report_facts *facts, const char *from, const char *subject, struct buf *out)
{
	buf_addf(out, "From: %s <MAILER-DAEMON@" VIEW_FMT ">\r\nTo: " VIEW_FMT "\r\nSubject: %s\r\nDate: ", from,
		 VIEW_ARG(facts->hostname), VIEW_ARG(facts->return_path), subject);
	add_date(facts, out);
	buf_addf(out, "\r\nMessage-ID: <%llu.report@" VIEW_FMT ">\r\nMIME-Version: 1.0\r\n",
		 (unsigned long long)facts->number, VIEW_ARG(facts->hostname));
}

static void add_boundary(const struct report_facts *facts, struct buf *out)
{
	buf_addf(out, "=_report_%llu", (unsigned long long)facts->number);
}

static void add_multipart(const struct report_facts *facts, const char *type, struct buf *out)
{
	buf_addf(out, "Content-Type: multipart/report; report-type=%s;\r\n\tboundary=\"", type);
	add_boundary(facts, out);
	add(out, "\"\r\n\r\nThis is a MIME-encapsulated message.\r\n");
}

static void begin_part(const struct report_facts *facts, const char *type, struct buf *out)
{
	add(out, "\r\n--");
	add_boundary(facts, out);
	buf_addf(out, "\r\nContent-Type: %s\r\n\r\n", type);
}

static void end_parts(const struct report_facts *facts, struct buf *out)
{
	add(out, "\r\n--");
	add_boundary(facts, out);
	add(out, "--\r\n");
}

static void add_returned_headers(const struct report_facts *facts, struct buf *out)
{
	begin_part(facts, "text/rfc822-headers", out);
	buf_add(out, facts->headers);
}

static void add_delivery_status(const struct report_facts *facts, const char *action, struct buf *out)
{
	begin_part(facts, "message/delivery-status", out);
	buf_addf(out, "Reporting-MTA: dns; " VIEW_FMT "\r\nArrival-Date: ", VIEW_ARG(facts->hostname));
	add_date(facts, out);
	buf_addf(out,
		 "\r\n\r\nFinal-Recipient: rfc822; " VIEW_FMT "\r\nOriginal-Recipient: rfc822;" VIEW_FMT
		 "\r\nAction: %s\r\nStatus: " VIEW_FMT "\r\nRemote-MTA: dns; mx." VIEW_FMT
		 "\r\nDiagnostic-Code: smtp; " VIEW_FMT "\r\n",
		 VIEW_ARG(facts->recipient), VIEW_ARG(facts->recipient), action, VIEW_ARG(facts->status),
		 VIEW_ARG(facts->hostname), VIEW_ARG(facts->diagnostic));
}

static void write_postfix(const struct report_facts *facts, struct buf *out)
{
	add_head(facts, "Mail Delivery System", "Undelivered Mail Returned to Sender", out);
	add(out, "Auto-Submitted: auto-replied\r\n");
	add_multipart(facts, "delivery-status", out);
	begin_part(facts, "text/plain; charset=us-ascii", out);
	buf_addf(out,
		 "This is the mail system at host " VIEW_FMT
		 ".\r\n\r\nI'm sorry to have to inform you that your message could not\r\nbe delivered to one or more "
		 "recipients. It's attached below.\r\n\r\n<" VIEW_FMT ">: host mx." VIEW_FMT
		 "[192.0.2.1] said: " VIEW_FMT " (in reply to\r\n    RCPT TO command)\r\n",
		 VIEW_ARG(facts->hostname), VIEW_ARG(facts->recipient), VIEW_ARG(facts->hostname),
		 VIEW_ARG(facts->diagnostic));
	add_delivery_status(facts, "failed", out);
	add_returned_headers(facts, out);
	end_parts(facts, out);
}

static void add_exim_text(const struct report_facts *facts, struct buf *out)
{
	buf_addf(
	    out,
	    "This message was created automatically by mail delivery software.\r\n\r\nA message that you sent could "
	    "not be delivered to one or more of its\r\nrecipients. This is a permanent error. The following "
	    "address(es) failed:\r\n\r\n  " VIEW_FMT "\r\n    host mx." VIEW_FMT
	    " [192.0.2.1]\r\n    SMTP error from remote mail server after RCPT TO:<" VIEW_FMT ">:\r\n    " VIEW_FMT
	    "\r\n",
	    VIEW_ARG(facts->recipient), VIEW_ARG(facts->hostname), VIEW_ARG(facts->recipient),
	    VIEW_ARG(facts->diagnostic));
}

static void write_exim(const struct report_facts *facts, struct buf *out)
{
	buf_addf(out, "X-Failed-Recipients: " VIEW_FMT "\r\nAuto-Submitted: auto-replied\r\n",
		 VIEW_ARG(facts->recipient));
	add_head(facts, "Mail Delivery System", "Mail delivery failed: returning message to sender", out);
	add(out, "Content-Type: text/plain; charset=us-ascii\r\n\r\n");
	add_exim_text(facts, out);
	add(out, "\r\n------ This is a copy of the message's headers. ------\r\n\r\n");
	buf_add(out, facts->headers);
}

static void write_exim_dsn(const struct report_facts *facts, struct buf *out)
{
	buf_addf(out, "X-Failed-Recipients: " VIEW_FMT "\r\nAuto-Submitted: auto-replied\r\n",
		 VIEW_ARG(facts->recipient));
	add_head(facts, "Mail Delivery System", "Mail delivery failed: returning message to sender", out);
	add_multipart(facts, "delivery-status", out);
	begin_part(facts, "text/plain; charset=us-ascii", out);
	add_exim_text(facts, out);
	begin_part(facts, "message/delivery-status", out);
	buf_addf(out,
		 "Reporting-MTA: dns; " VIEW_FMT "\r\n\r\nAction: failed\r\nFinal-Recipient: rfc822;" VIEW_FMT
		 "\r\nStatus: 5.0.0\r\nRemote-MTA: dns; mx." VIEW_FMT "\r\nDiagnostic-Code: smtp; " VIEW_FMT "\r\n",
		 VIEW_ARG(facts->hostname), VIEW_ARG(facts->recipient), VIEW_ARG(facts->hostname),
		 VIEW_ARG(facts->diagnostic));
	add_returned_headers(facts, out);
	end_parts(facts, out);
}

static void write_sendmail(const struct report_facts *facts, struct buf *out)
{
	add_head(facts, "Mail Delivery Subsystem", "Returned mail: see transcript for details", out);
	add(out, "Auto-Submitted: auto-generated (failure)\r\n");
	add_multipart(facts, "delivery-status", out);
	begin_part(facts, "text/plain", out);
	buf_addf(
	    out,
	    "The original message was received from localhost\r\n\r\n   ----- The following addresses had permanent "
	    "fatal errors -----\r\n<" VIEW_FMT ">\r\n    (reason: " VIEW_FMT
	    ")\r\n\r\n   ----- Transcript of session follows -----\r\n... while talking to mx." VIEW_FMT
	    ".:\r\n>>> RCPT To:<" VIEW_FMT ">\r\n<<< " VIEW_FMT "\r\n",
	    VIEW_ARG(facts->recipient), VIEW_ARG(facts->diagnostic), VIEW_ARG(facts->hostname),
	    VIEW_ARG(facts->recipient), VIEW_ARG(facts->diagnostic));
	add_delivery_status(facts, "failed", out);
	add_returned_headers(facts, out);
	end_parts(facts, out);
}

static void write_exchange(const struct report_facts *facts, struct buf *out)
{
	buf_addf(out,
		 "From: postmaster@" VIEW_FMT "\r\nTo: " VIEW_FMT "\r\nSubject: Undeliverable: Newsletter\r\nDate: ",
		 VIEW_ARG(facts->hostname), VIEW_ARG(facts->return_path));
	add_date(facts, out);
	buf_addf(out,
		 "\r\nMessage-ID: <%llu.report@" VIEW_FMT ">\r\nMIME-Version: 1.0\r\nX-MS-Exchange-Message-Is-Ndr:\r\n",
		 (unsigned long long)facts->number, VIEW_ARG(facts->hostname));
	add_multipart(facts, "delivery-status", out);
	begin_part(facts, "text/plain; charset=\"us-ascii\"", out);
	buf_addf(out,
		 "Delivery has failed to these recipients or groups:\r\n\r\n" VIEW_FMT
		 "\r\nThe message could not be delivered.\r\n\r\nDiagnostic information for "
		 "administrators:\r\n\r\nGenerating server: " VIEW_FMT "\r\n\r\n" VIEW_FMT "\r\n#" VIEW_FMT
		 " smtp;" VIEW_FMT " ##\r\n",
		 VIEW_ARG(facts->recipient), VIEW_ARG(facts->hostname), VIEW_ARG(facts->recipient),
		 VIEW_ARG(facts->status), VIEW_ARG(facts->diagnostic));
	add_delivery_status(facts, "failed", out);
	add_returned_headers(facts, out);
	end_parts(facts, out);
}

static void write_qmail(const struct report_facts *facts, struct buf *out)
{
	buf_addf(out, "Date: ");
	add_date(facts, out);
	buf_addf(
	    out,
	    "\r\nMessage-ID: <%llu.report@" VIEW_FMT ">\r\nFrom: MAILER-DAEMON@" VIEW_FMT "\r\nTo: " VIEW_FMT
	    "\r\nSubject: failure notice\r\n\r\nHi. This is the qmail-send program at " VIEW_FMT
	    ".\r\nI'm afraid I wasn't able to deliver your message to the following addresses.\r\nThis is a permanent "
	    "error; I've given up. Sorry it didn't work out.\r\n\r\n<" VIEW_FMT
	    ">:\r\n192.0.2.1 does not like recipient.\r\nRemote host said: " VIEW_FMT
	    "\r\nGiving up on 192.0.2.1.\r\n\r\n--- Below this line is a copy of the message.\r\n\r\n",
	    (unsigned long long)facts->number, VIEW_ARG(facts->hostname), VIEW_ARG(facts->hostname),
	    VIEW_ARG(facts->return_path), VIEW_ARG(facts->hostname), VIEW_ARG(facts->recipient),
	    VIEW_ARG(facts->diagnostic));
	buf_addf(out, "Return-Path: <" VIEW_FMT ">\r\n", VIEW_ARG(facts->return_path));
	buf_add(out, facts->headers);
}

static void write_arf(const struct report_facts *facts, struct buf *out)
{
	add_head(facts, "Feedback Loop", "complaint about message", out);
	add_multipart(facts, "feedback-report", out);
	begin_part(facts, "text/plain; charset=us-ascii", out);
	buf_addf(out, "This is an email abuse report for a message received from you.\r\n");
	begin_part(facts, "message/feedback-report", out);
	buf_addf(out,
		 "Feedback-Type: abuse\r\nUser-Agent: Example-FBL/1.0\r\nVersion: 1\r\nOriginal-Mail-From: <" VIEW_FMT
		 ">\r\nOriginal-Rcpt-To: <" VIEW_FMT ">\r\nReported-Domain: " VIEW_FMT "\r\n",
		 VIEW_ARG(facts->return_path), VIEW_ARG(facts->recipient), VIEW_ARG(facts->hostname));
	begin_part(facts, "message/rfc822", out);
	buf_add(out, facts->headers);
	add(out, "\r\n(body removed)\r\n");
	end_parts(facts, out);
}

static void write_vacation(const struct report_facts *facts, struct buf *out)
{
	buf_addf(out, "From: <" VIEW_FMT ">\r\nTo: " VIEW_FMT "\r\nSubject: Out of office: your newsletter\r\nDate: ",
		 VIEW_ARG(facts->recipient), VIEW_ARG(facts->return_path));
	add_date(facts, out);
	buf_addf(out,
		 "\r\nMessage-ID: <%llu.report@" VIEW_FMT ">\r\nAuto-Submitted: auto-replied (vacation)\r\nPrecedence: "
		 "bulk\r\n\r\nI am away until Monday and will read your message then.\r\n",
		 (unsigned long long)facts->number, VIEW_ARG(facts->hostname));
}

static void write_delay(const struct report_facts *facts, struct buf *out)
{
	add_head(facts, "Mail Delivery System", "Delayed Mail (still being retried)", out);
	add(out, "Auto-Submitted: auto-replied\r\n");
	add_multipart(facts, "delivery-status", out);
	begin_part(facts, "text/plain; charset=us-ascii", out);
	buf_addf(out,
		 "This is the mail system at host " VIEW_FMT ".\r\n\r\n# THIS IS A WARNING ONLY. YOU DO NOT NEED TO "
		 "RESEND YOUR MESSAGE. #\r\n\r\nYour message could not "
		 "be delivered for more than 4 hour(s).\r\nIt will be retried until it is 5 day(s) old.\r\n",
		 VIEW_ARG(facts->hostname));
	add_delivery_status(facts, "delayed", out);
	add_returned_headers(facts, out);
	end_parts(facts, out);
}

#define GONE "5.1.1", "550 5.1.1 Recipient address rejected: User unknown:"
#define LATE "4.4.1", "451 4.4.1 Connection timed out:"

static void write_message(const struct report_facts *facts, struct buf *out)
{
	buf_addf(out, "Received: by " VIEW_FMT "; ", VIEW_ARG(facts->hostname));
	add_date(facts, out);
	buf_add(out, VIEW_LIT("\r\n"));
	buf_add(out, facts->content);
}

static const struct shape shapes[] = {
	{ "postfix", false, false, GONE, write_postfix },   { "exim", false, false, GONE, write_exim },
	{ "exim-dsn", false, false, GONE, write_exim_dsn }, { "sendmail", false, false, GONE, write_sendmail },
	{ "exchange", false, false, GONE, write_exchange }, { "qmail", false, false, GONE, write_qmail },
	{ "arf", false, false, GONE, write_arf },           { "vacation", true, false, GONE, write_vacation },
	{ "delay", false, false, LATE, write_delay },       { "itself", false, true, GONE, write_message },
};

const struct shape *shape_find(struct view name)
{
	for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
		if (view_eq(name, view_of(shapes[i].name)))
			return &shapes[i];
	}
	return NULL;
}

void shape_list(struct buf *out)
{
	for (size_t i = 0; i < ARRAY_LEN(shapes); i++)
		buf_addf(out, i == 0 ? "%s" : " %s", shapes[i].name);
}
