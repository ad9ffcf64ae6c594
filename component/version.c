#include "component/version.h"

#include "component/answer.h"
#include "component/namespaces.h"

void
version_answer(const struct iq *iq, struct answer *answer)
{
	xmpp_stanza_t *query =
	    answer_add(answer, answer->iq, "query", NS_VERSION);

	(void)iq;
	answer_text(answer, answer_add(answer, query, "name", NULL), "putslot");
	answer_text(answer, answer_add(answer, query, "version", NULL),
	    PUTSLOT_VERSION);
}
