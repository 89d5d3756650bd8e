/* escape_fuzz SEED N: N random texts and what every escaping function makes of them, in files of the folder it is run in, for the
 * readers of the target languages: texts (each followed by a byte 0), words.sh, strings.gp, x.csv, x.json, x.yaml, x.html, x.md, x.tex,
 * terminal. Texts are made of what the languages know: their quotes, escapes and commands, control characters, UTF-8 whole and broken. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/random.h"

static const char *const piece[] = {"'",
                                    "\"",
                                    "`",
                                    "`touch PWNED`",
                                    "$(touch PWNED)",
                                    "$x",
                                    "${HOME}",
                                    "\\",
                                    "\\\\",
                                    "\\n",
                                    "\n",
                                    "\r",
                                    "\r\n",
                                    "\t",
                                    "\a",
                                    "\033[2J",
                                    "\033]0;x\007",
                                    "\177",
                                    "\302\233",
                                    "\302\205",
                                    "%",
                                    "%s%n",
                                    "%%",
                                    "#",
                                    "# x",
                                    "!",
                                    "!touch PWNED",
                                    "system('touch PWNED')",
                                    "'; print 1; '",
                                    "{",
                                    "}",
                                    "{}",
                                    "^",
                                    "_",
                                    "@",
                                    "@x",
                                    "&",
                                    "&amp;",
                                    "&#39",
                                    "~",
                                    "~/x",
                                    "<",
                                    ">",
                                    "<script>",
                                    "</p>",
                                    "<!--",
                                    "]]>",
                                    "[",
                                    "]",
                                    "[2pt]",
                                    "[x](y)",
                                    "*",
                                    "**",
                                    "|",
                                    "||",
                                    "- ",
                                    "-",
                                    "+",
                                    "=",
                                    "=1+1",
                                    "=HYPERLINK(\"x\")",
                                    "@SUM(1)|x!A1",
                                    ",",
                                    ";",
                                    ":",
                                    ": ",
                                    "? ",
                                    "- - ",
                                    "1.",
                                    "1) ",
                                    "12",
                                    "null",
                                    "true",
                                    "...",
                                    "---",
                                    "//",
                                    "/",
                                    ".",
                                    " ",
                                    "  ",
                                    "\\input{x}",
                                    "\\end{tabular}",
                                    "$$",
                                    "\\\\[",
                                    "\\*",
                                    "--",
                                    "a",
                                    "Z9",
                                    "x_y",
                                    "größe",
                                    "\u65e5\u672c",
                                    "\U0001F4A9",
                                    "e\u0301",
                                    "\u202e",
                                    "\u2066",
                                    "\u2028",
                                    "\ufeff",
                                    "\uffff",
                                    "\u200f",
                                    "\ue000",
                                    "\377",
                                    "\300\200",
                                    "\355\240\200",
                                    "\364\220\200\200",
                                    "\342\202",
                                    "\303",
                                    "\200",
                                    "\001",
                                    "\037",
                                    "\b"};
enum { PIECES = sizeof piece / sizeof *piece, LONGEST = 12, ROOM = 512 };

static FILE *begin(const char *name, const char *head)
{
    FILE *f = fopen(name, "w");
    if (!f) perror(name), exit(1);
    fputs(head, f);
    return f;
}

/* The first texts are single pieces; the others are strings of them, some with random bytes. */
static void make(uint64_t seed, int i, char out[ROOM])
{
    struct random_stream s = random_open(seed, (uint64_t)i, 0, 0);
    uint64_t at = 0;
    size_t n = 0;
    int pieces = i < PIECES ? 0 : (int)(random_word(&s, at++) % LONGEST);
    if (i < PIECES) n = (size_t)sprintf(out, "%s", piece[i]);
    for (int k = 0; k < pieces; k++) {
        uint32_t which = random_word(&s, at++) % (PIECES + 8);
        if (which < PIECES) n += (size_t)sprintf(out + n, "%s", piece[which]);
        else out[n++] = (char)(1 + random_word(&s, at++) % 255);
    }
    out[n] = '\0';
}

int main(int argc, char **argv)
{
    if (argc != 3) return 2;
    int texts = atoi(argv[2]);
    uint64_t seed = strtoull(argv[1], NULL, 10);
    FILE *raw = begin("texts", ""), *shell = begin("words.sh", ""), *csv = begin("x.csv", ""), *json = begin("x.json", "[");
    FILE *yaml = begin("x.yaml", ""), *html = begin("x.html", "<!doctype html>\n"),
         *md = begin("x.md", "| a | b |\n| --- | --- |\n");
    FILE *tex = begin("x.tex", ""), *terminal = begin("terminal", "");
    FILE *gp = begin("strings.gp", "set encoding utf8\nset print 'gnuplot.out'\ndo for [form in 'one'] {\narray text[1]\n");
    for (int i = 0; i < texts; i++) {
        char text[ROOM];
        make(seed, i, text);
        fwrite(text, 1, strlen(text) + 1, raw);
        fputs("printf '%s\\0' ", shell), escape_shell(shell, text), fputs("\n", shell);
        escape_csv(csv, text), fputs(",0\n", csv);
        fputs(i ? ",\n" : "\n", json), escape_json(json, text);
        fprintf(yaml, "- {a: "), escape_yaml(yaml, text), fputs(", ", yaml), escape_yaml(yaml, text),
            fputs(": [b]}\n- ", yaml);
        escape_yaml(yaml, text), fputs("\n", yaml);
        fputs("<p title=\"", html), escape_html(html, text), fputs("\">", html), escape_html(html, text),
            fputs("</p>\n", html);
        fputs("| ", md), escape_markdown(md, text), fputs(" | b |\n", md);
        escape_latex(tex, text), fputs("\n", tex);
        escape_terminal(terminal, text), fprintf(terminal, "\n%s\n", escape_shown(text)), escape_message(terminal, text),
            fputc(0, terminal);
        fputs("print ", gp), escape_gnuplot(gp, text), fputs("\ntext[1] = ", gp), escape_gnuplot(gp, text),
            fputs("\nprint text[1].'|'.gprintf(", gp);
        escape_gnuplot_tic(gp, text), fputs(", 1)\n", gp);
    }
    fputs("\n]\n", json), fputs("}\n", gp);
    FILE *all[] = {raw, shell, csv, json, yaml, html, md, tex, terminal, gp};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (fclose(all[i])) return 1;
    return 0;
}
