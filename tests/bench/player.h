/* What is measured, and how: a player is one way to log the same line, a program of players plays one of them in one discipline
 * and says what it measured. So each has a process of its own: its memory, its threads and its CPU time are its own. */
#ifndef BENCH_PLAYER_H
#define BENCH_PLAYER_H

#ifdef __cplusplus
extern "C" {
#endif

typedef struct player {
    const char *name;
    void (*open)(const char *path); /* NULL: there is nothing to open */
    void (*before)(int i);          /* before each call, not timed; NULL: nothing */
    void (*call)(int i);
    void (*flush)(void); /* NULL: nothing to wait for */
    void (*close)(void); /* everything is in the file when it returns; NULL: nothing to close */
} player_t;

/* The line: `[INFO] ✅ [2/4] Fetching models from API - SUCCESS (raw_count=…, status_code=200, provider=openrouter,
 * duration_ms=1523.7)`. */
#define BENCH_DESCRIPTION "Fetching models from API"
#define BENCH_PROVIDER "openrouter"
#define BENCH_DURATION 1523.7

enum { BENCH_STATUS = 200, BENCH_STEP = 2, BENCH_STEPS = 4, BENCH_RING = 1 << 18 };

/* PROGRAM DISCIPLINE PLAYER ARGUMENTS: the main() of a program of players. */
int bench_play(const player_t *const *players, int argc, char **argv);

#ifdef __cplusplus
}
#endif
#endif
