/*
 * The XML namespaces that the component reads and writes, beyond those that
 * strophe.h names.
 */
#ifndef COMPONENT_NAMESPACES_H
#define COMPONENT_NAMESPACES_H

#define NS_PING "urn:xmpp:ping"        /* XEP-0199 */
#define NS_VERSION "jabber:iq:version" /* XEP-0092 */
#define NS_DATA_FORM "jabber:x:data"   /* XEP-0004 */

#define NS_UPLOAD "urn:xmpp:http:upload:0" /* XEP-0363, since 0.3 */
#define NS_UPLOAD_PURPOSE "urn:xmpp:http:upload:purpose:0" /* section 5 */
/* The two older names of the protocol, which some clients still speak:
 * children instead of attributes, no headers, no purposes. */
#define NS_UPLOAD_LEGACY "urn:xmpp:http:upload"
#define NS_UPLOAD_SIACS "eu:siacs:conversations:http:upload"

#endif
