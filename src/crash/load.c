#include "crash/load.h"

#include "crash/files.h"
#include "platform/io.h"
#include "record/ring.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { RANDOM_DIGITS = 16, HALF_MADE_S = 60, FIRST_CAPACITY = 16 };

#define RING_MAX (STEPI_RING_DATA + (size_t)STEPI_RING_BYTES_MAX)
#define STORE_MAX ((size_t)256 * 1024 * 1024)
#define BLOCK_MAX ((size_t)2 * 1024 * 1024) /* more than any block has */
#define SHAPES_FILE_MAX ((size_t)STEPI_SHAPES_MAX * STEPI_SHAPE_FILE_MAX)

/* ---- Names ---- */

/* "4711-0123456789abcdef" */
static bool is_name(const char *name)
{
    size_t at = strspn(name, "0123456789");
    if (at == 0 || name[at] != '-')
        return false;
    const size_t digits = strspn(name + at + 1, "0123456789abcdef");
    return digits == RANDOM_DIGITS && name[at + 1 + digits] == '\0' && at + 1 + digits < STEPI_CRASH_NAME - 1;
}

/* A file of ours, and which. False: it is another. */
static bool is_file(const char *name, const char *kind, uint32_t *number)
{
    const size_t length = strlen(kind);
    if (strncmp(name, kind, length) != 0 || name[length] != '-' || strspn(name + length + 1, "0123456789") != strlen(name + length + 1))
        return false;
    *number = (uint32_t)strtoul(name + length + 1, NULL, 10);
    return true;
}

static bool is_ours(const char *name)
{
    static const char *const names[] = { "owner", "shapes", "store" };
    uint32_t number;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return is_file(name, "ring", &number) || is_file(name, "write", &number);
}

/* ---- Opening ---- */

