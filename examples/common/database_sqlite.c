#include "database_driver.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

static bool is_path(const char *location)
{
    return strstr(location, "://") == NULL;
}

/* Keeps why it failed, with the system's reason where there is one, and returns -1. */
static int failed(database_t *database)
{
    sqlite3 *sqlite = database->connection;
    const int reason = sqlite3_errcode(sqlite) == SQLITE_CANTOPEN ? sqlite3_system_errno(sqlite) : 0;
    snprintf(database->error, sizeof(database->error), "%s%s%s", sqlite3_errmsg(sqlite), reason != 0 ? ": " : "",
             reason != 0 ? strerror(reason) : "");
    return -1;
}

static bool sqlite_open(database_t *database, const char *location, database_access_t access)
{
    const int flags = access == DATABASE_CREATE ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
    sqlite3 *sqlite = NULL;
    const int result = sqlite3_open_v2(location, &sqlite, flags, NULL);
    database->connection = sqlite;
    if (result == SQLITE_OK) {
        sqlite3_busy_timeout(sqlite, 5000);
        /* SQLite opens lazily: only the first query finds out whether the file is a database. */
        if (sqlite3_exec(sqlite, "SELECT count(*) FROM sqlite_master", NULL, NULL, NULL) == SQLITE_OK)
            return true;
    }
    failed(database);
    return false;
}

/* Inserts so many models; NULL stands for samples. */
static bool insert_models(sqlite3 *sqlite, const model_t *models, size_t count)
{
    sqlite3_stmt *insert = NULL;
    if (sqlite3_prepare_v2(sqlite, "INSERT INTO models VALUES (?, ?, ?, ?, ?)", -1, &insert, NULL) != SQLITE_OK)
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        const model_t model = models != NULL ? models[i] : sample_model((int)i);
        sqlite3_bind_int64(insert, 1, model.id);
        sqlite3_bind_text(insert, 2, model.name, -1, SQLITE_TRANSIENT);
        sqlite3_bind_text(insert, 3, model.provider, -1, SQLITE_TRANSIENT);
        sqlite3_bind_int64(insert, 4, model.context_length);
        sqlite3_bind_int(insert, 5, model.is_active);
        ok = sqlite3_step(insert) == SQLITE_DONE;
        sqlite3_reset(insert);
    }
    sqlite3_finalize(insert);
    return ok;
}

static int has_models_row(void *found, int columns, char **values, char **names)
{
    (void)columns, (void)values, (void)names;
    *(bool *)found = true;
    return 0;
}

/* One transaction: whoever is interrupted here leaves no half-filled table. */
static int sqlite_create_models(database_t *database, int count)
{
    sqlite3 *sqlite = database->connection;
    bool is_there = false;
    if (sqlite3_exec(sqlite, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(sqlite, "SELECT 1 FROM sqlite_master WHERE name = 'models'", has_models_row, &is_there, NULL) != SQLITE_OK)
        return failed(database);
    if (!is_there &&
        (sqlite3_exec(sqlite,
                      "CREATE TABLE models (id INTEGER PRIMARY KEY, name TEXT NOT NULL, provider TEXT NOT NULL,"
                      " context_length INTEGER NOT NULL, is_active INTEGER NOT NULL)",
                      NULL, NULL, NULL) != SQLITE_OK ||
         !insert_models(sqlite, NULL, (size_t)count)))
        return failed(database);
    if (sqlite3_exec(sqlite, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        return failed(database);
    return is_there ? 0 : count;
}

static bool delete_models(sqlite3 *sqlite, const char *provider)
{
    sqlite3_stmt *delete = NULL;
    if (sqlite3_prepare_v2(sqlite, "DELETE FROM models WHERE provider = ?", -1, &delete, NULL) != SQLITE_OK)
        return false;
    sqlite3_bind_text(delete, 1, provider, -1, SQLITE_TRANSIENT);
    const bool ok = sqlite3_step(delete) == SQLITE_DONE;
    sqlite3_finalize(delete);
    return ok;
}

static int sqlite_replace_models(database_t *database, const char *provider, const model_t *models, size_t count)
{
    sqlite3 *sqlite = database->connection;
    if (sqlite3_exec(sqlite, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK || !delete_models(sqlite, provider) ||
        !insert_models(sqlite, models, count) || sqlite3_exec(sqlite, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        return failed(database);
    return (int)count;
}

static void read_row(sqlite3_stmt *row, model_t *model)
{
    model->id = sqlite3_column_int64(row, 0);
    snprintf(model->name, sizeof(model->name), "%s", (const char *)sqlite3_column_text(row, 1));
    snprintf(model->provider, sizeof(model->provider), "%s", (const char *)sqlite3_column_text(row, 2));
    model->context_length = sqlite3_column_int64(row, 3);
    model->is_active = sqlite3_column_int(row, 4) != 0;
}

static int sqlite_read_models(database_t *database, bool include_inactive, size_t offset, int limit, model_t *models)
{
    static const char query[] = "SELECT id, name, provider, context_length, is_active FROM models"
                                " WHERE is_active OR ?1 ORDER BY id LIMIT ?2 OFFSET ?3";
    sqlite3_stmt *select = NULL;
    if (sqlite3_prepare_v2(database->connection, query, -1, &select, NULL) != SQLITE_OK)
        return failed(database);
    sqlite3_bind_int(select, 1, include_inactive);
    sqlite3_bind_int(select, 2, limit);
    sqlite3_bind_int64(select, 3, (sqlite3_int64)offset);
    int rows = 0;
    int result;
    while ((result = sqlite3_step(select)) == SQLITE_ROW && rows < limit)
        read_row(select, &models[rows++]);
    const int count = result == SQLITE_DONE ? rows : failed(database);
    sqlite3_finalize(select);
    return count;
}

static void sqlite_close(database_t *database)
{
    sqlite3_close(database->connection); /* rolls back what was not committed */
}

const database_driver_t database_sqlite = {
    .accepts = is_path,
    .open = sqlite_open,
    .create_models = sqlite_create_models,
    .read_models = sqlite_read_models,
    .replace_models = sqlite_replace_models,
    .close = sqlite_close,
};
