#include "steplog/options.h"

static bool take_ago(stepi_span_t s, int64_t *ns)
{
    static const struct {
        char letter;
        int64_t seconds;
    } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
    stepi_span_t digits;
    if (!stepi_take_digits(&s, &digits) || stepi_span_bytes(digits) > 6)
        return false;
    int64_t count = 0;
    for (const char *at = digits.at; at < digits.end; at++)
        count = count * 10 + (*at - '0');
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (stepi_span_bytes(s) == 1 && *s.at == units[i].letter) {
            *ns = count * units[i].seconds * 1000000000;
            return true;
        }
    return false;
}

/* What was left out is added: the hour, the seconds, the zone. */
static bool is_moment(const char *text, const char *rest, int64_t *wall_ns)
{
    char bytes[64];
    stepi_out_t out = stepi_out_over(bytes, sizeof(bytes));
    stepi_put(&out, text, strlen(text));
    stepi_put(&out, rest, strlen(rest));
    return !out.overflow && stepi_span_time((stepi_span_t){ bytes, out.at }, wall_ns);
}

bool stepi_moment(const char *text, int64_t now_ns, int64_t *wall_ns)
{
    static const char *const rests[] = { "", "Z", ":00Z", "T00:00:00Z" };
    int64_t ago;
    if (take_ago((stepi_span_t){ text, text + strlen(text) }, &ago)) {
        *wall_ns = now_ns - ago;
        return true;
    }
    for (size_t i = 0; i < sizeof(rests) / sizeof(rests[0]); i++)
        if (is_moment(text, rests[i], wall_ns))
            return true;
    return false;
}
