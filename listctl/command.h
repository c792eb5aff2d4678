/* The verbs of listctl: each is one row, and parsing, --help, the manual and the tests follow from the rows. A file
 * cmd_NOUN.c exports its rows; command.c lists the tables. */
#ifndef LISTCTL_COMMAND_H
#define LISTCTL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct call;

/* An option of one verb, besides those that every verb has (--config, --format, --quiet, --help). */
struct command_option {
	const char *name;     /* without the dashes; NULL ends the array */
	const char *argument; /* "FILE"; NULL for a flag */
	const char *help;     /* one line, lower case, without a full stop */
};

/* An option of the verb's own as it was given: where it stands in the row, and its value. */
struct given_option {
	size_t option;
	const char *value;
};

enum command_needs {
	NEEDS_FOR_OPERAND,  /* as NEEDS_DATABASE with an operand, as NEEDS_NOTHING without one */
	NEEDS_NOTHING,      /* call->settings and call->db are NULL */
	NEEDS_NO_SETTINGS,  /* the settings are loaded where there are any: call->settings may be NULL */
	NEEDS_SETTINGS,     /* the settings are loaded */
	NEEDS_DATABASE,     /* and call->db is open, initialised and of this program's version */
	NEEDS_DATABASE_RAW, /* and call->db is open, whatever it holds (db init|upgrade|status) */
};

enum {
	OPERANDS_ANY = 1000,
	COMMAND_OPTIONS = 32, /* most options of one verb */
};

struct command {
	const char *noun;     /* NULL: a verb of one word, such as import */
	const char *verb;     /* NULL ends the table */
	const char *operands; /* for the usage line: "LIST FILE.csv|-"; "" for none */
	const char *help;     /* one line, for the overview */
	const char *details;  /* what --help says below the usage, lines up to 80 columns ended by \n; may be NULL */
	const struct command_option *options; /* NULL: none of its own */
	size_t least, most;                   /* operands taken; OPERANDS_ANY for no limit */
	const char *surplus; /* the option that an operand too many was probably meant for; may be NULL */
	enum command_needs needs;
	bool writes_pages; /* --format html */
	bool writes_csv;   /* without --format, data is CSV instead of a table */
	/* ERR_OK: exit 0. Else one sentence stands in call->why and the exit is 1 (2 after call_misused()). */
	enum err (*run)(struct call *call);
};

/* All tables, ended by NULL. */
extern const struct command *const command_tables[];

extern const struct command db_commands[];
extern const struct command list_commands[];
extern const struct command import_commands[];
extern const struct command export_commands[];
extern const struct command segment_commands[];
extern const struct command suppress_commands[];
extern const struct command suppress_import_commands[];
extern const struct command subscriber_commands[];
extern const struct command subscriber_erase_commands[];
extern const struct command key_commands[];
extern const struct command dkim_commands[];
extern const struct command dns_commands[];
extern const struct command worker_commands[];
extern const struct command mailbox_commands[];
extern const struct command campaign_commands[]; /* cmd_campaign*.c */
extern const struct command campaign_audience_commands[];
extern const struct command bounce_commands[];     /* cmd_bounce.c */
extern const struct command prune_commands[];      /* cmd_prune.c: prune, undo */
extern const struct command alert_commands[];      /* cmd_alert.c */
extern const struct command maintain_commands[];   /* cmd_maintain.c */
extern const struct command explain_commands[];    /* cmd_explain.c */
extern const struct command report_commands[];     /* cmd_report.c */
extern const struct command policy_commands[];     /* cmd_policy.c */
extern const struct command storm_commands[];      /* cmd_storm.c */
extern const struct command probe_commands[];      /* cmd_probe.c */
extern const struct command relay_commands[];      /* cmd_relay.c */
extern const struct command relay_test_commands[]; /* cmd_relay_test.c */
extern const struct command group_commands[];      /* cmd_group.c */
extern const struct command pace_commands[];       /* cmd_pace.c: pace, warmup */
extern const struct command address_commands[];
extern const struct command address_rule_commands[];

/* The row for NOUN VERB, or for a verb of one word (verb NULL). NULL when there is none. */
const struct command *command_find(const char *noun, const char *verb);
/* True when some row has this noun. */
bool command_has_noun(const char *noun);
#endif
