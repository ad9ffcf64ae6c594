#include "schema/monotonic.h"

#include <time.h>

#define NS_PER_MS 1000000
#define NS_PER_SECOND 1000000000

int64_t
monotonic_ns(void)
{
	struct timespec t = {0};

	/* cannot fail: the clock exists, and t is ours */
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * NS_PER_SECOND + t.tv_nsec;
}

int64_t
monotonic_ms(void)
{
	return monotonic_ns() / NS_PER_MS;
}
