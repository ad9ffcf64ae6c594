#include "component/backoff.h"

int64_t
backoff_next(struct backoff *b, uint32_t random)
{
	int64_t nominal = b->next_ms > 0 ? b->next_ms : BACKOFF_FIRST_MS;

	b->next_ms =
	    nominal * 2 < BACKOFF_LONGEST_MS ? nominal * 2 : BACKOFF_LONGEST_MS;
	return nominal * 3 / 4 + (int64_t)random % (nominal / 2 + 1);
}

void
backoff_slow(struct backoff *b)
{
	b->next_ms = BACKOFF_LONGEST_MS;
}

void
backoff_reset(struct backoff *b)
{
	b->next_ms = 0;
}
