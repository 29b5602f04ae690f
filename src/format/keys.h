/* Member names that are never lost and never double: the renaming of users' keys. */
#ifndef STEPI_FORMAT_KEYS_H
#define STEPI_FORMAT_KEYS_H

#include "base/out.h"

#include <stdint.h>

/* A key of this line. */
typedef struct stepi_key {
    const char *key; /* in the output; NULL: a free slot */
    uint32_t length;
    uint32_t is_name : 1; /* it stands in the line as it is; otherwise only as _N */
    uint32_t next : 31;   /* the first _N that may be free */
} stepi_key_t;

enum { STEPI_KEYS_INLINE = 256 };

/* The keys of one line; zero at first, then used for line after line. */
typedef struct stepi_keys {
    stepi_key_t *slots; /* a hash table: mask + 1 of them are in use by this line */
    size_t mask;
    stepi_key_t *more; /* for lines with many fields: grown when needed, kept */
    size_t more_slots;
    stepi_key_t few[STEPI_KEYS_INLINE];
} stepi_keys_t;

void stepi_keys_free(stepi_keys_t *keys);

/* Before a line with so many fields. Returns how many of them there is memory for: up to 128 always. */
size_t stepi_keys_begin(stepi_keys_t *keys, size_t fields);

/* A name of ours that only some lines have, and this one does. */
void stepi_keys_note(stepi_keys_t *keys, const char *name, size_t length);

/* A name of `length` bytes was just written before out->at: appends _N if it is reserved, taken, or looks like a
 * renaming. The line must stay where it is until the next begin. */
void stepi_keys_claim(stepi_keys_t *keys, stepi_out_t *out, size_t length);

#endif
