/* Fork and exit. */
#ifndef STEPI_CORE_LIFECYCLE_H
#define STEPI_CORE_LIFECYCLE_H

#include <stdint.h>

/* Registers what has to be registered, once. */
void stepi_lifecycle_init(void);

/* This process is a forked child: locks, rings, backends start afresh; what was pending is the parent's. */
void stepi_fork_child(void);

/* getpid, remembered. */
uint32_t stepi_process_id(void);

#endif
