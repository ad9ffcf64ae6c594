/*
 * The slot request's whole way: read, checked, granted or refused, answered.
 */
#ifndef COMPONENT_UPLOAD_H
#define COMPONENT_UPLOAD_H

struct answer;
struct iq;

/* An iq_handler for <request/> in any of the three namespaces. Grants, what
 * was removed to make room, and refusals are logged. */
void upload_answer(const struct iq *, struct answer *);

#endif
