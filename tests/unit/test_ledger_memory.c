/* Losses of several outputs without memory: each record counts once all the same. */
/* wrap: malloc realloc */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/ledger.h"

#include <stdlib.h>

void *__real_malloc(size_t bytes);
void *__real_realloc(void *memory, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);

static bool has_memory = true;

void *__wrap_malloc(size_t bytes)
{
    return has_memory ? __real_malloc(bytes) : NULL;
}

void *__wrap_realloc(void *memory, size_t bytes)
{
    return has_memory ? __real_realloc(memory, bytes) : NULL;
}

enum { RECORDS = 1000 };

/* Two outputs lose every other record of the first `end`, one after the other, and resolve all of them. */
static void lose_every_other(stepi_ledger_t *ledger, uint64_t end)
{
    const int slots[2] = { stepi_ledger_add(ledger), stepi_ledger_add(ledger) };
    stepi_ledger_process(ledger, RECORDS);
    for (int i = 0; i < 2; i++) {
        for (uint64_t record = 0; record < end; record += 2)
            stepi_ledger_lose(ledger, record, record + 1);
        stepi_ledger_resolve(ledger, slots[i], RECORDS);
    }
}

static void losses_count_once(bool memory, uint64_t end, uint64_t lost_min, uint64_t lost_max)
{
    stepi_ledger_t ledger = { .outputs = 0 };
    uint64_t written, lost;
    has_memory = memory;
    lose_every_other(&ledger, end);
    has_memory = true;
    stepi_ledger_read(&ledger, &written, &lost);
    assert_in_range(lost, lost_min, lost_max);
    assert_int_equal(written + lost, RECORDS);
    stepi_ledger_clear(&ledger);
}

static void with_memory_losses_are_exact(void **state)
{
    (void)state;
    losses_count_once(true, RECORDS, RECORDS / 2, RECORDS / 2);
}

static void without_memory_few_losses_are_exact(void **state)
{
    (void)state;
    losses_count_once(false, 2, 1, 1);
    losses_count_once(false, 2ull * STEPI_FEW_INTERVALS, STEPI_FEW_INTERVALS, STEPI_FEW_INTERVALS);
}

static void without_memory_many_losses_are_joined(void **state)
{
    (void)state;
    losses_count_once(false, RECORDS, RECORDS / 2, RECORDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_memory_losses_are_exact),
        cmocka_unit_test(without_memory_few_losses_are_exact),
        cmocka_unit_test(without_memory_many_losses_are_joined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
