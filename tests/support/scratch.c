#include "support/scratch.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[PATH_MAX];

void scratch_make(void)
{
    char here[PATH_MAX - 64];
    if (getcwd(here, sizeof(here)) == NULL)
        abort();
    snprintf(directory, sizeof(directory), "%s/scratch-XXXXXX", here);
    if (mkdtemp(directory) == NULL) {
        perror(directory);
        abort();
    }
}

const char *scratch_path(const char *name)
{
    static char paths[9][PATH_MAX];
    static int next;
    char *path = paths[next++ % 9];
    if ((size_t)snprintf(path, PATH_MAX, "%.*s/%s", PATH_MAX - 512, directory, name) >= PATH_MAX)
        abort();
    return path;
}

void scratch_remove(void)
{
    DIR *opened = opendir(directory);
    const struct dirent *entry;
    while (opened != NULL && (entry = readdir(opened)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            remove(scratch_path(entry->d_name));
    if (opened != NULL)
        closedir(opened);
    rmdir(directory);
}

char *scratch_read(const char *path, size_t *bytes)
{
    FILE *file = fopen(path, "rb");
    struct stat status;
    if (file == NULL || fstat(fileno(file), &status) != 0)
        return NULL;
    char *text = malloc((size_t)status.st_size + 1);
    if (text == NULL)
        abort();
    const size_t n = fread(text, 1, (size_t)status.st_size, file);
    text[n] = '\0';
    fclose(file);
    if (bytes != NULL)
        *bytes = n;
    return text;
}
