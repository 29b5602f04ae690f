#include "steplog/tree.h"

/* Deeper is printed, but not indented any more. */
enum { INDENT = 3, DEPTH_MAX = 64, NAME_COLUMNS = 60, NAME_MIN = 12, MS_COLUMNS = 11, SHARE_COLUMNS = 5 };

/* Walks a tree without recursion, parents before their children. */
static stepi_node_t *next_node(stepi_node_t *node, size_t *depth)
{
    if (node->first_child != NULL) {
        ++*depth;
        return node->first_child;
    }
    while (node != NULL && node->next == NULL) {
        node = node->parent;
        if (*depth > 0)
            --*depth;
    }
    return node != NULL && node->parent != NULL ? node->next : NULL;
}

/* ---- Lines for people ---- */

static void print_branch(stepi_print_t *print, const stepi_node_t *node, size_t depth)
{
    bool is_last[DEPTH_MAX];
    const size_t shown = depth < DEPTH_MAX ? depth : DEPTH_MAX;
    const stepi_node_t *at = node;
    for (size_t i = shown; i > 0; i--, at = at->parent)
        is_last[i - 1] = at->next == NULL;
    for (size_t i = 0; i < shown; i++) {
        if (i + 1 == shown)
            stepi_print_string(print, is_last[i] ? "└─ " : "├─ ");
        else
            stepi_print_string(print, is_last[i] ? "   " : "│  ");
    }
}

/* What stands before the name: branches and a tag. */
static size_t columns_before(const stepi_node_t *node, size_t depth)
{
    const size_t tag = node->is_step ? stepi_tag_columns(node->step, node->total) : 0;
    return INDENT * (depth < DEPTH_MAX ? depth : DEPTH_MAX) + tag;
}

/* On a terminal names leave room for the numbers behind them. */
static size_t room_for_name(const stepi_print_t *print, size_t before)
{
    enum { NUMBERS = MS_COLUMNS + 3 + SHARE_COLUMNS + 2 };
    if (print->width == 0)
        return SIZE_MAX;
    return print->width > before + NUMBERS + NAME_MIN ? print->width - before - NUMBERS : NAME_MIN;
}

/* Where the durations begin: behind all names but the longest. */
static size_t widest(const stepi_print_t *print, stepi_node_t *root)
{
    size_t width = 0, depth = 0;
    for (stepi_node_t *node = root; node != NULL; node = next_node(node, &depth)) {
        const stepi_text_t name = stepi_kept_text(&node->name);
        const size_t before = columns_before(node, depth), room = room_for_name(print, before);
        const size_t name_columns = stepi_print_width(&name);
        const size_t columns = before + (name_columns < room ? name_columns : room);
        if (columns > width && columns <= NAME_COLUMNS)
            width = columns;
    }
    return width;
}

static void print_duration(stepi_print_t *print, const stepi_node_t *node)
{
    if (!node->has_ms)
        return;
    stepi_print_cell(print, node->ms, 1, MS_COLUMNS);
    stepi_print_literal(print, " ms");
}

/* The share of the root's time. */
static void print_share(stepi_print_t *print, const stepi_node_t *node)
{
    const stepi_node_t *root = node->root;
    if (node == root || !node->has_ms || !root->has_ms || !(root->ms > 0))
        return;
    stepi_print_color(print, STEPI_COLOR_DIM);
    stepi_print_cell(print, 100 * node->ms / root->ms, 0, SHARE_COLUMNS);
    stepi_print_literal(print, " %");
    stepi_print_color(print, STEPI_COLOR_NONE);
}

static void print_status(stepi_print_t *print, const stepi_node_t *node)
{
    static const char *const words[] = { "  NEVER ENDED", "", "  FAILED", "  skipped" };
    static const stepi_color_t colors[] = { STEPI_COLOR_WARN, STEPI_COLOR_NONE, STEPI_COLOR_BAD, STEPI_COLOR_DIM };
    const stepi_text_t error = stepi_kept_text(&node->error);
    if (node->status == STEPI_NODE_OK)
        return;
    stepi_print_color(print, colors[node->status]);
    stepi_print_string(print, words[node->status]);
    if (node->status != STEPI_NODE_OPEN && error.length > 0) {
        stepi_print_literal(print, ": ");
        stepi_print_text(print, &error);
    }
    stepi_print_color(print, STEPI_COLOR_NONE);
}

static void print_node(stepi_print_t *print, const stepi_node_t *node, size_t depth, size_t width)
{
    const stepi_text_t name = stepi_kept_text(&node->name);
    size_t columns = columns_before(node, depth);
    print_branch(print, node, depth);
    if (node->is_step)
        stepi_print_tag(print, node->step, node->total);
    stepi_print_color(print, node->is_step ? STEPI_COLOR_NONE : STEPI_COLOR_BOLD);
    columns += stepi_print_fitting(print, &name, room_for_name(print, columns));
    stepi_print_color(print, STEPI_COLOR_NONE);
    if (node->has_ms)
        stepi_print_spaces(print, columns < width ? width - columns : 0);
    print_duration(print, node);
    print_share(print, node);
    print_status(print, node);
    stepi_print_literal(print, "\n");
}

/* ---- Objects ---- */

static const stepi_node_t *operation_of(const stepi_node_t *node)
{
    while (node->is_step)
        node = node->parent;
    return node;
}

static size_t operation_depth(const stepi_node_t *node)
{
    size_t depth = 0;
    for (const stepi_node_t *at = operation_of(node)->parent; at != NULL; at = at->parent)
        depth += at->is_step ? 0 : 1;
    return depth;
}

static void print_object(stepi_cli_t *cli, const stepi_node_t *node)
{
    static const char *const words[] = { "open", "ok", "failed", "skipped" };
    stepi_print_t *print = cli->print;
    const stepi_text_t operation = stepi_kept_text(&operation_of(node)->name), name = stepi_kept_text(&node->name);
    const stepi_text_t error = stepi_kept_text(&node->error);
    stepi_json_begin(print);
    stepi_json_operation(print, &operation);
    stepi_json_step(print, node->is_step, node->step, node->total, &name);
    stepi_json_count(print, "depth", operation_depth(node));
    stepi_json_string(print, "status", words[node->status]);
    if (node->status == STEPI_NODE_FAILED && error.length > 0)
        stepi_json_text(print, "error", &error);
    if (node->status == STEPI_NODE_SKIPPED)
        stepi_json_text(print, "reason", &error);
    if (node->has_ms)
        stepi_json_number(print, "duration_ms", node->ms);
    stepi_json_place(print, stepi_log_name(cli->names, cli->name_count, node->place.log), node->place.line);
    stepi_json_end(print);
}

void stepi_print_tree(stepi_cli_t *cli, stepi_node_t *root)
{
    const size_t width = widest(cli->print, root);
    size_t depth = 0;
    for (stepi_node_t *node = root; node != NULL; node = next_node(node, &depth)) {
        if (cli->json)
            print_object(cli, node);
        else
            print_node(cli->print, node, depth, width);
    }
    if (root->left_out > 0 && !cli->json) {
        stepi_print_literal(cli->print, "... ");
        stepi_print_count(cli->print, root->left_out);
        stepi_print_literal(cli->print, " more\n");
    }
}
