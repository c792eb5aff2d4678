/* Every setting of the house, one row each: SETTING(type, section, name, default, unit, "manual text"). The struct, the parser,
 * --check-config and the manual page verpost.conf(5) all follow from these rows. A default of NULL means: required by the
 * programs that use it. Included several times on purpose, so it has no guard.
 *
 * Types: TEXT, PATH (const char *), COUNT (uint64_t), SIZE (uint64_t octets; K, M, G understood), DURATION (int64_t microseconds;
 * s, m, h, d understood), FLAG (bool), WORD (one of the words in the unit column). */

/* Where the data is */
SETTING(TEXT, database, conninfo, "dbname=verpost", "libpq connection string",
	"The PostgreSQL database that all programs meet in. Over TCP, what this says of keepalives and "
	"tcp_user_timeout goes "
	"for both ends; unless told, each misses the other within about 40 s.")
SETTING(TEXT, database, sender, "", "libpq connection string",
	"Used by sender instead of database.conninfo, to log in as the role verpost_sender.")
SETTING(TEXT, database, bounced, "", "libpq connection string",
	"Used by bounced instead of database.conninfo, to log in as the role verpost_bounced.")
SETTING(PATH, keys, file, NULL, "path",
	"The signing keys, made by `listctl key new`, readable by root and the daemons only.")

/* DKIM */
SETTING(
    PATH, dkim, dir, "/etc/verpost/dkim", "path",
    "The folder with the private keys that messages are signed with, made by `listctl dkim new`: "
    "DOMAIN/SELECTOR.rsa.pem "
    "and DOMAIN/SELECTOR.ed25519.pem, readable by root and the daemons only. Each host that runs sender has a copy of "
    "it. Read "
    "at start.")
SETTING(
    FLAG, dkim, required, "no", "yes or no",
    "yes: a campaign whose From domain has no keys is refused, and held when it is found while sending. no: it is sent "
    "unsigned, with a warning.")

/* The return path */
SETTING(TEXT, bounce, domain, NULL, "domain",
	"The domain of return paths; its MX is the host that runs bounced. One domain an installation.")
SETTING(TEXT, bounce, prefix, "b", "1 to 5 characters", "What stands before the + of a return path.")
SETTING(DURATION, bounce, token_life, "30d", "time", "How long after sending a return path accepts mail.")
SETTING(DURATION, bounce, inside_life, "365d", "time",
	"How long after sending a token inside a returned message still identifies its recipient.")
SETTING(DURATION, bounce, window, "7d", "time",
	"When this has passed without a report, an accepted message counts as delivered. At least a day more than the "
	"relay keeps trying.")
SETTING(TEXT, bounce, rules, "", "file",
	"Rules of your own for what returned mail means, tried before those that are built in; empty: none. See "
	"verpost-rules(5). Read again by bounced on SIGHUP, and by sender within five seconds of a change; one that is "
	"broken is refused, and the rules stay as they were.")
SETTING(DURATION, bounce, keep_raw, "30d", "time", "How long a returned message is kept as evidence.")

/* What is old goes */
SETTING(DURATION, retention, ledger, "1095d", "time",
	"How long after its end a campaign keeps its ledger, the events about it and its frozen audience; `listctl "
	"maintain` drops them then. Its sums stay, and of each person what verdicts follow from. At least "
	"bounce.inside_life, bounce.token_life and sender.expire with bounce.window. 0: for good.")
SETTING(
    DURATION, retention, events, "1095d", "time",
    "How long events are kept that belong to no campaign any more: of probes, and reports about what was dropped or "
    "erased. 0: for good.")

/* Who is told */
SETTING(
    TEXT, alert, command, "", "path",
    "A program that `listctl alert send` and `listctl maintain` run when something wants a person; empty: none. It is "
    "run without a shell and has a minute. What happened stands on its standard input, and in its environment "
    "VERPOST_ALERT_KIND and VERPOST_ALERT_SUBJECT.")
SETTING(DURATION, alert, interval, "6h", "time", "What lasts is told again after this time, and not before.")

/* The DNS */
SETTING(TEXT, dns, resolver, "", "address[@port]",
	"The resolver that `listctl dns --check` and the check before campaigns ask; empty: those of /etc/resolv.conf.")
SETTING(DURATION, dns, timeout, "5s", "time", "How long all questions of a check may take together.")
SETTING(
    TEXT, dns, addresses, "", "addresses separated by spaces",
    "From which addresses mail leaves, for the SPF record of the bounce domain and their reverse names: those of the "
    "relays. The source addresses of relays' rows are added to them.")
