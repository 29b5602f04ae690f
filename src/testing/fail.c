#include <step_logger/testing.h>

#include <stdio.h>
#include <stdlib.h>

/* A test without a framework ends as one that uses assert() does. */
void stepi_fail(const char *file, int line, const char *text)
{
    char place[32];
    snprintf(place, sizeof(place), ":%d: ", line);
    fputs(file, stderr);
    fputs(place, stderr);
    fputs(text, stderr);
    fflush(stderr);
    abort();
}
