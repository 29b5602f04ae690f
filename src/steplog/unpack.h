/* Packed logs. gzip where the build found zlib; other kinds are recognised, and a message says what to do. */
#ifndef STEPI_STEPLOG_UNPACK_H
#define STEPI_STEPLOG_UNPACK_H

#include <sys/types.h>

typedef struct stepi_unpacker stepi_unpacker_t;

/* Looks at what fd holds. *out is NULL for bytes that are not packed. Returns why it cannot be read, or NULL. */
const char *stepi_unpacker_make(int fd, stepi_unpacker_t **out);
void stepi_unpacker_free(stepi_unpacker_t *unpacker);

/* Like read(); *why says what is wrong with the file, if something is, beside what could be read before. */
ssize_t stepi_unpack(stepi_unpacker_t *unpacker, char *to, size_t bytes, const char **why);

#endif
