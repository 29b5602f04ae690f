/* A table of models in a database. Which kind of database the location says: postgres://USER@HOST:PORT/NAME is PostgreSQL, a
 * path is SQLite.
 *
 * Calls that fail return -1 or false, and database_error() says why. database_open() also returns an object when it could
 * not connect, to hold the reason; close it like any other. NULL, for want of memory, is safe in every call. */
#ifndef EXAMPLES_DATABASE_H
#define EXAMPLES_DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct database database_t;

typedef enum database_access {
    DATABASE_READ,  /* what does not exist is an error */
    DATABASE_CREATE /* a database that does not exist is made */
} database_access_t;

typedef struct model {
    int64_t id;
    char name[64];
    char provider[32];
    int64_t context_length;
    bool is_active;
} model_t;

database_t *database_open(const char *location, database_access_t access);

/* Why the last call failed; NULL when none did. */
const char *database_error(const database_t *database);

/* Makes the table of models, with so many active ones (0: empty) and some that are not, unless it is there: the number of active
 * models made, 0 if there was a table, or -1. */
int database_create_models(database_t *database, int active);

/* Reads at most `limit` models from `offset` on, ordered by id, inactive ones only when asked: how many, or -1. */
int database_read_models(database_t *database, bool include_inactive, size_t offset, int limit, model_t *models);

/* Puts these in the place of all models of the provider, or changes nothing: how many, or -1. */
int database_replace_models(database_t *database, const char *provider, const model_t *models, size_t count);

void database_close(database_t *database);

#endif
