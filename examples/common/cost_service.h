/* A service to talk to: `cost 1200 gpt-4o` and a line feed is answered by what so many tokens cost there. */
#ifndef EXAMPLES_COST_SERVICE_H
#define EXAMPLES_COST_SERVICE_H

#include <step_logger.h>

/* Reads a request from the connection and answers it: steps 2 to 4 of the request's operation. The id is a field of them. */
bool cost_service_answer(step_logger_t *op, const char *id, int connection);

/* So many clients, a few at once, every tenth of which hangs up without a word. Returns how many got an answer. */
int cost_service_clients(int port, int count);

#endif
