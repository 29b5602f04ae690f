/* steplog tree: operations as they lay in each other.
 *
 *     Cache: Fetch Full Catalog                       4040.1 ms
 *     ├─ [1/5] Checking Redis cache                      3.2 ms    0 %
 *     ├─ [3/5] Fetching from database                 3468.5 ms   86 %
 *     │  └─ Database: Fetch All Models                3468.3 ms   86 %
 *     │     └─ [1/2] Connecting to database             12.1 ms    0 %
 *     └─ [5/5] Populating caches                        45.2 ms    1 %
 *
 * A tree is printed when its root has ended and all that began before it are printed; when too much waits for one that does
 * not end, before it. So memory is bounded; a tree that outgrows its limit keeps its first nodes and counts the others. */
#include "steplog/tree.h"

#include <stdlib.h>

enum { NODES_MAX = 20000, ALL_NODES_MAX = 100000 };

/* ---- Nodes ---- */

static stepi_node_t *new_node(stepi_node_t *parent, stepi_node_t *root)
{
    const bool has_room = root == NULL || root->nodes < NODES_MAX;
    stepi_node_t *node = has_room ? calloc(1, sizeof(*node)) : NULL;
    if (node == NULL) {
        if (root != NULL)
            root->left_out++;
        return NULL;
    }
    node->root = root != NULL ? root : node;
    node->root->nodes++;
    node->parent = parent;
    if (parent != NULL) {
        if (parent->last_child != NULL)
            parent->last_child->next = node;
        else
            parent->first_child = node;
        parent->last_child = node;
    }
    return node;
}

/* Nodes are freed without recursion: whoever has no child any more goes, and then its parent is looked at again. */
static void free_tree(stepi_node_t *node)
{
    while (node != NULL) {
        stepi_node_t *child = node->first_child;
        if (child != NULL) {
            node->first_child = child->next;
            node = child;
            continue;
        }
        stepi_node_t *parent = node->parent;
        stepi_kept_free(&node->name);
        stepi_kept_free(&node->error);
        free(node);
        node = parent;
    }
}

/* ---- Printing in order ---- */

/* Takes the root behind `before` (NULL: the first) out of those that wait, and prints it. */
static void print_behind(stepi_tree_t *t, stepi_node_t *before)
{
    stepi_node_t *root = before != NULL ? before->next : t->first;
    if (before != NULL)
        before->next = root->next;
    else
        t->first = root->next;
    if (t->last == root)
        t->last = before;
    root->next = NULL;
    t->nodes -= root->nodes;
    const stepi_text_t name = stepi_kept_text(&root->name);
    if (stepi_holds(&name, t->cli->operation)) {
        stepi_print_tree(t->cli, root);
        t->found++;
    }
    free_tree(root);
}

static bool is_ready(const stepi_node_t *root)
{
    return root->is_done && root->open == 0;
}

static void print_ready(stepi_tree_t *t)
{
    while (t->first != NULL && is_ready(t->first))
        print_behind(t, NULL);
    if (t->nodes <= ALL_NODES_MAX)
        return;
    for (stepi_node_t *before = t->first; before != NULL && before->next != NULL;) {
        if (is_ready(before->next))
            print_behind(t, before);
        else
            before = before->next;
    }
}

static void append_root(stepi_tree_t *t, stepi_node_t *root)
{
    if (t->last != NULL)
        t->last->next = root;
    else
        t->first = root;
    t->last = root;
}

/* ---- Lines ---- */

static stepi_node_t *node_of(const stepi_op_t *op)
{
    return op != NULL ? op->data : NULL;
}

/* Where a child operation hangs: below the open step of its parent, else below the parent itself. */
static stepi_node_t *branch_of(const stepi_op_t *op)
{
    stepi_node_t *node = node_of(op);
    if (node == NULL || !op->step_is_open || node->last_step == NULL)
        return node;
    return node->last_step;
}

static void see_start(void *context, stepi_op_t *op, const stepi_event_t *event)
{
    stepi_tree_t *t = context;
    stepi_node_t *branch = branch_of(op->parent);
    stepi_node_t *node = new_node(branch, branch != NULL ? branch->root : NULL);
    op->data = node;
    if (node == NULL)
        return;
    t->nodes++;
    stepi_keep(&node->name, &event->operation);
    node->status = STEPI_NODE_OPEN;
    node->place = (stepi_place_t){ op->log, op->line };
    node->root->open++;
    if (node->root == node)
        append_root(t, node);
}

static stepi_node_t *step_node(stepi_node_t *parent, const stepi_event_t *event, stepi_place_t place)
{
    stepi_node_t *node = new_node(parent, parent->root);
    if (node == NULL)
        return NULL;
    node->is_step = true;
    node->has_step = event->has_step;
    node->step = event->step;
    node->total = event->total;
    node->status = STEPI_NODE_OPEN;
    node->place = place;
    stepi_keep(&node->name, &event->description);
    return node;
}

/* Whether the node is the step that this line ends. */
static bool is_ended_by(const stepi_node_t *node, const stepi_event_t *event)
{
    return node != NULL && node->status == STEPI_NODE_OPEN && node->step == event->step &&
           stepi_kept_is(&node->name, &event->description);
}

static void fail_operation(stepi_node_t *node, const stepi_event_t *event)
{
    node->status = STEPI_NODE_FAILED;
    node->has_ms = event->has_ms;
    node->ms = event->ms;
    stepi_keep(&node->error, &event->text);
}

static void see_step(void *context, stepi_op_t *op, const stepi_event_t *event, stepi_place_t place)
{
    stepi_tree_t *t = context;
    stepi_node_t *node = node_of(op);
    if (node == NULL)
        return;
    if (!event->has_step) {
        fail_operation(node, event);
        return;
    }
    if (event->kind == STEPI_STEP_START || !is_ended_by(node->last_step, event)) {
        node->last_step = step_node(node, event, place);
        t->nodes += node->last_step != NULL ? 1 : 0;
    }
    stepi_node_t *step = node->last_step;
    if (step == NULL || event->kind == STEPI_STEP_START)
        return;
    step->has_ms = event->has_ms;
    step->ms = event->ms;
    step->status = event->kind == STEPI_STEP_SUCCESS   ? STEPI_NODE_OK
                   : event->kind == STEPI_STEP_FAILURE ? STEPI_NODE_FAILED
                                                       : STEPI_NODE_SKIPPED;
    if (event->kind != STEPI_STEP_SUCCESS)
        stepi_keep(&step->error, &event->text);
}

static void see_end(void *context, stepi_op_t *op, stepi_ending_t ending, const stepi_event_t *event,
                    stepi_place_t place)
{
    stepi_tree_t *t = context;
    stepi_node_t *node = node_of(op);
    (void)place;
    if (node == NULL)
        return;
    if (ending == STEPI_ENDED)
        node->status = STEPI_NODE_OK;
    else if (stepi_op_failed(op))
        node->status = STEPI_NODE_FAILED;
    if (event != NULL && event->has_ms) {
        node->has_ms = true;
        node->ms = event->ms;
    }
    node->root->open--;
    node->root->is_done |= node == node->root;
    op->data = NULL;
    print_ready(t);
}

int64_t stepi_tree(stepi_cli_t *cli, size_t *unreadable)
{
    stepi_tree_t t = { .cli = cli };
    const stepi_watcher_t watcher = { .context = &t, .started = see_start, .step = see_step, .ended = see_end };
    const int result = stepi_watch_logs(cli, cli->names, cli->name_count, &watcher, unreadable);
    while (t.first != NULL)
        print_behind(&t, NULL);
    return result < 0 ? -1 : t.found;
}
