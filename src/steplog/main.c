/* steplog: answers questions about logs. The first argument is a command; each has a file of its own. */
#include "steplog/options.h"

#include <step_logger.h>

#include <stdlib.h>
#include <unistd.h>

enum { EXIT_FOUND = 1, EXIT_TROUBLE = 2 };

#define TEXT_OF(number) #number
#define VERSION_TEXT(major, minor, patch) TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(patch)

static stepi_print_t print; /* of standard output, whatever is written there */

/* What was found, and whether it could be written. */
static int finish(int64_t found, size_t unreadable, bool tells_found)
{
    if (!stepi_print_flush(&print)) {
        stepi_complain("standard output", "could not be written");
        return EXIT_TROUBLE;
    }
    if (found < 0 || unreadable > 0)
        return EXIT_TROUBLE;
    return tells_found && found > 0 ? EXIT_FOUND : EXIT_SUCCESS;
}

static int help(const stepi_command_t *command)
{
    stepi_print_help(&print, command);
    return finish(0, 0, false);
}

static int answer(stepi_cli_t *cli)
{
    size_t unreadable = 0;
    const int64_t found = cli->command->run(cli, &unreadable);
    return finish(found, unreadable, cli->exit_code);
}

static int run(const stepi_command_t *command, char **arguments, int count)
{
    const char **names = calloc((size_t)count + 1, sizeof(*names));
    if (names == NULL) {
        stepi_complain("error", "no memory");
        return EXIT_TROUBLE;
    }
    stepi_cli_t cli = { .command = command, .names = names, .print = &print, .alpha = 0.05, .min_effect = 10 };
    int result = EXIT_TROUBLE;
    if (stepi_options_read(&cli, arguments, count))
        result = cli.asks_help ? help(command) : answer(&cli);
    free(names);
    return result;
}

static int version(void)
{
    stepi_print_literal(&print, "steplog " VERSION_TEXT(STEP_LOGGER_VERSION_MAJOR, STEP_LOGGER_VERSION_MINOR,
                                                        STEP_LOGGER_VERSION_PATCH) "\n");
    return finish(0, 0, false);
}

static bool is_any_of(const char *word, const char *a, const char *b, const char *c)
{
    return strcmp(word, a) == 0 || strcmp(word, b) == 0 || strcmp(word, c) == 0;
}

int main(int argc, char **argv)
{
    stepi_print_begin(&print, STDOUT_FILENO);
    if (argc < 2) {
        stepi_complain("usage", "steplog COMMAND [OPTION...] [FILE...] (see steplog --help)");
        return EXIT_TROUBLE;
    }
    if (strcmp(argv[1], "--version") == 0)
        return version();
    const bool asks_help = is_any_of(argv[1], "help", "--help", "-h");
    if (asks_help && argc == 2)
        return help(NULL);
    const stepi_command_t *command = stepi_command_named(argv[asks_help ? 2 : 1]);
    if (command == NULL)
        return EXIT_TROUBLE;
    return asks_help ? help(command) : run(command, argv + 2, argc - 2);
}
