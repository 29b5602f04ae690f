/* Nesting: depth, indentation, who is whose child, on one thread. */
#include "support/test_log.h"

static void three_deep(void **state)
{
    test_log_t *t = *state;
    step_logger_t *a = step_logger_new("A", 2);
    step_logger_start(a);
    step_logger_step(a, 1, "Outer");
    step_logger_t *b = step_logger_new("B", 1);
    step_logger_start(b, step_kv("of", "A"));
    step_logger_step(b, 1, "Middle");
    step_logger_t *c = step_logger_new("C", 1);
    step_logger_start(c);
    step_logger_step(c, 1, "Inner");
    step_info("in C");
    pass_ms(t, 1);
    step_logger_failure(c, "broken");
    step_logger_complete(c);
    step_info("in B");
    step_logger_free(c);
    step_logger_success(b);
    step_logger_complete(b);
    step_logger_free(b);
    step_info("in A");
    step_logger_success(a);
    step_logger_t *d = step_logger_new("D", 0);
    step_logger_start(d);
    step_logger_skip(a, "misuse stands at its operation's depth");
    step_logger_complete(d);
    step_logger_free(d);
    step_logger_complete(a);
    step_logger_free(a);
    step_info("in none");
    expect_text(t, "[INFO] 🚀 START: A\n"
                   "[INFO] ▶️  [1/2] Outer\n"
                   "    [INFO] 🚀 START: B (of=A)\n"
                   "    [INFO] ▶️  [1/1] Middle\n"
                   "        [INFO] 🚀 START: C\n"
                   "        [INFO] ▶️  [1/1] Inner\n"
                   "        [INFO] in C\n"
                   "        [ERROR] ❌ [1/1] Inner - FAILED: broken (duration_ms=1.0)\n"
                   "        [INFO] 🏁 COMPLETE: C (total_duration_ms=1.0)\n"
                   "    [INFO] in B\n"
                   "    [INFO] ✅ [1/1] Middle - SUCCESS (duration_ms=1.0)\n"
                   "    [INFO] 🏁 COMPLETE: B (total_duration_ms=1.0)\n"
                   "[INFO] in A\n"
                   "[INFO] ✅ [1/2] Outer - SUCCESS (duration_ms=1.0)\n"
                   "    [INFO] 🚀 START: D\n"
                   "[WARNING] skip() without step() in operation \"A\": misuse stands at its operation's depth\n"
                   "    [INFO] 🏁 COMPLETE: D (total_duration_ms=0.0)\n"
                   "[INFO] 🏁 COMPLETE: A (total_duration_ms=1.0)\n"
                   "[INFO] in none\n");
}

static void json_says_depth_and_operation(void **state)
{
    test_log_t *t = *state;
    step_logger_t *a = step_logger_new("A", 0);
    step_logger_start(a);
    step_logger_t *b = step_logger_new("B", 0);
    step_logger_start(b);
    step_info("hello");
    step_quick_step(1, "Quick", "Elsewhere", 2);
    step_logger_free(b);
    step_logger_free(a);
    const char *json = new_json(t);
    assert_non_null(strstr(json, "\"event\":\"operation_start\",\"operation\":\"B\",\"depth\":1,"));
    assert_non_null(strstr(json, "\"event\":\"message\",\"operation\":\"B\",\"message\":\"hello\",\"depth\":1,"));
    assert_non_null(strstr(json, "\"event\":\"step_start\",\"operation\":\"Elsewhere\",\"step\":1,\"total_steps\":2,"
                                 "\"description\":\"Quick\",\"depth\":1,"));
    assert_non_null(strstr(json, "\"event\":\"operation_incomplete\",\"operation\":\"B\",\"total_duration_ms\":0,"
                                 "\"depth\":1,"));
}

/* An operation that is made but not started is nobody's parent yet; start() decides. */
static void start_decides(void **state)
{
    test_log_t *t = *state;
    step_logger_t *early = step_logger_new("Early", 0);
    step_logger_t *root = step_logger_new("Root", 0);
    step_info("no operation is open");
    step_logger_start(root);
    step_logger_start(early);
    step_logger_complete(early);
    step_logger_complete(root);
    step_logger_free(early);
    step_logger_free(root);
    expect_text(t, "[INFO] no operation is open\n"
                   "[INFO] 🚀 START: Root\n"
                   "    [INFO] 🚀 START: Early\n"
                   "    [INFO] 🏁 COMPLETE: Early (total_duration_ms=0.0)\n"
                   "[INFO] 🏁 COMPLETE: Root (total_duration_ms=0.0)\n");
}

