/* A figure's data and script, the styles that all figures share, and the call of gnuplot that draws them. */
#define _GNU_SOURCE /* for posix_spawn in a folder */
#include "figure.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/text_file.h"

extern char **environ;

static void file_of(const struct figures *f, const char *suffix, char *out, size_t size)
{
    snprintf(out, size, "%s/%s%s", f->folder, f->figure[f->n].name, suffix);
}

void figure_names(FILE *script, const char *array, int n, const char *const *name)
{
    fprintf(script, "array %s[%d]\n", array, n);
    for (int i = 0; i < n; i++) {
        fprintf(script, "%s[%d] = ", array, i + 1);
        escape_gnuplot(script, name[i]);
        fputc('\n', script);
    }
}

void figure_tics(FILE *script, int n, const char *const *label)
{
    fputc('(', script);
    for (int i = 0; i < n; i++) {
        fputs(i ? ", " : "", script);
        escape_gnuplot_tic(script, label[i]);
        fprintf(script, " %d", i);
    }
    fputc(')', script);
}

void figure_number(FILE *out, double x)
{
    if (isfinite(x)) fprintf(out, "\t%.6g", x);
    else fputs("\tNaN", out);
}

void figure_nothing(FILE *script, const char *why)
{
    fputs("unset logscale\nunset tics\nset label 99 ", script);
    escape_gnuplot(script, why);
    fputs(" at graph 0.5,0.5 center tc rgb '#666666'\nplot [0:1] [0:1] 2 with lines notitle\nunset label 99\n", script);
}

double figure_step(double low, double high)
{
    double rough = (high - low) / 5, power = pow(10, floor(log10(rough > 0 ? rough : 1))), lead = rough / power;
    return power * (lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10);
}

/* Okabe and Ito's colours, told apart by colour-blind readers; then again with dashes. */
static void style(FILE *out, const char *name, double wide, double tall, int phone)
{
    static const char *const colour[] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"};
    fprintf(out, "# gnuplot %s.gp   draws %s.pdf, %s.svg and %s-phone.svg from %s.dat\n", name, name, name, name, name);
    fputs("set encoding utf8\nset datafile missing 'NaN'\nset datafile separator '\\t'\n", out);
    for (int i = 0; i < 21; i++)
        fprintf(out, "set linetype %d lc rgb '%s' lw 1.8 dt %d pt %d ps 0.6\n", i + 1, colour[i % 7],
                i < 7    ? 1
                : i < 14 ? 2
                         : 3,
                i % 7 + 4);
    fputs("set linetype cycle 21\nset border 3 lw 0.8\nset tics nomirror out\nset grid ytics lc rgb '#bbbbbb' lw 0.5\n"
          "do for [form in 'pdf svg phone'] {\nphone = form eq 'phone'\nset xtics\nset ytics\n",
          out);
    fprintf(out,
            "if (form eq 'pdf') { set terminal pdfcairo size %.2fin,%.2fin font 'DejaVu Sans,10' noenhanced; set output "
            "'%s.pdf' }\n",
            wide, tall, name);
    fprintf(out,
            "if (form eq 'svg') { set terminal svg size %.0f,%.0f fixed font 'sans-serif,14' noenhanced; set output "
            "'%s.svg' }\n",
            110 * wide, 110 * tall, name);
    fprintf(out,
            "if (phone) { set terminal svg size 380,%d fixed font 'sans-serif,13' noenhanced; set output '%s-phone.svg' }\n",
            phone, name);
    fprintf(out, "data = '%s.dat'\n", name);
    fputs("if (phone) { set key bottom center outside horizontal samplen 1.5; } else { set key outside right top vertical "
          "samplen 2 }\n",
          out);
}

int figure_begin(struct figures *f, const char *name, const char *title, const char *caption, double wide, double tall,
                 int phone, struct error *e)
{
    char path[4300];
    require(f->n < FIGURES && !f->data);
    struct figure *g = &f->figure[f->n];
    *g = (struct figure){.drawn = false};
    snprintf(g->name, sizeof g->name, "%s", name);
    escape_file_name(g->name); /* the script names its files by it */
    g->title = memory_text(title);
    g->caption = memory_text(caption);
    file_of(f, ".dat", path, sizeof path);
    f->data = text_file_begin(path, e);
    file_of(f, ".gp", path, sizeof path);
    f->script = text_file_begin(path, e);
    if (error_is_set(e)) {
        text_file_end(f->script, path, e);
        file_of(f, ".dat", path, sizeof path);
        text_file_end(f->data, path, e);
        memory_free(g->title);
        memory_free(g->caption);
        f->data = f->script = NULL;
        return -1;
    }
    style(f->script, g->name, wide, tall, phone);
    return 0;
}

/* gnuplot NAME.gp in the figures' folder; its words go to NAME.log. 0 drawn. */
static int draw(struct figures *f)
{
    char script[128], log[4300];
    posix_spawn_file_actions_t actions;
    pid_t child;
    int status = -1;
    snprintf(script, sizeof script, "%s.gp", f->figure[f->n].name);
    file_of(f, ".log", log, sizeof log);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, f->folder);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    unlink(log); /* a link of that name is not written through */
    snprintf(log, sizeof log, "%s.log", f->figure[f->n].name);
    posix_spawn_file_actions_addopen(&actions, 2, log, O_WRONLY | O_CREAT | O_EXCL, 0666);
    int rc = posix_spawnp(&child, "gnuplot", &actions, NULL, (char *[]){"gnuplot", script, NULL}, environ);
    posix_spawn_file_actions_destroy(&actions);
    file_of(f, ".log", log, sizeof log);
    if (rc) {
        unlink(log);
        f->missing = true;
        return -1;
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127) f->missing = true;
    if (status == 0) unlink(log);
    else if (!f->missing) log_warn("%s: gnuplot could not draw it: see %s", f->figure[f->n].name, log);
    return status;
}

int figure_end(struct figures *f, struct error *e)
{
    static const char *const form[] = {".pdf", ".svg", "-phone.svg"};
    struct figure *g = &f->figure[f->n];
    char path[4300];
    struct stat s;
    fputs("\nunset multiplot\nunset output\n}\n", f->script);
    file_of(f, ".dat", path, sizeof path);
    text_file_end(f->data, path, e);
    file_of(f, ".gp", path, sizeof path);
    text_file_end(f->script, path, e);
    f->data = f->script = NULL;
    for (int i = 0; i < 3; i++) { /* a drawing of an earlier report must not pass for this one's */
        file_of(f, form[i], path, sizeof path);
        unlink(path);
    }
    g->drawn = !error_is_set(e) && !f->missing && draw(f) == 0;
    for (int i = 0; i < 3 && g->drawn; i++) {
        file_of(f, form[i], path, sizeof path);
        g->drawn = stat(path, &s) == 0 && s.st_size > 0;
    }
    f->n++;
    return error_is_set(e) ? -1 : 0;
}

void figures_free(struct figures *f)
{
    for (int i = 0; i < f->n; i++) {
        memory_free(f->figure[i].title);
        memory_free(f->figure[i].caption);
    }
    f->n = 0;
}
