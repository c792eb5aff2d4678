#include "smtp/client_states.h"

#include <assert.h>
#include <string.h>

#include "tests/support/smtp_owner.h"

/* Whole sessions: refusals, 421, replies of the wrong class and lost connections at each step. */
static const struct script rows[] = {
	{ "banner", { "220 hi\r\n", "EOF" }, "trouble@ehlo closed", EHLO, 0 },
	{ "banner 554", { "554 no\r\n", "221 bye\r\n" }, "trouble@banner:554 closed", "QUIT\r\n", 1 },
	{ "banner 421", { "421 busy\r\n" }, "trouble@banner:421 closed", "", 1 },
	{ "banner 354", { "354 what\r\n" }, "trouble@banner:354 closed", "", 1 },
	{ "banner eof", { "EOF" }, "trouble@banner closed", "", 1 },
	{ "banner malformed", { "SSH-2.0\r\n" }, "trouble@banner! closed", "", 1 },
	{ "ehlo", { "220 hi\r\n", BARE, "221 bye\r\n" }, "takes closed", EHLO "QUIT\r\n", 0 },
	{ "ehlo 502 then helo",
	  { "220 hi\r\n", "502 what\r\n", "250 ok\r\n", "221 bye\r\n" },
	  "takes closed",
	  EHLO "HELO me.example\r\nQUIT\r\n",
	  0 },
	{ "ehlo 550 then helo 550",
	  { "220 hi\r\n", "550 no\r\n", "550 no\r\n", "221 bye\r\n" },
	  "trouble@ehlo:550 closed",
	  EHLO "HELO me.example\r\nQUIT\r\n",
	  0 },
	{ "ehlo 554", { "220 hi\r\n", "554 no\r\n", "EOF" }, "trouble@ehlo:554 closed", EHLO "QUIT\r\n", 0 },
	{ "ehlo 421", { "220 hi\r\n", "421 no\r\n" }, "trouble@ehlo:421 closed", EHLO, 0 },
	{ "helo eof", { "220 hi\r\n", "500 no\r\n", "EOF" }, "trouble@ehlo closed", EHLO "HELO me.example\r\n", 0 },
	{ "one by one",
	  { "220 hi\r\n", BARE, "250 a\r\n", "250 b\r\n", "354 c\r\n", "250 d\r\n", "221 e\r\n" },
	  "takes asks 1 accepted 1:250 takes closed",
	  EHLO MAIL RCPT "DATA\r\nID1\r\n.\r\nQUIT\r\n",
	  1 },
	{ "one by one, rcpt refused, RSET",
	  { "220 hi\r\n", BARE, "250 a\r\n", "550 b\r\n", "250 r\r\n", "250 a\r\n", "250 b\r\n", "354 c\r\n",
	    "250 d\r\n", "221 e\r\n" },
	  "takes refused 1@rcpt:550 takes asks 2 accepted 2:250 takes closed",
	  EHLO MAIL RCPT "RSET\r\n" MAIL RCPT "DATA\r\nID2\r\n.\r\nQUIT\r\n",
	  2 },
	{ "rset refused",
	  { "220 hi\r\n", BARE, "250 a\r\n", "550 b\r\n", "500 r\r\n", "221 e\r\n" },
	  "takes refused 1@rcpt:550 takes not-sent 2 trouble@mail:500 closed",
	  EHLO MAIL RCPT "RSET\r\nQUIT\r\n",
	  2 },
	{ "one round trip a message",
	  { "220 hi\r\n", PIPE, OK3, "250 d\r\n" OK3, "250 d\r\n", "221 e\r\n" },
	  "takes asks 1 takes accepted 1:250 asks 2 takes accepted 2:250 closed",
	  EHLO GROUP "ID1\r\n.\r\n" GROUP "ID2\r\n.\r\nQUIT\r\n",
	  2 },
	{ "mail 550",
	  { "220 hi\r\n", PIPE, "550 a\r\n503 b\r\n503 c\r\n", "221 e\r\n" },
	  "takes not-sent 1 trouble@mail:550 closed",
	  EHLO GROUP "QUIT\r\n",
	  1 },
	{ "mail 451, data 354",
	  { "220 hi\r\n", PIPE, "451 a\r\n503 b\r\n354 c\r\n" },
	  "takes not-sent 1 trouble@mail:451 closed",
	  EHLO GROUP,
	  1 },
	{ "mail 552",
	  { "220 hi\r\n", PIPE, "552 a\r\n503 b\r\n503 c\r\n", "250 r\r\n" OK3, "250 d\r\n", "221 e\r\n" },
	  "takes refused 1@mail:552 takes asks 2 takes accepted 2:250 closed",
	  EHLO GROUP "RSET\r\n" GROUP "ID2\r\n.\r\nQUIT\r\n",
	  2 },
	{ "one by one, mail 552",
	  { "220 hi\r\n", BARE, "552 a\r\n", "250 r\r\n", "250 a\r\n", "250 b\r\n", "354 c\r\n", "250 d\r\n",
	    "221 e\r\n" },
	  "takes refused 1@mail:552 takes asks 2 accepted 2:250 takes closed",
	  EHLO MAIL "RSET\r\n" MAIL RCPT "DATA\r\nID2\r\n.\r\nQUIT\r\n",
	  2 },
	{ "mail 552, data 354, void dot",
	  { "220 hi\r\n", PIPE, "552 a\r\n503 b\r\n354 c\r\n", "554 v\r\n", "221 e\r\n" },
	  "takes refused 1@mail:552 takes closed",
	  EHLO GROUP ".\r\nQUIT\r\n",
	  1 },
	{ "mail 354", { "220 hi\r\n", PIPE, "354 a\r\n" }, "takes not-sent 1 trouble@mail:354 closed", EHLO GROUP, 1 },
	{ "mail eof", { "220 hi\r\n", PIPE, "EOF" }, "takes not-sent 1 trouble@mail closed", EHLO GROUP, 1 },
	{ "rcpt 550, data 503",
	  { "220 hi\r\n", PIPE, "250 a\r\n550 b\r\n503 c\r\n", "250 r\r\n" OK3, "250 d\r\n", "221 e\r\n" },
	  "takes refused 1@rcpt:550 takes asks 2 takes accepted 2:250 closed",
	  EHLO GROUP "RSET\r\n" GROUP "ID2\r\n.\r\nQUIT\r\n",
	  2 },
	{ "rcpt 550, data 354, void dot",
	  { "220 hi\r\n", PIPE, "250 a\r\n550 b\r\n354 c\r\n", "250 v\r\n" OK3, "250 d\r\n", "221 e\r\n" },
	  "takes refused 1@rcpt:550 takes asks 2 takes accepted 2:250 closed",
	  EHLO GROUP ".\r\n" GROUP "ID2\r\n.\r\nQUIT\r\n",
	  2 },
	{ "void dot eof",
	  { "220 hi\r\n", PIPE, "250 a\r\n550 b\r\n354 c\r\n", "EOF" },
	  "takes refused 1@rcpt:550 takes trouble@final-dot closed",
	  EHLO GROUP ".\r\n",
	  1 },
	{ "rcpt 421",
	  { "220 hi\r\n", PIPE, "250 a\r\n421 b\r\n" },
	  "takes refused 1@rcpt:421 trouble@rcpt:421 closed",
	  EHLO GROUP,
	  1 },
	{ "rcpt 354",
	  { "220 hi\r\n", PIPE, "250 a\r\n354 b\r\n" },
	  "takes not-sent 1 trouble@rcpt:354 closed",
	  EHLO GROUP,
	  1 },
	{ "rcpt eof",
	  { "220 hi\r\n", PIPE, "250 a\r\n", "EOF" },
	  "takes not-sent 1 trouble@rcpt closed",
	  EHLO GROUP,
	  1 },
	{ "rcpt 552",
	  { "220 hi\r\n", BARE, "250 a\r\n", "552 many\r\n", "221 e\r\n" },
	  "takes refused 1@rcpt:452 takes closed",
	  EHLO MAIL RCPT "QUIT\r\n",
	  1 },
	{ "rcpt 552 5.5.3",
	  { "220 hi\r\n", BARE, "250 a\r\n", "552 5.5.3 many\r\n", "221 e\r\n" },
	  "takes refused 1@rcpt:452 takes closed",
	  EHLO MAIL RCPT "QUIT\r\n",
	  1 },
	{ "rcpt 552 5.2.2",
	  { "220 hi\r\n", BARE, "250 a\r\n", "552 5.2.2 full\r\n", "221 e\r\n" },
	  "takes refused 1@rcpt:552 takes closed",
	  EHLO MAIL RCPT "QUIT\r\n",
	  1 },
	{ "data 554, RSET",
	  { "220 hi\r\n", PIPE, "250 a\r\n250 b\r\n554 c\r\n", "250 r\r\n" OK3, "250 d\r\n", "221 e\r\n" },
	  "takes refused 1@data:554 takes asks 2 takes accepted 2:250 closed",
	  EHLO GROUP "RSET\r\n" GROUP "ID2\r\n.\r\nQUIT\r\n",
	  2 },
	{ "one by one, data 451, RSET",
	  { "220 hi\r\n", BARE, "250 a\r\n", "250 b\r\n", "451 c\r\n", "250 r\r\n", "250 a\r\n", "250 b\r\n",
	    "354 c\r\n", "250 d\r\n", "221 e\r\n" },
	  "takes refused 1@data:451 takes asks 2 accepted 2:250 takes closed",
	  EHLO MAIL RCPT "DATA\r\nRSET\r\n" MAIL RCPT "DATA\r\nID2\r\n.\r\nQUIT\r\n",
	  2 },
	{ "data 554, the last of the session",
	  { "220 hi\r\n", PIPE, "250 a\r\n250 b\r\n554 c\r\n", "221 e\r\n" },
	  "takes refused 1@data:554 takes closed",
	  EHLO GROUP "QUIT\r\n",
	  1 },
	{ "data 421",
	  { "220 hi\r\n", PIPE, "250 a\r\n250 b\r\n421 c\r\n" },
	  "takes not-sent 1 trouble@data:421 closed",
	  EHLO GROUP,
	  1 },
	{ "data 250",
	  { "220 hi\r\n", PIPE, "250 a\r\n250 b\r\n250 c\r\n" },
	  "takes not-sent 1 trouble@data:250 closed",
	  EHLO GROUP,
	  1 },
	{ "data eof",
	  { "220 hi\r\n", PIPE, "250 a\r\n250 b\r\n", "EOF" },
	  "takes not-sent 1 trouble@data closed",
	  EHLO GROUP,
	  1 },
	{ "dot 550",
	  { "220 hi\r\n", PIPE, OK3, "550 spam\r\n", "221 e\r\n" },
	  "takes asks 1 takes refused 1@final-dot:550 closed",
	  EHLO GROUP "ID1\r\n.\r\nQUIT\r\n",
	  1 },
	{ "dot 421",
	  { "220 hi\r\n", PIPE, OK3, "421 going\r\n" },
	  "takes asks 1 takes refused 1@final-dot:421 not-sent 2 trouble@final-dot:421 closed",
	  EHLO GROUP "ID1\r\n.\r\n" GROUP,
	  2 },
	{ "dot 354",
	  { "220 hi\r\n", PIPE, OK3, "354 what\r\n" },
	  "takes asks 1 takes in-doubt 1 not-sent 2 trouble@final-dot:354 closed",
	  EHLO GROUP "ID1\r\n.\r\n" GROUP,
	  2 },
	{ "dot malformed",
	  { "220 hi\r\n", PIPE, OK3, "2x\r\n" },
	  "takes asks 1 takes in-doubt 1 trouble@final-dot! closed",
	  EHLO GROUP "ID1\r\n.\r\n",
	  1 },
	{ "dot eof",
	  { "220 hi\r\n", PIPE, OK3, "EOF" },
	  "takes asks 1 takes in-doubt 1 not-sent 2 trouble@final-dot closed",
	  EHLO GROUP "ID1\r\n.\r\n" GROUP,
	  2 },
	{ "quit eof", { "220 hi\r\n", PIPE, "EOF" }, "takes closed", EHLO "QUIT\r\n", 0 },
	{ "reply to nothing", { "220 hi\r\n", PIPE "250 x\r\n" }, "trouble@mail:250 closed", EHLO, 1 },
	{ "reply in the content's turn",
	  { "220 hi\r\n", PIPE, OK3 "250 d\r\n" },
	  "takes not-sent 1 trouble@data:250 closed",
	  EHLO GROUP,
	  1 },
};