static int open_directory(int parent, const char *name)
{
    const int fd = stepi_open_at(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
    struct stat status;
    if (fd < 0)
        return -1;
    if (fstat(fd, &status) == 0 && (status.st_uid == geteuid() || geteuid() == 0))
        return fd;
    close(fd);
    return -1;
}

static int open_file(int directory, const char *name, int flags)
{
    const int fd = stepi_open_at(directory, name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
    struct stat status;
    if (fd < 0)
        return -1;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
        return fd;
    close(fd);
    errno = EINVAL;
    return -1;
}

/* The descriptor that holds the lock; -1: the process lives, or somebody else looks at it (*live), or it has no owner. */
static int lock_owner(int directory, bool *live)
{
    *live = false;
    const int fd = open_file(directory, "owner", O_RDWR);
    if (fd < 0 || stepi_crash_files_lock(fd))
        return fd;
    *live = true;
    close(fd);
    return -1;
}

/* ---- Reading ---- */

static size_t read_all(int fd, uint8_t *to, size_t size)
{
    size_t done = 0;
    while (done < size) {
        const ssize_t n = pread(fd, to + done, size - done, (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    return done;
}

static bool grow_files(stepi_dead_t *dead)
{
    if (dead->file_count < dead->file_capacity)
        return true;
    const size_t capacity = dead->file_capacity == 0 ? FIRST_CAPACITY : dead->file_capacity * 2;
    uint8_t **files = realloc(dead->files, capacity * sizeof(*files));
    if (files == NULL)
        return false;
    dead->files = files;
    dead->file_capacity = capacity;
    return true;
}

/* All of a file, up to `most`, owned by `dead`; NULL: it is not there, or there is no memory (*lacks_memory). */
static uint8_t *read_file(stepi_dead_t *dead, const char *name, size_t most, size_t *size, bool *lacks_memory)
{
    struct stat status;
    const int fd = open_file(dead->directory, name, O_RDONLY);
    if (fd < 0)
        return NULL;
    uint8_t *bytes = NULL;
    if (fstat(fd, &status) == 0 && status.st_size >= 0) {
        *size = (uint64_t)status.st_size < most ? (size_t)status.st_size : most;
        bytes = grow_files(dead) ? malloc(*size + 1) : NULL;
        *lacks_memory |= bytes == NULL;
    }
    if (bytes != NULL) {
        *size = read_all(fd, bytes, *size);
        dead->files[dead->file_count++] = bytes;
    }
    close(fd);
    return bytes;
}

/* ---- Finding ---- */

static bool note(stepi_findings_t *findings, const char *name, int64_t begun)
{
    if (findings->count == findings->capacity) {
        const size_t capacity = findings->capacity == 0 ? FIRST_CAPACITY : findings->capacity * 2;
        stepi_found_t *found = realloc(findings->found, capacity * sizeof(*found));
        if (found == NULL)
            return false;
        findings->found = found;
        findings->capacity = capacity;
    }
    stepi_found_t *found = &findings->found[findings->count++];
    memset(found->name, 0, sizeof(found->name));
    memcpy(found->name, name, strlen(name)); /* is_name() has seen its length */
    found->begun = begun;
    return true;
}

static int64_t begun_of(int lock)
{
    stepi_owner_t owner;
    memset(&owner, 0, sizeof(owner));
    read_all(lock, (uint8_t *)&owner, sizeof(owner));
    const stepi_timebase_t *time = &owner.time[owner.time_at & 1];
    return (int64_t)((uint64_t)time->wall - ((uint64_t)time->ns - (uint64_t)time->first_ns));
}

/* From its beginning; NULL: see errno. */
static DIR *open_list(int directory)
{
    const int fd = fcntl(directory, F_DUPFD_CLOEXEC, 3);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    if (list != NULL)
        rewinddir(list);
    else if (fd >= 0)
        close(fd);
    return list;
}

/* What somebody else has put there stays, and the directory with it. */
static void remove_all(int parent, int directory, const char *name)
{
    DIR *list = open_list(directory);
    if (list == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(list)) != NULL;)
        if (is_ours(entry->d_name))
            unlinkat(directory, entry->d_name, 0);
    closedir(list);
    unlinkat(parent, name, AT_REMOVEDIR);
}

/* Half made or half removed; but not by somebody who is at work on it. */
static void clean(const stepi_findings_t *findings, const char *name, time_t now)
{
    const int directory = open_directory(findings->directory, name);
    struct stat status;
    bool live;
    if (directory < 0)
        return;
    /* its age first: whoever is making it must find the lock free */
    if (fstat(directory, &status) == 0 && now - status.st_mtime > HALF_MADE_S) {
        const int lock = lock_owner(directory, &live);
        if (!live)
            remove_all(findings->directory, directory, name);
        if (lock >= 0)
            close(lock);
    }
    close(directory);
}

/* False without memory. */
static bool look_at(stepi_findings_t *findings, const char *name)
{
    const int directory = open_directory(findings->directory, name);
    bool live, noted = true;
    if (directory < 0)
        return true; /* somebody else's, or gone */
    const int lock = lock_owner(directory, &live);
    if (lock >= 0) {
        noted = note(findings, name, begun_of(lock));
        close(lock);
    } else {
        findings->live += live;
        findings->foreign += !live;
    }
    close(directory);
    return noted;
}

static int compare(const void *left, const void *right)
{
    const stepi_found_t *a = left, *b = right;
    return a->begun != b->begun ? (a->begun > b->begun ? 1 : -1) : strcmp(a->name, b->name);
}

bool stepi_findings_open(stepi_findings_t *findings, const char *path)
{
    const time_t now = time(NULL);
    bool has_memory = true;
    *findings = (stepi_findings_t){ .directory = -1 };
    DIR *list = opendir(path);
    if (list == NULL)
        return false;
    findings->directory = fcntl(dirfd(list), F_DUPFD_CLOEXEC, 3);
    for (struct dirent *entry; has_memory && findings->directory >= 0 && (entry = readdir(list)) != NULL;) {
        if (is_name(entry->d_name))
            has_memory = look_at(findings, entry->d_name);
        else if (entry->d_name[0] == '.' && is_name(entry->d_name + 1))
            clean(findings, entry->d_name, now);
    }
    const int saved = has_memory ? errno : ENOMEM;
    closedir(list);
    if (has_memory && findings->directory >= 0) {
        if (findings->count > 1)
            qsort(findings->found, findings->count, sizeof(*findings->found), compare);
        return true;
    }
    stepi_findings_close(findings);
    errno = saved;
    return false;
}

void stepi_findings_close(stepi_findings_t *findings)
{
    if (findings->directory >= 0)
        close(findings->directory);
    free(findings->found);
    *findings = (stepi_findings_t){ .directory = -1 };
}

/* ---- One ---- */

bool stepi_dead_open(stepi_dead_t *dead, const stepi_findings_t *findings, const stepi_found_t *found)
{
    bool live;
    *dead = (stepi_dead_t){ .parent = findings->directory, .lock = -1 };
    memcpy(dead->name, found->name, sizeof(dead->name));
    dead->directory = open_directory(findings->directory, found->name);
    if (dead->directory >= 0)
        dead->lock = lock_owner(dead->directory, &live);
    if (dead->lock >= 0)
        return true;
    stepi_dead_close(dead);
    return false;
}

/* What the file that a block was written to holds from its place on; NULL: nothing, or it is another file now. */
static char *read_behind(const stepi_intent_t *intent, size_t *size)
{
    struct stat status;
    char path[STEPI_INTENT_PATH];
    const size_t most = (intent->length < BLOCK_MAX ? (size_t)intent->length : BLOCK_MAX) + 1; /* a newline may stand before it */
    memcpy(path, intent->path, sizeof(path));
    path[sizeof(path) - 1] = '\0';
    const int fd = path[0] == '/' ? open_file(AT_FDCWD, path, O_RDONLY) : -1;
    char *bytes = NULL;
    if (fd >= 0 && fstat(fd, &status) == 0 && (uint64_t)status.st_dev == intent->device &&
        (uint64_t)status.st_ino == intent->inode && lseek(fd, (off_t)intent->size, SEEK_SET) >= 0)
        bytes = malloc(most);
    *size = 0;
    for (ssize_t n = 1; bytes != NULL && n > 0 && *size < most;) {
        n = read(fd, bytes + *size, most - *size);
        *size += n > 0 ? (size_t)n : 0;
    }
    if (fd >= 0)
        close(fd);
    return bytes;
}

static void load_intent(stepi_dead_t *dead, stepi_remains_t *remains, const char *name, uint32_t output)
{
    size_t size, behind_bytes;
    const stepi_intent_t *intent = (const stepi_intent_t *)(const void *)read_file(dead, name, sizeof(*intent), &size, &remains->lacks_memory);
    if (intent == NULL || size < sizeof(*intent))
        return;
    char *behind = read_behind(intent, &behind_bytes);
    if (behind != NULL)
        stepi_remains_intent(remains, output, intent, behind, behind_bytes);
    free(behind);
}

static void load_ring(stepi_dead_t *dead, stepi_remains_t *remains, const char *name)
{
    size_t size;
    const uint8_t *bytes = read_file(dead, name, RING_MAX, &size, &remains->lacks_memory);
    if (bytes != NULL)
        stepi_remains_ring(remains, bytes, size);
}

/* Every file of that kind. */
static void load_kind(stepi_dead_t *dead, stepi_remains_t *remains, const char *kind)
{
    DIR *list = open_list(dead->directory);
    uint32_t number;
    remains->lacks_memory |= list == NULL;
    if (list == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(list)) != NULL;) {
        if (!is_file(entry->d_name, kind, &number))
            continue;
        if (kind[0] == 'r')
            load_ring(dead, remains, entry->d_name);
        else
            load_intent(dead, remains, entry->d_name, number);
    }
    closedir(list);
}

stepi_remains_state_t stepi_dead_load(stepi_dead_t *dead, stepi_remains_t *remains)
{
    bool lacks_memory = false;
    size_t size = 0;
    const uint8_t *bytes = read_file(dead, "owner", sizeof(stepi_owner_t), &size, &lacks_memory);
    const stepi_remains_state_t state = stepi_remains_begin(remains, bytes, bytes != NULL ? size : 0);
    if (state != STEPI_REMAINS_GOOD)
        return state;
    if ((bytes = read_file(dead, "shapes", SHAPES_FILE_MAX, &size, &remains->lacks_memory)) != NULL)
        stepi_remains_shapes(remains, bytes, size);
    load_kind(dead, remains, "write");
    if ((bytes = read_file(dead, "store", STORE_MAX, &size, &remains->lacks_memory)) != NULL)
        stepi_remains_store(remains, bytes, size);
    load_kind(dead, remains, "ring");
    stepi_remains_sort(remains);
    return state;
}

void stepi_dead_remove(stepi_dead_t *dead)
{
    char hidden[STEPI_CRASH_NAME + 1];
    snprintf(hidden, sizeof(hidden), ".%s", dead->name);
    if (renameat(dead->parent, dead->name, dead->parent, hidden) == 0)
        remove_all(dead->parent, dead->directory, hidden);
}

void stepi_dead_close(stepi_dead_t *dead)
{
    for (size_t i = 0; i < dead->file_count; i++)
        free(dead->files[i]);
    free(dead->files);
    if (dead->directory >= 0)
        close(dead->directory);
    if (dead->lock >= 0)
        close(dead->lock);
    *dead = (stepi_dead_t){ .parent = -1, .directory = -1, .lock = -1 };
}
