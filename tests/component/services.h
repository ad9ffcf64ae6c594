/*
 * A service for the tests: a configuration read from text, and a store of its
 * own in a temporary directory. For checked fixtures and tests alone, because
 * a database handle must not cross fork().
 */
#ifndef TESTS_COMPONENT_SERVICES_H
#define TESTS_COMPONENT_SERVICES_H

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "component/iq.h"
#include "schema/config.h"
#include "schema/log.h"
#include "tests/component/stanzas.h"
#include "tests/temporary.h"

#define SERVICES_NOW INT64_C(1757545705) /* 2025-09-10T23:08:25Z */

static char services_directory[200];
static struct config *services_config;
static struct service services_service;

static inline const char *
services_path(const char *name, char buf[250])
{
	snprintf(buf, 250, "%s/%s", services_directory, name);
	return buf;
}

/* settings: more keys of [store], then whole sections. */
static inline void
services_open(const char *settings)
{
	char path[250];
	FILE *file;

	log_open("test", LOG_LEVEL_ERROR, false);
	ck_assert(
	    temporary_make(services_directory, sizeof(services_directory)));
	file = fopen(services_path("conf", path), "w");
	ck_assert_ptr_nonnull(file);
	fchmod(fileno(file), 0600);
	fprintf(file,
	    "[component]\njid = upload.montague.tld\nsecret = s\n"
	    "[web]\nput_url = https://up.montague.tld/\n"
	    "get_url = https://down.montague.tld/\n"
	    "[store]\ndatabase = %s/db\nbodies = %s\nbusy_timeout = 1s\n%s",
	    services_directory, services_directory, settings);
	fclose(file);
	ck_assert_int_eq(
	    config_read(path, CONFIG_FOR_COMPONENT, &services_config, stderr),
	    1);
	services_service.config = services_config;
	ck_assert_int_eq(
	    store_open(services_config->database, STORE_GRANT,
		services_config->busy_timeout, &services_service.store),
	    1);
}

static inline void
services_close(void)
{
	stanzas_close();
	store_close(services_service.store);
	config_free(services_config);
	temporary_remove(services_directory);
}

/* The answer to a stanza that is alone. */
static inline xmpp_stanza_t *
services_reply(
    const struct service *service, int64_t now, xmpp_stanza_t *stanza)
{
	struct iq *iq = calloc(1, sizeof(*iq));
	xmpp_stanza_t *reply = NULL;
	char *text;

	ck_assert_ptr_nonnull(iq);
	if (iq_read(iq, service, now, stanza) == 1) {
		iq->upload.room = upload_room(service->config);
		iq_decide(iq);
		text = iq_answer(iq);
		if (text != NULL)
			reply =
			    xmpp_stanza_new_from_string(stanzas_ctx(), text);
		free(text);
	}
	free(iq);
	return reply;
}

/* Dispatches the stanza, now seconds after SERVICES_NOW. */
static inline xmpp_stanza_t *
services_answer_at(int64_t now, const char *text)
{
	return stanzas_keep(services_reply(
	    &services_service, SERVICES_NOW + now, stanzas_parse(text)));
}

static inline xmpp_stanza_t *
services_answer(const char *text)
{
	return services_answer_at(0, text);
}

#endif
