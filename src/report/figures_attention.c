/* Heat maps of the attention of one date, and the tables that go with them. */
#include "figures_attention.h"

#include "base/log.h"
#include "report/attention_links.h"

enum { SHOWN = 15, LINKS = 20 };

static void labels(FILE *script, const struct attention *a, int n, const int *asset)
{
    for (int i = 0; i < n; i++) fprintf(script, "%s'%lld' %d", i ? ", " : "", (long long)a->ids[asset[i]], i);
}

static int heat_map(struct figures *f, const struct attention *a, const char *name, const char *title, struct error *e)
{
    char caption[600];
    int k = a->leaders;
    double most = 1;
    int64_t day = a->fitted < 100000000 ? a->fitted : a->fitted / 10000;
    snprintf(
        caption, sizeof caption,
        "Columns: the %d of %d assets that receive most attention from others, most on the left. Rows: the assets that give "
        "these most, most on top. Colour: the weight as a multiple of even attention, 1/%d; an asset on itself is left "
        "grey. First block, mean over heads, first seed; parameters of %04lld-%02lld-%02lld.",
        k, a->n, a->n, (long long)(day / 10000), (long long)(day / 100 % 100), (long long)(day % 100));
    if (figure_begin(f, name, title, caption, 6.8, 5.8, 430, e)) return -1;
    f->figure[f->n].map = true;
    fputs("leader_place\tfollower_place\ttimes_even\tweight\tleader\tfollower\n", f->data);
    for (int i = 0; i < k; i++)
        for (int j = 0; j < k; j++) {
            double w = (double)a->map[i * k + j];
            if (w * a->n > most) most = w * a->n;
            fprintf(f->data, "%d\t%d", j, i);
            figure_number(f->data, w * a->n);
            figure_number(f->data, w);
            fprintf(f->data, "\t%lld\t%lld\n", (long long)a->ids[a->leader[j]], (long long)a->ids[a->follower[i]]);
        }
    fprintf(f->script,
            "unset key\nset border 0\nunset grid\nset xrange [-0.5:%g] noextend\nset yrange [%g:-0.5] noextend\n"
            "set palette defined (0 '#fff7e6', 0.25 '#fdcc8a', 0.5 '#fc8d59', 0.75 '#b2182b', 1 '#40004b')\n"
            "set cbrange [0:%.3g]\nset object 1 rectangle from graph 0,0 to graph 1,1 behind fc rgb '#bbbbbb' fs solid "
            "noborder\n"
            "set cblabel 'weight, multiples of even attention'\nset xlabel 'leader (asset)'\nset ylabel 'follower (asset)'\n"
            "if (phone) { set colorbox horizontal user origin 0.25,0.96 size 0.65,0.02; set cbtics font ',10'; "
            "set cblabel 'weight, multiples of even' font ',10' offset 0,0.6; set tmargin 5; "
            "set xtics font ',9'; set ytics font ',9' }\nset xtics scale 0 rotate by 90 right (",
            k - 0.5, k - 0.5, most);
    labels(f->script, a, k, a->leader);
    fputs(")\nset ytics scale 0 (", f->script);
    labels(f->script, a, k, a->follower);
    fputs(")\nplot data using 1:2:3 skip 1 with image pixels\n", f->script);
    return figure_end(f, e);
}

static void rename_table(struct table *t, const char *stem, const char *title)
{
    char name[160];
    snprintf(name, sizeof name, "%s-%s", stem, t->name);
    table_rename(t, name);
    table_qualify(t, title);
}

static void tables_of(const struct attention *a, const char *stem, const char *title, const char *folder,
                      struct table **links, struct error *e)
{
    struct table *t[] = {attention_map(a), attention_assets(a), attention_links(a)};
    for (int i = 0; i < 3; i++) rename_table(t[i], stem, title);
    for (int i = 0; i < 3 && !error_is_set(e); i++) table_write(t[i], folder, e);
    table_free(t[0]);
    table_free(t[1]);
    *links = t[2];
}

int attention_figures(struct figures *f, const struct results *r, int64_t date, const char *tables, struct team *alone,
                      struct table **links, struct error *e)
{
    int maps = 0;
    int64_t day = date < 100000000 ? date : date / 10000;
    for (int i = 0; i < r->models && maps < ATTENTION_MAPS && f->n < FIGURES && !error_is_set(e); i++) {
        const struct result_model *m = &r->model[i];
        struct attention a;
        char stem[96], title[200], of[160];
        if (!attention_possible(m) || !attention_saved(r, m, 0)) continue;
        struct attention_options o = {
            .model = m->name, .universe = m->universe, .date = date, .block = 1, .links = LINKS, .leaders = SHOWN};
        if (attention_read(r, &o, alone, &a, e)) break;
        if (!a.n) continue;
        if (a.fitted != date)
            log_warn("%s, %s: no parameters of %lld: those of %lld are used", m->name, m->universe, (long long)date,
                     (long long)a.fitted);
        snprintf(stem, sizeof stem, "attention-%.30s-%.40s", m->universe, m->name);
        snprintf(of, sizeof of, "%.60s, %.40s, %04lld-%02lld-%02lld", m->name, m->universe, (long long)(day / 10000),
                 (long long)(day / 100 % 100), (long long)(day % 100));
        snprintf(title, sizeof title, "Attention: %s", of);
        heat_map(f, &a, stem, title, e);
        tables_of(&a, stem, of, tables, &links[maps], e);
        maps += links[maps] != NULL;
        attention_free(&a);
    }
    return maps;
}
