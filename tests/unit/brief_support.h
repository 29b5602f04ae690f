/* Records as the short way of a call leaves them, from call sites that look like any, and what they hold by chance. */
#ifndef TESTS_UNIT_BRIEF_SUPPORT_H
#define TESTS_UNIT_BRIEF_SUPPORT_H

#include "format_support.h"

#include "record/brief.h"
#include "record/shape.h"

enum { SITES = 48, BRIEF_MAX = 4096, VALUE_MAX = 300 };

/* What all records of a call site have in common. */
typedef struct site {
    uint16_t parts;
    uint8_t kind, level;
    uint16_t depth;
    int32_t step, total;
    sample_t text;              /* description or message */
    const stepi_shape_t *shape; /* NULL: it has no fields */
    uint32_t attempt;           /* 0: it is not told */
} site_t;

typedef struct made_brief {
    _Alignas(stepi_record_t) uint8_t bytes[BRIEF_MAX];
    size_t size, used;
} made_brief_t;

static const char *random_key(char key[32])
{
    const sample_t *sample = &hostile[random_below(COUNT(hostile))];
    if (random_below(3) == 0 && sample->length > 0 && sample->length < 100)
        return sample->bytes;
    snprintf(key, 32, "key_%d", (int)random_below(1000));
    return key;
}

static const stepi_shape_t *random_shape(uint32_t line)
{
    static const uint8_t types[] = { STEP_FIELD_I64,  STEP_FIELD_I64,   STEP_FIELD_TEXT,
                                     STEP_FIELD_TEXT, STEP_FIELD_U64,   STEP_FIELD_F64,
                                     STEP_FIELD_BOOL, STEP_FIELD_FIXED, STEP_FIELD_PERCENT };
    char keys[STEPI_SHAPE_FIELDS][32];
    step_field_t fields[STEPI_SHAPE_FIELDS];
    step_site_t site = { .file = "brief.c", .line = line };
    const size_t count = 1 + random_below(STEPI_SHAPE_FIELDS);
    for (size_t i = 0; i < count; i++)
        fields[i] = (step_field_t){ .key = random_key(keys[i]),
                                    .type = types[random_below(COUNT(types))] | (uint32_t)(i + 1) << 8,
                                    .bytes = (uint32_t)(random_below(3) != 0 ? 1 : random_below(20)) };
    stepi_shape_learn(&site, fields, count);
    assert_int_not_equal(site.state[0], 0);
    return stepi_shape_of_site(&site);
}

/* Most texts are such as people write. */
static sample_t random_text(void)
{
    static const sample_t usual[] = { SAMPLE("Fetching models from API"),
                                      SAMPLE("Parse"),
                                      SAMPLE("Store 12 rows (batch)"),
                                      SAMPLE("openrouter"),
                                      SAMPLE("eu-west-1"),
                                      SAMPLE("sixteen bytes ok"),
                                      SAMPLE("https://example.org/a?b=c"),
                                      SAMPLE("a-text-of-its-own-that-is-longer-than-sixteen") };
    const sample_t chosen =
        random_below(3) != 0 ? usual[random_below(COUNT(usual))] : hostile[random_below(COUNT(hostile))];
    return chosen.length <= VALUE_MAX ? chosen : usual[0];
}

static uint8_t kind_of(uint16_t parts)
{
    if (parts == STEPI_BRIEF_STEP)
        return STEPI_STEP_START;
    return parts == STEPI_BRIEF_MESSAGE ? STEPI_MESSAGE : STEPI_STEP_SUCCESS;
}

UNUSED static void make_sites(site_t sites[SITES])
{
    static const uint16_t parts[] = { STEPI_BRIEF_STEP, STEPI_BRIEF_SUCCESS, STEPI_BRIEF_QUICK, STEPI_BRIEF_MESSAGE };
    static const uint8_t levels[] = { STEP_LEVEL_DEBUG,   STEP_LEVEL_INFO, STEP_LEVEL_INFO, 10,
                                      STEP_LEVEL_WARNING, STEP_LEVEL_ERROR };
    for (uint32_t i = 0; i < SITES; i++) {
        sites[i] = (site_t){ .parts = parts[random_below(COUNT(parts))],
                             .level = levels[random_below(COUNT(levels))],
                             .depth = (uint16_t)(random_below(3) != 0 ? 0 : random_below(40)),
                             .text = random_text(),
                             .shape = random_below(4) != 0 ? random_shape(i) : NULL,
                             .attempt = random_below(4) != 0 ? 0 : 2 };
        sites[i].kind = kind_of(sites[i].parts);
        if (sites[i].kind != STEPI_MESSAGE) {
            sites[i].step = (int32_t)random_below(12) - 2;
            sites[i].total = (int32_t)random_below(8);
        }
    }
}

