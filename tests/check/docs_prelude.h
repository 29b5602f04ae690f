/* What the fragments in README.md and docs/ take for granted: docs.sh includes it before each block that has no main().
 *
 * A fragment that uses `op` without declaring it gets a started operation of three steps. It was started, and is freed, while
 * the default log's level is OFF, so that the fragment prints its own lines alone. */
#ifndef DOCS_PRELUDE_H
#define DOCS_PRELUDE_H

#include <step_logger.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static step_logger_t *op;
static step_log_t *log_of_service;
static int rows = 4432;
static int batches = 5;
static const char *table = "models";
static const char *api_key = "hunter2";

/* The work that fragments log about. What is asked to fail fails with ECONNREFUSED. */
typedef struct database {
    int page_size;
} database;

static inline int database_connect(database *db)
{
    db->page_size = 1000;
    return 0;
}

static inline int copy_rows(const char *to)
{
    return strcmp(to, "replica") == 0 ? ECONNREFUSED : 0;
}

static inline int cache_delete(const char *key)
{
    return strcmp(key, "catalog") == 0 ? ECONNREFUSED : 0;
}

static inline char *expensive_report(void)
{
    return strdup("4432 rows in 5 batches");
}

static inline step_level_t docs_level(void)
{
    const char *name = getenv("LOG_LEVEL");
    if (name != NULL && strcmp(name, "debug") == 0)
        return STEP_LEVEL_DEBUG;
    if (name != NULL && strcmp(name, "error") == 0)
        return STEP_LEVEL_ERROR;
    return STEP_LEVEL_INFO;
}

static inline void docs_begin(void)
{
    step_log_set_level(NULL, STEP_LEVEL_OFF);
    op = step_logger_new("Database: Fetch All Models", 3);
    step_logger_start(op);
    step_log_set_level(NULL, docs_level());
}

static inline void docs_end(void)
{
    step_log_flush(NULL, 5000);
    step_log_set_level(NULL, STEP_LEVEL_OFF);
    step_logger_free(op);
}

#endif
