/* The neighbour, where libspdlog-dev is installed: the same line from its synchronous and its asynchronous logger. */
#include "player.h"

#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

#include <cstddef>
#include <memory>

namespace
{
std::shared_ptr<spdlog::logger> logger;

void open_sync(const char *path)
{
    logger = spdlog::basic_logger_mt("bench", path, true);
    logger->set_pattern("[%l] %v");
}

void open_async(const char *path)
{
    spdlog::init_thread_pool(8192, 1);
    logger = spdlog::basic_logger_mt<spdlog::async_factory>("bench", path, true);
    logger->set_pattern("[%l] %v");
}

void call(int i)
{
    logger->info("✅ [{}/{}] {} - SUCCESS (raw_count={}, status_code={}, provider={}, duration_ms={:.1f})", int(BENCH_STEP),
                 int(BENCH_STEPS), BENCH_DESCRIPTION, i, int(BENCH_STATUS), BENCH_PROVIDER, BENCH_DURATION);
}

void flush()
{
    logger->flush();
}

void close()
{
    logger->flush();
    logger.reset();
    spdlog::shutdown(); /* the queue is empty then */
}

const player_t sync_player = { "spdlog_sync", open_sync, nullptr, call, flush, close };
const player_t async_player = { "spdlog_async", open_async, nullptr, call, flush, close };
}

int main(int argc, char **argv)
{
    const player_t *const players[] = { &sync_player, &async_player, nullptr };
    return bench_play(players, argc, argv);
}
