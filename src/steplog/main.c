/* steplog: answers questions about logs. The first argument is a command; each has a file of its own. */
#include "steplog/options.h"

#include <step_logger.h>

#include <stdlib.h>
#include <unistd.h>

enum { EXIT_FOUND = 1, EXIT_TROUBLE = 2 };

#define TEXT_OF(number) #number
#define VERSION_TEXT(major, minor, patch) TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(patch)

static stepi_print_t print;

static int finish(const stepi_cli_t *cli, int64_t found, size_t unreadable)
{
    if (!stepi_print_flush(cli->print)) {
        stepi_complain("standard output", "could not be written");
        return EXIT_TROUBLE;
    }
    if (found < 0 || unreadable > 0)
        return EXIT_TROUBLE;
    return cli->exit_code && found > 0 ? EXIT_FOUND : EXIT_SUCCESS;
}

static int answer(stepi_cli_t *cli)
{
    size_t unreadable = 0;
    const int64_t found = cli->command->run(cli, &unreadable);
    return finish(cli, found, unreadable);
}

static int run(const stepi_command_t *command, char **arguments, int count)
{
    const char **names = calloc((size_t)count + 1, sizeof(*names));
    if (names == NULL) {
        stepi_complain("error", "no memory");
        return EXIT_TROUBLE;
    }
    stepi_print_begin(&print, STDOUT_FILENO);
    stepi_cli_t cli = { .command = command, .names = names, .print = &print, .alpha = 0.05, .min_effect = 10 };
    int result = EXIT_TROUBLE;
    if (stepi_options_read(&cli, arguments, count)) {
        result = EXIT_SUCCESS;
        print.is_json = cli.json;
        if (cli.asks_help)
            stepi_print_help(command);
        else
            result = answer(&cli);
    }
    free(names);
    return result;
}

static void say_version(void)
{
    static const char text[] =
        "steplog " VERSION_TEXT(STEP_LOGGER_VERSION_MAJOR, STEP_LOGGER_VERSION_MINOR, STEP_LOGGER_VERSION_PATCH) "\n";
    const ssize_t ignored = write(STDOUT_FILENO, text, sizeof(text) - 1);
    (void)ignored;
}

/* `steplog help slow`, `steplog --help`, `steplog --version`. */
static bool is_about_itself(int argc, char **argv, int *result)
{
    const bool asks_help = strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0;
    *result = EXIT_SUCCESS;
    if (strcmp(argv[1], "--version") == 0) {
        say_version();
        return true;
    }
    if (!asks_help)
        return false;
    const stepi_command_t *command = argc > 2 ? stepi_command_named(argv[2]) : NULL;
    if (argc > 2 && command == NULL)
        *result = EXIT_TROUBLE;
    else
        stepi_print_help(command);
    return true;
}

int main(int argc, char **argv)
{
    int result;
    if (argc < 2) {
        stepi_complain("usage", "steplog COMMAND [OPTION...] [FILE...] (see steplog --help)");
        return EXIT_TROUBLE;
    }
    if (is_about_itself(argc, argv, &result))
        return result;
    const stepi_command_t *command = stepi_command_named(argv[1]);
    return command != NULL ? run(command, argv + 2, argc - 2) : EXIT_TROUBLE;
}
