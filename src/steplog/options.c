#include "steplog/options.h"

#include <stdlib.h>
#include <time.h>

typedef enum option_id {
    OPTION_JSON,
    OPTION_SINCE,
    OPTION_UNTIL,
    OPTION_EXIT_CODE,
    OPTION_COLOR,
    OPTION_HELP,
    OPTION_TOP,
    OPTION_MIN_MS,
    OPTION_OPERATION,
    OPTION_STEP,
    OPTION_TO,
    OPTION_NO_TIMESTAMPS,
    OPTION_ASCII,
    OPTION_ALPHA,
    OPTION_MIN_EFFECT,
    OPTION_KEEP,
    OPTION_REPORT,
    OPTION_COUNT
} option_id_t;

typedef struct option_kind {
    const char *name;
    bool has_value;
    uint32_t takes; /* 0: every command has it */
} option_kind_t;

static const option_kind_t kinds[OPTION_COUNT] = {
    [OPTION_JSON] = { "--json", false, 0 },
    [OPTION_SINCE] = { "--since", true, 0 },
    [OPTION_UNTIL] = { "--until", true, 0 },
    [OPTION_EXIT_CODE] = { "--exit-code", false, 0 },
    [OPTION_COLOR] = { "--color", true, 0 },
    [OPTION_HELP] = { "--help", false, 0 },
    [OPTION_TOP] = { "--top", true, STEPI_TAKES_TOP },
    [OPTION_MIN_MS] = { "--min-ms", true, STEPI_TAKES_MIN_MS },
    [OPTION_OPERATION] = { "--operation", true, STEPI_TAKES_OPERATION },
    [OPTION_STEP] = { "--step", true, STEPI_TAKES_STEP },
    [OPTION_TO] = { "--to", true, STEPI_TAKES_TO },
    [OPTION_NO_TIMESTAMPS] = { "--no-timestamps", false, STEPI_TAKES_TO },
    [OPTION_ASCII] = { "--ascii", false, STEPI_TAKES_TO },
    [OPTION_ALPHA] = { "--alpha", true, STEPI_TAKES_MARGINS },
    [OPTION_MIN_EFFECT] = { "--min-effect", true, STEPI_TAKES_MARGINS },
    [OPTION_KEEP] = { "--keep", false, STEPI_TAKES_KEEP },
    [OPTION_REPORT] = { "--report", false, STEPI_TAKES_KEEP },
};

static bool belongs(const stepi_command_t *command, const option_kind_t *kind)
{
    return kind->takes == 0 || (command->takes & kind->takes) != 0;
}

/* ---- Values ---- */

static bool refuse(const char *option, const char *value, const char *wanted)
{
    char bytes[512];
    stepi_out_t out = stepi_out_over(bytes, sizeof(bytes) - 1);
    stepi_put_literal(&out, "wants ");
    stepi_put_string(&out, wanted);
    stepi_put_literal(&out, ", not '");
    stepi_put(&out, value, strlen(value) < 200 ? strlen(value) : 200);
    stepi_put_literal(&out, "'");
    *out.at = '\0';
    stepi_complain(option, bytes);
    return false;
}

static bool read_number(const char *option, const char *value, double *number)
{
    const stepi_span_t s = { value, value + strlen(value) };
    return (stepi_span_double(s, number) && *number >= 0) || refuse(option, value, "a number");
}

static bool read_moment(const char *option, const char *value, int64_t *wall_ns)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    const int64_t now_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    return stepi_moment(value, now_ns, wall_ns) ||
           refuse(option, value, "a time such as 2026-02-04T09:30:00Z, 2026-02-04, or 15m for fifteen minutes ago");
}

static bool read_top(stepi_cli_t *cli, const char *value)
{
    double number;
    const stepi_span_t s = { value, value + strlen(value) };
    if (!stepi_span_double(s, &number) || !(number >= 1 && number <= 1000000) || number != (double)(uint64_t)number)
        return refuse("--top", value, "a whole number from 1 to 1000000");
    cli->top = (uint64_t)number;
    cli->has_top = true;
    return true;
}

static bool read_form(stepi_cli_t *cli, const char *value)
{
    if (strcmp(value, "text") == 0)
        cli->to = STEPI_FORM_TEXT;
    else if (strcmp(value, "json") == 0)
        cli->to = STEPI_FORM_JSON;
    else if (strcmp(value, "logfmt") == 0)
        cli->to = STEPI_FORM_LOGFMT;
    else
        return refuse("--to", value, "text, json or logfmt");
    return true;
}

static bool read_color(stepi_cli_t *cli, const char *value)
{
    if (strcmp(value, "always") == 0)
        cli->print->color = true;
    else if (strcmp(value, "never") == 0)
        cli->print->color = false;
    else if (strcmp(value, "auto") != 0)
        return refuse("--color", value, "auto, always or never");
    return true;
}

static bool read_alpha(stepi_cli_t *cli, const char *value)
{
    return read_number("--alpha", value, &cli->alpha) &&
           ((cli->alpha > 0 && cli->alpha < 1) || refuse("--alpha", value, "a number between 0 and 1"));
}

