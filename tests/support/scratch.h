/* A directory that is there for one test. */
#ifndef TESTS_SUPPORT_SCRATCH_H
#define TESTS_SUPPORT_SCRATCH_H

#include <stddef.h>

/* Makes it below the working directory, which is nobody else's to write to. */
void scratch_make(void);
void scratch_remove(void); /* with the files in it */

/* The path of a file in it; valid for eight more calls. */
const char *scratch_path(const char *name);

/* A file's text, NUL-terminated, to be freed; NULL when it cannot be read. */
char *scratch_read(const char *path, size_t *bytes);

#endif