/* ---- which refusals of MAIL are about the message ---- */

START_TEST(mail_refused)
	{
		static const struct {
			const char *reply;
			bool is_about_message;
		} replies[] = {
			{ "552 Too large", true },
			{ "552 5.3.4 Too large", true },
			{ "552 5.2.3 Too large for him", true },
			{ "452 4.3.4 Too large now", true },
			{ "550 5.6.7 No such addresses", true },
			{ "553 5.6.7 No such addresses", true },
			{ "554 5.6.9 No such header", true },
			{ "451 4.6.1 No such content", true },
			{ "552 5.2.2 Full", false },
			{ "452 4.3.1 Disk full", false },
			{ "452 Disk full", false },
			{ "451 Not now", false },
			{ "451 4.7.1 Not so fast", false },
			{ "550 No", false },
			{ "550 5.7.1 No", false },
			{ "553 5.1.8 No such sender", false },
			{ "555 5.5.4 What?", false },
			{ "503 5.5.1 Not now", false },
			{ "552 4.3.4 Class of another: none", true },
			{ "554 4.3.4 Class of another: none", false },
		};
		for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
			struct owner owner = owner_new(NULL, 1);
			AUTO_BUF trace = buf_with_ceiling(64);
			AUTO_BUF says = buf_with_ceiling(64);
			owner_turn(&owner, view_of("220 hi\r\n"));
			owner_turn(&owner, view_of(BARE));
			buf_reset(&owner.trace);
			buf_addf(&says, "%s\r\n", replies[i].reply);
			owner_turn(&owner, buf_view(&says));
			buf_addf(&trace,
				 replies[i].is_about_message ? "refused 1@mail:%.3s takes"
							     : "not-sent 1 trouble@mail:%.3s",
				 replies[i].reply);
			ck_assert_msg(view_eq(buf_view(&owner.trace), buf_view(&trace)), "\"%s\": got \"%s\"",
				      replies[i].reply, buf_text(&owner.trace));
			owner_done(&owner);
		}
	}
