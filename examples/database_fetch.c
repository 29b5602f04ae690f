/* database_fetch: all models of a database, read in pages.
 *
 *     database_fetch [--database LOCATION] [--page-size N] [--include-inactive] [--models N]
 *
 * LOCATION is a file (SQLite; models.db) or postgres://USER@HOST:PORT/NAME; without the option DATABASE_URL says it. A table
 * that does not exist is made, with 4,432 active models or as many as --models says. LOG_LEVEL=debug also shows each page. To
 * see it fail, name what cannot be opened: --database no/such/directory/models.db, --database postgres://127.0.0.1:1/
 *
 * The operation and its steps are in common/fetch_models.c. */
#include "fetch_models.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static bool read_arguments(int argc, char **argv, model_query_t *query, int *models)
{
    static const struct option options[] = { { "database", required_argument, NULL, 'd' },
                                             { "page-size", required_argument, NULL, 'p' },
                                             { "include-inactive", no_argument, NULL, 'i' },
                                             { "models", required_argument, NULL, 'm' },
                                             { NULL, 0, NULL, 0 } };
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'd')
            query->location = optarg;
        else if (option == 'p')
            query->page_size = atoi(optarg);
        else if (option == 'i')
            query->include_inactive = true;
        else if (option == 'm')
            *models = atoi(optarg);
        else
            return false;
    }
    return optind == argc && query->page_size > 0 && *models > 0;
}

int main(int argc, char **argv)
{
    const char *url = getenv("DATABASE_URL");
    model_query_t query = { .location = url != NULL ? url : "models.db", .page_size = 1000, .is_detailed = true };
    int models = 4432;
    if (!read_arguments(argc, argv, &query, &models)) {
        fprintf(stderr, "usage: %s [--database LOCATION] [--page-size N] [--include-inactive] [--models N]\n", argv[0]);
        return 2;
    }
    model_list_t list;
    create_models_at_first_run(query.location, models);
    const bool ok = fetch_all_models(&query, &list);
    model_list_free(&list);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
