/* Text on its way out: a function per target language. */
#include "base/escape.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { BLANK = ' ', UNKNOWN = '?' };
static const char REPLACEMENT[] = "\xEF\xBF\xBD"; /* U+FFFD */

/* One character of UTF-8. */
struct character {
    int bytes; /* 0: the text's end */
    uint32_t code;
    bool valid; /* false: a byte that begins no character */
    bool plain; /* valid, and neither a control character nor one that turns the direction of what follows */
};

/* Overlong forms, surrogates and what is beyond U+10FFFF are no characters. */
static struct character character_at(const char *text)
{
    const unsigned char *u = (const unsigned char *)text;
    struct character c = {.bytes = 1, .code = u[0]};
    if (!u[0]) return (struct character){0};
    int more = u[0] < 0x80                   ? 0
               : u[0] >= 0xC2 && u[0] < 0xE0 ? 1
               : (u[0] & 0xF0) == 0xE0       ? 2
               : u[0] >= 0xF0 && u[0] < 0xF5 ? 3
                                             : -1;
    if (more < 0) return c;
    uint32_t code = more ? u[0] & (0x3Fu >> more) : u[0];
    for (int i = 1; i <= more; i++) {
        if ((u[i] & 0xC0) != 0x80) return c;
        code = code << 6 | (u[i] & 0x3Fu);
    }
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    if (code < least[more] || (code >= 0xD800 && code < 0xE000) || code > 0x10FFFF) return c;
    c.bytes = more + 1, c.code = code, c.valid = true;
    bool control = code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x2028 || code == 0x2029 || code == 0xFEFF ||
                   code == 0xFFFE || code == 0xFFFF;
    bool turns = code == 0x200E || code == 0x200F || code == 0x061C || (code >= 0x202A && code <= 0x202E) ||
                 (code >= 0x2066 && code <= 0x2069);
    c.plain = !control && !turns;
    return c;
}

bool escape_is_plain(const char *text)
{
    struct character c;
    while ((c = character_at(text)).plain) text += c.bytes;
    return !c.bytes;
}

/* Over the characters of `text`, each as `c` with its first byte at `at`. */
#define EACH_CHARACTER(c, at, text)                                                                                         \
    const char *at = (text);                                                                                                \
    for (struct character c; (c = character_at(at)).bytes; at += c.bytes)

static void put(FILE *out, const char *at, struct character c)
{
    fwrite(at, 1, (size_t)c.bytes, out);
}

/* For targets without a form for it: a blank for a control character, '?' for what is no character. */
static int instead(struct character c)
{
    return c.valid ? BLANK : UNKNOWN;
}

/* Whether c is one of these characters of ASCII. */
static bool one_of(struct character c, const char *these)
{
    return c.code < 0x80 && strchr(these, (int)c.code) != NULL;
}

static bool only(const char *text, const char *these)
{
    return text[strspn(text, these)] == '\0';
}

#define LETTERS_AND_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/* ---- gnuplot ---- */

/* gnuplot 5.4 reads '''a' and 'a''''b' as two strings, and its macros miscount quotes inside other quotes, so a single quote is a
 * string of its own, by its number: 'it'."\047".'s'. */
static void gnuplot_single(FILE *out, const char *text, bool format)
{
    fputc('\'', out);
    EACH_CHARACTER(c, at, text)
    {
        if (!c.plain) fputc(instead(c), out);
        else if (c.code == '\'') fputs("'.\"\\047\".'", out);
        else if (format && c.code == '%') fputs("%%", out);
        else put(out, at, c);
    }
    fputc('\'', out);
}

void escape_gnuplot(FILE *out, const char *text)
{
    gnuplot_single(out, text, false);
}

void escape_gnuplot_tic(FILE *out, const char *text)
{
    gnuplot_single(out, text, true);
}

void escape_gnuplot_field(FILE *out, const char *text)
{
    fputc('"', out);
    EACH_CHARACTER(c, at, text)
    {
        if (!c.plain) fputc(instead(c), out);
        else if (c.code == '"') fputc('\'', out);
        else put(out, at, c);
    }
    fputc('"', out);
}

/* ---- POSIX shell ---- */

void escape_shell(FILE *out, const char *text)
{
    if (*text && only(text, LETTERS_AND_DIGITS "_@%+=:,./-")) {
        fputs(text, out);
        return;
    }
    fputc('\'', out);
    for (; *text; text++)
        if (*text == '\'') fputs("'\\''", out);
        else fputc(*text, out);
    fputc('\'', out);
}

/* ---- HTML ---- */

void escape_html(FILE *out, const char *text)
{
    EACH_CHARACTER(c, at, text)
    {
        if (c.code == '&') fputs("&amp;", out);
        else if (c.code == '<') fputs("&lt;", out);
        else if (c.code == '>') fputs("&gt;", out);
        else if (c.code == '"') fputs("&quot;", out);
        else if (c.code == '\'') fputs("&#39;", out);
        else if (c.code == '\r') fputs("&#13;", out);
        else if (c.plain || c.code == '\n' || c.code == '\t') put(out, at, c);
        else fputs(REPLACEMENT, out);
    }
}