END_TEST

START_TEST(sessions)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++)
			script_play(&rows[i], NULL, SIZE_MAX);
	}
END_TEST

/* Where a turn says more than its due, the split decides how much of it is still in time: those rows are played
 * whole only. */
static bool says_too_much(const struct script *row)
{
	return strstr(row->label, "reply ") == row->label;
}

START_TEST(sessions_split_at_every_octet)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			if (!says_too_much(&rows[i]))
				script_play_split_everywhere(&rows[i], NULL);
		}
	}
END_TEST

/* ---- every row of the state table ---- */

static const struct smtp_credentials plain = {
	.mechanism = SASL_PLAIN,
	.user = { "me", 2 },
	.secret = { "secret", 6 },
};
static const struct smtp_client_options starttls = { .tls = SMTP_TLS_STARTTLS };
static const struct smtp_client_options authenticated = { .is_local = true, .credentials = &plain };
static const struct smtp_client_options lmtp = { .is_lmtp = true };

#define OFFERS_TLS "250-me\r\n250 STARTTLS\r\n"
#define OFFERS_AUTH "250-me\r\n250 AUTH PLAIN\r\n"

struct state_row {
	const char *reach[8]; /* turns until it is reached */
	const char *good;     /* what takes it further */
	const char *next;     /* to which state */
	/* What is told when there comes, instead: 421; a malformed reply; a reply of a class that answers nothing here; the
	 * end of the connection. */
	const char *on_421, *on_malformed, *on_odd, *on_eof;
	uint64_t messages;
	const struct smtp_client_options *options;
	bool holds_content;
};