static bool set_option(stepi_cli_t *cli, option_id_t id, const char *value)
{
    switch (id) {
    case OPTION_JSON:
        return cli->json = true;
    case OPTION_EXIT_CODE:
        return cli->exit_code = true;
    case OPTION_HELP:
        return cli->asks_help = true;
    case OPTION_NO_TIMESTAMPS:
        return cli->without_times = true;
    case OPTION_ASCII:
        return cli->ascii = true;
    case OPTION_KEEP:
        return cli->keep = true;
    case OPTION_REPORT:
        return cli->report = true;
    case OPTION_SINCE:
        return cli->filter.has_since = read_moment("--since", value, &cli->filter.since_ns);
    case OPTION_UNTIL:
        return cli->filter.has_until = read_moment("--until", value, &cli->filter.until_ns);
    case OPTION_COLOR:
        return read_color(cli, value);
    case OPTION_TOP:
        return read_top(cli, value);
    case OPTION_MIN_MS:
        return read_number("--min-ms", value, &cli->min_ms);
    case OPTION_OPERATION:
        return (cli->operation = value) != NULL;
    case OPTION_STEP:
        return (cli->step = value) != NULL;
    case OPTION_TO:
        return read_form(cli, value);
    case OPTION_ALPHA:
        return read_alpha(cli, value);
    case OPTION_MIN_EFFECT:
        return read_number("--min-effect", value, &cli->min_effect);
    case OPTION_COUNT:
        break;
    }
    return false;
}

/* ---- Arguments ---- */

static bool complain_option(const stepi_command_t *command, const char *option)
{
    const char *known[OPTION_COUNT + 1];
    size_t count = 0;
    for (int i = 0; i < OPTION_COUNT; i++)
        if (belongs(command, &kinds[i]))
            known[count++] = kinds[i].name;
    known[count] = NULL;
    stepi_complain_unknown("option", command->name, option, known);
    return false;
}

/* The option at arguments[*at], which goes to its value if that is an argument of its own. */
static bool read_option(stepi_cli_t *cli, char **arguments, int count, int *at)
{
    const char *argument = strcmp(arguments[*at], "-h") == 0 ? "--help" : arguments[*at];
    const char *equals = strchr(argument, '=');
    const size_t length = equals != NULL ? (size_t)(equals - argument) : strlen(argument);
    for (int i = 0; i < OPTION_COUNT; i++) {
        const option_kind_t *kind = &kinds[i];
        if (!belongs(cli->command, kind) || strlen(kind->name) != length || memcmp(kind->name, argument, length) != 0)
            continue;
        if (!kind->has_value) {
            if (equals != NULL)
                return refuse(kind->name, equals + 1, "no value");
            return set_option(cli, (option_id_t)i, "");
        }
        if (equals != NULL)
            return set_option(cli, (option_id_t)i, equals + 1);
        if (*at + 1 == count) {
            stepi_complain(kind->name, "wants a value");
            return false;
        }
        return set_option(cli, (option_id_t)i, arguments[++*at]);
    }
    return complain_option(cli->command, argument);
}

static bool complain_missing(const stepi_command_t *command)
{
    char bytes[128];
    stepi_out_t out = stepi_out_over(bytes, sizeof(bytes) - 1);
    stepi_put_literal(&out, "wants ");
    stepi_put(&out, command->argument, strlen(command->argument));
    stepi_put_literal(&out, " (see steplog ");
    stepi_put(&out, command->name, strlen(command->name));
    stepi_put_literal(&out, " --help)");
    *out.at = '\0';
    stepi_complain(command->name, bytes);
    return false;
}

/* The logs, and before them what the command wants. */
static bool take_arguments(stepi_cli_t *cli)
{
    if (cli->command->argument != NULL) {
        if (cli->name_count == 0)
            return complain_missing(cli->command);
        cli->key = cli->names[0];
        cli->names++;
        cli->name_count--;
    }
    if (cli->command->wants_two_logs && cli->name_count != 2) {
        stepi_complain(cli->command->name, "wants two logs, BASE and NEW (see steplog diff --help)");
        return false;
    }
    if ((cli->command->takes & STEPI_TAKES_TO) != 0 && cli->to == STEPI_FORM_FOREIGN) {
        stepi_complain(cli->command->name, "wants --to text, --to json or --to logfmt");
        return false;
    }
    return true;
}

bool stepi_options_read(stepi_cli_t *cli, char **arguments, int count)
{
    bool only_names = false;
    for (int i = 0; i < count; i++) {
        if (only_names || arguments[i][0] != '-' || strcmp(arguments[i], "-") == 0)
            cli->names[cli->name_count++] = arguments[i];
        else if (strcmp(arguments[i], "--") == 0)
            only_names = true;
        else if (!read_option(cli, arguments, count, &i))
            return false;
    }
    return cli->asks_help || take_arguments(cli);
}
