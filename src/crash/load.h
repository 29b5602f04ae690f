/* Which processes left something, and the files of one. A directory of a live process is locked; that of a dead one is locked by
 * whoever looks at it, so that two do not print the same. */
#ifndef STEPI_CRASH_LOAD_H
#define STEPI_CRASH_LOAD_H

#include "crash/remains.h"

/* One directory that was found. */
typedef struct stepi_found {
    char name[STEPI_CRASH_NAME];
    int64_t begun; /* when, by its process's clock */
} stepi_found_t;

typedef struct stepi_findings {
    int directory;
    stepi_found_t *found; /* who began first comes first */
    size_t count, capacity;
    uint32_t live, foreign; /* that were left out */
} stepi_findings_t;

/* False: see errno. What somebody began to remove, or to make, and did not end is removed on the way. */
bool stepi_findings_open(stepi_findings_t *findings, const char *path);
void stepi_findings_close(stepi_findings_t *findings);

/* One of them, locked. */
typedef struct stepi_dead {
    int parent, directory, lock;
    char name[STEPI_CRASH_NAME];
    uint8_t **files; /* what was read of it */
    size_t file_count, file_capacity;
} stepi_dead_t;

/* False: somebody was faster. */
bool stepi_dead_open(stepi_dead_t *dead, const stepi_findings_t *findings, const stepi_found_t *found);

/* With _GOOD the remains are to be freed, before the dead is closed. */
stepi_remains_state_t stepi_dead_load(stepi_dead_t *dead, stepi_remains_t *remains);

/* For good, in one step as far as others can see. */
void stepi_dead_remove(stepi_dead_t *dead);
void stepi_dead_close(stepi_dead_t *dead);

#endif
