/* The players in C: ours, and the floors beside which they are measured. */
#ifndef BENCH_PLAYERS_H
#define BENCH_PLAYERS_H

#include "player.h"

extern const player_t ours_success, ours_quick, ours_message, ours_off;
extern const player_t ours_rhythm_0, ours_rhythm_4, ours_rhythm_12, ours_rhythm_10_bytes, ours_rhythm_200_bytes,
    ours_rhythm_nested;
extern const player_t floor_nothing, floor_copy, floor_text, floor_locked_text, floor_fprintf;

#endif
