/* What values mean. */
#include "reader/entry.h"

#include "format/text_guess.h"

#include <stdlib.h>

/* ---- Types ---- */

static bool is_ascii(stepi_span_t s)
{
    for (; s.at < s.end; s.at++)
        if ((unsigned char)*s.at >= 0x7F)
            return false;
    return true;
}

stepi_value_type_t stepi_bare_type(stepi_span_t bare)
{
    if (STEPI_SPAN_IS(bare, "***"))
        return STEPI_VALUE_SECRET;
    if (!stepi_reads_as_literal(bare.at, stepi_span_bytes(bare)))
        return STEPI_VALUE_STRING;
    if (STEPI_SPAN_IS(bare, "true"))
        return STEPI_VALUE_TRUE;
    if (STEPI_SPAN_IS(bare, "false"))
        return STEPI_VALUE_FALSE;
    if (STEPI_SPAN_IS(bare, "null"))
        return STEPI_VALUE_NULL;
    return is_ascii(bare) ? STEPI_VALUE_NUMBER : STEPI_VALUE_STRING; /* `0x` and anything is none of ours */
}

/* ---- Numbers ---- */

static bool take_unsigned(stepi_span_t s, uint64_t *number)
{
    stepi_span_t digits;
    if (!stepi_take_digits(&s, &digits) || s.at != s.end)
        return false;
    uint64_t v = 0;
    for (const char *at = digits.at; at < digits.end; at++)
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, (uint64_t)(*at - '0'), &v))
            return false;
    *number = v;
    return true;
}

static const stepi_value_t *own_number(const stepi_entry_t *entry, stepi_own_t member)
{
    const stepi_value_t *value = stepi_own(entry, member);
    return value != NULL && value->type == STEPI_VALUE_NUMBER ? value : NULL;
}

bool stepi_own_unsigned(const stepi_entry_t *entry, stepi_own_t member, uint64_t *number)
{
    const stepi_value_t *value = own_number(entry, member);
    return value != NULL && take_unsigned(stepi_value_span(value), number);
}

bool stepi_own_integer(const stepi_entry_t *entry, stepi_own_t member, int64_t *number)
{
    const stepi_value_t *value = own_number(entry, member);
    if (value == NULL)
        return false;
    stepi_span_t s = stepi_value_span(value);
    const bool is_negative = stepi_take_char(&s, '-');
    uint64_t v;
    if (!take_unsigned(s, &v) || v > INT64_MAX)
        return false;
    *number = is_negative ? -(int64_t)v : (int64_t)v;
    return true;
}

/* ---- Ids ---- */

static size_t id_digits(stepi_own_t member)
{
    if (member == STEPI_OWN_TRACE_ID)
        return 32;
    if (member == STEPI_OWN_TRACE_FLAGS)
        return 2;
    return member == STEPI_OWN_SPAN_ID || member == STEPI_OWN_PARENT_SPAN_ID ? 16 : 0;
}

bool stepi_is_id_member(stepi_own_t member)
{
    return id_digits(member) > 0;
}

bool stepi_is_id(stepi_own_t member, const stepi_value_t *value)
{
    if (value->bytes != id_digits(member) || value->bytes == 0)
        return false;
    for (uint32_t i = 0; i < value->bytes; i++)
        if (!stepi_is_digit(value->at[i]) && (value->at[i] < 'a' || value->at[i] > 'f'))
            return false;
    return true;
}

/* ---- Soundness ---- */

/* An integer as we write it: no zero before other digits, and within the range of an int. */
static bool is_int(const stepi_entry_t *entry, stepi_own_t member, int64_t least)
{
    int64_t number;
    const stepi_value_t *value = stepi_own(entry, member);
    if (!stepi_own_integer(entry, member, &number) || number < least || number > INT32_MAX)
        return false;
    const size_t sign = *value->at == '-' ? 1 : 0;
    return value->bytes == sign + 1 || value->at[sign] != '0';
}

