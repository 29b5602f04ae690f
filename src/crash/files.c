#include "crash/files.h"

#include "platform/io.h"
#include "platform/system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TRIES = 8, DIRECTORY_MODE = 0700, FILE_MODE = 0600, FILE_NAME = 24 };

#define HIDDEN "."

static int above_standard(int fd)
{
    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    const int higher = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    const int saved = errno;
    close(fd);
    errno = saved;
    return higher;
}

static int open_directory(int at, const char *path)
{
    return above_standard(stepi_open_at(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0));
}

/* With so many zeros, for which there is room. */
static int make_file(int directory, const char *name, size_t bytes)
{
    const int fd = above_standard(stepi_open_at(directory, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE));
    if (fd < 0)
        return -1;
    const int error = bytes > 0 ? stepi_allocate(fd, 0, bytes) : 0;
    if (error != 0) {
        close(fd);
        unlinkat(directory, name, 0);
        errno = error;
        return -1;
    }
    return fd;
}

bool stepi_crash_files_lock(int fd)
{
    struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    return fcntl(fd, F_OFD_SETLK, &whole) == 0;
}

static bool make_owner(stepi_crash_files_t *files)
{
    files->owner_fd = make_file(files->directory, "owner", sizeof(stepi_owner_t));
    if (files->owner_fd < 0 || !stepi_crash_files_lock(files->owner_fd))
        return false;
    files->owner = stepi_pages_map_file(files->owner_fd, sizeof(stepi_owner_t));
    return files->owner != NULL;
}

/* "4711-" and 16 digits that nobody else has. */
static void choose_name(char name[STEPI_CRASH_NAME])
{
    uint64_t random[2];
    stepi_random_seed(random);
    snprintf(name, STEPI_CRASH_NAME, "%lu-%016llx", (unsigned long)getpid(), (unsigned long long)(random[0] ^ random[1]));
}

static void hidden_name(const stepi_crash_files_t *files, char hidden[STEPI_CRASH_NAME + 1])
{
    snprintf(hidden, STEPI_CRASH_NAME + 1, HIDDEN "%s", files->name);
}

static bool make_directory(stepi_crash_files_t *files)
{
    char hidden[STEPI_CRASH_NAME + 1];
    for (int tries = 0; tries < TRIES; tries++) {
        choose_name(files->name);
        hidden_name(files, hidden);
        if (mkdirat(files->parent, hidden, DIRECTORY_MODE) == 0) {
            files->directory = above_standard(
                stepi_open_at(files->parent, hidden, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0));
            return files->directory >= 0;
        }
        if (errno != EEXIST)
            return false;
    }
    return false;
}

bool stepi_crash_files_make(stepi_crash_files_t *files, const char *path, int *shapes, int *store)
{
    *files = (stepi_crash_files_t){ .parent = -1, .directory = -1, .owner_fd = -1 };
    *shapes = *store = -1;
    if (mkdir(path, DIRECTORY_MODE) != 0 && errno != EEXIST)
        return false;
    files->parent = open_directory(AT_FDCWD, path);
    if (files->parent >= 0 && make_directory(files) && make_owner(files) &&
        (*shapes = make_file(files->directory, "shapes", 0)) >= 0 &&
        (*store = make_file(files->directory, "store", 0)) >= 0)
        return true;
    const int saved = errno;
    if (*shapes >= 0)
        close(*shapes);
    stepi_crash_files_unlink(files);
    stepi_crash_files_close(files);
    errno = saved;
    return false;
}

bool stepi_crash_files_show(stepi_crash_files_t *files)
{
    char hidden[STEPI_CRASH_NAME + 1];
    hidden_name(files, hidden);
    return renameat(files->parent, hidden, files->parent, files->name) == 0;
}

static void number_name(char name[FILE_NAME], const char *kind, uint32_t number)
{
    snprintf(name, FILE_NAME, "%s-%lu", kind, (unsigned long)number);
}

int stepi_crash_files_ring(stepi_crash_files_t *files, size_t bytes, uint32_t *number)
{
    char name[FILE_NAME];
    *number = files->rings + 1;
    number_name(name, "ring", *number);
    const int fd = make_file(files->directory, name, bytes);
    if (fd >= 0)
        files->rings++;
    return fd;
}

int stepi_crash_files_intent(stepi_crash_files_t *files, int output, size_t bytes)
{
    char name[FILE_NAME];
    number_name(name, "write", (uint32_t)output);
    const int fd = make_file(files->directory, name, bytes);
    if (fd >= 0)
        files->intents |= UINT32_C(1) << output;
    return fd;
}

void stepi_crash_files_drop_ring(const stepi_crash_files_t *files, uint32_t number)
{
    char name[FILE_NAME];
    number_name(name, "ring", number);
    unlinkat(files->directory, name, 0);
}

static void remove_files(const stepi_crash_files_t *files)
{
    static const char *const names[] = { "shapes", "store", "owner" };
    char name[FILE_NAME];
    for (uint32_t ring = 1; ring <= files->rings; ring++)
        stepi_crash_files_drop_ring(files, ring);
    for (uint32_t output = 0; output < STEPI_CRASH_OUTPUTS; output++) {
        if ((files->intents >> output & 1) == 0)
            continue;
        number_name(name, "write", output);
        unlinkat(files->directory, name, 0);
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unlinkat(files->directory, names[i], 0);
}

/* Under its hidden name: should the process be killed meanwhile, the rest is cleaned up by whoever looks next. */
void stepi_crash_files_unlink(stepi_crash_files_t *files)
{
    char hidden[STEPI_CRASH_NAME + 1];
    if (files->directory < 0)
        return;
    hidden_name(files, hidden);
    renameat(files->parent, files->name, files->parent, hidden); /* it has it already, if it was not shown yet */
    remove_files(files);
    unlinkat(files->parent, hidden, AT_REMOVEDIR);
}

void stepi_crash_files_close(stepi_crash_files_t *files)
{
    if (files->owner != NULL)
        stepi_pages_unmap(files->owner, sizeof(stepi_owner_t));
    if (files->owner_fd >= 0)
        close(files->owner_fd);
    if (files->directory >= 0)
        close(files->directory);
    if (files->parent >= 0)
        close(files->parent);
    *files = (stepi_crash_files_t){ .parent = -1, .directory = -1, .owner_fd = -1 };
}
