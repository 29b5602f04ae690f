#include "core/output.h"

#include "platform/memory.h"

enum { LINE_MAX_BYTES = 1024 * 1024 };

stepi_block_t *stepi_block_new(size_t capacity)
{
    stepi_block_t *block = stepi_alloc(sizeof(*block)); /* the index is written before it is read */
    char *bytes = stepi_alloc(capacity);
    if (block == NULL || bytes == NULL) {
        stepi_free(block);
        stepi_free(bytes);
        return NULL;
    }
    block->bytes = bytes;
    block->capacity = capacity;
    block->used = 0;
    block->lines = 0;
    block->told_count = 0;
    block->base = block->through = 0;
    block->next = NULL;
    return block;
}

void stepi_block_free(stepi_block_t *block)
{
    if (block != NULL)
        stepi_free(block->bytes);
    stepi_free(block);
}

bool stepi_block_grow(stepi_block_t *block)
{
    if (block->capacity >= LINE_MAX_BYTES)
        return false;
    char *bytes = stepi_resize(block->bytes, block->used, block->capacity * 2);
    if (bytes == NULL)
        return false;
    block->bytes = bytes;
    block->capacity *= 2;
    return true;
}

uint64_t stepi_block_told_from(const stepi_block_t *block, uint32_t from)
{
    uint64_t records = 0;
    for (uint32_t i = 0; i < block->told_count; i++)
        records += block->told[i].line >= from ? block->told[i].records : 0;
    return records;
}

void stepi_block_note_told(stepi_block_t *block, uint64_t records)
{
    if (block->told_count < STEPI_BLOCK_TOLD)
        block->told[block->told_count++] = (stepi_told_t){ .line = block->lines, .records = records };
    else
        block->told[STEPI_BLOCK_TOLD - 1] =
            (stepi_told_t){ .line = block->lines, .records = block->told[STEPI_BLOCK_TOLD - 1].records + records };
}
