#include "database_driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const database_driver_t *const drivers[] = { &database_sqlite }; /* the one that takes every location is last */

database_t *database_open(const char *location, database_access_t access)
{
    database_t *database = calloc(1, sizeof(*database));
    if (database == NULL)
        return NULL;
    size_t i = 0;
    while (strncmp(location, drivers[i]->scheme, strlen(drivers[i]->scheme)) != 0)
        i++;
    database->driver = drivers[i];
    database->driver->open(database, location, access);
    return database;
}

const char *database_error(const database_t *database)
{
    if (database == NULL)
        return "out of memory";
    return database->error[0] != '\0' ? database->error : NULL;
}

int database_create_models(database_t *database)
{
    return database_error(database) == NULL ? database->driver->create_models(database) : -1;
}

int database_read_models(database_t *database, bool include_inactive, size_t offset, int limit, model_t *models)
{
    if (database_error(database) != NULL)
        return -1;
    return database->driver->read_models(database, include_inactive, offset, limit, models);
}

void database_close(database_t *database)
{
    if (database == NULL)
        return;
    database->driver->close(database);
    free(database);
}

model_t sample_model(int number)
{
    static const struct {
        const char *provider, *family;
    } families[] = { { "openai", "gpt" },      { "anthropic", "claude" }, { "google", "gemini" }, { "meta-llama", "llama" },
                     { "mistralai", "mixtral" }, { "qwen", "qwen" },      { "deepseek", "deepseek" } };
    const int count = sizeof(families) / sizeof(families[0]);
    model_t model = { .id = number + 1,
                      .context_length = INT64_C(4096) << number % 6,
                      .is_active = number % 37 != 0 || number / 37 >= SAMPLE_MODELS - SAMPLE_MODELS_ACTIVE };
    snprintf(model.provider, sizeof(model.provider), "%s", families[number % count].provider);
    snprintf(model.name, sizeof(model.name), "%s/%s-%d", model.provider, families[number % count].family, number / count);
    return model;
}
