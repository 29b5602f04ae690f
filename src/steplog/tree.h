/* The trees of steplog tree: operations and steps as nodes. */
#ifndef STEPI_STEPLOG_TREE_H
#define STEPI_STEPLOG_TREE_H

#include "steplog/command.h"

typedef enum stepi_node_status {
    STEPI_NODE_OPEN,
    STEPI_NODE_OK,
    STEPI_NODE_FAILED,
    STEPI_NODE_SKIPPED
} stepi_node_status_t;

typedef struct stepi_node {
    struct stepi_node *root, *parent, *first_child, *last_child, *next;
    struct stepi_node *last_step; /* of an operation */
    stepi_kept_t name, error;     /* error: of a failure; the reason of a skip */
    stepi_node_status_t status;
    bool is_step, has_step, has_ms, is_done;
    int32_t step, total;
    double ms;
    stepi_place_t place;
    uint32_t open, nodes, left_out; /* of a root: operations not ended, nodes, and those there was no room for */
} stepi_node_t;

typedef struct stepi_tree {
    stepi_cli_t *cli;
    stepi_node_t *first, *last; /* roots that are not printed yet, linked by `next` */
    size_t nodes;               /* of these */
    int64_t found;
} stepi_tree_t;

void stepi_print_tree(stepi_cli_t *cli, stepi_node_t *root);

#endif
