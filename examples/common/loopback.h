/* TCP on this machine: -1 and errno on failure. */
#ifndef EXAMPLES_LOOPBACK_H
#define EXAMPLES_LOOPBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Listens on a free port, which it stores. accept() on the socket does not block. */
int loopback_listen(int *port);

int loopback_connect(int port);

/* Sends all of it, without SIGPIPE. */
bool loopback_send(int socket, const char *text);

/* Reads up to the end of a line, which is taken off: its length, 0 when the other side has closed, or -1. */
ssize_t loopback_read_line(int socket, char *line, size_t size);

#endif
