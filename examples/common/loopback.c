#include "loopback.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int close_and_fail(int descriptor)
{
    const int error = errno;
    close(descriptor);
    errno = error;
    return -1;
}

static struct sockaddr_in address_of(int port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET,
                                 .sin_port = htons((in_port_t)port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

int loopback_listen(int *port)
{
    struct sockaddr_in address = address_of(0);
    socklen_t size = sizeof(address);
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0)
        return -1;
    if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, SOMAXCONN) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0)
        return close_and_fail(listener);
    *port = ntohs(address.sin_port);
    return listener;
}

int loopback_connect(int port)
{
    const struct sockaddr_in address = address_of(port);
    const int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection >= 0 && connect(connection, (const struct sockaddr *)&address, sizeof(address)) != 0)
        return close_and_fail(connection);
    return connection;
}

bool loopback_send(int socket, const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        const ssize_t sent = send(socket, text, left, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR)
            return false;
        if (sent > 0) {
            text += sent;
            left -= (size_t)sent;
        }
    }
    return true;
}

ssize_t loopback_read_line(int socket, char *line, size_t size)
{
    size_t length = 0;
    while (length < size - 1) {
        const ssize_t got = recv(socket, line + length, size - 1 - length, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got;
        length += (size_t)got;
        if (line[length - 1] == '\n')
            break;
    }
    line[length - (line[length - 1] == '\n')] = '\0';
    return (ssize_t)strlen(line);
}