static const struct state_row state_rows[] = {
	[STATE_BANNER] = { { NULL },
			   "220 hi\r\n",
			   "EHLO",
			   "trouble@banner:421 closed",
			   "trouble@banner! closed",
			   "trouble@banner:354 closed",
			   "trouble@banner closed",
			   1,
			   NULL,
			   false },
	[STATE_EHLO] = { { "220 hi\r\n" },
			 BARE,
			 "MAIL",
			 "trouble@ehlo:421 closed",
			 "trouble@ehlo! closed",
			 "trouble@ehlo:354 closed",
			 "trouble@ehlo closed",
			 1,
			 NULL,
			 false },
	[STATE_LHLO] = { { "220 hi\r\n" },
			 BARE,
			 "MAIL",
			 "trouble@ehlo:421 closed",
			 "trouble@ehlo! closed",
			 "trouble@ehlo:354 closed",
			 "trouble@ehlo closed",
			 1,
			 &lmtp,
			 false },
	[STATE_HELO] = { { "220 hi\r\n", "502 no\r\n" },
			 BARE,
			 "MAIL",
			 "trouble@ehlo:421 closed",
			 "trouble@ehlo! closed",
			 "trouble@ehlo:354 closed",
			 "trouble@ehlo closed",
			 1,
			 NULL,
			 false },
	[STATE_STARTTLS] = { { "220 hi\r\n", OFFERS_TLS },
			     "220 go\r\n",
			     "TLS",
			     "trouble@starttls:421 closed",
			     "trouble@starttls! closed",
			     "trouble@starttls:354 closed",
			     "trouble@starttls closed",
			     1,
			     &starttls,
			     false },
	[STATE_TLS] = { { "220 hi\r\n", OFFERS_TLS, "220 go\r\n" },
			"TLS",
			"EHLO",
			"tls trouble@starttls! closed",
			"tls trouble@starttls! closed",
			"tls trouble@starttls! closed",
			"tls trouble@starttls closed",
			1,
			&starttls,
			false },
	[STATE_AUTH] = { { "220 hi\r\n", OFFERS_AUTH },
			 "235 ok\r\n",
			 "MAIL",
			 "trouble@auth:421 closed",
			 "trouble@auth! closed",
			 "trouble@auth:354 closed",
			 "trouble@auth closed",
			 1,
			 &authenticated,
			 false },
	[STATE_READY] = { { "220 hi\r\n", PIPE },
			  "QUIT",
			  "QUIT",
			  "takes trouble@mail:421 closed",
			  "takes trouble@mail! closed",
			  "takes trouble@mail:354 closed",
			  "takes trouble@mail closed",
			  0,
			  NULL,
			  false },
	[STATE_RSET] = { { "220 hi\r\n", BARE, "250 a\r\n", "550 b\r\n" },
			 "250 r\r\n",
			 "MAIL",
			 "takes refused 1@rcpt:550 takes not-sent 2 trouble@mail:421 closed",
			 "takes refused 1@rcpt:550 takes not-sent 2 trouble@mail! closed",
			 "takes refused 1@rcpt:550 takes not-sent 2 trouble@mail:354 closed",
			 "takes refused 1@rcpt:550 takes not-sent 2 trouble@mail closed",
			 2,
			 NULL,
			 false },
	[STATE_MAIL] = { { "220 hi\r\n", PIPE },
			 "250 a\r\n",
			 "RCPT",
			 "takes not-sent 1 trouble@mail:421 closed",
			 "takes not-sent 1 trouble@mail! closed",
			 "takes not-sent 1 trouble@mail:354 closed",
			 "takes not-sent 1 trouble@mail closed",
			 1,
			 NULL,
			 false },
	[STATE_RCPT] = { { "220 hi\r\n", PIPE, "250 a\r\n" },
			 "250 b\r\n",
			 "DATA",
			 "takes refused 1@rcpt:421 trouble@rcpt:421 closed",
			 "takes not-sent 1 trouble@rcpt! closed",
			 "takes not-sent 1 trouble@rcpt:354 closed",
			 "takes not-sent 1 trouble@rcpt closed",
			 1,
			 NULL,
			 false },
	[STATE_DATA] = { { "220 hi\r\n", PIPE, "250 a\r\n250 b\r\n" },
			 "354 c\r\n",
			 "FINAL_DOT",
			 "takes not-sent 1 trouble@data:421 closed",
			 "takes not-sent 1 trouble@data! closed",
			 "takes not-sent 1 trouble@data:250 closed",
			 "takes not-sent 1 trouble@data closed",
			 1,
			 NULL,
			 false },
	[STATE_CONTENT] = { { "220 hi\r\n", PIPE, OK3 },
			    "GIVE",
			    "FINAL_DOT",
			    "takes asks 1 not-sent 1 trouble@data:421 closed",
			    "takes asks 1 not-sent 1 trouble@data! closed",
			    "takes asks 1 not-sent 1 trouble@data:354 closed",
			    "takes asks 1 not-sent 1 trouble@data closed",
			    1,
			    NULL,
			    true },
	[STATE_FINAL_DOT] = { { "220 hi\r\n", PIPE, OK3 },
			      "250 d\r\n",
			      "READY",
			      "takes asks 1 takes refused 1@final-dot:421 trouble@final-dot:421 closed",
			      "takes asks 1 takes in-doubt 1 trouble@final-dot! closed",
			      "takes asks 1 takes in-doubt 1 trouble@final-dot:354 closed",
			      "takes asks 1 takes in-doubt 1 trouble@final-dot closed",
			      1,
			      NULL,
			      false },
	[STATE_VOID_DOT] = { { "220 hi\r\n", PIPE, "250 a\r\n550 b\r\n354 c\r\n" },
			     "554 none\r\n",
			     "READY",
			     "takes refused 1@rcpt:550 takes trouble@final-dot:421 closed",
			     "takes refused 1@rcpt:550 takes trouble@final-dot! closed",
			     NULL,
			     "takes refused 1@rcpt:550 takes trouble@final-dot closed",
			     1,
			     NULL,
			     false },
	[STATE_BDAT] = { { "220 hi\r\n", CHUNK, "250 a\r\n250 b\r\n" },
			 "250 d\r\n",
			 "READY",
			 "takes asks 1 refused 1@final-dot:421 trouble@final-dot:421 closed",
			 "takes asks 1 in-doubt 1 trouble@final-dot! closed",
			 "takes asks 1 in-doubt 1 trouble@final-dot:354 closed",
			 "takes asks 1 in-doubt 1 trouble@final-dot closed",
			 1,
			 NULL,
			 false },
	[STATE_QUIT] = { { "220 hi\r\n", PIPE, "QUIT" },
			 "221 bye\r\n",
			 "CLOSED",
			 "takes closed",
			 "takes closed",
			 NULL,
			 "takes closed",
			 0,
			 NULL,
			 false },
	[STATE_CLOSED] = { { "554 no\r\n", "221 bye\r\n" },
			   "EOF",
			   "CLOSED",
			   "trouble@banner:554 closed closed",
			   "trouble@banner:554 closed closed",
			   "trouble@banner:554 closed closed",
			   "trouble@banner:554 closed closed",
			   0,
			   NULL,
			   false },
};
static_assert(ARRAY_LEN(state_rows) == STATE_COUNT, "a row for each state");

