/* A log whose time is replayed: work is not done but said to take so long. For one thread. */
#ifndef EXAMPLES_REPLAY_H
#define EXAMPLES_REPLAY_H

#include <step_logger.h>

/* Opens a log that writes text to stdout, all levels, and makes it the default; STEP_OK or an error. */
int replay_open(void);

/* Lets time pass. */
void takes(double ms);

/* Closes the log: STEP_OK when every line was written. */
int replay_close(void);

#endif
