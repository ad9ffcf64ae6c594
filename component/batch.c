#include "component/batch.h"

#include <stdlib.h>
#include <string.h>

#include "component/iq.h"
#include "schema/monotonic.h"

/* More in one transaction gains nothing that could be measured. */
#define BATCH_MAX 128
/* Answers leave in pieces of this size, or singly where one is larger. */
#define TEXT_MAX 65536

struct batch {
	const struct service *service;
	struct iq iqs[BATCH_MAX];
	size_t count;
	char text[TEXT_MAX + 1];
	size_t len;
};

struct batch *
batch_new(const struct service *service)
{
	struct batch *batch = calloc(1, sizeof(*batch));

	if (batch != NULL)
		batch->service = service;
	return batch;
}

void
batch_free(struct batch *batch)
{
	if (batch != NULL)
		batch_drop(batch);
	free(batch);
}

void
batch_add(struct batch *batch, int64_t now, xmpp_stanza_t *stanza)
{
	struct iq *iq = &batch->iqs[batch->count];

	if (iq_read(iq, batch->service, now, stanza) != 1)
		return;
	xmpp_stanza_clone(stanza); /* one reference more */
	batch->count++;
}

bool
batch_empty(const struct batch *batch)
{
	return batch->count == 0;
}

bool
batch_full(const struct batch *batch)
{
	return batch->count == BATCH_MAX;
}

/* ---- the decisions ---- */

/* As many as there is time for; how many. */
static size_t
decide_some(struct batch *batch)
{
	const struct upload_room room = upload_room(batch->service->config);
	int64_t end = 0;
	size_t n = 0;

	do {
		batch->iqs[n].upload.room = room;
		iq_decide(&batch->iqs[n]);
		/* The first may have waited for others; if that was in vain,
		 * the rest is told so at once. */
		if (n == 0)
			end = monotonic_ms() + BATCH_MS;
	} while (++n < batch->count && monotonic_ms() < end);
	return n;
}

static int
count_asking(const struct batch *batch)
{
	int n = 0;

	for (size_t i = 0; i < batch->count; i++)
		n += iq_asks_store(&batch->iqs[i]);
	return n;
}

static size_t
decide(struct batch *batch)
{
	struct store *store = batch->service->store;
	const int asking = count_asking(batch);
	size_t n;

	if (asking == 0)
		return batch->count;
	/* One alone has its own transaction, which costs less. */
	if (asking == 1)
		return decide_some(batch);
	store_batch_begin(store);
	n = decide_some(batch);
	if (store_batch_end(store) == -1) {
		for (size_t i = 0; i < n; i++)
			iq_retract(&batch->iqs[i]);
	}
	return n;
}

/* ---- the answers ---- */

static void
flush(struct batch *batch, batch_send_fn *send, void *arg)
{
	batch->text[batch->len] = '\0';
	if (batch->len > 0)
		send(arg, batch->text, batch->len);
	batch->len = 0;
}

static void
add_text(struct batch *batch, const char *text, batch_send_fn *send, void *arg)
{
	size_t len = strlen(text);

	if (len > TEXT_MAX - batch->len)
		flush(batch, send, arg);
	if (len > TEXT_MAX) {
		send(arg, text, len);
	} else {
		memcpy(batch->text + batch->len, text, len);
		batch->len += len;
	}
}

/* Forgets the first n. */
static void
forget(struct batch *batch, size_t n)
{
	for (size_t i = 0; i < n; i++)
		xmpp_stanza_release(batch->iqs[i].stanza);
	batch->count -= n;
	memmove(batch->iqs, batch->iqs + n, batch->count * sizeof(*batch->iqs));
}

void
batch_answer(struct batch *batch, batch_send_fn *send, void *arg)
{
	size_t n = batch->count > 0 ? decide(batch) : 0;

	for (size_t i = 0; i < n; i++) {
		char *text = iq_answer(&batch->iqs[i]);

		if (text != NULL)
			add_text(batch, text, send, arg);
		free(text);
	}
	flush(batch, send, arg);
	forget(batch, n);
}

void
batch_drop(struct batch *batch)
{
	forget(batch, batch->count);
}
