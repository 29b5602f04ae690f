/* Fork and exit. */
#ifndef STEPI_CORE_LIFECYCLE_H
#define STEPI_CORE_LIFECYCLE_H

/* Registers what has to be registered, once. */
void stepi_lifecycle_init(void);

/* This process is a forked child: locks, rings, backends start afresh; what was pending is the parent's. */
void stepi_fork_child(void);

#endif
