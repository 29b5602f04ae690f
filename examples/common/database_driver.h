/* What one kind of database implements. A driver is a file database_NAME.c; database.c lists them all. */
#ifndef EXAMPLES_DATABASE_DRIVER_H
#define EXAMPLES_DATABASE_DRIVER_H

#include "database.h"

typedef struct database_driver {
    const char *scheme; /* how its locations begin: "postgres://"; "" takes what no other driver does */
    bool (*open)(database_t *database, const char *location, database_access_t access);
    int (*create_models)(database_t *database);
    int (*read_models)(database_t *database, bool include_inactive, size_t offset, int limit, model_t *models);
    void (*close)(database_t *database); /* also after open() failed */
} database_driver_t;

struct database {
    const database_driver_t *driver;
    void *connection; /* the driver's */
    char error[256];  /* empty: no call failed */
};

extern const database_driver_t database_sqlite;

/* The models that a new table is filled with: 4,432 active ones, and some that are not. */
enum { SAMPLE_MODELS = 4432 + 120, SAMPLE_MODELS_ACTIVE = 4432 };
model_t sample_model(int number); /* 0 to SAMPLE_MODELS - 1 */

#endif