/* ---- Values ---- */

static uint64_t random_bits(void)
{
    return random_below(UINT64_C(1) << 32) << 32 | random_below(UINT64_C(1) << 32);
}

static uint64_t random_number(uint8_t type)
{
    static const double numbers[] = {
        0.0, -0.0, 0.05, 0.25, 1523.7, 99.95, 9999999.95, 1e21, -1e-7, 5e-324, 1.7976931348623157e308
    };
    double number = numbers[random_below(COUNT(numbers))];
    uint64_t bits = random_bits();
    if (type == STEP_FIELD_BOOL)
        return random_below(2);
    if (type == STEP_FIELD_I64 || type == STEP_FIELD_U64)
        return random_below(4) == 0 ? bits : random_below(2) == 0 ? random_below(100000000) : 0 - random_below(20);
    if (random_below(3) == 0)
        return bits; /* infinities and NaN are among them */
    if (random_below(3) != 0)
        number = (double)random_below(100000000) / 1000.0;
    memcpy(&bits, &number, sizeof(bits));
    return bits;
}

static void put_bytes(made_brief_t *made, const void *bytes, size_t n)
{
    assert_true(made->used + n <= sizeof(made->bytes));
    memcpy(made->bytes + made->used, bytes, n);
    made->used += n;
}

static void put_sample(made_brief_t *made, sample_t text)
{
    const uint32_t length = (uint32_t)text.length;
    put_bytes(made, &length, sizeof(length));
    put_bytes(made, text.bytes, text.length);
}

static void put_values(made_brief_t *made, const stepi_shape_t *shape)
{
    sample_t texts[STEPI_SHAPE_FIELDS];
    size_t count = 0;
    for (int i = 0; i < shape->count; i++) {
        uint64_t value = random_number(shape->types[i]);
        if (shape->types[i] == STEP_FIELD_TEXT && random_below(20) == 0) {
            value = STEPI_TEXT_NULL;
        } else if (shape->types[i] == STEP_FIELD_TEXT) {
            texts[count] = random_text();
            value = texts[count++].length;
        }
        put_bytes(made, &value, sizeof(value));
    }
    for (size_t i = 0; i < count; i++)
        put_bytes(made, texts[i].bytes, texts[i].length);
}

static void put_fields(made_brief_t *made, const stepi_shape_t *shape)
{
    const uint32_t head[2] = { shape->number, 0 };
    put_bytes(made, head, sizeof(head));
    put_values(made, shape);
}

static void put_parts(made_brief_t *made, const site_t *site)
{
    const uint64_t elapsed = random_below(4) == 0 ? random_bits() >> random_below(64) : random_below(10000000000);
    const uint32_t attempt[2] = { site->attempt, 0 };
    if (site->parts == STEPI_BRIEF_SUCCESS)
        put_bytes(made, &elapsed, sizeof(elapsed));
    if (site->parts != STEPI_BRIEF_MESSAGE) {
        put_bytes(made, &site->step, sizeof(site->step));
        put_bytes(made, &site->total, sizeof(site->total));
    }
    if (site->attempt != 0)
        put_bytes(made, attempt, sizeof(attempt));
    if (site->parts == STEPI_BRIEF_STEP)
        put_bytes(made, &elapsed, sizeof(elapsed)); /* for a span */
    if (site->parts != STEPI_BRIEF_SUCCESS)
        put_sample(made, site->text);
}

/* A record of the site, of that operation (0: none) at that moment. */
UNUSED static void make_brief(made_brief_t *made, const site_t *site, uint64_t operation, uint64_t stamp)
{
    static const uint8_t padding[8];
    stepi_record_t header = { .seq = stamp,
                              .stamp = stamp,
                              .operation = operation,
                              .kind = site->kind,
                              .level = site->level,
                              .parts = site->parts,
                              .depth = site->depth };
    made->used = sizeof(header);
    put_parts(made, site);
    if (site->attempt != 0)
        header.parts |= STEPI_PART_ATTEMPT;
    if (site->shape != NULL) {
        header.parts |= STEPI_PART_SHAPE;
        header.fields = site->shape->count;
        put_fields(made, site->shape);
    }
    put_bytes(made, padding, (8 - made->used % 8) % 8);
    made->size = made->used;
    header.bytes = (uint32_t)made->size;
    memcpy(made->bytes, &header, sizeof(header));
}

#endif
