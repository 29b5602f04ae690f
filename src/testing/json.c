#include "testing/json.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_BYTES_MAX = 400 };

stepi_json_t stepi_json(const char *line, size_t length, char *strings)
{
    return (stepi_json_t){ .at = line, .end = line + length, .strings = strings };
}

static bool take(stepi_json_t *json, char expected)
{
    if (json->at == json->end || *json->at != expected)
        return false;
    json->at++;
    return true;
}

static bool take_word(stepi_json_t *json, const char *word)
{
    const size_t length = strlen(word);
    if ((size_t)(json->end - json->at) < length || memcmp(json->at, word, length) != 0)
        return false;
    json->at += length;
    return true;
}

/* ---- Strings ---- */

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool take_code(stepi_json_t *json, uint32_t *code)
{
    *code = 0;
    for (int i = 0; i < 4; i++, json->at++) {
        const int digit = json->at < json->end ? digit_value(*json->at) : -1;
        if (digit < 0)
            return false;
        *code = *code << 4 | (uint32_t)digit;
    }
    return true;
}

static void put_code(stepi_json_t *json, uint32_t code)
{
    static const unsigned char leads[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
    const int bytes = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (bytes == 1) {
        *json->strings++ = (char)code;
        return;
    }
    *json->strings++ = (char)(leads[bytes] | code >> (6 * (bytes - 1)));
    for (int i = bytes - 2; i >= 0; i--)
        *json->strings++ = (char)(0x80 | (code >> (6 * i) & 0x3F));
}

/* What follows `\u`. Two halves that belong together are one code point; a half alone is none. */
static bool take_unicode(stepi_json_t *json)
{
    uint32_t code, low;
    if (!take_code(json, &code))
        return false;
    if (code >= 0xD800 && code < 0xDC00) {
        if (!take_word(json, "\\u") || !take_code(json, &low) || low < 0xDC00 || low > 0xDFFF)
            return false;
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    } else if (code >= 0xDC00 && code < 0xE000) {
        return false;
    }
    put_code(json, code);
    return true;
}

static bool take_escape(stepi_json_t *json)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    if (take(json, 'u'))
        return take_unicode(json);
    const char *letter = json->at < json->end ? memchr(letters, *json->at, sizeof(letters) - 1) : NULL;
    if (letter == NULL)
        return false;
    json->at++;
    *json->strings++ = meanings[letter - letters];
    return true;
}

/* An escape is never shorter than what it stands for, and the quotes make room for the NUL. */
static bool take_string(stepi_json_t *json, const char **text, size_t *bytes)
{
    if (!take(json, '"'))
        return false;
    *text = json->strings;
    while (json->at < json->end && *json->at != '"') {
        if ((unsigned char)*json->at < 0x20)
            return false;
        if (!take(json, '\\'))
            *json->strings++ = *json->at++;
        else if (!take_escape(json))
            return false;
    }
    *bytes = (size_t)(json->strings - *text);
    *json->strings++ = '\0';
    return take(json, '"');
}

/* ---- Numbers ---- */

static size_t take_digits(stepi_json_t *json)
{
    const char *start = json->at;
    while (json->at < json->end && *json->at >= '0' && *json->at <= '9')
        json->at++;
    return (size_t)(json->at - start);
}

/* Whatever the program's locale writes before decimals. */
static double read_double(const char *digits)
{
    const locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    const locale_t before = plain != (locale_t)0 ? uselocale(plain) : (locale_t)0;
    const double v = strtod(digits, NULL);
    if (plain != (locale_t)0) {
        uselocale(before);
        freelocale(plain);
    }
    return v;
}

static void read_whole(const char *digits, step_field_t *field)
{
    errno = 0;
    field->type = STEP_FIELD_I64;
    field->value.i64 = strtoll(digits, NULL, 10);
    if (errno == 0)
        return;
    errno = 0;
    field->type = STEP_FIELD_U64;
    field->value.u64 = strtoull(digits, NULL, 10);
    if (errno == 0 && digits[0] != '-')
        return;
    field->type = STEP_FIELD_F64;
    field->value.f64 = read_double(digits);
}

static bool take_number(stepi_json_t *json, step_field_t *field)
{
    char digits[NUMBER_BYTES_MAX];
    const char *start = json->at;
    take(json, '-');
    if (!take(json, '0') && take_digits(json) == 0)
        return false;
    bool is_whole = true;
    if (take(json, '.')) {
        is_whole = false;
        if (take_digits(json) == 0)
            return false;
    }
    if (take(json, 'e') || take(json, 'E')) {
        is_whole = false;
        if (!take(json, '+'))
            take(json, '-');
        if (take_digits(json) == 0)
            return false;
    }
    const size_t length = (size_t)(json->at - start);
    if (length >= sizeof(digits))
        return false;
    memcpy(digits, start, length);
    digits[length] = '\0';
    if (is_whole) {
        read_whole(digits, field);
        return true;
    }
    field->type = STEP_FIELD_F64;
    field->value.f64 = read_double(digits);
    return true;
}

/* ---- Values ---- */

static void skip_string(stepi_json_t *json)
{
    for (json->at++; json->at < json->end && *json->at != '"'; json->at++)
        if (*json->at == '\\' && json->at + 1 < json->end)
            json->at++;
}

/* An object or an array: up to its end, as text. */
static bool take_nested(stepi_json_t *json, step_field_t *field)
{
    const char *start = json->at;
    int depth = 0;
    do {
        if (json->at == json->end)
            return false;
        const char c = *json->at;
        if (c == '"')
            skip_string(json);
        else if (c == '{' || c == '[')
            depth++;
        else if (c == '}' || c == ']')
            depth--;
        if (json->at < json->end)
            json->at++;
    } while (depth > 0);
    const size_t length = (size_t)(json->at - start);
    memcpy(json->strings, start, length);
    field->type = STEP_FIELD_TEXT_N;
    field->value.text = json->strings;
    field->bytes = (uint32_t)length;
    json->strings += length;
    *json->strings++ = '\0';
    return true;
}

static bool take_text(stepi_json_t *json, step_field_t *field)
{
    size_t bytes;
    if (!take_string(json, &field->value.text, &bytes))
        return false;
    field->type = STEP_FIELD_TEXT_N;
    field->bytes = (uint32_t)bytes;
    return true;
}

static bool take_value(stepi_json_t *json, step_field_t *field)
{
    const char first = json->at < json->end ? *json->at : '\0';
    if (first == '"')
        return take_text(json, field);
    if (first == '{' || first == '[')
        return take_nested(json, field);
    if (first == 't' || first == 'f') {
        field->type = STEP_FIELD_BOOL;
        field->value.u64 = first == 't';
        return take_word(json, first == 't' ? "true" : "false");
    }
    if (first == 'n') {
        field->type = STEP_FIELD_TEXT_N;
        field->value.text = NULL;
        return take_word(json, "null");
    }
    return take_number(json, field);
}

int stepi_json_next(stepi_json_t *json, stepi_json_member_t *member)
{
    size_t key_bytes;
    *member = (stepi_json_member_t){ .name_at = NULL };
    if (!json->is_open && !take(json, '{'))
        return -1;
    const bool is_first = !json->is_open;
    json->is_open = true;
    if (take(json, '}'))
        return json->at == json->end ? 0 : -1;
    if (!is_first && !take(json, ','))
        return -1;
    member->name_at = json->at;
    if (!take_string(json, &member->field.key, &key_bytes) || !take(json, ':'))
        return -1;
    member->value_at = json->at;
    if (!take_value(json, &member->field))
        return -1;
    member->value_end = json->at;
    return 1;
}
