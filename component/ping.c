#include "component/ping.h"

void
ping_answer(const struct iq *iq, struct answer *answer)
{
	/* An answer begins as an empty result, which is all a ping asks for. */
	(void)iq;
	(void)answer;
}
