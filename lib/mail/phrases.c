/* All phrases are found in one pass (Aho and Corasick, 1975): the pieces of the phrases make a trie whose missing
 * edges are filled in beforehand, so that every octet of the text costs one look into a table. */
#include "mail/phrases.h"

#include <stdlib.h>
#include <string.h>

#include "mail/phrase_text.h"

enum {
	NONE = 0xffff,      /* no piece */
	STATES_MAX = 60000, /* below NONE */
};

/* A part of a phrase between asterisks. */
struct piece {
	unsigned short set;
	unsigned short gapped; /* which phrase among those of several pieces */
	unsigned short next;   /* another piece of the same letters, or NONE */
	unsigned short len;
	unsigned char number; /* which part of its phrase, from 0 */
	bool is_last;
};

struct phrases {
	unsigned char letter[256]; /* octets that stand in no phrase share letter 0 */
	unsigned letters;
	unsigned states;
	unsigned short *next;    /* [state * letters + letter] */
	unsigned short *piece;   /* [state]: the first piece that ends here, or NONE */
	unsigned short *shorter; /* [state]: the state of the longest proper suffix at which a piece ends, 0 for none */
	unsigned short *fail, *queue; /* used while building */
	size_t set_count, gapped_count, piece_count;
	struct piece pieces[PHRASES_PIECES_MAX];
};

/* ---- building ---------------------------------------------------------------------------------------------------- */

/* Gives every octet of a phrase a letter; returns how many octets there are, which is the most states there can be. */
static size_t number_letters(struct phrases *phrases, const char *const *set)
{
	size_t octets = 0;
	for (; set != NULL && *set != NULL; set++) {
		for (const char *c = *set; *c != '\0'; c++, octets++) {
			unsigned char octet = (unsigned char)*c;
			if (phrases->letter[octet] == 0)
				phrases->letter[octet] = (unsigned char)phrases->letters++;
		}
	}
	return octets;
}

static void add_piece(struct phrases *phrases, struct view text, struct piece piece)
{
	unsigned state = 0;
	for (size_t i = 0; i < text.len; i++) {
		unsigned short *edge =
		    &phrases->next[state * phrases->letters + phrases->letter[(unsigned char)text.data[i]]];
		if (*edge == 0)
			*edge = (unsigned short)phrases->states++;
		state = *edge;
	}
	piece.next = phrases->piece[state];
	piece.len = (unsigned short)text.len;
	phrases->piece[state] = (unsigned short)phrases->piece_count;
	phrases->pieces[phrases->piece_count++] = piece;
}

static enum err add_phrase(struct phrases *phrases, size_t set, struct view text)
{
	struct view part;
	struct piece piece = { .set = (unsigned short)set, .gapped = (unsigned short)phrases->gapped_count };
	bool is_gapped = view_find_byte(text, '*') != VIEW_NONE;
	if (is_gapped && phrases->gapped_count++ == PHRASES_GAPPED_MAX)
		return ERR_TOO_BIG;
	while (view_cut(&text, '*', &part)) {
		if (part.len == 0)
			return ERR_INVALID;
		if (phrases->piece_count == PHRASES_PIECES_MAX)
			return ERR_TOO_BIG;
		piece.is_last = text.len == 0;
		add_piece(phrases, part, piece);
		piece.number++;
	}
	return ERR_OK;
}

/* Breadth first: a state's fail state is nearer to the root and is finished before it. */
static void fill_edges(struct phrases *phrases)
{
	unsigned short *queue = phrases->queue;
	size_t head = 0, tail = 0;
	unsigned letters = phrases->letters;
	queue[tail++] = 0;
	while (head < tail) {
		unsigned state = queue[head++];
		unsigned fail = phrases->fail[state];
		for (unsigned letter = 0; letter < letters; letter++) {
			unsigned short *edge = &phrases->next[state * letters + letter];
			unsigned short via = state == 0 ? 0 : phrases->next[fail * letters + letter];
			if (*edge == 0) {
				*edge = via;
				continue;
			}
			phrases->fail[*edge] = via;
			phrases->shorter[*edge] = phrases->piece[via] != NONE ? via : phrases->shorter[via];
			queue[tail++] = *edge;
		}
	}
}

