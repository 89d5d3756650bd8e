/* Text on its way out, a few texts in every language by hand; what is no UTF-8 is no character. tests/cli/escape.sh asks the languages'
 * own programs. */
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "check.h"

static void says(void (*escape)(FILE *, const char *), const char *text, const char *want)
{
    char *out = NULL;
    size_t size;
    FILE *f = open_memstream(&out, &size);
    escape(f, text);
    fclose(f);
    if (strcmp(out, want)) fprintf(stderr, "'%s' gives '%s'\n", text, out);
    CU_ASSERT_STRING_EQUAL(out, want);
    free(out);
}

#define FFFD "\xEF\xBF\xBD"

static void languages(void)
{
    says(escape_shell, "plain-1.h5", "plain-1.h5");
    says(escape_shell, "", "''");
    says(escape_shell, "it's $(x)", "'it'\\''s $(x)'");
    says(escape_csv, "a,\"b\"", "\"a,\"\"b\"\"\"");
    says(escape_csv, "a\nb", "\"a\nb\"");
    says(escape_csv, "=1+f(2)", "'=1+f(2)");
    says(escape_csv, "-0.5", "-0.5");
    says(escape_latex, "50%_{a}&#$", "50\\%\\_\\{a\\}\\&\\#\\$");
    says(escape_latex, "~^\\", "\\textasciitilde{}\\textasciicircum{}\\textbackslash{}");
    says(escape_html, "<a href=\"x\">&'", "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
    says(escape_json, "\"\\\n\x1f", "\"\\\"\\\\\\u000a\\u001f\"");
    says(escape_gnuplot, "it's `x`", "'it'.\"\\047\".'s `x`'");
    says(escape_gnuplot_tic, "50%", "'50%%'");
    says(escape_yaml, "no: ", "\"no: \"");
    says(escape_yaml, "a/b_1.h5", "a/b_1.h5");
}

/* Overlong forms, surrogates, what is beyond U+10FFFF, lone and missing continuation bytes; and what lies just inside. */
static void characters(void)
{
    static const char *const bad[] = {"\xC0\xAF",
                                      "\xC1\xBF",
                                      "\xE0\x80\xAF",
                                      "\xE0\x9F\xBF",
                                      "\xF0\x80\x80\xAF",
                                      "\xF0\x8F\xBF\xBF",
                                      "\xED\xA0\x80",
                                      "\xED\xBF\xBF",
                                      "\xF4\x90\x80\x80",
                                      "\xF5\x80\x80\x80",
                                      "\x80",
                                      "\xFF",
                                      "\xC3",
                                      "\xE2\x82",
                                      "\xF0\x9F\x98",
                                      "\xC3(",
                                      "a\xE2\x28\xA1"},
                             *const good[] = {"\xC2\xA0",
                                              "\xDF\xBF",
                                              "\xE0\xA0\x80",
                                              "\xED\x9F\xBF",
                                              "\xEE\x80\x80",
                                              "\xF0\x90\x80\x80",
                                              "\xF4\x8F\xBF\xBD",
                                              "gr\xC3\xB6\xC3\x9F"
                                              "e"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *out = NULL;
        size_t size;
        FILE *f = open_memstream(&out, &size);
        escape_html(f, bad[i]);
        fclose(f);
        CU_ASSERT(!escape_is_plain(bad[i]) && strstr(out, FFFD) != NULL);
        for (const char *p = out; *p; p++) /* nothing of it is left but ASCII and the mark */
            if (!strncmp(p, FFFD, 3)) p += 2;
            else CU_ASSERT((unsigned char)*p < 0x80);
        free(out);
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        CU_ASSERT(escape_is_plain(good[i]));
        says(escape_html, good[i], good[i]);
    }
    CU_ASSERT(!escape_is_plain("a\n") && !escape_is_plain("\xE2\x80\xAE") && !escape_is_plain("\x7F"));
}

static void names(void)
{
    char a[] = "../x y`z`.h5", b[] = "bsv.window=12";
    escape_file_name(a), escape_file_name(b);
    CU_ASSERT_STRING_EQUAL(a, "_._x_y_z_.h5");
    CU_ASSERT_STRING_EQUAL(b, "bsv.window=12");
}

int main(void)
{
    static const struct check tests[] = {{"languages", languages}, {"characters", characters}, {"file names", names}};
    return check_run("escapes", tests, sizeof tests / sizeof *tests);
}
