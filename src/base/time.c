/* Time stamps without the C library's calendar, which takes a lock and reads the zone. */
#include "base/time.h"

#include "base/digits.h"

enum {
    SECONDS_PER_DAY = 86400,
    DAYS_TO_EPOCH = 719468, /* from 0000-03-01 to 1970-01-01 */
    DAYS_PER_400_YEARS = 146097,
    DAYS_PER_4_YEARS = 1461,
    DAYS_PER_5_MONTHS = 153, /* March to July, August to December */
};

static void write_date(char *to, int64_t days_since_epoch)
{
    /* Years that begin in March have their leap day at the end. Then centuries, years and months
     * all start at a straight line rounded down, (length * index - offset) / period, and the index
     * is found by turning the line around. No int64_t of nanoseconds reaches year 0, so everything
     * is positive. */
    const uint32_t days = (uint32_t)(days_since_epoch + DAYS_TO_EPOCH);
    const uint32_t in_centuries = 4 * days + 3;
    const uint32_t century = in_centuries / DAYS_PER_400_YEARS;
    const uint32_t in_years = in_centuries % DAYS_PER_400_YEARS / 4 * 4 + 3;
    const uint32_t year = in_years / DAYS_PER_4_YEARS;
    const uint32_t in_months = in_years % DAYS_PER_4_YEARS / 4 * 5 + 2;
    const uint32_t month = in_months / DAYS_PER_5_MONTHS; /* 0 is March */
    const uint32_t day = in_months % DAYS_PER_5_MONTHS / 5;
    const bool is_after_december = month >= 10;
    stepi_write_digits(to, century * 100 + year + is_after_december, 4);
    to[4] = '-';
    stepi_write_pair(to + 5, is_after_december ? month - 9 : month + 3);
    to[7] = '-';
    stepi_write_pair(to + 8, day + 1);
}

static void write_second(char *to, int64_t second)
{
    int64_t days = second / SECONDS_PER_DAY;
    int64_t in_day = second % SECONDS_PER_DAY;
    if (in_day < 0) {
        in_day += SECONDS_PER_DAY;
        days--;
    }
    const uint32_t rest = (uint32_t)in_day;
    write_date(to, days);
    to[10] = 'T';
    stepi_write_pair(to + 11, rest / 3600);
    to[13] = ':';
    stepi_write_pair(to + 14, rest / 60 % 60);
    to[16] = ':';
    stepi_write_pair(to + 17, rest % 60);
    to[19] = '.';
}

void stepi_put_time(stepi_out_t *out, stepi_time_text_t *cache, int64_t wall_ns, int digits)
{
    const int64_t ns_per_second = 1000000000;
    int64_t second = wall_ns / ns_per_second;
    int64_t fraction = wall_ns % ns_per_second;
    if (fraction < 0) {
        fraction += ns_per_second;
        second--;
    }
    if (cache->text[0] == 0 || cache->second != second) {
        write_second(cache->text, second);
        cache->second = second;
    }
    const int shown = digits == 6 ? 6 : 9;
    char *to = stepi_room(out, sizeof(cache->text) + (size_t)shown + 1);
    if (to == NULL)
        return;
    memcpy(to, cache->text, sizeof(cache->text));
    to += sizeof(cache->text);
    stepi_write_digits(to, (uint64_t)(shown == 6 ? fraction / 1000 : fraction), shown);
    to[shown] = 'Z';
    out->at = to + shown + 1;
}
