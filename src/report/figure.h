/* Figures through gnuplot: every figure leaves NAME.dat, NAME.gp (to restyle and draw again) and, drawn from them, NAME.pdf, NAME.svg
 * and NAME-phone.svg. Without gnuplot, or where it fails, data and script stay and the figure is marked as not drawn. */
#ifndef REPORT_FIGURE_H
#define REPORT_FIGURE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"

enum { FIGURES = 256 };
struct figure {
    char name[96];
    char *title, *caption;
    bool drawn;
    bool map; /* its colours are its numbers, so a page in dark mode does not invert them */
};
struct figures {
    char folder[4096];
    int n;
    struct figure figure[FIGURES];
    FILE *data, *script; /* of the figure in hand */
    bool missing;        /* gnuplot is not there */
};

/* Open NAME.dat and NAME.gp; the script's head is written. `wide` and `tall`: inches of the PDF; screens are in proportion, phones 380 by `phone` pixels. */
int figure_begin(struct figures *f, const char *name, const char *title, const char *caption, double wide, double tall,
                 int phone, struct error *e);
/* Close both and draw. */
int figure_end(struct figures *f, struct error *e);
void figures_free(struct figures *f);

/* Names go to the script, never from the data file to gnuplot: an array of them, for `title ARRAY[i]`, ... */
void figure_names(FILE *script, const char *array, int n, const char *const *name);
/* ... and labels at 0, 1, ... for `set xtics` and `set ytics`: ('a' 0, 'b' 1). */
void figure_tics(FILE *script, int n, const char *const *label);
/* A panel that has nothing to draw says so: gnuplot stops at a plot without a point. */
void figure_nothing(FILE *script, const char *why);
/* A step for about five tics over [low, high]. */
double figure_step(double low, double high);
void figure_number(FILE *out, double x); /* %.6g, NaN where missing */

#endif