/* Ended in another order than begun: whoever ends leaves, whoever is left deepest is current. */
static void out_of_order(void **state)
{
    test_log_t *t = *state;
    step_logger_t *a = step_logger_new("A", 0);
    step_logger_t *b = step_logger_new("B", 0);
    step_logger_t *c = step_logger_new("C", 0);
    step_logger_start(a);
    step_logger_start(b);
    step_logger_start(c);
    step_logger_complete(b);
    step_info("in C");
    step_logger_complete(a);
    step_info("in C");
    step_logger_complete(c);
    step_info("in none");
    step_logger_t *next = step_logger_new("Next", 0);
    step_logger_start(next);
    step_logger_complete(next);
    step_logger_free(a);
    step_logger_free(b);
    step_logger_free(c);
    step_logger_free(next);
    expect_text(t, "[INFO] 🚀 START: A\n"
                   "    [INFO] 🚀 START: B\n"
                   "        [INFO] 🚀 START: C\n"
                   "    [INFO] 🏁 COMPLETE: B (total_duration_ms=0.0)\n"
                   "        [INFO] in C\n"
                   "[INFO] 🏁 COMPLETE: A (total_duration_ms=0.0)\n"
                   "        [INFO] in C\n"
                   "        [INFO] 🏁 COMPLETE: C (total_duration_ms=0.0)\n"
                   "[INFO] in none\n"
                   "[INFO] 🚀 START: Next\n"
                   "[INFO] 🏁 COMPLETE: Next (total_duration_ms=0.0)\n");
}

/* A failed operation stays current until it is completed or freed: cleaning up belongs to it. */
static void failed_operation_stays_current(void **state)
{
    test_log_t *t = *state;
    step_logger_t *a = step_logger_new("A", 0);
    step_logger_start(a);
    step_logger_failure(a, "no");
    step_logger_t *b = step_logger_new("Clean up", 0);
    step_logger_start(b);
    step_logger_complete(b);
    step_logger_free(b);
    step_logger_free(a);
    step_info("in none");
    expect_text(t, "[INFO] 🚀 START: A\n"
                   "[ERROR] ❌ A - FAILED: no (duration_ms=0.0)\n"
                   "    [INFO] 🚀 START: Clean up\n"
                   "    [INFO] 🏁 COMPLETE: Clean up (total_duration_ms=0.0)\n"
                   "[INFO] in none\n");
}

/* 250 deep: indentation stops at 32, current operations at 200; every line is there and things are right afterwards. */
static void very_deep(void **state)
{
    enum { DEEP = 250, REMEMBERED = 200 };
    test_log_t *t = *state;
    step_logger_t *ops[DEEP];
    for (int i = 0; i < DEEP; i++) {
        ops[i] = step_logger_new("Deep", 0);
        step_logger_start(ops[i]);
    }
    const char *at = new_text(t);
    for (int i = 0; i < DEEP; i++) {
        const int spaces = (int)strspn(at, " ");
        assert_int_equal(spaces, 4 * (i < 32 ? i : 32));
        assert_int_equal(strncmp(at + spaces, "[INFO] 🚀 START: Deep\n", strlen("[INFO] 🚀 START: Deep\n")), 0);
        at = strchr(at, '\n') + 1;
    }
    assert_string_equal(at, "");
    const char *json = new_json(t);
    for (int i = 0; i < DEEP; i++) {
        const char *depth = strstr(json, "\"depth\":");
        assert_non_null(depth);
        assert_int_equal(atoi(depth + strlen("\"depth\":")), i < REMEMBERED ? i : REMEMBERED);
        json = strchr(depth, '\n');
    }
    for (int i = DEEP - 1; i > 0; i--) {
        step_logger_complete(ops[i]);
        step_logger_free(ops[i]);
    }
    new_text(t);
    step_info("in the first");
    step_logger_t *second = step_logger_new("Second", 0);
    step_logger_start(second);
    step_logger_complete(second);
    step_logger_free(second);
    step_logger_complete(ops[0]);
    step_logger_free(ops[0]);
    expect_text(t, "[INFO] in the first\n"
                   "    [INFO] 🚀 START: Second\n"
                   "    [INFO] 🏁 COMPLETE: Second (total_duration_ms=0.0)\n"
                   "[INFO] 🏁 COMPLETE: Deep (total_duration_ms=0.0)\n");
}

/* Ten thousand operations one after another below one that stays: nothing adds up. */
static void many_children(void **state)
{
    enum { CHILDREN = 10000 };
    test_log_t *t = *state;
    step_logger_t *parent = step_logger_new("Parent", 0);
    step_logger_start(parent);
    for (int i = 0; i < CHILDREN; i++) {
        step_logger_t *child = step_logger_new("Child", 0);
        step_logger_start(child);
        step_logger_complete(child);
        step_logger_free(child);
    }
    const char *at = strchr(new_text(t), '\n') + 1;
    for (int i = 0; i < CHILDREN; i++) {
        static const char pair[] = "    [INFO] 🚀 START: Child\n    [INFO] 🏁 COMPLETE: Child (total_duration_ms=0.0)\n";
        assert_int_equal(strncmp(at, pair, sizeof(pair) - 1), 0);
        at += sizeof(pair) - 1;
    }
    step_logger_free(parent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(three_deep),   TEST(json_says_depth_and_operation),  TEST(start_decides),
        TEST(out_of_order), TEST(failed_operation_stays_current), TEST(very_deep),
        TEST(many_children),
    };
    return test_in_both_modes(tests);
}
