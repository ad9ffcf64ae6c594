/*
 * The slot request's whole way: read, checked, granted or refused, answered.
 */
#ifndef COMPONENT_UPLOAD_H
#define COMPONENT_UPLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "component/refusal.h"
#include "component/slot_request.h"
#include "schema/store.h"

struct answer;
struct config;
struct iq;

/* How much room there is for files, as struct grant_request has it. */
struct upload_room {
	int64_t bodies;
	int64_t public; /* of those that the web server serves by itself */
};

/* What was decided about a slot request. */
struct upload {
	struct upload_room room; /* at most a moment ago; for upload_decide */
	struct slot_request request;
	struct grant_result result; /* evictions, too, once granted */
	bool asked;                 /* the store has decided */
	bool granted;
	struct refusal refusal; /* if not granted */
};

/* Looks now. UNITS_NEVER where a disk cannot be seen (not logged); for public 0
 * where there is no such directory. */
struct upload_room upload_room(const struct config *);

/* For <request/> in any of the three namespaces: asks the store, unless the
 * request is refused before. */
void upload_decide(struct iq *);

/* What the store decided was not recorded: a refusal takes its place, also
 * that of another refusal, which may count slots that were not granted. */
void upload_retract(struct iq *);

/* Answers and logs what was decided: grants, what was removed to make room,
 * and refusals. */
void upload_answer(const struct iq *, struct answer *);

#endif