SETTING(
    TEXT, dns, includes, "", "domains separated by spaces",
    "Domains whose SPF records name the addresses of relays that others run; they belong into the bounce domain's as "
    "include:DOMAIN.")
SETTING(
    WORD, dns, check, "warn", "off warn refuse",
    "Whether `campaign start` and `campaign schedule` look in the DNS, as `listctl dns --check` does. warn: what is "
    "missing or differs is said. refuse: the campaign is refused then. What cannot be told, since no resolver "
    "answers, is said and refuses nothing.")

/* Links in messages */
SETTING(TEXT, web, base_url, "", "https://HOST[/PATH]",
	"What the links of messages begin with. When it is set, each message has a one-click link to unsubscribe "
	"(RFC 8058), https://HOST[/PATH]/u/TOKEN, in List-Unsubscribe before the mailto: one, with "
	"List-Unsubscribe-Post, and {{unsubscribe}} is that link. Leave it empty until a server answers there: "
	"readers are then unsubscribed by mail alone.")

/* The relay that takes the mail */
SETTING(TEXT, relay, host, "127.0.0.1", "host name or address", "The SMTP relay that sender hands messages to.")
SETTING(COUNT, relay, port, "25", "TCP port", "The relay's port.")
SETTING(TEXT, relay, helo, "", "domain", "The name sent in EHLO; empty means this host's name.")
SETTING(COUNT, relay, connections, "16", "connections a worker",
	"How many connections each worker keeps to a relay, up to 5000. Each is an open file: sender raises its limit "
	"as far as it may.")
SETTING(COUNT, relay, messages_per_connection, "1000", "messages",
	"A connection is closed and opened anew after this many messages.")
SETTING(
    COUNT, relay, in_flight, "1", "messages a connection",
    "How many messages a connection has on the way before the first one's answer, up to 100, where the relay offers "
    "CHUNKING and PIPELINING. So many of a connection may be in doubt after a crash, or "
    "when the relay says a reply too many; then one at a time goes to that relay.")
SETTING(WORD, relay, notify, "failure", "failure failure,delay",
	"What a relay that offers DSN is asked to report: that a message failed, or also that it is delayed.")
SETTING(PATH, relay, secrets, "/etc/verpost/relays", "path",
	"The folder with the secrets of relays that ask for AUTH: for the relay NAME the file NAME, which holds the "
	"password or "
	"bearer token; when it is executable it is run, and its first line is the token. Not readable by everybody.")
SETTING(DURATION, relay, secret_life, "10m", "time",
	"How long a secret is used before its file is read, or its command run, again. A file that changes is read at "
	"once; of a token that is refused a new one is asked for at once.")
SETTING(DURATION, relay, connect_timeout, "30s", "time", "How long a connection may take to open.")
SETTING(
    DURATION, relay, reply_timeout, "5m", "time",
    "How long the greeting and the replies to EHLO, MAIL and RCPT may take (RFC 5321 section 4.5.3.2), until they are "
    "whole.")
SETTING(DURATION, relay, data_timeout, "2m", "time", "How long the reply to DATA may take.")
SETTING(DURATION, relay, final_timeout, "10m", "time",
	"How long the reply to the final dot may take. A short time makes duplicates.")
SETTING(DURATION, relay, retry, "30s", "time",
	"How long the relay is left alone after it was unreachable or refused the session itself; doubles up to "
	"ten minutes.")

SETTING(WORD, relay, test_before_campaign, "no", "no warn require",
	"Whether each relay that a campaign may use is tested before it starts, as by `listctl relay test`. "
	"warn: a failed test is logged. require: the campaign stays scheduled and waits for a person.")
SETTING(DURATION, relay, test_timeout, "2m", "time",
	"How long the message of a return-path test may take until bounced has it.")

/* Campaigns */
SETTING(WORD, campaign, in_doubt, "resend", "resend hold",
	"What a new campaign does with a message whose final reply was never read, unless `campaign create --in-doubt` "
	"says "
	"otherwise. resend: it is sent again, once, with the same Message-ID; some get it twice. hold: it waits for "
	"`campaign "
	"in-doubt`; some may not get it.")
SETTING(SIZE, campaign, attachments_max, "5M", "octets",
	"How many octets the images and attachments of a letter may have together, at most 11M; on the wire they are a "
	"third "
	"more. Every copy carries them, and many receivers refuse messages of more than 10 MB.")

