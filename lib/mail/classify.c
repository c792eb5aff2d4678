/* All phrases of all rules are found in one pass (Aho and Corasick, 1975): the pieces of the phrases make a trie whose missing
 * edges are filled in beforehand, so that every octet of the text costs one look into a table. */
#include "mail/classify.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mail/classify_rules.h"
#include "mail/classify_text.h"

enum {
	NONE = 0xffff,      /* no piece */
	STATES_MAX = 60000, /* below NONE */
};

/* A part of a phrase between asterisks. */
struct piece {
	unsigned short rule;
	unsigned short gapped; /* which phrase among those of several pieces */
	unsigned short next;   /* another piece of the same letters, or NONE */
	unsigned short len;
	unsigned char number; /* which part of its phrase, from 0 */
	bool is_last;
};

struct classifier {
	unsigned char letter[256]; /* octets that stand in no phrase share letter 0 */
	unsigned letters;
	unsigned states;
	unsigned short *next;    /* [state * letters + letter] */
	unsigned short *piece;   /* [state]: the first piece that ends here, or NONE */
	unsigned short *shorter; /* [state]: the state of the longest proper suffix at which a piece ends, 0 for none */
	unsigned short *fail;    /* [state]: used while building */
	size_t gapped_count, piece_count;
	struct piece pieces[CLASSIFY_PIECES_MAX];
};

/* ---- building ------------------------------------------------------------------------------------------------------- */

static void number_letters(struct classifier *classifier, size_t *ret_octets)
{
	size_t octets = 1;
	classifier->letters = 1;
	for (size_t i = 0; i < classify_rule_count; i++) {
		for (const char *const *phrase = classify_rules[i].phrases; phrase != NULL && *phrase != NULL;
		     phrase++) {
			for (const char *c = *phrase; *c != '\0'; c++, octets++) {
				unsigned char octet = (unsigned char)*c;
				if (classifier->letter[octet] == 0)
					classifier->letter[octet] = (unsigned char)classifier->letters++;
			}
		}
	}
	*ret_octets = octets;
}

static void add_piece(struct classifier *classifier, struct view text, struct piece piece)
{
	unsigned state = 0;
	for (size_t i = 0; i < text.len; i++) {
		unsigned short *edge =
		    &classifier->next[state * classifier->letters + classifier->letter[(unsigned char)text.data[i]]];
		if (*edge == 0)
			*edge = (unsigned short)classifier->states++;
		state = *edge;
	}
	piece.next = classifier->piece[state];
	piece.len = (unsigned short)text.len;
	classifier->piece[state] = (unsigned short)classifier->piece_count;
	classifier->pieces[classifier->piece_count++] = piece;
}

static bool add_phrase(struct classifier *classifier, size_t rule, struct view text)
{
	struct view part;
	struct piece piece = { .rule = (unsigned short)rule, .gapped = (unsigned short)classifier->gapped_count };
	bool is_gapped = view_find_byte(text, '*') != VIEW_NONE;
	if (is_gapped && classifier->gapped_count++ == CLASSIFY_GAPPED_MAX)
		return false;
	while (view_cut(&text, '*', &part)) {
		if (part.len == 0 || classifier->piece_count == CLASSIFY_PIECES_MAX)
			return false;
		piece.is_last = text.len == 0;
		add_piece(classifier, part, piece);
		piece.number++;
	}
	return true;
}

/* Breadth first: a state's fail state is nearer to the root and is finished before it. */
static void fill_edges(struct classifier *classifier, unsigned short *queue)
{
	size_t head = 0, tail = 0;
	unsigned letters = classifier->letters;
	queue[tail++] = 0;
	while (head < tail) {
		unsigned state = queue[head++];
		unsigned fail = classifier->fail[state];
		for (unsigned letter = 0; letter < letters; letter++) {
			unsigned short *edge = &classifier->next[state * letters + letter];
			unsigned short via = state == 0 ? 0 : classifier->next[fail * letters + letter];
			if (*edge == 0) {
				*edge = via;
				continue;
			}
			classifier->fail[*edge] = via;
			classifier->shorter[*edge] = classifier->piece[via] != NONE ? via : classifier->shorter[via];
			queue[tail++] = *edge;
		}
	}
}

static enum err build(struct classifier *classifier)
{
	size_t octets;
	number_letters(classifier, &octets);
	if (octets > STATES_MAX)
		return ERR_TOO_BIG;
	classifier->next = calloc(octets * classifier->letters, sizeof(*classifier->next));
	classifier->piece = malloc(octets * sizeof(*classifier->piece));
	classifier->shorter = calloc(octets, sizeof(*classifier->shorter));
	classifier->fail = calloc(octets, sizeof(*classifier->fail));
	unsigned short *queue = calloc(octets, sizeof(*queue));
	enum err err = ERR_MEMORY;
	if (classifier->next == NULL || classifier->piece == NULL || classifier->shorter == NULL ||
	    classifier->fail == NULL || queue == NULL)
		goto done;
	memset(classifier->piece, 0xff, octets * sizeof(*classifier->piece));
	classifier->states = 1;
	err = ERR_TOO_BIG;
	for (size_t i = 0; i < classify_rule_count; i++) {
		for (const char *const *phrase = classify_rules[i].phrases; phrase != NULL && *phrase != NULL;
		     phrase++) {
			if (!add_phrase(classifier, i, view_of(*phrase)))
				goto done;
		}
	}
	fill_edges(classifier, queue);
	err = ERR_OK;
done:
	free(queue);
	return err;
}

