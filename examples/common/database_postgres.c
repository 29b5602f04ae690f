#include "database_driver.h"

#include <step_logger.h>

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libpq explains at length, over several lines. The reason is in the first: `connection to server at ... failed: REASON` when
 * the system refused, `FATAL:  REASON` when the server did, and the one within the other. */
static void reason(char *out, size_t size, const char *message)
{
    static const char *const marks[] = { " failed: ", ":  " };
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        const char *mark = strstr(message, marks[i]);
        if (mark != NULL && mark < message + strcspn(message, "\n"))
            message = mark + strlen(marks[i]);
    }
    snprintf(out, size, "%.*s", (int)strcspn(message, "\n"), message);
}

/* Keeps why it failed and returns -1. */
static int failed(database_t *database)
{
    reason(database->error, sizeof(database->error), PQerrorMessage(database->connection));
    return -1;
}

/* What the server has to say meanwhile goes where everything goes, not to stderr. */
static void log_notice(void *unused, const char *message)
{
    char text[256];
    (void)unused;
    reason(text, sizeof(text), message);
    step_warning(text);
}

static bool is_postgres(const char *location)
{
    return strncmp(location, "postgres://", 11) == 0 || strncmp(location, "postgresql://", 13) == 0;
}

/* What the location says for itself comes later, and wins. */
static bool postgres_open(database_t *database, const char *location, database_access_t access)
{
    const char *const keys[] = { "connect_timeout", "options", "dbname", NULL };
    const char *const values[] = { "10", access == DATABASE_READ ? "-c default_transaction_read_only=on" : "", location, NULL };
    PGconn *postgres = PQconnectdbParams(keys, values, 1);
    database->connection = postgres;
    if (PQstatus(postgres) != CONNECTION_OK) {
        failed(database);
        return false;
    }
    PQsetNoticeProcessor(postgres, log_notice, NULL);
    return true;
}

/* Whether the result is what it should be; frees it. */
static bool is_done(PGresult *result, ExecStatusType expected)
{
    const bool is = PQresultStatus(result) == expected;
    PQclear(result);
    return is;
}

static bool run(PGconn *postgres, const char *command, ExecStatusType expected)
{
    return is_done(PQexec(postgres, command), expected);
}

static bool insert_models(PGconn *postgres, int count)
{
    if (!run(postgres, "COPY models FROM STDIN", PGRES_COPY_IN))
        return false;
    for (int i = 0; i < count; i++) {
        const model_t model = sample_model(i); /* has nothing that COPY would want escaped */
        char row[256];
        const int bytes = snprintf(row, sizeof(row), "%lld\t%s\t%s\t%lld\t%d\n", (long long)model.id, model.name, model.provider,
                                   (long long)model.context_length, model.is_active);
        if (PQputCopyData(postgres, row, bytes) != 1)
            return false;
    }
    if (PQputCopyEnd(postgres, NULL) != 1)
        return false;
    return is_done(PQgetResult(postgres), PGRES_COMMAND_OK) && PQgetResult(postgres) == NULL;
}

/* One transaction: whoever is interrupted here leaves no half-filled table; who comes second waits at the lock. */
static int postgres_create_models(database_t *database, int count)
{
    PGconn *postgres = database->connection;
    if (!run(postgres, "BEGIN", PGRES_COMMAND_OK) ||
        !run(postgres, "SELECT pg_advisory_xact_lock(hashtext('models'))", PGRES_TUPLES_OK))
        return failed(database);
    PGresult *found = PQexec(postgres, "SELECT 1 WHERE to_regclass('models') IS NOT NULL");
    const bool is_there = PQntuples(found) == 1;
    if (!is_done(found, PGRES_TUPLES_OK))
        return failed(database);
    if (!is_there && (!run(postgres,
                           "CREATE TABLE models (id bigint PRIMARY KEY, name text NOT NULL, provider text NOT NULL,"
                           " context_length bigint NOT NULL, is_active boolean NOT NULL)",
                           PGRES_COMMAND_OK) ||
                      !insert_models(postgres, count)))
        return failed(database);
    if (!run(postgres, "COMMIT", PGRES_COMMAND_OK))
        return failed(database);
    return is_there ? 0 : count;
}

static bool insert_model(PGconn *postgres, const model_t *model)
{
    char id[24];
    char context_length[24];
    snprintf(id, sizeof(id), "%lld", (long long)model->id);
    snprintf(context_length, sizeof(context_length), "%lld", (long long)model->context_length);
    const char *const values[] = { id, model->name, model->provider, context_length, model->is_active ? "t" : "f" };
    return is_done(PQexecPrepared(postgres, "", 5, values, NULL, NULL, 0), PGRES_COMMAND_OK);
}

static int postgres_replace_models(database_t *database, const char *provider, const model_t *models, size_t count)
{
    static const char delete[] = "DELETE FROM models WHERE provider = $1";
    static const char insert[] = "INSERT INTO models VALUES ($1, $2, $3, $4, $5)";
    PGconn *postgres = database->connection;
    if (!run(postgres, "BEGIN", PGRES_COMMAND_OK) ||
        !is_done(PQexecParams(postgres, delete, 1, NULL, &provider, NULL, NULL, 0), PGRES_COMMAND_OK) ||
        !is_done(PQprepare(postgres, "", insert, 5, NULL), PGRES_COMMAND_OK))
        return failed(database);
    for (size_t i = 0; i < count; i++)
        if (!insert_model(postgres, &models[i]))
            return failed(database);
    return run(postgres, "COMMIT", PGRES_COMMAND_OK) ? (int)count : failed(database);
}

static void read_row(const PGresult *rows, int row, model_t *model)
{
    model->id = atoll(PQgetvalue(rows, row, 0));
    snprintf(model->name, sizeof(model->name), "%s", PQgetvalue(rows, row, 1));
    snprintf(model->provider, sizeof(model->provider), "%s", PQgetvalue(rows, row, 2));
    model->context_length = atoll(PQgetvalue(rows, row, 3));
    model->is_active = *PQgetvalue(rows, row, 4) == 't';
}

static int postgres_read_models(database_t *database, bool include_inactive, size_t offset, int limit, model_t *models)
{
    static const char query[] = "SELECT id, name, provider, context_length, is_active FROM models"
                                " WHERE is_active OR $1::boolean ORDER BY id LIMIT $2::bigint OFFSET $3::bigint";
    char limit_text[24];
    char offset_text[24];
    snprintf(limit_text, sizeof(limit_text), "%d", limit);
    snprintf(offset_text, sizeof(offset_text), "%zu", offset);
    const char *const values[] = { include_inactive ? "t" : "f", limit_text, offset_text };
    PGresult *rows = PQexecParams(database->connection, query, 3, NULL, values, NULL, NULL, 0);
    const int count = PQntuples(rows); /* 0 when it failed */
    for (int i = 0; i < count; i++)
        read_row(rows, i, &models[i]);
    return is_done(rows, PGRES_TUPLES_OK) ? count : failed(database);
}

static void postgres_close(database_t *database)
{
    PQfinish(database->connection); /* rolls back what was not committed */
}

const database_driver_t database_postgres = {
    .accepts = is_postgres,
    .open = postgres_open,
    .create_models = postgres_create_models,
    .read_models = postgres_read_models,
    .replace_models = postgres_replace_models,
    .close = postgres_close,
};