/* sender */
SETTING(COUNT, sender, workers, "0", "processes", "Worker processes; 0 means one a core.")
SETTING(
    COUNT, sender, window, "8000", "recipients",
    "How many recipients a worker opens ahead at most. It opens about as many as it sends in a second, and never fewer "
    "than 4000 (or this). After the loss of a host with its disk, no more than these and the messages in its "
    "connections' hands can be doubtful.")
SETTING(DURATION, sender, lease, "60s", "time",
	"How long a chunk stays with a worker that has stopped answering, before others take what it had not opened; "
	"and how long what it had under way counts towards limits.")
SETTING(DURATION, sender, poll, "1s", "time", "How often a worker without work looks for some.")
SETTING(DURATION, sender, stop_timeout, "60s", "time",
	"How long SIGTERM, pause and cancel wait for messages whose content has started.")
SETTING(TEXT, sender, retry_after, "5m 15m 30m 2h 2h 3h", "list of times",
	"Waits before the attempts after a temporary refusal; the last one repeats. Each is at most 3650d.")
SETTING(DURATION, sender, expire, "4d", "time",
	"A recipient still refused temporarily this long after the first attempt is given up as expired.")

/* What stops a campaign, or a group of domains in it, until a person has looked */
SETTING(DURATION, breaker, window, "1h", "time", "Breakers look back so far at what became of a campaign's messages.")
SETTING(
    COUNT, breaker, hard_share, "100", "of 1,000 messages",
    "Hard bounces: when refusals are this share of what ended within breaker.window, or refusals and later reports of "
    "all that was sent so far, the group of domains is held, or the whole campaign paused. 0: never.")
SETTING(COUNT, breaker, hard_min, "100", "messages", "Fewer hard bounces than this trip nothing.")
SETTING(COUNT, breaker, policy_share, "200", "of 1,000 messages",
	"The same for rejections because of us: block lists, content, authentication. A worker that is refused 20 "
	"times in a "
	"row, or half of the last 100 times, stops by itself at once. 0: never.")
SETTING(COUNT, breaker, policy_min, "50", "messages", "Fewer such rejections than this trip nothing.")
SETTING(
    COUNT, breaker, complaint_share, "3", "of 1,000 messages",
    "The same for complaints, of all messages accepted so far. Large operators ask for less than 3 and begin to reject "
    "beyond. "
    "0: never.")
SETTING(COUNT, breaker, complaint_min, "10", "messages", "Fewer complaints than this trip nothing.")

/* Many hard bounces of one text at one mail operator, among addresses that had accepted before, are held until a person decides */
SETTING(
    DURATION, storm, window, "6h", "time",
    "How far back such bounces are looked for, and for how long after the last surge they are held; with a decision "
    "it also goes for those that come so long after it. 10m to 7d.")
SETTING(COUNT, storm, least, "20", "addresses",
	"Fewer addresses whose newest copy before was accepted are no storm. 1 to 400.")
SETTING(COUNT, storm, share, "50", "of 1,000 messages",
	"They are a storm from this share on of what was sent to the same group of domains meanwhile, or to the domain "
	"where it is in no group. 0: never.")

SETTING(PATH, journal, dir, "/var/lib/verpost", "path",
	"Where workers keep their journals. It must survive a restart of sender and must not be shared between hosts.")
SETTING(SIZE, journal, size, "8M", "octets",
	"Size of one worker's journal, taken from the disk at start. 8M hold about 1,600 messages in hand, a quarter "
	"of them "
	"kept free for relays that come and go. Each relay has its share, and may have in hand: "
	"a worker's connections, each with in_flight messages and one more. sender says at its start, or with "
	"journal.small in its log, when that is too few and what to set; it counts from the next start on.")
SETTING(WORD, journal, sync, "none", "none group",
	"none: the journal survives the death of the process. group: also the loss of power, one fdatasync shared by "
	"the connections before their messages end.")

/* bounced */
SETTING(TEXT, bounced, listen, "127.0.0.1:25", "address:port",
	"Where bounced listens; [::1]:25 for IPv6, unix:/run/verpost/smtp for a Unix socket, several separated by "
	"spaces. Empty: only "
	"where lmtp_listen says. Sockets that systemd hands over (a .socket unit) are used instead of both; those with "
	"FileDescriptorName=lmtp speak LMTP.")
SETTING(TEXT, bounced, lmtp_listen, "", "address:port",
	"Where bounced speaks LMTP, in the same form: for an MTA of this host that has port 25 and hands over what is "
	"for bounce.domain.")
SETTING(TEXT, bounced, proxy_networks, "", "networks separated by spaces",
	"Proxies such as HAProxy, whose connections begin with a PROXY v2 header (send-proxy-v2) that says who the "
	"peer is. Nobody else may send one.")
