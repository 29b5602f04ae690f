/* A hostile environment: the default log is made whatever it says, and what is said about it is one clean line each.
 *
 * The input is lines of NAME=VALUE. Files would be made wherever a value says: paths with a slash are not tried. */
#include "config/environment.c"

#include "fuzz.h"

#include <fcntl.h>

static const char *const names[] = { "LOG_LEVEL", "STEP_LOGGER_OUTPUT", "STEP_LOGGER_FORMAT", "STEP_LOGGER_TIMESTAMPS",
                                     "STEP_LOGGER_EMOJI", "NO_COLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "TERM", "TRACEPARENT",
                                     "STEP_LOGGER_SOURCE", "STEP_LOGGER_IDS", "STEP_LOGGER_CANONICAL",
                                     "STEP_LOGGER_SAMPLE_RATE", "STEP_LOGGER_FLIGHT_RECORDER_BYTES",
                                     "STEP_LOGGER_SLOW_MS", "STEP_LOGGER_STUCK_MS", "STEP_LOGGER_REDACT_KEYS" };
enum { NAMES = sizeof(names) / sizeof(names[0]) };

static void set_variables(char *text)
{
    for (char *line = text, *next; line != NULL; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        char *value = strchr(line, '=');
        if (value == NULL)
            continue;
        *value++ = '\0';
        for (size_t i = 0; i < NAMES; i++)
            if (strcmp(names[i], line) == 0 && (strncmp(value, "file:", 5) != 0 || strchr(value, '/') == NULL))
                setenv(line, value, 1);
    }
}

/* stderr is a file while the log is made: what it gets is looked at. */
static void check_diagnostics(int fd)
{
    static char said[1 << 16];
    const ssize_t n = pread(fd, said, sizeof(said), 0);
    MUST(n >= 0 && (n == 0 || said[n - 1] == '\n'));
    for (ssize_t i = 0; i < n; i++)
        MUST(((unsigned char)said[i] >= 0x20 && said[i] != 0x7F) || said[i] == '\n');
    MUST(ftruncate(fd, 0) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    char *text = malloc(size + 1);
    MUST(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    if (fd < 0) {
        fd = open("diagnostics", O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
        MUST(fd >= 0);
    }
    for (size_t i = 0; i < NAMES; i++)
        unsetenv(names[i]);
    set_variables(text);
    const int saved = dup(STDERR_FILENO);
    MUST(saved >= 0 && dup2(fd, STDERR_FILENO) >= 0);
    step_log_t *log = make();
    MUST(dup2(saved, STDERR_FILENO) >= 0);
    close(saved);
    MUST(log != NULL && step_log_close(log) == STEP_OK);
    check_diagnostics(fd);
    free(text);
    return 0;
}
