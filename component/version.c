#include "component/version.h"

#include "component/answer.h"
#include "component/namespaces.h"

void
version_answer(const struct iq *iq, struct answer *answer)
{
	int query = answer_add(answer, ANSWER_IQ, "query", NS_VERSION);

	(void)iq;
	answer_add(answer, query, "name", NULL);
	answer_text(answer, "putslot");
	answer_add(answer, query, "version", NULL);
	answer_text(answer, PUTSLOT_VERSION);
}
