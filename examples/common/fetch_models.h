/* The operation "Database: Fetch All Models": connects, reads page by page. A program of its own, and a part of others:
 * whoever calls it while an operation is current on its thread is its parent. */
#ifndef EXAMPLES_FETCH_MODELS_H
#define EXAMPLES_FETCH_MODELS_H

#include "database.h"

typedef struct model_query {
    const char *location; /* see database.h */
    int page_size;
    bool include_inactive;
    bool is_detailed; /* logs each page, and at the end the whole query again */
} model_query_t;

typedef struct model_list {
    model_t *models;
    size_t count;
    char error[256]; /* why the fetch failed */
} model_list_t;

/* What was read before it failed is in the list, too: free it with model_list_free(). */
bool fetch_all_models(const model_query_t *query, model_list_t *list);

void model_list_free(model_list_t *list);

/* Makes a database with so many active models, unless there is one. When it cannot be made, whoever opens it finds out why. */
void create_models_at_first_run(const char *location, int active);

#endif