/* A session in that state. */
static struct owner reach(enum state state)
{
	const struct state_row *row = &state_rows[state];
	struct owner owner = owner_new(row->options, row->messages);
	owner.stays = true;
	owner.holds_content = row->holds_content;
	owner_drain(&owner);
	owner_write(&owner, SIZE_MAX);
	for (size_t i = 0; row->reach[i] != NULL; i++)
		owner_play(&owner, row->reach[i], SIZE_MAX);
	ck_assert_msg(owner.client->state == state, "state %d is not reached but %s", state,
		      smtp_client_state_name(owner.client));
	return owner;
}

static void probe(enum state state, const char *says, const char *trace)
{
	size_t len = strcmp(says, "EOF") == 0 ? 1 : strlen(says);
	for (size_t split = 1; split <= len && trace != NULL; split++) {
		struct owner owner = reach(state);
		bool is_open = owner_play(&owner, says, split);
		/* A reply of the wrong class may still be followed by a QUIT. */
		ck_assert_msg(!is_open, "%s, \"%s\": still open", smtp_client_state_name(owner.client), says);
		ck_assert_msg(view_eq(buf_view(&owner.trace), view_of(trace)),
			      "state %d, \"%s\" split at %zu: got \"%s\", expected \"%s\"", state, says, split,
			      buf_text(&owner.trace), trace);
		ck_assert_str_eq(smtp_client_state_name(owner.client), "CLOSED");
		ck_assert_msg(smtp_client_output(owner.client).len == 0, "state %d: nothing more leaves", state);
		owner_done(&owner);
	}
}

START_TEST(every_state)
	{
		for (size_t i = 0; i < STATE_COUNT; i++) {
			struct owner owner = reach((enum state)i);
			owner_play(&owner, state_rows[i].good, SIZE_MAX);
			ck_assert_str_eq(smtp_client_state_name(owner.client), state_rows[i].next);
			owner_done(&owner);
		}
	}
END_TEST

START_TEST(every_state_in_trouble)
	{
		for (size_t i = 0; i < STATE_COUNT; i++) {
			const struct state_row *row = &state_rows[i];
			probe((enum state)i, "421 4.3.2 bye\r\n", row->on_421);
			probe((enum state)i, "2x0 what\r\n", row->on_malformed);
			probe((enum state)i, i == STATE_DATA ? "250 what\r\n" : "354 what\r\n", row->on_odd);
			probe((enum state)i, "EOF", row->on_eof);
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { sessions, sessions_split_at_every_octet, mail_refused, every_state,
				       every_state_in_trouble };
	return suite_of("client_states", tests, ARRAY_LEN(tests));
}
