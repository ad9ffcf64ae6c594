/*
 * Slot requests as stanzas, in each form that they have, and what they are
 * answered with.
 */
#ifndef TESTS_COMPONENT_UPLOAD_FIXTURE_H
#define TESTS_COMPONENT_UPLOAD_FIXTURE_H

#include "tests/component/services.h"
#include "tests/component/stanzas.h"

#define FROM "romeo@montague.tld/garden"
#define ASK_FROM(from, request)                                      \
	"<iq from='" from "' to='upload.montague.tld' id='step_03' " \
	"type='get'>" request "</iq>"
#define ASK(request) ASK_FROM(FROM, request)
#define REQUEST(size)                                                    \
	"<request xmlns='urn:xmpp:http:upload:0' filename='tr\xc3\xa8s " \
	"cool.jpg' size='" size "' content-type='image/jpeg'/>"
#define PURPOSE(size, purpose)                                             \
	"<request xmlns='urn:xmpp:http:upload:0' filename='a' size='" size \
	"'><" purpose " xmlns='urn:xmpp:http:upload:purpose:0'/></request>"
#define LEGACY(ns, size)                                                    \
	"<request xmlns='" ns "'><filename>tr\xc3\xa8s cool.jpg</filename>" \
	"<size>" size "</size><content-type>image/jpeg</content-type>"      \
	"</request>"
#define OLD "urn:xmpp:http:upload"
#define OLDER "eu:siacs:conversations:http:upload"
#define STANZAS "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'"
#define ERROR_TO(to, echo, type, condition, text, more)                        \
	"<iq from='upload.montague.tld' to='" to                               \
	"' id='step_03' type='error'>" echo "<error type='" type               \
	"'><" condition " " STANZAS "/><text " STANZAS ">" text "</text>" more \
	"</error></iq>"
#define ERROR(echo, type, condition, text, more) \
	ERROR_TO(FROM, echo, type, condition, text, more)
#define RETRY(stamp) "<retry xmlns='urn:xmpp:http:upload:0' stamp='" stamp "'/>"

/* Follows the names down from the answer; the test fails if one is missing. */
static inline xmpp_stanza_t *
child(xmpp_stanza_t *stanza, const char *name)
{
	xmpp_stanza_t *found = xmpp_stanza_get_child_by_name(stanza, name);

	ck_assert_msg(found != NULL, "no <%s>", name);
	return found;
}

static inline xmpp_stanza_t *
granted(const char *request)
{
	xmpp_stanza_t *reply = services_answer(request);

	ck_assert_str_eq(xmpp_stanza_get_type(reply), "result");
	ck_assert_str_eq(xmpp_stanza_get_id(reply), "step_03");
	ck_assert_str_eq(xmpp_stanza_get_from(reply), "upload.montague.tld");
	ck_assert_str_eq(xmpp_stanza_get_to(reply), FROM);
	return child(reply, "slot");
}

#endif
