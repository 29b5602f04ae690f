/* Whose child an operation is when several threads are at work: what is current on each, explicit parents, attaching. */
#include "support/test_log.h"
#include "support/threads.h"

static step_logger_t *start_below(step_logger_t *parent, const char *name)
{
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.parent = parent;
    step_logger_t *op = step_logger_new_with(name, &options);
    step_logger_start(op);
    return op;
}

static void end(step_logger_t *op)
{
    step_logger_complete(op);
    step_logger_free(op);
}

static void a_root_here(void *unused)
{
    (void)unused;
    step_info("nothing is open here");
    end(start_below(NULL, "Elsewhere"));
}

static void current_is_per_thread(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = start_below(NULL, "Main");
    run_on_thread(a_root_here, NULL);
    end(start_below(NULL, "Child"));
    end(op);
    expect_text(t, "[INFO] 🚀 START: Main\n"
                   "[INFO] nothing is open here\n"
                   "[INFO] 🚀 START: Elsewhere\n"
                   "[INFO] 🏁 COMPLETE: Elsewhere (total_duration_ms=0.0)\n"
                   "    [INFO] 🚀 START: Child\n"
                   "    [INFO] 🏁 COMPLETE: Child (total_duration_ms=0.0)\n"
                   "[INFO] 🏁 COMPLETE: Main (total_duration_ms=0.0)\n");
}

static void a_child_of(void *parent)
{
    step_logger_t *op = start_below(parent, "Child");
    step_info("in the child");
    end(start_below(NULL, "Grandchild"));
    end(op);
    step_info("in none: an explicit parent does not become current");
}

static void explicit_parent(void **state)
{
    test_log_t *t = *state;
    step_logger_t *parent = start_below(NULL, "Parent");
    step_logger_t *other = start_below(NULL, "Other"); /* current, but not what was asked for */
    run_on_thread(a_child_of, parent);
    end(start_below(parent, "Sibling"));
    end(other);
    end(parent);
    expect_text(t, "[INFO] 🚀 START: Parent\n"
                   "    [INFO] 🚀 START: Other\n"
                   "    [INFO] 🚀 START: Child\n"
                   "    [INFO] in the child\n"
                   "        [INFO] 🚀 START: Grandchild\n"
                   "        [INFO] 🏁 COMPLETE: Grandchild (total_duration_ms=0.0)\n"
                   "    [INFO] 🏁 COMPLETE: Child (total_duration_ms=0.0)\n"
                   "[INFO] in none: an explicit parent does not become current\n"
                   "    [INFO] 🚀 START: Sibling\n"
                   "    [INFO] 🏁 COMPLETE: Sibling (total_duration_ms=0.0)\n"
                   "    [INFO] 🏁 COMPLETE: Other (total_duration_ms=0.0)\n"
                   "[INFO] 🏁 COMPLETE: Parent (total_duration_ms=0.0)\n");
}

/* The parent's depth counts when the child starts, not when it is made; an ended parent is a parent still, a freed one not. */
static void parent_that_starts_later(void **state)
{
    test_log_t *t = *state;
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    step_logger_t *root = step_logger_new("Root", 0);
    step_logger_t *parent = step_logger_new("Parent", 0);
    options.parent = parent;
    step_logger_t *child = step_logger_new_with("Child", &options);
    step_logger_start(root);
    step_logger_start(parent);
    step_logger_complete(parent);
    step_logger_start(child);
    end(child);
    step_logger_free(parent);
    end(root);
    expect_text(t, "[INFO] 🚀 START: Root\n"
                   "    [INFO] 🚀 START: Parent\n"
                   "    [INFO] 🏁 COMPLETE: Parent (total_duration_ms=0.0)\n"
                   "        [INFO] 🚀 START: Child\n"
                   "        [INFO] 🏁 COMPLETE: Child (total_duration_ms=0.0)\n"
                   "[INFO] 🏁 COMPLETE: Root (total_duration_ms=0.0)\n");
}