/* ---- LaTeX ---- */

void escape_latex(FILE *out, const char *text)
{
    EACH_CHARACTER(c, at, text)
    {
        if (!c.plain) fputc(instead(c), out);
        else if (one_of(c, "&%$#_{}")) fprintf(out, "\\%c", (char)c.code);
        else if (c.code == '~') fputs("\\textasciitilde{}", out);
        else if (c.code == '^') fputs("\\textasciicircum{}", out);
        else if (c.code == '\\') fputs("\\textbackslash{}", out);
        else if (c.code == '|') fputs("\\textbar{}", out);
        else if (one_of(c, "<>")) fprintf(out, "$%c$", (char)c.code);
        else if (one_of(c, "[]*")) fprintf(out, "{%c}", (char)c.code); /* \\[2pt] and \\* take what follows them */
        else put(out, at, c);
    }
}

/* ---- Markdown ---- */

void escape_markdown(FILE *out, const char *text)
{
    size_t digits = strspn(text, "0123456789");
    EACH_CHARACTER(c, at, text)
    {
        bool list = at == text ? one_of(c, "-+=") : digits && at == text + digits && one_of(c, ".)");
        if (!c.plain) fputc(instead(c), out);
        else {
            if (list || one_of(c, "\\`*_{}[]<>#|~&$!")) fputc('\\', out);
            put(out, at, c);
        }
    }
}

/* ---- CSV ---- */

void escape_csv(FILE *out, const char *text)
{
    const char *first = text + strspn(text, " \t\r\n");
    bool formula = *first && strchr("=+-@", *first) && strpbrk(first, "(|!#");
    bool quoted = strpbrk(text, ",\"\r\n") != NULL;
    if (quoted) fputc('"', out);
    if (formula) fputc('\'', out);
    for (; *text; text++) {
        if (*text == '"') fputc('"', out);
        fputc(*text, out);
    }
    if (quoted) fputc('"', out);
}

/* ---- JSON and YAML ---- */

/* A string in double quotes that both read alike. */
static void json_string(FILE *out, const char *text)
{
    fputc('"', out);
    EACH_CHARACTER(c, at, text)
    {
        if (!c.valid) fputs(REPLACEMENT, out);
        else if (one_of(c, "\"\\")) fprintf(out, "\\%c", (char)c.code);
        else if (c.plain) put(out, at, c);
        else fprintf(out, "\\u%04x", (unsigned)c.code); /* none of them is beyond U+FFFF */
    }
    fputc('"', out);
}

void escape_json(FILE *out, const char *text)
{
    json_string(out, text);
}

void escape_yaml(FILE *out, const char *text)
{
    const char *digits = text + (*text == '-');
    bool number = *digits && strchr("0123456789", *digits), word = *text && strchr(LETTERS_AND_DIGITS "_/", *text);
    bool path = *text == '.' && text[1] && strchr(LETTERS_AND_DIGITS "_/", text[1]);
    if ((number || word || path) && only(text, LETTERS_AND_DIGITS "_/.=+-")) fputs(text, out);
    else json_string(out, text);
}

/* ---- terminals ---- */

/* Columns of a character that can be printed: marks that combine with the one before take none, East Asian ones two. */
static int columns_of(uint32_t code)
{
    if ((code >= 0x300 && code < 0x370) || (code >= 0x200B && code <= 0x200F)) return 0;
    bool wide = (code >= 0x1100 && code < 0x1160) || (code >= 0x2E80 && code < 0xA4D0) ||
                (code >= 0xAC00 && code < 0xD7A4) || (code >= 0xF900 && code < 0xFB00) ||
                (code >= 0xFE30 && code < 0xFE70) || (code >= 0xFF00 && code < 0xFF61) || code >= 0x1F300;
    return wide ? 2 : 1;
}

int escape_terminal(FILE *out, const char *text)
{
    int columns = 0;
    EACH_CHARACTER(c, at, text)
    {
        columns += c.plain ? columns_of(c.code) : 1;
        if (out && c.plain) put(out, at, c);
        else if (out) fputc(UNKNOWN, out);
    }
    return columns;
}

void escape_message(FILE *out, const char *text)
{
    EACH_CHARACTER(c, at, text)
    {
        if (c.plain || c.code == '\n' || c.code == '\t') put(out, at, c);
        else fputc(UNKNOWN, out);
    }
}

const char *escape_shown(const char *text)
{
    static char ring[8][1024];
    static int turn;
    if (escape_is_plain(text)) return text;
    char *shown = ring[turn = (turn + 1) % 8];
    size_t n = 0;
    EACH_CHARACTER(c, at, text)
    {
        if (n + 5 > sizeof *ring) break;
        if (!c.plain) shown[n++] = UNKNOWN;
        for (int i = 0; i < c.bytes && c.plain; i++) shown[n++] = at[i];
    }
    shown[n] = '\0';
    return shown;
}

/* ---- file names ---- */

void escape_file_name(char *name)
{
    for (char *s = name; *s; s++)
        if (!strchr(LETTERS_AND_DIGITS "-_=.", *s) || (*s == '.' && s == name)) *s = '_';
}
