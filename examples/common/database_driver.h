/* What one kind of database implements. A driver is a file database_NAME.c; database.c lists them all. */
#ifndef EXAMPLES_DATABASE_DRIVER_H
#define EXAMPLES_DATABASE_DRIVER_H

#include "database.h"

typedef struct database_driver {
    bool (*accepts)(const char *location);
    bool (*open)(database_t *database, const char *location, database_access_t access);
    /* Fills a new table with the samples 0 to count - 1: how many, 0 if there was a table, or -1 */
    int (*create_models)(database_t *database, int count);
    int (*read_models)(database_t *database, bool include_inactive, size_t offset, int limit, model_t *models);
    int (*replace_models)(database_t *database, const char *provider, const model_t *models, size_t count);
    void (*close)(database_t *database); /* also after open() failed */
} database_driver_t;

struct database {
    const database_driver_t *driver;
    void *connection; /* the driver's */
    char error[256];  /* empty: no call failed */
};

extern const database_driver_t database_postgres;
extern const database_driver_t database_sqlite;

/* What new tables are filled with: models as providers have them, every 37th of them inactive. */
model_t sample_model(int number); /* 0, 1, ... */

#endif
