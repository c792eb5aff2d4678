/* Every ceiling in one list: no buffer of this house grows beyond its line here, whatever arrives. Octets unless said. */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#include <stddef.h>

enum limit {
	/* text for people and logs */
	LIMIT_WHY = 2048,      /* one explanation of a refusal */
	LIMIT_LOG_LINE = 4096, /* one log line */

	/* files read whole */
	LIMIT_SETTINGS_FILE = 1 << 20,
	LIMIT_KEY_FILE = 64 << 10,
	LIMIT_DKIM_KEYS = 4096, /* of all domains, retired ones included */
	LIMIT_RULES_FILE = 256 << 10,
	LIMIT_PATH = 4096, /* of a file */

	/* addresses and tokens (RFC 5321 section 4.5.3.1) */
	LIMIT_LOCAL_PART = 64,
	LIMIT_DOMAIN = 253,
	LIMIT_ADDRESS = LIMIT_LOCAL_PART + 1 + LIMIT_DOMAIN,
	LIMIT_ADDRESS_TEXT = 1024,          /* as a person wrote it, its domain not yet in A-labels */
	LIMIT_ADDRESS_RULES = 100000,       /* rows of what an address should make one think of */
	LIMIT_ADDRESS_RULES_TEXT = 8 << 20, /* their texts in memory */
	LIMIT_TOKEN = 64,
	LIMIT_RETURN_PATH_LOCAL = 37, /* leaves room for BATV and SRS rewriting */

	/* SMTP */
	LIMIT_REPLY_LINE = 4096,
	LIMIT_REPLY_LINES = 100,
	LIMIT_REPLY = 64 << 10,
	LIMIT_COMMAND_LINE = 2048,
	LIMIT_REPLY_KEPT = 1024,      /* of a reply, kept in the ledger and the journal */
	LIMIT_SMTP_INPUT = 256 << 10, /* read from a peer and not yet acted on */
	LIMIT_SMTP_OUTPUT = 64 << 10, /* replies not yet written: no further command is executed beyond */
	LIMIT_IN_FLIGHT = 100,        /* transactions of a client's connection that wait for their replies */
	LIMIT_SMTP_UNWRITTEN =
	    256 << 10, /* what a client has said and not yet written: no further message is begun beyond */
	LIMIT_SESSION_DOMAINS = 1024, /* different domains in a session whose server limits them */
	LIMIT_SECRET = 8 << 10,       /* a password or a bearer token */
	LIMIT_SASL_LINE = 12288,      /* a challenge or a response (RFC 4954 section 4) */

	/* TLS: records made that the kernel did not take yet. One of data, and what the protocol itself has to say. */
	LIMIT_TLS_UNSENT = 64 << 10,

	/* outgoing messages */
	LIMIT_TEMPLATE = 4 << 20,       /* one source text of a campaign */
	LIMIT_LETTER = 256 << 10,       /* one written in Markdown; Gmail clips a message at 102 KB */
	LIMIT_TEMPLATE_DEPTH = 16,      /* sections in sections */
	LIMIT_TEMPLATE_STEPS = 1 << 20, /* operations to render one copy */
	LIMIT_TEMPLATE_OPS = 100000,    /* literals and tags of one template */
	LIMIT_FIELD_NAME = 128,
	LIMIT_EML = 24 << 20, /* a letter that is a complete message */
	LIMIT_FILES = 50,     /* images and attachments of a letter */
	LIMIT_FILE_NAME = 120,
	LIMIT_FILES_TOTAL = 11 << 20, /* octets of all of them: in base 64 they fit into LIMIT_MESSAGE with the text */
	LIMIT_MESSAGE = 16 << 20,     /* one recipient's copy */
	LIMIT_SMTP_TURN =
	    LIMIT_MESSAGE * 3 / 2,   /* what a client says in one turn: a message, dots stuffed, and commands */
	LIMIT_HEADER_VALUE = 200,    /* characters of data merged into a header */
	LIMIT_ATTRIBUTES = 64 << 10, /* one subscriber's attributes as JSON */

	/* incoming messages */
	LIMIT_INTAKE = 1 << 20,       /* default of bounced.max_message */
	LIMIT_INTAKE_HEAD = 64 << 10, /* header block read of any message */
	LIMIT_INTAKE_PARTS = 100,
	LIMIT_INTAKE_DEPTH = 16,
	LIMIT_INTAKE_PART = 256 << 10, /* one decoded part */
	LIMIT_INTAKE_TEXT = 4 << 20,   /* all decoded parts of a message */
	LIMIT_INTAKE_VALUE = 8 << 10,  /* one header value */
	LIMIT_REPORT = 64 << 10,       /* what is kept of a report in memory */
	LIMIT_DIAGNOSTIC = 2048,       /* text kept from a report */
	LIMIT_STORM_TEXT = 200,        /* by which reports of one text are known */
	LIMIT_SEAL = 2048,             /* what must survive of a message, as digests */

	LIMIT_COMMIT_RECORDS = 512,     /* rows of what bounced stores in one transaction */
	LIMIT_COMMIT_OCTETS = 16 << 20, /* messages of the same */

	/* CSV */
	LIMIT_CSV_FIELD = 64 << 10,
	LIMIT_CSV_COLUMNS = 1024, /* more than an export has */
	LIMIT_CSV_ROW = 1 << 20,
	LIMIT_IMPORT_ROWS = 100000,    /* of an import, merged together */
	LIMIT_IMPORT_BATCH = 24 << 20, /* their octets */
	LIMIT_IMPORT_FILTER = 16 << 20,
	LIMIT_OUTPUT_LINE = 4 << 20, /* one row of listctl's output as CSV or JSON */

	/* the database */
	LIMIT_DB_VALUES = 64,           /* parameters of one statement */
	LIMIT_DB_PARAMETER = 512 << 20, /* one parameter; an array of returned messages is the largest */
};

#endif
