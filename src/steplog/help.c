#include "steplog/options.h"

#define OF_TIMES                                                                                                       \
    "  --since TIME       only lines from then on: 2026-02-04T09:30:00Z, 2026-02-04, 15m (ago; s m h d)\n"             \
    "  --until TIME       only lines before that\n"

#define OF_ANY                                                                                                         \
    "  --json             one JSON object a line\n"                                                                    \
    "  --exit-code        exit with 1 when something was found\n"                                                      \
    "  --color WHEN       auto, always or never; NO_COLOR and CLICOLOR_FORCE are honoured\n"                           \
    "  --help             this text\n"

#define OF_ALL OF_TIMES OF_ANY

#define OF_NAMES                                                                                                       \
    "  --operation TEXT   only operations whose name contains TEXT\n"                                                  \
    "  --step TEXT        only steps whose description contains TEXT\n"

/* clang-format off */
const stepi_command_t stepi_commands[] = {
    { .name = "failures", .summary = "failed steps, and operations that failed without one", .usage = "[OPTION...] [FILE...]",
      .help = "Each failure with its operation, its error and how long it took, in the order of the log.\n\n"
              OF_NAMES OF_ALL,
      .takes = STEPI_TAKES_OPERATION | STEPI_TAKES_STEP, .run = stepi_failures },
    { .name = "slow", .summary = "finished steps, slowest first", .usage = "[OPTION...] [FILE...]",
      .help = "Steps that ended, well or not, and how long they took.\n\n"
              "  --top N            so many; 20 unless given\n"
              "  --min-ms X         only those that took X milliseconds or more\n"
              OF_NAMES OF_ALL,
      .takes = STEPI_TAKES_TOP | STEPI_TAKES_MIN_MS | STEPI_TAKES_OPERATION | STEPI_TAKES_STEP, .run = stepi_slow },
    { .name = "incomplete", .summary = "operations without COMPLETE", .usage = "[OPTION...] [FILE...]",
      .help = "Operations that began and did not complete: `failed` if the last that happened was a failure, else `open`:\n"
              "killed, hanging, or still running where the log ends.\n\n"
              "  --operation TEXT   only operations whose name contains TEXT\n"
              OF_ALL,
      .takes = STEPI_TAKES_OPERATION, .run = stepi_incomplete },
    { .name = "rate", .summary = "which values a field has, and how often", .usage = "KEY [OPTION...] [FILE...]",
      .help = "The values of the field KEY in lines of steps, each with its count and its share: a cache's hit rate is the\n"
              "share of HIT in `steplog rate result --step \"Checking Redis cache\"`. Lines of a sampled log count for as\n"
              "many as they stand for.\n\n"
              "  --step TEXT        only steps whose description contains TEXT\n"
              OF_ALL,
      .takes = STEPI_TAKES_STEP, .argument = "the KEY of a field", .run = stepi_rate },
    { .name = "stats", .summary = "counts, failures and percentiles per operation and step", .usage = "[OPTION...] [FILE...]",
      .help = "A table of operations and their steps: how often they ended, how often they failed, and p50, p90, p99, the\n"
              "maximum and the sum of their durations in milliseconds. Up to 256 durations are exact; of more, percentiles are\n"
              "right to 0.8 %. Lines of a sampled log count for as many as they stand for.\n\n"
              OF_NAMES OF_ALL,
      .takes = STEPI_TAKES_OPERATION | STEPI_TAKES_STEP, .run = stepi_stats },
    { .name = "tree", .summary = "operations, nested, with durations and shares", .usage = "[OPTION...] [FILE...]",
      .help = "Each operation with its steps and the operations within them; failed and never ended ones are marked. The share\n"
              "is that of the outermost operation's time.\n\n"
              "  --operation TEXT   only trees whose outermost operation's name contains TEXT\n"
              OF_ALL,
      .takes = STEPI_TAKES_OPERATION, .run = stepi_tree },
    { .name = "diff", .summary = "what changed between two logs", .usage = "[OPTION...] BASE NEW",
      .help = "Steps and operations that appeared, vanished, failed more, or got slower or faster.\n\n"
              "Failures are compared by Fisher's exact test, durations by the Mann-Whitney U test (at least five in each log);\n"
              "both at the level alpha, divided by the number of comparisons. --exit-code is 1 for whatever is\n"
              "not `faster`.\n\n"
              "  --alpha P          the chance of a false alarm in all of the answer; 0.05 unless given\n"
              "  --min-effect PCT   by how much the median must have moved at least; 10 unless given\n"
              OF_NAMES OF_ALL,
      .takes = STEPI_TAKES_MARGINS | STEPI_TAKES_OPERATION | STEPI_TAKES_STEP, .wants_two_logs = true, .run = stepi_diff },
    { .name = "convert", .summary = "the same lines as text, JSON or logfmt", .usage = "--to text|json|logfmt [OPTION...] [FILE...]",
      .help = "Rewrites lines in another format, without loss where that can hold what they say. Lines that are not\n"
              "step_logger's are left out.\n\n"
              "  --to FORMAT        text, json or logfmt\n"
              "  --no-timestamps    text without times\n"
              "  --ascii            text without symbols\n"
              OF_ALL,
      .takes = STEPI_TAKES_TO, .run = stepi_convert },
    { .name = "recover", .summary = "what killed processes left in their crash rings", .usage = "DIR [OPTION...]",
      .help = "Writes the records that processes killed by whatever signal had logged and that their log files do not hold, as\n"
              "JSON lines, in the order of time. DIR is the crash_ring_dir of their logs (STEP_LOGGER_CRASH_DIR). What was\n"
              "written is removed; processes that still run are left alone. The lines are marked `recovered`.\n\n"
              "  --keep             remove nothing\n"
              "  --report           say whose records they are, and which operations were open\n"
              OF_ANY,
      .takes = STEPI_TAKES_KEEP, .argument = "the DIR of crash rings", .run = stepi_recover },
    { .name = NULL },
};
/* clang-format on */

