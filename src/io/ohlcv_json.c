/* Price files in JSON: the answers of Bybit's v5 API, one after the other. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "io/csv.h"
#include "io/decimal.h"
#include "io/ohlcv_text.h"
#include "panel/calendar.h"

enum { START, OPEN, HIGH, LOW, CLOSE, VOLUME, ENTRIES, WRITTEN }; /* taken; an answer's bar has the turnover too */

/* Where an answer starts, for messages. */
struct answer {
    const char *path;
    long line;
    json_t *root;
};

/* The text of a number, be it written as text (as the exchange does) or as a number; false: neither. */
static bool number_text(const json_t *v, char out[64 + CSV_SLACK])
{
    memset(out, 0, 64 + CSV_SLACK);
    if (json_is_string(v)) return snprintf(out, 64, "%s", json_string_value(v)) < 64;
    if (json_is_integer(v)) return snprintf(out, 64, "%lld", (long long)json_integer_value(v)) < 64;
    return json_is_real(v) && snprintf(out, 64, "%.17g", json_real_value(v)) < 64;
}

static int take_bar(const struct answer *a, const json_t *entry, size_t i, struct ohlcv_file *f, struct error *e)
{
    double value[ENTRIES];
    int64_t start = 0, seconds = 0;
    char text[64 + CSV_SLACK];
    if (json_array_size(entry) < WRITTEN)
        return error_set(
            e,
            "%s:%ld: result.list[%zu]: found %s of %zu; needed is a list [start, open, high, low, close, volume, turnover]",
            a->path, a->line, i, json_is_array(entry) ? "a list" : "no list", json_array_size(entry));
    for (size_t k = 0; k < ENTRIES; k++) {
        bool is = number_text(json_array_get(entry, k), text);
        size_t n = strlen(text);
        enum decimal_kind kind = !is          ? DECIMAL_BAD
                                 : k == START ? decimal_parse_whole(text, n, &start)
                                              : decimal_parse(text, n, &value[k]);
        if (k == START && (kind != DECIMAL_FINITE || !ohlcv_epoch(start, &seconds))) kind = DECIMAL_BAD;
        if (kind == DECIMAL_BAD)
            return error_set(e, "%s:%ld: result.list[%zu][%zu]: found '%.60s'; needed is %s", a->path, a->line, i, k, text,
                             k == START ? "milliseconds since 1970" : "a number");
    }
    struct instant t = instant_of(seconds);
    struct ohlcv_bar b = {.time = t.seconds,
                          .day = t.day,
                          .line = (uint32_t)f->read,
                          .open = value[OPEN],
                          .high = value[HIGH],
                          .low = value[LOW],
                          .close = value[CLOSE],
                          .adjusted = value[CLOSE],
                          .volume = value[VOLUME]};
    ohlcv_file_add(f, &b);
    return 0;
}

static int take_answer(const struct answer *a, struct ohlcv_file *f, struct error *e)
{
    json_t *code = json_object_get(a->root, "retCode"), *result = json_object_get(a->root, "result"),
           *symbol = json_object_get(result, "symbol"), *list = json_object_get(result, "list");
    if (!json_is_integer(code))
        return error_set(e,
                         "%s:%ld: found no whole number retCode; needed is an answer of Bybit's v5 API: "
                         "{\"retCode\":0,\"retMsg\":\"OK\",\"result\":{\"symbol\":..,\"list\":[..]}}",
                         a->path, a->line);
    if (json_integer_value(code)) {
        const char *message = json_string_value(json_object_get(a->root, "retMsg"));
        return error_set(e, "%s:%ld: the exchange answered retCode %lld, retMsg '%.200s'; needed is retCode 0", a->path,
                         a->line, (long long)json_integer_value(code), message ? message : "");
    }
    if (!json_is_string(symbol) || !json_string_length(symbol) || json_string_length(symbol) >= OHLCV_SYMBOL)
        return error_set(e, "%s:%ld: result.symbol: found %s; needed is the name of a market of fewer than %d bytes",
                         a->path, a->line, json_is_string(symbol) ? "an empty or long text" : "no text", OHLCV_SYMBOL);
    if (*f->symbol && strcmp(f->symbol, json_string_value(symbol)))
        return error_set(e, "%s:%ld: result.symbol: found '%.60s' after '%.60s'; needed is one market a file", a->path,
                         a->line, json_string_value(symbol), f->symbol);
    snprintf(f->symbol, sizeof f->symbol, "%s", json_string_value(symbol));
    if (!json_is_array(list)) return error_set(e, "%s:%ld: result.list: found no list; needed are klines", a->path, a->line);
    for (size_t i = 0; i < json_array_size(list); i++)
        if (take_bar(a, json_array_get(list, i), i, f, e)) return -1;
    return 0;
}

static long lines_in(const char *text, size_t n)
{
    long lines = 0;
    for (const char *end = text + n; (text = memchr(text, '\n', (size_t)(end - text))); text++) lines++;
    return lines;
}

int ohlcv_json(const char *path, const char *text, size_t n, struct ohlcv_file *f, struct error *e)
{
    struct answer a = {.path = path, .line = 1};
    f->newest_first = true;
    for (size_t at = 0; at < n;) {
        if (strchr(" \t\r\n", text[at]) && text[at]) {
            a.line += text[at++] == '\n';
            continue;
        }
        json_error_t why;
        a.root = json_loadb(text + at, n - at, JSON_DISABLE_EOF_CHECK, &why);
        if (!a.root)
            return error_set(e, "%s:%ld:%d: is no JSON: %s; needed are whole answers of the exchange, one after the other",
                             path, a.line + why.line - 1, why.column, why.text);
        int rc = take_answer(&a, f, e);
        json_decref(a.root);
        if (rc) return -1;
        a.line += lines_in(text + at, (size_t)why.position);
        at += (size_t)why.position;
    }
    return 0;
}
