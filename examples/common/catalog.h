/* The catalog of models in the API's format, as it is sent and cached: {"count":N,"data":[{"id":...},...]} */
#ifndef EXAMPLES_CATALOG_H
#define EXAMPLES_CATALOG_H

#include "database.h"

#define CATALOG_KEY "examples:cache_catalog:full_catalog" /* in Redis */

typedef struct catalog {
    char *json; /* terminated */
    size_t bytes;
    size_t count;
} catalog_t;

/* False when there is no memory. Free with catalog_free(). */
bool catalog_from_models(catalog_t *catalog, const model_t *models, size_t count);

/* Takes text that catalog_from_models() once made. False, and the text is freed, when it is something else. */
bool catalog_from_json(catalog_t *catalog, char *json, size_t bytes);

bool catalog_copy(catalog_t *catalog, const catalog_t *from);

void catalog_free(catalog_t *catalog);

#endif
