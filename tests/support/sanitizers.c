/* Sanitizers' defaults for every test: memory that cannot be had is NULL, as without them. The environment beats them. */
const char *__asan_default_options(void);
const char *__tsan_default_options(void);

const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

/* Nor does the end of a process wait a second for threads that go on; a forked child may start threads; and a handler that logs in
 * STEP_MODE_SYNC may allocate, since its call formats there. */
const char *__tsan_default_options(void)
{
    return "allocator_may_return_null=1:atexit_sleep_ms=0:die_after_fork=0:report_signal_unsafe=0";
}
