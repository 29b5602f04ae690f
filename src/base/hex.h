/* Hexadecimal digits in lower case, two at a time. */
#ifndef STEPI_BASE_HEX_H
#define STEPI_BASE_HEX_H

#include <stdint.h>
#include <string.h>

extern const char stepi_hex_pairs[513]; /* "000102...ff" */

/* Each writes all its digits, with zeros in front, and returns what follows them. */
static inline char *stepi_write_hex_2(char *to, uint32_t byte)
{
    memcpy(to, stepi_hex_pairs + 2 * (size_t)(byte & 0xFF), 2);
    return to + 2;
}

static inline char *stepi_write_hex_8(char *to, uint32_t v)
{
    stepi_write_hex_2(to, v >> 24);
    stepi_write_hex_2(to + 2, v >> 16);
    stepi_write_hex_2(to + 4, v >> 8);
    return stepi_write_hex_2(to + 6, v);
}

static inline char *stepi_write_hex_16(char *to, uint64_t v)
{
    return stepi_write_hex_8(stepi_write_hex_8(to, (uint32_t)(v >> 32)), (uint32_t)v);
}

#endif
