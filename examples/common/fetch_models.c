#include "fetch_models.h"

#include <step_logger.h>

#include <stdio.h>
#include <stdlib.h>

static bool failed(step_logger_t *op, model_list_t *list, const char *error)
{
    snprintf(list->error, sizeof(list->error), "%s", error);
    step_logger_failure(op, error, step_kv("table", "models"));
    step_logger_messagef(op, STEP_LEVEL_ERROR, "Error fetching all models for catalog: %s", error);
    return false;
}

static bool connect_step(step_logger_t *op, const model_query_t *query, database_t **database, model_list_t *list)
{
    step_logger_step(op, 1, "Connecting to database", step_kv("table", "models"), step_kv("replica", "read"));
    *database = database_open(query->location, DATABASE_READ);
    if (database_error(*database) != NULL)
        return failed(op, list, database_error(*database));
    step_logger_success(op, step_kv("connection", "ready"), step_kv("page_size", query->page_size));
    return true;
}

static void log_batch(step_logger_t *op, int batch, int rows, size_t offset)
{
    if (!step_logger_wants(op, STEP_LEVEL_DEBUG))
        return;
    char text[64];
    snprintf(text, sizeof(text), "Fetched batch %d: %d models", batch, rows);
    step_logger_message(op, STEP_LEVEL_DEBUG, text, step_kv("offset", offset), step_kv("total", offset + (size_t)rows));
}

static bool fetch_step(step_logger_t *op, const model_query_t *query, database_t *database, model_list_t *list)
{
    int batches = 0;
    int rows;
    step_logger_step(op, 2, "Fetching models (paginated)", step_kv("table", "models"));
    do {
        const size_t room = list->count + (size_t)query->page_size;
        model_t *models = realloc(list->models, room * sizeof(*models));
        if (models == NULL)
            return failed(op, list, "out of memory");
        list->models = models;
        rows = database_read_models(database, query->include_inactive, list->count, query->page_size, models + list->count);
        if (rows < 0)
            return failed(op, list, database_error(database));
        if (rows > 0 && ++batches > 0 && query->is_detailed)
            log_batch(op, batches, rows, list->count);
        list->count += (size_t)rows;
    } while (rows == query->page_size);
    step_logger_success(op, step_kv("total_models", list->count), step_kv("batches", batches),
                        step_kv("page_size", query->page_size));
    return true;
}

static void complete(step_logger_t *op, const model_query_t *query, const model_list_t *list)
{
    if (query->is_detailed)
        step_logger_complete(op, step_kv("total_models", list->count), step_kv("table", "models"),
                             step_bool("include_inactive", query->include_inactive));
    else
        step_logger_complete(op, step_kv("total_models", list->count), step_kv("table", "models"));
}

bool fetch_all_models(const model_query_t *query, model_list_t *list)
{
    database_t *database = NULL;
    *list = (model_list_t){ .models = NULL };
    step_logger_t *op = step_logger_new("Database: Fetch All Models", 2);
    step_logger_start(op, step_kv("table", "models"), step_bool("include_inactive", query->include_inactive));

    const bool ok = connect_step(op, query, &database, list) && fetch_step(op, query, database, list);
    if (ok)
        complete(op, query, list);
    database_close(database);
    step_logger_free(op);
    return ok;
}

void model_list_free(model_list_t *list)
{
    free(list->models);
    *list = (model_list_t){ .models = NULL };
}

void create_models_at_first_run(const char *location, int active)
{
    database_t *database = database_open(location, DATABASE_CREATE);
    const int models = database_create_models(database, active);
    if (models > 0)
        step_info("Created the table of models", step_kv("models", models));
    database_close(database);
}
