#include "redis_cache.h"

#include <errno.h>
#include <hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

struct redis_cache {
    redisContext *connection;
    char error[256];
};

static const struct timeval timeout = { .tv_sec = 2 };

static bool failed(redis_cache_t *redis, const char *error)
{
    snprintf(redis->error, sizeof(redis->error), "%s", error);
    return false;
}

/* hiredis reports a timeout of a read as what read() said. */
static bool connection_failed(redis_cache_t *redis)
{
    const bool timed_out = redis->connection->err == REDIS_ERR_IO && (errno == EAGAIN || errno == EWOULDBLOCK);
    return failed(redis, timed_out ? strerror(ETIMEDOUT) : redis->connection->errstr);
}

redis_cache_t *redis_cache_open(const char *url)
{
    redis_cache_t *redis = calloc(1, sizeof(*redis));
    char host[128];
    int port;
    char more;
    if (redis == NULL)
        return NULL;
    if (sscanf(url, "redis://%127[^:/@]:%d%c", host, &port, &more) != 2) {
        failed(redis, "not a location like redis://HOST:PORT");
        return redis;
    }
    redis->connection = redisConnectWithTimeout(host, port, timeout);
    if (redis->connection == NULL)
        failed(redis, "out of memory");
    else if (redis->connection->err != 0 || redisSetTimeout(redis->connection, timeout) != REDIS_OK)
        connection_failed(redis);
    return redis;
}

bool redis_cache_is_connected(const redis_cache_t *redis)
{
    return redis != NULL && redis->connection != NULL && redis->connection->err == 0;
}

const char *redis_cache_error(const redis_cache_t *redis)
{
    return redis != NULL ? redis->error : "out of memory";
}

/* The reply to a command, to be freed; NULL when there is none, or when it is an error. */
static redisReply *replied(redis_cache_t *redis, redisReply *reply)
{
    if (reply == NULL) {
        connection_failed(redis);
    } else if (reply->type == REDIS_REPLY_ERROR) {
        failed(redis, reply->str);
        freeReplyObject(reply);
        reply = NULL;
    }
    return reply;
}

bool redis_cache_get(redis_cache_t *redis, const char *key, char **text, size_t *bytes)
{
    if (!redis_cache_is_connected(redis))
        return false;
    redisReply *reply = replied(redis, redisCommand(redis->connection, "GET %s", key));
    if (reply == NULL)
        return false;
    *text = NULL;
    *bytes = 0;
    bool ok = true;
    if (reply->type == REDIS_REPLY_STRING) {
        *bytes = (size_t)reply->len;
        *text = malloc(*bytes + 1);
        ok = *text != NULL || failed(redis, "out of memory");
        if (ok)
            memcpy(*text, reply->str, *bytes + 1); /* hiredis terminates it */
    }
    freeReplyObject(reply);
    return ok;
}

bool redis_cache_set(redis_cache_t *redis, const char *key, const char *text, size_t bytes, int ttl_s)
{
    if (!redis_cache_is_connected(redis))
        return false;
    redisReply *reply = replied(redis, redisCommand(redis->connection, "SET %s %b EX %d", key, text, bytes, ttl_s));
    if (reply == NULL)
        return false;
    freeReplyObject(reply);
    return true;
}

bool redis_cache_delete(redis_cache_t *redis, const char *key, bool *was_there)
{
    if (!redis_cache_is_connected(redis))
        return false;
    redisReply *reply = replied(redis, redisCommand(redis->connection, "DEL %s", key));
    if (reply == NULL)
        return false;
    *was_there = reply->integer > 0;
    freeReplyObject(reply);
    return true;
}

void redis_cache_close(redis_cache_t *redis)
{
    if (redis == NULL)
        return;
    redisFree(redis->connection);
    free(redis);
}
