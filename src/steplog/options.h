/* The command line. */
#ifndef STEPI_STEPLOG_OPTIONS_H
#define STEPI_STEPLOG_OPTIONS_H

#include "steplog/command.h"

/* All commands; the last has no name. */
extern const stepi_command_t stepi_commands[];

/* The command of that name, or NULL after a complaint that says what may have been meant. */
const stepi_command_t *stepi_command_named(const char *name);

/* Reads what stands behind the command. cli->names has room for all of it. False after a complaint. */
bool stepi_options_read(stepi_cli_t *cli, char **arguments, int count);

/* Complains about a word that is none of those listed (NULL ends the list), and names the one that is most like it. `command`:
 * whose options they are, or NULL. */
void stepi_complain_unknown(const char *what, const char *command, const char *word, const char *const *known);

/* A moment: RFC 3339, a date, a date and a time in UTC, or how long ago: 90s, 15m, 2h, 1d. */
bool stepi_moment(const char *text, int64_t now_ns, int64_t *wall_ns);

void stepi_print_help(stepi_print_t *print, const stepi_command_t *command); /* NULL: of the program */

#endif
