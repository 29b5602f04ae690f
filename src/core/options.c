/* What step_log_open() accepts; each refusal says what is allowed. */
#include "base/options.h"

#include "core/log.h"

#include <stdio.h>
#include <string.h>

enum { RING_BYTES_MIN = 4096, RING_BYTES_MAX = 1 << 30 };

static int refuse(const step_log_options_t *options, int code, const char *text)
{
    stepi_diagnose_options(options, code, "step_log_open(): %s", text);
    return code;
}

static int check_values(const step_log_options_t *o)
{
    if (o->level < 1 || o->level > STEP_LEVEL_OFF)
        return refuse(o, STEP_EINVAL, "level is not one of STEP_LEVEL_DEBUG to STEP_LEVEL_OFF");
    if (o->mode != STEP_MODE_ASYNC && o->mode != STEP_MODE_SYNC)
        return refuse(o, STEP_EINVAL, "mode is neither STEP_MODE_ASYNC nor STEP_MODE_SYNC");
    if (o->when_full != STEP_FULL_BLOCK && o->when_full != STEP_FULL_DROP)
        return refuse(o, STEP_EINVAL, "when_full is neither STEP_FULL_BLOCK nor STEP_FULL_DROP");
    if (o->ring_bytes < RING_BYTES_MIN || o->ring_bytes > RING_BYTES_MAX || (o->ring_bytes & (o->ring_bytes - 1)) != 0)
        return refuse(o, STEP_EINVAL, "ring_bytes is not a power of two between 4096 and 1073741824");
    if (o->reserved != 0)
        return refuse(o, STEP_EINVAL, "reserved is not 0");
    if (o->clock != NULL && (o->clock->wall_ns == NULL || o->clock->monotonic_ns == NULL))
        return refuse(o, STEP_EINVAL, "the clock lacks wall_ns or monotonic_ns");
    if (!(o->sample_rate >= 0.0 && o->sample_rate <= 1.0))
        return refuse(o, STEP_EINVAL, "sample_rate is not between 0 and 1");
    if (o->redact_keys != NULL && strlen(o->redact_keys) >= STEPI_REDACT_BYTES)
        return refuse(o, STEP_EINVAL, "redact_keys is longer than 1023 bytes");
    return STEP_OK;
}

static int check_rules(const step_log_options_t *o)
{
    stepi_rules_t rules;
    stepi_slice_t bad;
    char text[200];
    if (stepi_rules_read(&rules, o->level_rules, &bad))
        return STEP_OK;
    if (bad.length == 0)
        return refuse(o, STEP_EINVAL, "level_rules has more than 32 rules or 1023 bytes");
    snprintf(text, sizeof(text), "level_rules: \"%.*s\" is not PATTERN=LEVEL with debug, info, warning, error, critical or off",
             bad.length < 100 ? (int)bad.length : 100, bad.bytes);
    return refuse(o, STEP_EINVAL, text);
}

int stepi_log_options_read(const step_log_options_t *given, step_log_options_t *options)
{
    const step_log_options_t defaults = STEP_LOG_OPTIONS_INIT;
    *options = defaults;
    if (given != NULL && !stepi_options_copy(options, sizeof(*options), given, given->size)) {
        *options = defaults;
        return refuse(options, STEP_EINVAL, "options.size is not one this library knows; start from STEP_LOG_OPTIONS_INIT");
    }
    const int bad = check_values(options);
    return bad == STEP_OK ? check_rules(options) : bad;
}
