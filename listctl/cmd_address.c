#include <string.h>

#include "base/limits.h"
#include "listctl/call.h"
#include "listctl/input.h"
#include "mail/address.h"
#include "mail/address_canonical.h"
#include "store/address_rules.h"

enum { READ_STEP = 64 << 10 };

struct job {
	struct call *call;
	struct address_judge *judge;
	uint64_t looked_at, not_taken;
};

/* ---- one address ---- */

/* What is known of one; the texts are empty where there is nothing to say. */
struct answer {
	const char *verdict;
	struct buf address, key, mailbox, kinds, suggestion, notes;
};

static struct answer answer_empty(void)
{
	return (struct answer){
		.verdict = "ok",
		.address = buf_with_ceiling(LIMIT_ADDRESS),
		.key = buf_with_ceiling(LIMIT_ADDRESS_TEXT),
		.mailbox = buf_with_ceiling(LIMIT_ADDRESS_TEXT),
		.kinds = buf_with_ceiling(LIMIT_WHY),
		.suggestion = buf_with_ceiling(LIMIT_ADDRESS_TEXT),
		.notes = buf_with_ceiling(LIMIT_WHY),
	};
}

static void answer_done(struct answer *answer)
{
	buf_done(&answer->address);
	buf_done(&answer->key);
	buf_done(&answer->mailbox);
	buf_done(&answer->kinds);
	buf_done(&answer->suggestion);
	buf_done(&answer->notes);
}

static void judge(struct job *job, struct answer *answer)
{
	struct address_finding findings[ADDRESS_RULE_KIND_COUNT];
	struct view key = buf_view(&answer->key);
	size_t count = address_judge_ask(job->judge, key, findings);
	for (size_t i = 0; i < count; i++) {
		buf_addf(&answer->kinds, "%s%s", i == 0 ? "" : ",", address_rule_kind_name(findings[i].kind));
		buf_addf(&answer->notes, "%s", i == 0 ? "" : "; ");
		address_finding_text(&findings[i], key, &answer->notes);
		if (findings[i].hint.len > 0)
			buf_addf(&answer->suggestion, VIEW_FMT "@" VIEW_FMT,
				 VIEW_ARG(view_head(buf_view(&answer->address),
						    view_find_last_byte(buf_view(&answer->address), '@'))),
				 VIEW_ARG(findings[i].hint));
	}
	if (count > 0)
		answer->verdict = address_findings_refuse(findings, count) ? "refused" : "warned";
}

static void look_at(struct job *job, struct view text, struct answer *answer)
{
	if (address_parse(text, &answer->address, &answer->notes) != ERR_OK ||
	    address_key(buf_view(&answer->address), &answer->key) != ERR_OK) {
		answer->verdict = "invalid";
		return;
	}
	if (!address_canonical(buf_view(&answer->key), &answer->mailbox))
		buf_add(&answer->mailbox, buf_view(&answer->key));
	if (!address_is_ascii(buf_view(&answer->address)))
		buf_addf(&answer->notes, "needs a relay with SMTPUTF8; ");
	judge(job, answer);
	if (view_ends(buf_view(&answer->notes), VIEW_LIT("; ")))
		buf_cut(&answer->notes, answer->notes.len - 2);
}

static void check_one(struct job *job, struct view text)
{
	struct answer answer = answer_empty();
	look_at(job, text, &answer);
	job->looked_at++;
	job->not_taken += strcmp(answer.verdict, "invalid") == 0 || strcmp(answer.verdict, "refused") == 0;
	output_row(job->call->out,
		   (struct output_cell[]){
		       cell_text(text), cell_text(view_of(answer.verdict)),
		       cell_text_or_null(buf_view(&answer.address)), cell_text_or_null(buf_view(&answer.key)),
		       cell_text_or_null(buf_view(&answer.mailbox)), cell_text_or_null(buf_view(&answer.kinds)),
		       cell_text_or_null(buf_view(&answer.suggestion)), cell_text_or_null(buf_view(&answer.notes)) });
	answer_done(&answer);
}

/* ---- many ---- */

static void check_line(struct job *job, struct view line)
{
	line = view_trim(line);
	if (line.len > 0)
		check_one(job, line);
}

/* The lines that are whole; the last one at the end of the input, too. */
static enum err check_lines(struct job *job, struct buf *text, bool at_end)
{
	struct view rest = buf_view(text), line;
	size_t end = at_end ? rest.len : 0, last = view_find_last_byte(rest, '\n');
	if (!at_end && last != VIEW_NONE)
		end = last + 1;
	rest = view_head(rest, end);
	while (view_cut_line(&rest, &line))
		check_line(job, line);
	buf_drop_front(text, end);
	if (text->len <= LIMIT_ADDRESS_TEXT)
		return ERR_OK;
	return call_refuse(job->call, ERR_TOO_BIG,
			   "standard input: a line has more than %d octets and no address in it", LIMIT_ADDRESS_TEXT);
}

static enum err check_input(struct job *job)
{
	struct call *call = job->call;
	struct input input;
	size_t got;
	AUTO_BUF text = buf_with_ceiling(READ_STEP + LIMIT_ADDRESS_TEXT);
	enum err err = input_open("-", "reading", call->quiet, &input, call->why);
	if (err != ERR_OK)
		return err;
	do {
		char *room = buf_room(&text, READ_STEP);
		err = room == NULL ? ERR_MEMORY : input_read(&input, room, READ_STEP, &got, call->why);
		if (err != ERR_OK)
			break;
		buf_grown(&text, got);
		err = check_lines(job, &text, got == 0);
	} while (err == ERR_OK && got > 0);
	input_close(&input);
	return err;
}

static enum err check_all(struct job *job)
{
	struct call *call = job->call;
	enum err err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < call->operand_count; i++) {
		if (strcmp(call->operands[i], "-") == 0)
			err = check_input(job);
		else
			check_one(job, view_of(call->operands[i]));
	}
	return err;
}

static enum err check(struct call *call)
{
	static const struct output_column columns[] = {
		{ .name = "address" },    { .name = "verdict" },
		{ .name = "send_to" },    { .name = "key" },
		{ .name = "mailbox" },    { .name = "findings" },
		{ .name = "suggestion" }, { .name = "notes", .wraps = true },
	};
	struct job job = { .call = call };
	enum err err = address_rules_load(call->db, &job.judge, call->why);
	if (err != ERR_OK)
		return err;
	output_begin(call->out, columns, ARRAY_LEN(columns));
	err = check_all(&job);
	address_judge_free(job.judge);
	if (err == ERR_OK)
		err = output_end(call->out, call->why);
	if (err != ERR_OK || job.not_taken == 0)
		return err;
	return call_refuse(call, ERR_REFUSED, "%llu of %llu addresses would not be taken",
			   (unsigned long long)job.not_taken, (unsigned long long)job.looked_at);
}

const struct command address_commands[] = {
	{
	    .noun = "address",
	    .verb = "check",
	    .operands = "ADDRESS...|-",
	    .help = "tell of addresses whether they are valid, and what the rules say of them",
	    .details = "send_to is what a copy goes to, key what equal addresses share, mailbox what all\n"
		       "spellings share that a provider delivers alike (a.b+x@gmail.com is ab@gmail.com).\n"
		       "The verdict is ok, warned, refused (by a rule, see `address-rule ls`) or invalid.\n"
		       "With - the addresses are lines of standard input. Exit 1 when one would not be taken.\n",
	    .least = 1,
	    .most = OPERANDS_ANY,
	    .needs = NEEDS_DATABASE,
	    .run = check,
	},
	{ 0 },
};
