/* nested: operations inside operations, three deep, and one that another thread works on.
 *
 *     nested [--damaged]
 *
 * An operation that starts while another is open on its thread becomes its child, without anybody passing it along. Across
 * threads the parent is named: step_logger_options_t.parent. */
#include <step_logger.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 3, BLOCK_BYTES = 64 * 1024 };

typedef struct volume {
    const char *name;
    unsigned char blocks[BLOCKS][BLOCK_BYTES];
    uint32_t sums[BLOCKS]; /* noted when the backup was made */
} volume_t;

static uint32_t checksum(const unsigned char *bytes, size_t count) /* FNV-1a */
{
    uint32_t sum = 2166136261u;
    for (size_t i = 0; i < count; i++)
        sum = (sum ^ bytes[i]) * 16777619u;
    return sum;
}

static void write_volume(volume_t *volume, const char *name)
{
    volume->name = name;
    for (int i = 0; i < BLOCKS; i++) {
        memset(volume->blocks[i], name[0] + i, BLOCK_BYTES);
        volume->sums[i] = checksum(volume->blocks[i], BLOCK_BYTES);
    }
}

/* Third level: knows nothing of its callers. */
static bool verify_blocks(const volume_t *volume)
{
    bool ok = true;
    step_logger_t *op = step_logger_new("Verify Blocks", BLOCKS);
    step_logger_start(op, step_kv("block_bytes", BLOCK_BYTES));
    for (int i = 0; i < BLOCKS; i++) {
        step_logger_step(op, i + 1, "Comparing checksums", step_kv("block", i));
        if (checksum(volume->blocks[i], BLOCK_BYTES) == volume->sums[i]) {
            step_logger_success(op);
        } else {
            step_logger_failure(op, "the block has changed", step_kv("block", i));
            ok = false;
        }
    }
    step_logger_complete(op, step_bool("intact", ok));
    step_logger_free(op);
    return ok;
}

/* Second level. parent NULL: whatever is open on this thread. */
static bool verify_volume(const volume_t *volume, step_logger_t *parent)
{
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.parent = parent;
    options.total_steps = 1;
    step_logger_t *op = step_logger_new_with("Verify Volume", &options);
    step_logger_start(op, step_kv("volume", volume->name));
    step_logger_step(op, 1, "Reading volume", step_kv("blocks", BLOCKS));
    const bool ok = verify_blocks(volume);
    if (ok)
        step_logger_success(op);
    else
        step_logger_failure(op, "the volume is damaged");
    step_logger_complete(op, step_bool("intact", ok));
    step_logger_free(op);
    return ok;
}

typedef struct job {
    const volume_t *volume;
    step_logger_t *parent;
    bool ok;
} job_t;

static void *verify_on_thread(void *argument)
{
    job_t *job = argument;
    job->ok = verify_volume(job->volume, job->parent);
    return NULL;
}

/* First level: one volume here, one on another thread. */
static bool verify_backup(const volume_t *local, const volume_t *remote)
{
    pthread_t thread;
    step_logger_t *op = step_logger_new("Verify Backup", 2);
    job_t job = { .volume = remote, .parent = op };
    step_logger_start(op, step_kv("volumes", 2));

    step_logger_step(op, 1, "Verifying on this thread");
    const bool ok = verify_volume(local, NULL);
    if (ok)
        step_logger_success(op);
    else
        step_logger_failure(op, "a volume is damaged", step_kv("volume", local->name));

    step_logger_step(op, 2, "Verifying on another thread");
    const int failed = pthread_create(&thread, NULL, verify_on_thread, &job);
    if (failed) {
        step_logger_failure_errno(op, failed);
    } else {
        pthread_join(thread, NULL);
        if (job.ok)
            step_logger_success(op);
        else
            step_logger_failure(op, "a volume is damaged", step_kv("volume", remote->name));
    }
    step_logger_complete(op, step_bool("intact", ok && job.ok));
    step_logger_free(op);
    return ok && job.ok;
}

int main(int argc, char **argv)
{
    static volume_t local, remote;
    write_volume(&local, "photos");
    write_volume(&remote, "mail");
    if (argc > 1 && strcmp(argv[1], "--damaged") == 0)
        remote.blocks[1][0] ^= 1;
    return verify_backup(&local, &remote) ? EXIT_SUCCESS : EXIT_FAILURE;
}