enum err classifier_new(struct classifier **ret_classifier)
{
	struct classifier *classifier = calloc(1, sizeof(*classifier));
	if (classifier == NULL)
		return ERR_MEMORY;
	enum err err = classify_rule_count > CLASSIFY_RULES_MAX ? ERR_TOO_BIG : build(classifier);
	if (err != ERR_OK) {
		classifier_done(classifier);
		return err;
	}
	*ret_classifier = classifier;
	return ERR_OK;
}

void classifier_done(struct classifier *classifier)
{
	if (classifier == NULL)
		return;
	free(classifier->next);
	free(classifier->piece);
	free(classifier->shorter);
	free(classifier->fail);
	free(classifier);
}

/* ---- searching ------------------------------------------------------------------------------------------------------ */

/* How far a phrase of several pieces has been seen. */
struct progress {
	unsigned seen; /* pieces */
	unsigned end;  /* of the last one, in normalised octets */
};

struct search {
	const struct classifier *classifier;
	unsigned state, at;
	struct progress progress[CLASSIFY_GAPPED_MAX];
	bool matched[CLASSIFY_RULES_MAX];
};

static void see_piece(struct search *search, const struct piece *piece)
{
	if (piece->number == 0 && piece->is_last) {
		search->matched[piece->rule] = true;
		return;
	}
	struct progress *progress = &search->progress[piece->gapped];
	if (piece->number == 0) {
		if (progress->seen <= 1)
			*progress = (struct progress){ .seen = 1, .end = search->at };
		return;
	}
	unsigned start = search->at - piece->len;
	if (progress->seen < piece->number || start < progress->end)
		return;
	if (progress->seen == piece->number && start - progress->end > CLASSIFY_GAP) {
		progress->seen = 0;
		return;
	}
	*progress = (struct progress){ .seen = piece->number + 1u, .end = search->at };
	if (piece->is_last)
		search->matched[piece->rule] = true;
}

static void see_octet(void *context, unsigned char octet)
{
	struct search *search = context;
	const struct classifier *classifier = search->classifier;
	search->state = classifier->next[search->state * classifier->letters + classifier->letter[octet]];
	search->at++;
	for (unsigned state = search->state; state != 0; state = classifier->shorter[state]) {
		for (unsigned i = classifier->piece[state]; i != NONE; i = classifier->pieces[i].next)
			see_piece(search, &classifier->pieces[i]);
	}
}

/* ---- deciding ------------------------------------------------------------------------------------------------------- */

/* One number of a rule's pattern against the status; moves *pattern behind it and its dot. */
static bool number_fits(const char **pattern, unsigned number)
{
	if (**pattern == '*') {
		*pattern += (*pattern)[1] == '.' ? 2 : 1;
		return true;
	}
	unsigned wanted = 0;
	while (**pattern >= '0' && **pattern <= '9')
		wanted = wanted * 10 + (unsigned)(*(*pattern)++ - '0');
	*pattern += **pattern == '.';
	return wanted == number;
}

static bool status_fits(const char *pattern, struct status status)
{
	if (pattern == NULL)
		return true;
	return status_is_set(status) && number_fits(&pattern, status.class_digit) &&
	       number_fits(&pattern, status.subject) && number_fits(&pattern, status.detail);
}

static bool rule_fits(const struct rule *rule, bool phrase_seen, const struct finding *finding)
{
	if (rule->phrases != NULL && !phrase_seen)
		return false;
	return status_fits(rule->status, finding->status) && (rule->code == 0 || rule->code == finding->code);
}

static bool is_temporary(const struct finding *finding)
{
	return status_is_set(finding->status) ? finding->status.class_digit == 4
					      : finding->code >= 400 && finding->code < 500;
}

static enum bounce_kind kind_of(enum bounce_reason reason, bool is_temporary, bool is_final)
{
	if (reason == REASON_COMPLAINT)
		return KIND_COMPLAINT;
	if (reason == REASON_AUTO_REPLY)
		return KIND_AUTO_REPLY;
	bool is_hard = reason == REASON_USER_UNKNOWN || reason == REASON_DOMAIN_UNKNOWN || reason == REASON_NULL_MX ||
		       reason == REASON_MOVED || (reason == REASON_MAILBOX_DISABLED && !is_temporary);
	return is_hard && (is_final || !is_temporary) ? KIND_HARD : KIND_SOFT;
}

/* Codes such as 5.0.0 say that something failed and no more: one that stands in the text may say what. */
static bool says_nothing(struct status status)
{
	return !status_is_set(status) || (status.subject == 0 && status.detail == 0) || status_is(status, 5, 5, 0) ||
	       status_is(status, 5, 3, 0);
}

void classify(const struct classifier *classifier, const struct evidence *evidence, struct finding *ret_finding)
{
	struct finding finding = { .status = evidence->status, .code = evidence->code, .rule = "none" };
	struct search search;
	search.classifier = classifier;
	search.state = search.at = 0;
	memset(search.progress, 0, sizeof(search.progress[0]) * classifier->gapped_count);
	memset(search.matched, 0, classify_rule_count);
	classify_text_normalise(evidence->text, see_octet, &search);
	struct status within;
	if (says_nothing(finding.status) && status_find(evidence->text, &within) && within.class_digit != 2)
		finding.status = within;
	if (finding.code == 0)
		finding.code = classify_text_code(evidence->text);
	for (size_t i = 0; i < classify_rule_count; i++) {
		if (rule_fits(&classify_rules[i], search.matched[i], &finding)) {
			finding.reason = classify_rules[i].reason;
			finding.rule = classify_rules[i].name;
			break;
		}
	}
	finding.kind = kind_of(finding.reason, is_temporary(&finding), evidence->is_final);
	*ret_finding = finding;
}
