/* The directory of one log of one process: made whole under a hidden name, so that whoever looks for the dead sees no half one; gone
 * when the log has nothing left to lose. Safe in a signal handler: no heap. */
#ifndef STEPI_CRASH_FILES_H
#define STEPI_CRASH_FILES_H

#include "crash/layout.h"

typedef struct stepi_crash_files {
    int parent, directory; /* -1: there are none */
    int owner_fd;          /* holds the lock */
    char name[STEPI_CRASH_NAME];
    stepi_owner_t *owner;
    uint32_t rings;   /* so many ring files were made */
    uint32_t intents; /* a bit for each that was made */
} stepi_crash_files_t;

/* Makes `path`, if need be, and a directory of our own in it, with a locked owner file and an empty one for shapes and one for the
 * store. False: see errno; nothing is left. */
bool stepi_crash_files_make(stepi_crash_files_t *files, const char *path, int *shapes, int *store);

/* The lock of an owner file, if nobody has it. It belongs to the open file: a forked child closes its descriptor, the kernel those of the
 * dead. */
bool stepi_crash_files_lock(int fd);

/* Gives it its name: from now on it can be found. */
bool stepi_crash_files_show(stepi_crash_files_t *files);

/* A file of so many zeros for which there is room; -1: see errno. */
int stepi_crash_files_ring(stepi_crash_files_t *files, size_t bytes, uint32_t *number);
int stepi_crash_files_intent(stepi_crash_files_t *files, int output, size_t bytes);
void stepi_crash_files_drop_ring(const stepi_crash_files_t *files, uint32_t number);

/* Removes what was made; what is mapped stays. */
void stepi_crash_files_unlink(stepi_crash_files_t *files);

/* Leaves the files as they are. */
void stepi_crash_files_close(stepi_crash_files_t *files);

#endif
