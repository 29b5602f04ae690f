#include "players.h"

#include <stddef.h>

int main(int argc, char **argv)
{
    static const player_t *const players[] = {
        &ours_success,          &ours_quick,         &ours_message,  &ours_off,      &ours_rhythm_0,
        &ours_rhythm_4,         &ours_rhythm_12,     &ours_rhythm_10_bytes, &ours_rhythm_200_bytes, &ours_rhythm_nested,
        &floor_nothing,         &floor_copy,         &floor_text,    &floor_locked_text, &floor_fprintf, NULL,
    };
    return bench_play(players, argc, argv);
}