SETTING(TEXT, bounced, tls_certificate, "", "file",
	"PEM: the certificate of bounced.hostname, then those that lead to its authority. With it STARTTLS is offered. "
	"Read again on SIGHUP.")
SETTING(TEXT, bounced, tls_key, "", "file", "PEM: its private key.")
SETTING(TEXT, bounced, hostname, "", "domain", "The name in the greeting; empty means this host's name.")
SETTING(TEXT, bounced, report_addresses, "", "addresses separated by spaces",
	"Whole addresses at which bounced takes reports besides the return paths: those of feedback loops, and what a "
	"relay writes into MAIL FROM instead of the return path. A report there acts only by the signed token inside, "
	"the Message-ID or ENVID of the copy it is about; what has none is kept for a person (`listctl mailbox`).")
SETTING(
    TEXT, bounced, report_networks, "", "networks separated by spaces",
    "Who may write to bounced.report_addresses, such as 192.0.2.0/24 2001:db8::1; the word unix: peers of Unix "
    "sockets. For others they do not exist. From these alone a complaint at abuse@ or postmaster@ acts by the token "
    "inside, and a report at one copy's return path about another copy.")
SETTING(COUNT, bounced, max_connections, "500", "connections", "Sessions at the same time; further ones hear 421.")
SETTING(COUNT, bounced, max_per_network, "100", "connections",
	"Sessions at the same time from one network (an IPv4 /24, an IPv6 /48); further ones hear 421.")
SETTING(COUNT, bounced, max_recipients, "100", "recipients", "Recipients of one message; further ones hear 452.")
SETTING(COUNT, bounced, max_errors, "20", "errors", "Wrong commands and refused recipients of a session before 421.")
SETTING(COUNT, bounced, max_messages, "1000", "messages", "Messages of one session before 421.")
SETTING(SIZE, bounced, max_message, "1M", "octets",
	"Larger messages are refused with 552 after their head has been read and recorded.")
SETTING(COUNT, bounced, max_per_copy, "100", "messages",
	"Messages of a day to the address of one copy; further ones hear 450, for reports about a copy are few. 0: as "
	"many as come.")
SETTING(COUNT, bounced, max_letters, "200", "messages",
	"Messages of a day to postmaster and abuse from one network (an IPv4 /24, an IPv6 /48) that is not in "
	"report_networks; further ones hear 450. Peers by "
	"LMTP and Unix sockets are not counted. 0: as many as come.")
SETTING(SIZE, bounced, mailbox_size, "256M", "octets",
	"How much mail is kept for a person in all; beyond it postmaster and abuse hear 452 until some is removed "
	"(`listctl mailbox rm`).")
SETTING(DURATION, bounced, mailbox_keep, "365d", "time", "How long mail is kept for a person.")
SETTING(COUNT, bounced, least_rate, "100", "octets per second",
	"A content that has come more slowly for least_rate_time is given up with 421. 0: never.")
SETTING(DURATION, bounced, least_rate_time, "30s", "time", "How long a content may come more slowly than least_rate.")
SETTING(DURATION, bounced, idle_timeout, "5m", "time", "How long a session may be silent.")
SETTING(DURATION, bounced, session_timeout, "20m", "time", "How long a session may last.")
SETTING(DURATION, bounced, commit_timeout, "60s", "time",
	"How long a message waits for its commit before it is answered 451; the peer sends it again.")
SETTING(TEXT, bounced, user, "", "user",
	"As whom bounced works when it is started by root: the rights of root are given up once it listens. Empty: it "
	"stays "
	"who started it.")
SETTING(TEXT, bounced, group, "", "group", "The group beside it; empty: the user's own.")
SETTING(WORD, bounced, sandbox, "prefer", "off prefer require",
	"Whether bounced takes away from itself what it does not need: files by Landlock, system calls by seccomp. "
	"prefer: as far as the "
	"kernel can. require: it does not start where something is missing.")
SETTING(COUNT, bounced, parsers, "1", "processes",
	"Processes that read messages, up to 64. One reads some thousands of reports a second.")
SETTING(DURATION, bounced, parse_timeout, "10s", "time",
	"How long the reading of one message may take. Then it is stored whole as unknown, and its parser is "
	"replaced.")

/* Everywhere */
SETTING(WORD, log, level, "info", "debug info warning error", "The least level that sender and bounced log.")
SETTING(FLAG, log, addresses, "no", "yes or no",
	"Whether log lines above debug show whose address a text names; otherwise *@example.net stands there.")