static void no_parent(void **state)
{
    test_log_t *t = *state;
    step_logger_t *outer = start_below(NULL, "Outer");
    step_logger_t *apart = start_below(step_logger_no_parent(), "Apart");
    step_info("in outer, without indentation");
    end(start_below(NULL, "Child of outer"));
    end(start_below(apart, "Child of apart"));
    end(outer);
    step_info("in none");
    end(apart);
    expect_text(t, "[INFO] 🚀 START: Outer\n"
                   "[INFO] 🚀 START: Apart\n"
                   "[INFO] in outer, without indentation\n"
                   "    [INFO] 🚀 START: Child of outer\n"
                   "    [INFO] 🏁 COMPLETE: Child of outer (total_duration_ms=0.0)\n"
                   "    [INFO] 🚀 START: Child of apart\n"
                   "    [INFO] 🏁 COMPLETE: Child of apart (total_duration_ms=0.0)\n"
                   "[INFO] 🏁 COMPLETE: Outer (total_duration_ms=0.0)\n"
                   "[INFO] in none\n"
                   "[INFO] 🏁 COMPLETE: Apart (total_duration_ms=0.0)\n");
    const char *json = new_json(t);
    assert_non_null(strstr(json, "\"operation\":\"Outer\",\"message\":\"in outer,"));
    assert_non_null(strstr(json, "\"event\":\"message\",\"message\":\"in none\""));
}

static void attached_here(void *op)
{
    assert_null(step_logger_attach(op));
    step_info("in the operation");
    end(start_below(NULL, "Child"));
    assert_ptr_equal(step_logger_attach(NULL), op);
    step_info("in none");
    assert_null(step_logger_attach(NULL));
}

static void attach_on_another_thread(void **state)
{
    test_log_t *t = *state;
    step_logger_t *outer = start_below(NULL, "Outer");
    step_logger_t *op = start_below(NULL, "Main");
    run_on_thread(attached_here, op);
    step_info("still in it here");
    end(op);
    end(outer);
    expect_text(t, "[INFO] 🚀 START: Outer\n"
                   "    [INFO] 🚀 START: Main\n"
                   "    [INFO] in the operation\n"
                   "        [INFO] 🚀 START: Child\n"
                   "        [INFO] 🏁 COMPLETE: Child (total_duration_ms=0.0)\n"
                   "[INFO] in none\n"
                   "    [INFO] still in it here\n"
                   "    [INFO] 🏁 COMPLETE: Main (total_duration_ms=0.0)\n"
                   "[INFO] 🏁 COMPLETE: Outer (total_duration_ms=0.0)\n");
    assert_non_null(strstr(new_json(t), "\"operation\":\"Main\",\"message\":\"in the operation\",\"depth\":1,"));
}

/* Where messages go is where their operation's name is in JSON. */
static void expect_current(test_log_t *t, const char *name)
{
    char expected[128];
    step_info("where");
    const char *json = new_json(t);
    if (name == NULL)
        snprintf(expected, sizeof(expected), "\"event\":\"message\",\"message\":\"where\"");
    else
        snprintf(expected, sizeof(expected), "\"event\":\"message\",\"operation\":\"%s\",\"message\":\"where\"", name);
    if (strstr(json, expected) == NULL)
        fail_msg("not in %s: %s", name != NULL ? name : "none", json);
}

