/* database_fetch: all models of a database, read in pages.
 *
 *     database_fetch [--database LOCATION] [--page-size N] [--include-inactive]
 *
 * The database (models.db) is made at the first run. LOG_LEVEL=debug also shows each page. To see it fail, name a database
 * that cannot be opened: --database no/such/directory/models.db */
#include "database.h"

#include <step_logger.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct request {
    const char *location;
    int page_size;
    bool include_inactive;
} request_t;

typedef struct catalog {
    model_t *models;
    size_t count;
} catalog_t;

static bool failed(step_logger_t *op, const char *error)
{
    step_logger_failure(op, error, step_kv("table", "models"));
    step_logger_messagef(op, STEP_LEVEL_ERROR, "Error fetching all models for catalog: %s", error);
    return false;
}

static bool connect_step(step_logger_t *op, const request_t *request, database_t **database)
{
    step_logger_step(op, 1, "Connecting to database", step_kv("table", "models"), step_kv("replica", "read"));
    *database = database_open(request->location, DATABASE_READ);
    if (database_error(*database) != NULL)
        return failed(op, database_error(*database));
    step_logger_success(op, step_kv("connection", "ready"), step_kv("page_size", request->page_size));
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

static bool fetch_step(step_logger_t *op, const request_t *request, database_t *database, catalog_t *catalog)
{
    int batches = 0;
    int rows;
    step_logger_step(op, 2, "Fetching models (paginated)", step_kv("table", "models"));
    do {
        const size_t room = catalog->count + (size_t)request->page_size;
        model_t *models = realloc(catalog->models, room * sizeof(*models));
        if (models == NULL)
            return failed(op, "out of memory");
        catalog->models = models;
        rows = database_read_models(database, request->include_inactive, catalog->count, request->page_size,
                                    models + catalog->count);
        if (rows < 0)
            return failed(op, database_error(database));
        if (rows > 0)
            log_batch(op, ++batches, rows, catalog->count);
        catalog->count += (size_t)rows;
    } while (rows == request->page_size);
    step_logger_success(op, step_kv("total_models", catalog->count), step_kv("batches", batches),
                        step_kv("page_size", request->page_size));
    return true;
}

static bool fetch_all_models(const request_t *request, catalog_t *catalog)
{
    database_t *database = NULL;
    step_logger_t *op = step_logger_new("Database: Fetch All Models", 2);
    step_logger_start(op, step_kv("table", "models"), step_bool("include_inactive", request->include_inactive));

    const bool ok = connect_step(op, request, &database) && fetch_step(op, request, database, catalog);
    if (ok)
        step_logger_complete(op, step_kv("total_models", catalog->count), step_kv("table", "models"),
                             step_bool("include_inactive", request->include_inactive));
    database_close(database);
    step_logger_free(op);
    return ok;
}

/* A database that cannot be made is no concern here: the fetch that follows says what is wrong with it. */
static void create_at_first_run(const char *location)
{
    database_t *database = database_open(location, DATABASE_CREATE);
    const int models = database_create_models(database);
    if (models > 0)
        step_info("Created the database", step_kv("location", location), step_kv("models", models));
    database_close(database);
}

static bool read_arguments(int argc, char **argv, request_t *request)
{
    static const struct option options[] = { { "database", required_argument, NULL, 'd' },
                                             { "page-size", required_argument, NULL, 'p' },
                                             { "include-inactive", no_argument, NULL, 'i' },
                                             { NULL, 0, NULL, 0 } };
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'd')
            request->location = optarg;
        else if (option == 'p')
            request->page_size = atoi(optarg);
        else if (option == 'i')
            request->include_inactive = true;
        else
            return false;
    }
    return optind == argc && request->page_size > 0;
}

int main(int argc, char **argv)
{
    request_t request = { .location = "models.db", .page_size = 1000 };
    if (!read_arguments(argc, argv, &request)) {
        fprintf(stderr, "usage: %s [--database LOCATION] [--page-size N] [--include-inactive]\n", argv[0]);
        return 2;
    }
    catalog_t catalog = { NULL, 0 };
    create_at_first_run(request.location);
    const bool ok = fetch_all_models(&request, &catalog);
    free(catalog.models);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
