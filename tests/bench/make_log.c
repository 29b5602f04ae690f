/* make_log LINES: a log of that many lines on stdout, as the specification's services write it: 30 of 100 operations ask the
 * database, 1 of 200 fails, the others find the cache. Always the same. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t state = 88172645463325252u;

static double uniform(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (double)(state >> 11) / 9007199254740992.0;
}

static double duration(double mean)
{
    return -mean * log(1 - uniform());
}

static int database(void)
{
    const int models = 100 + (int)(uniform() * 9900);
    printf("[INFO] 🚀 START: Database: Fetch All Models (table=models, include_inactive=false)\n"
           "[INFO] ▶️  [1/2] Connecting to database (table=models, replica=read)\n"
           "[INFO] ✅ [1/2] Connecting to database - SUCCESS (connection=ready, page_size=1000, duration_ms=%.1f)\n",
           duration(15));
    printf("[INFO] ▶️  [2/2] Fetching models (paginated) (table=models)\n"
           "[DEBUG] Fetched batch 1: %d models (offset=0, total=%d)\n",
           models, models);
    printf("[INFO] ✅ [2/2] Fetching models (paginated) - SUCCESS (total_models=%d, batches=%d, page_size=1000, "
           "duration_ms=%.1f)\n",
           models, models / 1000 + 1, duration(2000));
    printf("[INFO] 🏁 COMPLETE: Database: Fetch All Models (total_models=%d, table=models, include_inactive=false, "
           "total_duration_ms=%.1f)\n",
           models, duration(2015));
    return 7;
}

static int cache(void)
{
    const char *result = uniform() < 0.9 ? "HIT" : "MISS";
    const int models = 100 + (int)(uniform() * 9900);
    printf("[INFO] 🚀 START: Cache: Fetch Full Catalog (cache_type=full_catalog, requested_by=catalog-service, region=eu-west)\n"
           "[INFO] ▶️  [1/5] Checking Redis cache (cache_layer=redis, key=models:full_catalog:v2, timeout_ms=250)\n"
           "[DEBUG] Cache %s: Full model catalog (key=models:full_catalog:v2, node=redis-1)\n",
           result);
    printf("[INFO] ✅ [1/5] Checking Redis cache - SUCCESS (result=%s, count=%d, node=redis-1, duration_ms=%.1f)\n", result,
           models, duration(2));
    printf("[INFO] 🏁 COMPLETE: Cache: Fetch Full Catalog (source=redis, models=%d, cache_status=fresh, total_duration_ms=%.1f)\n",
           models, duration(3));
    return 5;
}

static int failure(void)
{
    printf("[INFO] 🚀 START: OpenRouter Model Fetch (provider=openrouter, endpoint=https://openrouter.ai/api/v1/models)\n"
           "[INFO] ▶️  [1/4] Validating API key (provider=openrouter)\n"
           "[INFO] ✅ [1/4] Validating API key - SUCCESS (status=configured, duration_ms=0.1)\n"
           "[INFO] ▶️  [2/4] Fetching models from API (provider=openrouter)\n"
           "[ERROR] ❌ [2/4] Fetching models from API - FAILED: Request timeout after 30s (duration_ms=%.1f)\n"
           "[ERROR] OpenRouter timeout error: Request timeout after 30s\n",
           30000 + 100 * uniform());
    return 6;
}

int main(int argc, char **argv)
{
    const long lines = argc == 2 ? atol(argv[1]) : 0;
    if (lines <= 0) {
        fprintf(stderr, "usage: %s LINES\n", argv[0]);
        return 2;
    }
    for (long done = 0; done < lines;) {
        const double chance = uniform();
        done += chance < 0.3 ? database() : chance < 0.995 ? cache() : failure();
    }
    return ferror(stdout) || fflush(stdout) != 0 ? 1 : 0;
}
