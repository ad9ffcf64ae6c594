/*
 * Software Version, XEP-0092. The operating system is nobody's business.
 */
#ifndef COMPONENT_VERSION_H
#define COMPONENT_VERSION_H

struct answer;
struct iq;

void version_answer(const struct iq *, struct answer *);

#endif
