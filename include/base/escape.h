/* Text on its way out. A name in a study, a panel or a results file may hold any bytes, and whoever made the file may mean harm; every
 * language that such text is written in has one function here, and no such text is written in any other way.
 *
 * Each writes `text` (not NULL) to `out` so that the target's own reader takes it for that text and nothing else. Where a target has a
 * form for every character (shell, CSV, JSON, YAML) the text survives exactly; where it has not, a control character, a mark that
 * turns the direction of writing and a byte that is not UTF-8 become a blank or a replacement character. None fails; whether `out`
 * took it is the caller's to ask. tests/cli/escape.sh sends random text through the readers of every target. */
#ifndef BASE_ESCAPE_H
#define BASE_ESCAPE_H

#include <stdbool.h>
#include <stdio.h>

/* Whether text is UTF-8 without control characters and without marks that turn the direction of writing: what a name in a study must be. */
bool escape_is_plain(const char *text);

/* gnuplot: an expression of strings in single quotes, inside which it knows no escapes, no `command` and no @macro. Terminals are set
 * noenhanced. */
void escape_gnuplot(FILE *out, const char *text);
/* The same for the label of a tic, which gnuplot passes through gprintf: % is doubled. */
void escape_gnuplot_tic(FILE *out, const char *text);
/* A field in double quotes of a tab-separated data file; a double quote in it becomes a single one, for gnuplot knows no way to say it. */
void escape_gnuplot_field(FILE *out, const char *text);

/* POSIX shell: one word, bare where it needs no quotes, else in single quotes. */
void escape_shell(FILE *out, const char *text);

/* HTML: the text of an element, or of an attribute's value in double quotes. */
void escape_html(FILE *out, const char *text);

/* LaTeX: text outside mathematics, also at the start of a tabular's row. */
void escape_latex(FILE *out, const char *text);

/* Markdown (GitHub's): inline text, also as a cell of a table or at the start of a line. */
void escape_markdown(FILE *out, const char *text);

/* CSV (RFC 4180): one field. Text that a spreadsheet would run (=HYPERLINK("..."), @SUM(...)|...) gets a single quote in front. */
void escape_csv(FILE *out, const char *text);

/* JSON: a string with its quotes. */
void escape_json(FILE *out, const char *text);

/* YAML: a scalar in flow or block style, bare where it needs no quotes, else in double quotes. */
void escape_yaml(FILE *out, const char *text);

/* A terminal: one line without anything the terminal could take as a command ('?' instead). Returns the columns it takes, which is
 * all it does where `out` is NULL. */
int escape_terminal(FILE *out, const char *text);
/* The same over several lines: line ends and tabs stay. For messages, and for the log of a batch job. */
void escape_message(FILE *out, const char *text);
/* The same as a text for printf: `text` itself where nothing is amiss, else one of eight buffers that take turns, where a long text is
 * cut. One thread. */
const char *escape_shown(const char *text);

/* A part of a file name, in place: letters and digits of ASCII, - _ = and, but in front, a dot; all else becomes _. */
void escape_file_name(char *name);

#endif