static void attach_and_detach(void **state)
{
    test_log_t *t = *state;
    step_logger_t *a = start_below(NULL, "A");
    step_logger_t *b = start_below(NULL, "B");
    step_logger_t *apart = start_below(step_logger_no_parent(), "Apart");
    assert_ptr_equal(step_logger_attach(apart), b);
    expect_current(t, "Apart");
    assert_ptr_equal(step_logger_attach(NULL), apart); /* none: not b either */
    expect_current(t, NULL);
    assert_null(step_logger_attach(NULL));
    assert_null(step_logger_attach(b)); /* what was current first is put back */
    expect_current(t, "B");
    assert_ptr_equal(step_logger_attach(b), b);
    assert_ptr_equal(step_logger_attach(a), b);
    expect_current(t, "A");
    assert_ptr_equal(step_logger_attach(step_logger_no_parent()), a);
    expect_current(t, "A");
    step_logger_t *made = step_logger_new("Made", 0);
    assert_ptr_equal(step_logger_attach(made), a); /* not started */
    step_logger_start(made);
    step_logger_complete(made);
    assert_ptr_equal(step_logger_attach(made), a); /* ended */
    step_logger_free(made);
    assert_ptr_equal(step_logger_attach(made), a); /* freed */
    expect_current(t, "A");
    end(a);
    assert_null(step_logger_attach(NULL));
    expect_current(t, NULL);
    end(b);
    end(apart);
    expect_current(t, NULL);
}

/* The pattern of an event loop, often: what lies below is neither lost nor buried. */
static void attach_and_detach_often(void **state)
{
    test_log_t *t = *state;
    step_logger_t *below = start_below(NULL, "Below");
    step_logger_t *tasks[2] = { start_below(step_logger_no_parent(), "Task 0"),
                                start_below(step_logger_no_parent(), "Task 1") };
    step_logger_t *const none = step_logger_attach(NULL);
    assert_ptr_equal(none, below);
    for (int i = 0; i < 1000; i++) {
        assert_null(step_logger_attach(tasks[i % 2]));
        assert_ptr_equal(step_logger_attach(NULL), tasks[i % 2]);
        assert_null(step_logger_attach(NULL));
    }
    expect_current(t, NULL);
    assert_null(step_logger_attach(below));
    for (int i = 0; i < 1000; i++) {
        assert_ptr_equal(step_logger_attach(tasks[i % 2]), below);
        assert_ptr_equal(step_logger_attach(below), tasks[i % 2]);
    }
    expect_current(t, "Below");
    end(tasks[0]);
    end(tasks[1]);
    end(below);
    expect_current(t, NULL);
}

static void complete_it(void *op)
{
    step_logger_step(op, 2, "Elsewhere");
    step_logger_success(op);
    step_logger_complete(op);
}

static void free_it(void *op)
{
    step_logger_free(op);
}

static void ended_on_another_thread(void **state)
{
    test_log_t *t = *state;
    step_logger_t *a = step_logger_new("A", 2);
    step_logger_start(a);
    step_logger_step(a, 1, "Here");
    step_logger_success(a);
    run_on_thread(complete_it, a);
    expect_current(t, NULL);
    end(start_below(NULL, "Root"));
    step_logger_free(a);
    step_logger_t *b = start_below(NULL, "B");
    step_logger_t *c = start_below(NULL, "C");
    run_on_thread(free_it, b); /* the lower one, without complete() */
    expect_current(t, "C");
    run_on_thread(free_it, c);
    expect_current(t, NULL);
    expect_text(t, "[INFO] 🚀 START: A\n"
                   "[INFO] ▶️  [1/2] Here\n"
                   "[INFO] ✅ [1/2] Here - SUCCESS (duration_ms=0.0)\n"
                   "[INFO] ▶️  [2/2] Elsewhere\n"
                   "[INFO] ✅ [2/2] Elsewhere - SUCCESS (duration_ms=0.0)\n"
                   "[INFO] 🏁 COMPLETE: A (total_duration_ms=0.0)\n"
                   "[INFO] where\n"
                   "[INFO] 🚀 START: Root\n"
                   "[INFO] 🏁 COMPLETE: Root (total_duration_ms=0.0)\n"
                   "[INFO] 🚀 START: B\n"
                   "    [INFO] 🚀 START: C\n"
                   "[WARNING] ⚠️  INCOMPLETE: B (total_duration_ms=0.0)\n"
                   "    [INFO] where\n"
                   "    [WARNING] ⚠️  INCOMPLETE: C (total_duration_ms=0.0)\n"
                   "[INFO] where\n");
}