static bool is_count(const stepi_entry_t *entry, stepi_own_t member)
{
    uint64_t number;
    const stepi_value_t *value = stepi_own(entry, member);
    return stepi_own_unsigned(entry, member, &number) && (value->bytes == 1 || *value->at != '0');
}

static bool has_sound_step(const stepi_entry_t *entry)
{
    if (!is_int(entry, STEPI_OWN_STEP, INT32_MIN) || stepi_own(entry, STEPI_OWN_DESCRIPTION) == NULL)
        return false;
    return stepi_own(entry, STEPI_OWN_TOTAL_STEPS) == NULL || is_int(entry, STEPI_OWN_TOTAL_STEPS, 1);
}

bool stepi_entry_is_sound(const stepi_entry_t *entry)
{
    const bool has_step = stepi_own(entry, STEPI_OWN_STEP) != NULL;
    switch (entry->kind) {
    case STEPI_STEP_START:
    case STEPI_STEP_SUCCESS:
    case STEPI_STEP_SKIP:
        return has_sound_step(entry);
    case STEPI_STEP_FAILURE:
        return has_step ? has_sound_step(entry) : stepi_own(entry, STEPI_OWN_OPERATION) != NULL;
    case STEPI_PROGRESS:
        return is_count(entry, STEPI_OWN_PROGRESS_DONE) &&
               (stepi_own(entry, STEPI_OWN_PROGRESS_TOTAL) == NULL || is_count(entry, STEPI_OWN_PROGRESS_TOTAL)) &&
               (has_step ? has_sound_step(entry) : stepi_own(entry, STEPI_OWN_OPERATION) != NULL);
    case STEPI_DROPPED:
        return is_count(entry, STEPI_OWN_DROPPED_RECORDS);
    case STEPI_MESSAGE:
        return true;
    default:
        return stepi_own(entry, STEPI_OWN_OPERATION) != NULL;
    }
}

bool stepi_span_is_json_number(stepi_span_t s)
{
    stepi_span_t digits;
    stepi_take_char(&s, '-');
    if (!stepi_take_digits(&s, &digits) || (*digits.at == '0' && stepi_span_bytes(digits) > 1))
        return false;
    if (stepi_take_char(&s, '.') && !stepi_take_digits(&s, &digits))
        return false;
    if (stepi_take_char(&s, 'e') || stepi_take_char(&s, 'E')) {
        if (!stepi_take_char(&s, '+'))
            stepi_take_char(&s, '-');
        if (!stepi_take_digits(&s, &digits))
            return false;
    }
    return s.at == s.end;
}

/* Up to 15 digits, and powers of ten up to as many, are exact as doubles, and their quotient is rounded once. */
static bool quick_double(stepi_span_t s, double *number)
{
    static const double powers[] = { 1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                     1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };
    const bool is_negative = stepi_take_char(&s, '-');
    int64_t v = 0;
    int digits = 0, places = 0;
    bool is_fraction = false;
    for (; s.at < s.end; s.at++) {
        if (*s.at == '.' && !is_fraction && digits > 0) {
            is_fraction = true;
            continue;
        }
        if (!stepi_is_digit(*s.at) || ++digits > 15)
            return false;
        v = v * 10 + (*s.at - '0');
        places += is_fraction ? 1 : 0;
    }
    if (digits == 0 || (is_fraction && places == 0))
        return false;
    *number = (is_negative ? -(double)v : (double)v) / powers[places];
    return true;
}

bool stepi_span_double(stepi_span_t s, double *number)
{
    char copy[64];
    char *end;
    const size_t bytes = stepi_span_bytes(s);
    if (quick_double(s, number))
        return true;
    if (bytes == 0 || bytes >= sizeof(copy) || !(stepi_is_digit(*s.at) || *s.at == '-' || *s.at == '+' || *s.at == '.'))
        return false;
    memcpy(copy, s.at, bytes);
    copy[bytes] = '\0';
    if (strspn(copy, "0123456789+-.eE") != bytes)
        return false;
    *number = strtod(copy, &end);
    return end == copy + bytes;
}

