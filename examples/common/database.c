#include "database_driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const database_driver_t *const drivers[] = {
#ifdef HAVE_LIBPQ
    &database_postgres,
#endif
    &database_sqlite,
};
enum { INACTIVE_EVERY = 37 };

static const database_driver_t *driver_for(const char *location)
{
    for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
        if (drivers[i]->accepts(location))
            return drivers[i];
    return NULL;
}

database_t *database_open(const char *location, database_access_t access)
{
    database_t *database = calloc(1, sizeof(*database));
    if (database == NULL)
        return NULL;
    database->driver = driver_for(location);
    if (database->driver != NULL)
        database->driver->open(database, location, access);
    else
        snprintf(database->error, sizeof(database->error), "no driver for %.*s", (int)strcspn(location, ":"), location);
    return database;
}

const char *database_error(const database_t *database)
{
    if (database == NULL)
        return "out of memory";
    return database->error[0] != '\0' ? database->error : NULL;
}

int database_create_models(database_t *database, int active)
{
    if (database_error(database) != NULL)
        return -1;
    const int inactive = active / (INACTIVE_EVERY - 1);
    const int created = database->driver->create_models(database, active + inactive);
    return created > 0 ? active : created;
}

int database_read_models(database_t *database, bool include_inactive, size_t offset, int limit, model_t *models)
{
    if (database_error(database) != NULL)
        return -1;
    return database->driver->read_models(database, include_inactive, offset, limit, models);
}

int database_replace_models(database_t *database, const char *provider, const model_t *models, size_t count)
{
    if (database_error(database) != NULL)
        return -1;
    return database->driver->replace_models(database, provider, models, count);
}

void database_close(database_t *database)
{
    if (database == NULL)
        return;
    if (database->driver != NULL)
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
                      .is_active = number % INACTIVE_EVERY != INACTIVE_EVERY - 1 };
    snprintf(model.provider, sizeof(model.provider), "%s", families[number % count].provider);
    snprintf(model.name, sizeof(model.name), "%s/%s-%d", model.provider, families[number % count].family, number / count);
    return model;
}