static enum err make_room(struct phrases *phrases, size_t states)
{
	phrases->next = calloc(states * phrases->letters, sizeof(*phrases->next));
	phrases->piece = malloc(states * sizeof(*phrases->piece));
	phrases->shorter = calloc(states, sizeof(*phrases->shorter));
	phrases->fail = calloc(states, sizeof(*phrases->fail));
	phrases->queue = calloc(states, sizeof(*phrases->queue));
	if (phrases->next == NULL || phrases->piece == NULL || phrases->shorter == NULL || phrases->fail == NULL ||
	    phrases->queue == NULL)
		return ERR_MEMORY;
	memset(phrases->piece, 0xff, states * sizeof(*phrases->piece));
	return ERR_OK;
}

static enum err build(struct phrases *phrases, const char *const *const *sets, size_t count)
{
	size_t octets = 1;
	phrases->set_count = count;
	phrases->letters = phrases->states = 1;
	for (size_t i = 0; i < count; i++)
		octets += number_letters(phrases, sets[i]);
	enum err err = octets > STATES_MAX || count > PHRASES_SETS_MAX ? ERR_TOO_BIG : make_room(phrases, octets);
	for (size_t i = 0; err == ERR_OK && i < count; i++) {
		for (const char *const *phrase = sets[i]; err == ERR_OK && phrase != NULL && *phrase != NULL; phrase++)
			err = add_phrase(phrases, i, view_of(*phrase));
	}
	if (err == ERR_OK)
		fill_edges(phrases);
	return err;
}

enum err phrases_new(const char *const *const *sets, size_t count, struct phrases **ret_phrases)
{
	struct phrases *phrases = calloc(1, sizeof(*phrases));
	if (phrases == NULL)
		return ERR_MEMORY;
	enum err err = build(phrases, sets, count);
	if (err != ERR_OK) {
		phrases_done(phrases);
		return err;
	}
	*ret_phrases = phrases;
	return ERR_OK;
}

void phrases_done(struct phrases *phrases)
{
	if (phrases == NULL)
		return;
	free(phrases->next);
	free(phrases->piece);
	free(phrases->shorter);
	free(phrases->fail);
	free(phrases->queue);
	free(phrases);
}

/* ---- searching --------------------------------------------------------------------------------------------------- */

/* How far a phrase of several pieces has been seen. */
struct progress {
	unsigned seen; /* pieces */
	unsigned end;  /* of the last one, in normalised octets */
};

struct search {
	const struct phrases *phrases;
	unsigned state, at;
	struct progress progress[PHRASES_GAPPED_MAX];
	bool *found; /* [set] */
};

static void see_piece(struct search *search, const struct piece *piece)
{
	if (piece->number == 0 && piece->is_last) {
		search->found[piece->set] = true;
		return;
	}
	struct progress *progress = &search->progress[piece->gapped];
	if (piece->number == 0) {
		if (progress->seen <= 1)
			*progress = (struct progress){ .seen = 1, .end = search->at };
		return;
	}
	unsigned start = search->at - piece->len;
	if (progress->seen < piece->number || start + 1 < progress->end)
		return;
	if (progress->seen == piece->number && start > progress->end + PHRASES_GAP) {
		progress->seen = 0;
		return;
	}
	*progress = (struct progress){ .seen = piece->number + 1u, .end = search->at };
	if (piece->is_last)
		search->found[piece->set] = true;
}

static void see_octet(void *context, unsigned char octet)
{
	struct search *search = context;
	const struct phrases *phrases = search->phrases;
	search->state = phrases->next[search->state * phrases->letters + phrases->letter[octet]];
	search->at++;
	for (unsigned state = search->state; state != 0; state = phrases->shorter[state]) {
		for (unsigned i = phrases->piece[state]; i != NONE; i = phrases->pieces[i].next)
			see_piece(search, &phrases->pieces[i]);
	}
}

void phrases_find(const struct phrases *phrases, struct view text, bool *ret_found)
{
	struct search search;
	search.phrases = phrases;
	search.state = search.at = 0;
	search.found = ret_found;
	memset(search.progress, 0, sizeof(search.progress[0]) * phrases->gapped_count);
	memset(ret_found, 0, sizeof(*ret_found) * phrases->set_count);
	phrase_text_walk(text, see_octet, &search);
}
