/* One text in Redis, under a key, for a time.
 *
 * Calls that fail return false and redis_cache_error() says why. What is lost is the connection only if the server is gone;
 * later calls then fail at once. redis_cache_open() also returns an object when it could not connect, to hold the reason; NULL,
 * for want of memory, is safe in every call. The program ignores SIGPIPE, which hiredis does not. */
#ifndef EXAMPLES_REDIS_CACHE_H
#define EXAMPLES_REDIS_CACHE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct redis_cache redis_cache_t;

redis_cache_t *redis_cache_open(const char *url); /* redis://HOST:PORT */

bool redis_cache_is_connected(const redis_cache_t *redis);

/* Why the last call failed. */
const char *redis_cache_error(const redis_cache_t *redis);

/* *text: what is there, to be freed; NULL when there is nothing. */
bool redis_cache_get(redis_cache_t *redis, const char *key, char **text, size_t *bytes);

bool redis_cache_set(redis_cache_t *redis, const char *key, const char *text, size_t bytes, int ttl_s);

/* *was_there: whether there was something under the key. */
bool redis_cache_delete(redis_cache_t *redis, const char *key, bool *was_there);

void redis_cache_close(redis_cache_t *redis);

#endif
