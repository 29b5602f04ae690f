#include "catalog.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_text(FILE *out, const char *text)
{
    putc('"', out);
    for (const char *at = text; *at != '\0'; at++) {
        const unsigned char byte = (unsigned char)*at;
        if (byte < 0x20)
            fprintf(out, "\\u%04x", byte);
        else
            fprintf(out, byte == '"' || byte == '\\' ? "\\%c" : "%c", byte);
    }
    putc('"', out);
}

static void put_model(FILE *out, const model_t *model)
{
    fputs("{\"id\":", out);
    put_text(out, model->name);
    fputs(",\"owned_by\":", out);
    put_text(out, model->provider);
    fprintf(out, ",\"context_length\":%" PRId64 "}", model->context_length);
}

bool catalog_from_models(catalog_t *catalog, const model_t *models, size_t count)
{
    *catalog = (catalog_t){ .count = count };
    FILE *out = open_memstream(&catalog->json, &catalog->bytes);
    if (out == NULL)
        return false;
    fprintf(out, "{\"count\":%zu,\"data\":[", count);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            putc(',', out);
        put_model(out, &models[i]);
    }
    fputs("]}", out);
    const bool is_whole = !ferror(out);
    if (fclose(out) == 0 && is_whole)
        return true;
    catalog_free(catalog);
    return false;
}

bool catalog_from_json(catalog_t *catalog, char *json, size_t bytes)
{
    *catalog = (catalog_t){ .json = json, .bytes = bytes };
    if (sscanf(json, "{\"count\":%zu,", &catalog->count) == 1 && strcmp(json + bytes - 2, "]}") == 0)
        return true;
    catalog_free(catalog);
    return false;
}

bool catalog_copy(catalog_t *catalog, const catalog_t *from)
{
    char *json = malloc(from->bytes + 1);
    if (json == NULL)
        return false;
    memcpy(json, from->json, from->bytes + 1);
    *catalog = (catalog_t){ .json = json, .bytes = from->bytes, .count = from->count };
    return true;
}

void catalog_free(catalog_t *catalog)
{
    free(catalog->json);
    *catalog = (catalog_t){ .json = NULL };
}