/* Passed from thread to thread in the middle of a step: each line knows the names, whichever ring it came through. */
static void succeed(void *op)
{
    step_logger_success(op);
}

static void begin_second(void *op)
{
    step_logger_step(op, 2, "Second");
}

static void moves_between_threads(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = step_logger_new("Relay", 2);
    step_logger_start(op);
    step_logger_step(op, 1, "First");
    run_on_thread(succeed, op);
    run_on_thread(begin_second, op);
    step_logger_message(op, STEP_LEVEL_INFO, "back here");
    run_on_thread(complete_it, op);
    step_logger_free(op);
    const char *json = new_json(t);
    assert_non_null(strstr(json, "\"event\":\"step_success\",\"operation\":\"Relay\",\"step\":1,\"total_steps\":2,"
                                 "\"description\":\"First\","));
    assert_non_null(strstr(json, "\"operation\":\"Relay\",\"step\":2,\"total_steps\":2,\"description\":\"Second\","
                                 "\"message\":\"back here\","));
    expect_text(t, "[INFO] 🚀 START: Relay\n"
                   "[INFO] ▶️  [1/2] First\n"
                   "[INFO] ✅ [1/2] First - SUCCESS (duration_ms=0.0)\n"
                   "[INFO] ▶️  [2/2] Second\n"
                   "[INFO] back here\n"
                   "[INFO] ▶️  [2/2] Elsewhere\n"
                   "[INFO] ✅ [2/2] Elsewhere - SUCCESS (duration_ms=0.0)\n"
                   "[INFO] 🏁 COMPLETE: Relay (total_duration_ms=0.0)\n");
}

/* Parents do not reach across logs: the operations of each are its own tree. */
static void another_log(void **state)
{
    test_log_t *t = *state;
    step_log_options_t options = test_log_options(t);
    step_log_t *other = NULL;
    assert_int_equal(step_log_open(&options, &other), STEP_OK);
    step_sink_t *text = step_sink_memory(4096);
    assert_int_equal(step_log_add_output(other, text, step_format_text(), 0), STEP_OK);
    step_logger_t *here = start_below(NULL, "Here");
    step_logger_t *there = operation_in(other, "There", 0);
    step_logger_start(there);
    step_info("in none of this log");
    step_log_message(other, STEP_LEVEL_INFO, "in there");
    step_logger_t *child = start_below(there, "Given a parent there");
    end(child);
    end(there);
    end(start_below(NULL, "Child"));
    end(here);
    expect_text(t, "[INFO] 🚀 START: Here\n"
                   "[INFO] in none of this log\n"
                   "[INFO] 🚀 START: Given a parent there\n"
                   "[INFO] 🏁 COMPLETE: Given a parent there (total_duration_ms=0.0)\n"
                   "    [INFO] 🚀 START: Child\n"
                   "    [INFO] 🏁 COMPLETE: Child (total_duration_ms=0.0)\n"
                   "[INFO] 🏁 COMPLETE: Here (total_duration_ms=0.0)\n");
    assert_int_equal(step_log_flush(other, TEST_FLUSH_MS), STEP_OK);
    assert_string_equal(step_sink_memory_text(text), "[INFO] 🚀 START: There\n"
                                                     "[INFO] in there\n"
                                                     "[INFO] 🏁 COMPLETE: There (total_duration_ms=0.0)\n");
    assert_int_equal(step_log_close(other), STEP_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(current_is_per_thread),
        TEST(explicit_parent),
        TEST(parent_that_starts_later),
        TEST(no_parent),
        TEST(attach_on_another_thread),
        TEST(attach_and_detach),
        TEST(attach_and_detach_often),
        TEST(ended_on_another_thread),
        TEST(moves_between_threads),
        TEST(another_log),
    };
    return test_in_both_modes(tests);
}
