/*
 * Writing an answer to an IQ, straight as text: building it of libstrophe's
 * stanzas takes a sixth of a slot's CPU time, crashes where memory is short,
 * and sends characters that XML does not have as they are, for which an XMPP
 * server closes the whole stream. Running out of memory in the middle is
 * remembered and asked for once, at the end.
 *
 * Elements are known by their depth, which answer_add returns: something can
 * be added to the element that was added last, and to those around it.
 */
#ifndef COMPONENT_ANSWER_H
#define COMPONENT_ANSWER_H

#include <stdbool.h>

#include "component/xml.h"

#define ANSWER_IQ 0    /* the depth of <iq> itself */
#define ANSWER_NONE -1 /* where a function has added nothing */
#define ANSWER_DEPTH_MAX 8

struct answer {
	const char *from; /* these three are borrowed */
	const char *to;
	const char *id; /* may be NULL */
	bool is_error;
	struct xml inside;
	const char *open[ANSWER_DEPTH_MAX + 1]; /* names by depth, borrowed */
	int depth;                              /* of the element added last */
	bool in_tag; /* whose start tag is not yet closed */
};

/* Begins <iq type='result' from= to= id=>. End with answer_end in any case. */
struct answer answer_begin(const char *from, const char *to, const char *id);

/* Adds an empty element to the one at that depth, and returns its own; below
 * ANSWER_DEPTH_MAX there is none, and the answer is broken. The name is
 * borrowed until answer_end. ns NULL: the parent's. */
int answer_add(struct answer *, int parent, const char *name, const char *ns);

/* Sets an attribute of the element that was added last, into which nothing has
 * been put yet. What XML cannot carry becomes U+FFFD. */
void answer_set(struct answer *, const char *key, const char *value);

/* Adds text to the element that was added last, likewise. */
void answer_text(struct answer *, const char *text);

/* Makes the answer an error, RFC 6120 section 8.3: <error type=> with the
 * condition and, unless NULL, the text. Returns the depth of <error/>. */
int answer_error(
    struct answer *, const char *type, const char *condition, const char *text);

/* Nothing can come of it: a part is missing. */
void answer_break(struct answer *);

/* The finished answer, which the caller frees; NULL if there was no memory
 * for a part of it (logged). */
char *answer_end(struct answer *);

#endif
