/* Memory while a process dies: pages of the library's own, and what they give may be freed as any other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "platform/memory.h"

#include <stdlib.h>
#include <string.h>

enum { BIG = 5 * 1024 * 1024 };

static void *crashing(void *(*allocate)(size_t bytes), size_t bytes)
{
    stepi_is_crashing = true;
    void *memory = allocate(bytes);
    stepi_is_crashing = false;
    return memory;
}

static bool is_zero(const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

static void pieces_are_zeroed_aligned_and_apart(void **state)
{
    (void)state;
    char *before = NULL;
    for (size_t bytes = 1; bytes < 3000; bytes += 7) {
        char *memory = crashing(stepi_alloc_zeroed, bytes);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % 16, 0);
        assert_true(is_zero(memory, bytes));
        assert_true(memory != before);
        memset(memory, 0xFF, bytes);
        before = memory;
        stepi_free(memory); /* no piece is given twice */
    }
}

static void more_than_the_first_pages(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) {
        char *memory = crashing(stepi_alloc, BIG);
        assert_non_null(memory);
        memset(memory, i, BIG);
        stepi_free(memory);
    }
    assert_null(crashing(stepi_alloc, (size_t)1 << 40));
    assert_null(crashing(stepi_alloc, SIZE_MAX));
}

static void pieces_grow_in_war_and_in_peace(void **state)
{
    (void)state;
    char *memory = stepi_alloc(4);
    memcpy(memory, "abc", 4);
    stepi_is_crashing = true;
    char *larger = stepi_resize(memory, 4, 100);
    stepi_is_crashing = false;
    assert_string_equal(larger, "abc");
    larger[99] = 'z';
    char *heap = stepi_resize(larger, 100, 200);
    assert_true(heap != larger);
    assert_int_equal(heap[99], 'z');
    heap = stepi_resize(heap, 200, 300);
    assert_string_equal(heap, "abc");
    stepi_free(heap); /* and with it the first, whose freeing was put off: the leak checker sees to that */
}

static void freeing_is_put_off(void **state)
{
    (void)state;
    char *memory[10];
    for (size_t i = 0; i < 10; i++)
        memory[i] = stepi_alloc(i); /* a pointer fits into the smallest */
    stepi_is_crashing = true;
    for (size_t i = 0; i < 10; i++)
        stepi_free(memory[i]);
    stepi_free(NULL);
    stepi_is_crashing = false;
    stepi_free(stepi_alloc(1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_zeroed_aligned_and_apart),
        cmocka_unit_test(more_than_the_first_pages),
        cmocka_unit_test(pieces_grow_in_war_and_in_peace),
        cmocka_unit_test(freeing_is_put_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
