/*
 * The way round a delay in expat, in a file of its own so that it can go when
 * libstrophe asks expat for this itself.
 */
#ifndef COMPONENT_EXPAT_DEFERRAL_H
#define COMPONENT_EXPAT_DEFERRAL_H

/*
 * Expat 2.6, and the 2.5 that Debian 12 patched, do not look at a tag that has
 * arrived in part until twice as many bytes are there ("reparse deferral").
 * A stream may never bring those: one user's long tag, cut in two by the
 * network, would leave it and everyone else's stanzas unanswered. Expat can be
 * told not to, by whoever has the parser; libstrophe has it and does not tell.
 *
 * This file therefore defines XML_SetElementHandler, which libstrophe calls
 * for every new stream: the program's definition comes before expat's. It does
 * what expat's does, and switches the deferral off where the expat at hand
 * knows of it. What the deferral protects from, a tag of megabytes in tiny
 * pieces, the XMPP server's limit on stanzas keeps away.
 *
 * Finds expat's own functions; call it before libstrophe makes a parser.
 * 1; -1 expat is not there (logged).
 */
int expat_deferral_off(void);

#endif