const stepi_command_t *stepi_command_named(const char *name)
{
    const char *known[sizeof(stepi_commands) / sizeof(stepi_commands[0]) + 3] = { "help", "--help", "--version" };
    size_t count = 3;
    for (const stepi_command_t *command = stepi_commands; command->name != NULL; command++) {
        if (strcmp(command->name, name) == 0)
            return command;
        known[count++] = command->name;
    }
    stepi_complain_unknown("command", NULL, name, known);
    return NULL;
}

static void print_commands(stepi_print_t *print)
{
    enum { NAME_COLUMNS = 12 };
    for (const stepi_command_t *command = stepi_commands; command->name != NULL; command++) {
        stepi_print_literal(print, "  ");
        stepi_print_string(print, command->name);
        stepi_print_spaces(print, NAME_COLUMNS - strlen(command->name));
        stepi_print_string(print, command->summary);
        stepi_print_literal(print, "\n");
    }
}

static void print_overview(stepi_print_t *print)
{
    stepi_print_literal(
        print,
        "usage: steplog COMMAND [OPTION...] [FILE...]\n\n"
        "Answers questions about logs of step_logger: text, JSON lines and logfmt, also mixed and among other lines;\n"
        "from files, gzip files, and standard input (`-`, or no FILE). Several files are read as one log.\n\n");
    print_commands(print);
    stepi_print_literal(print,
                        "\n`steplog COMMAND --help` says more. Exit code: 0; 1 with --exit-code when something was "
                        "found; 2 for a mistake in\nthe call, or when a file could not be read.\n");
}

void stepi_print_help(stepi_print_t *print, const stepi_command_t *command)
{
    if (command == NULL) {
        print_overview(print);
        return;
    }
    stepi_print_literal(print, "usage: steplog ");
    stepi_print_string(print, command->name);
    stepi_print_literal(print, " ");
    stepi_print_string(print, command->usage);
    stepi_print_literal(print, "\n\n");
    stepi_print_string(print, command->help);
}