bool stepi_own_double(const stepi_entry_t *entry, stepi_own_t member, double *number)
{
    const stepi_value_t *value = own_number(entry, member);
    return value != NULL && stepi_span_double(stepi_value_span(value), number);
}

/* ---- Times ---- */

/* Days since 1970-01-01 in the proleptic Gregorian calendar; years are counted from March, so that the odd day comes last. */
static int64_t days_of(int year, int month, int day)
{
    const int64_t y = month <= 2 ? year - 1 : year;
    const int64_t era = (y >= 0 ? y : y - 399) / 400;
    const int64_t year_of_era = y - era * 400;
    const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static bool take_date(stepi_span_t *s, int64_t *days)
{
    static const int lengths[12] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int year, month, day;
    if (!stepi_take_fixed(s, 4, &year) || !stepi_take_char(s, '-') || !stepi_take_fixed(s, 2, &month) ||
        !stepi_take_char(s, '-') || !stepi_take_fixed(s, 2, &day))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > lengths[month - 1])
        return false;
    *days = days_of(year, month, day);
    return true;
}

/* Up to nine digits behind a point; none is 0. */
static bool take_fraction(stepi_span_t *s, int64_t *ns)
{
    stepi_span_t digits;
    *ns = 0;
    if (!stepi_take_char(s, '.'))
        return true;
    if (!stepi_take_digits(s, &digits) || stepi_span_bytes(digits) > 9)
        return false;
    for (int i = 0; i < 9; i++)
        *ns = *ns * 10 + (digits.at + i < digits.end ? digits.at[i] - '0' : 0);
    return true;
}

static bool take_clock(stepi_span_t *s, int64_t *seconds, int64_t *ns)
{
    int hour, minute, second;
    if (!stepi_take_fixed(s, 2, &hour) || !stepi_take_char(s, ':') || !stepi_take_fixed(s, 2, &minute) ||
        !stepi_take_char(s, ':') || !stepi_take_fixed(s, 2, &second))
        return false;
    *seconds = hour * 3600 + minute * 60 + second;
    return hour < 24 && minute < 60 && second <= 60 && take_fraction(s, ns);
}

/* Z, +01:00 or -0100: how far the clock was ahead. */
static bool take_zone(stepi_span_t *s, int64_t *ahead)
{
    int hours, minutes;
    *ahead = 0;
    if (stepi_take_char(s, 'Z'))
        return true;
    const bool is_behind = stepi_take_char(s, '-');
    if (!is_behind && !stepi_take_char(s, '+'))
        return false;
    if (!stepi_take_fixed(s, 2, &hours))
        return false;
    stepi_take_char(s, ':');
    if (!stepi_take_fixed(s, 2, &minutes))
        return false;
    *ahead = (hours * 60 + minutes) * (is_behind ? -60 : 60);
    return true;
}

bool stepi_span_time(stepi_span_t s, int64_t *wall_ns)
{
    int64_t days, seconds, ns, ahead;
    if (!take_date(&s, &days) || !(stepi_take_char(&s, 'T') || stepi_take_char(&s, ' ')) ||
        !take_clock(&s, &seconds, &ns) || !take_zone(&s, &ahead) || s.at != s.end)
        return false;
    /* the years that fit 64 bits of nanoseconds */
    const int64_t total = days * 86400 + seconds - ahead;
    if (total < INT64_MIN / 1000000000 + 1 || total > INT64_MAX / 1000000000 - 1)
        return false;
    *wall_ns = total * 1000000000 + ns;
    return true;
}

bool stepi_entry_time(const stepi_entry_t *entry, int64_t *wall_ns)
{
    const stepi_value_t *ts = stepi_own(entry, STEPI_OWN_TS);
    return ts != NULL && stepi_span_time(stepi_value_span(ts), wall_ns);
}
