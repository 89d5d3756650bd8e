/* What models/model.h promises of a class, held against every class that is registered. RANKS: 3
 * The test names no kind of model: it takes a class's options from its table, makes them small, and turns every one of them to another
 * value, one at a time. What the class then refuses must say what is needed; what it takes must keep every promise. */
#include "contract.h"
#include "io/parameters_file.h"
#include "nn/network.h"
#include "parallel/progress_counter.h"

/* ---- the promises ---- */

static bool same_portfolio(const struct outcome *a, const struct outcome *b)
{
    return a->code == b->code && a->n == b->n &&
           !memcmp(a->value + a->record, b->value + b->record, sizeof(double) * (size_t)a->n);
}

/* Everything after `now` is noise, what now earns is too: the portfolio of now is what it was. One period later it is seen (looked at
 * where no number is turned: it costs as much again). */
static void no_look_ahead(void)
{
    static struct outcome a, b;
    for (int i = 0; i < variants; i++)
        for (int late = 0; late < 2 && mine(i); late++) {
            struct setup u, w;
            if (late && variant[i].transposed && variant[i].transposed->type != OPTION_WORD) break;
            if (open_setup(&u, &variant[i], BASE, WINDOW)) break;
            CU_ASSERT_FATAL(!open_setup(&w, &variant[i], FUTURE, WINDOW));
            compute(&u, alone, PLANTED + late, &a);
            compute(&w, alone, PLANTED + late, &b);
            blame(&variant[i], late ? "does not see what has happened" : "looks ahead", same_portfolio(&a, &b) == !late);
            CU_ASSERT(a.n > 0 && !a.code);
            release(&u);
            release(&w);
        }
}

static void same_bits_on_any_ranks(void)
{
    static struct outcome first, o;
    int me = team_rank(world), ranks = team_size(world);
    for (int i = 0; i < variants; i++) {
        struct setup u;
        if (open_setup(&u, &variant[i], BASE, WINDOW)) continue;
        int cut = config_cut(u.config), tried = 0;
        for (int k = 0; k < ranks;
             k++) { /* teams of 1, 2, 3 that end with the last rank; where the size is fixed, elsewhere */
            int size = cut ? cut : k + 1, from = cut ? k : ranks - size;
            if (from + size > ranks) break;
            struct team *team = team_split(world, me >= from && me < from + size ? 0 : -1);
            if (team) compute(&u, team, PLANTED, &o);
            team_close(team);
            team_broadcast(world, &o, sizeof o, from);
            if (!tried++) first = o;
            blame(&variant[i], "other bits on other ranks", !memcmp(&first, &o, sizeof o));
        }
        CU_ASSERT(tried > 1 || cut >= ranks);
        release(&u);
    }
}

/* The same assets under other ids, so in another order: the same return, the same weight of each, to rounding. Options that are real
 * numbers are left as they are: they make random draws by place in the period (dropout), or steps so large that rounding grows. */
static void order_of_assets_is_irrelevant(void)
{
    static struct outcome a, b;
    for (int i = 0; i < variants; i++) {
        struct setup u, w;
        if (!mine(i) || turns_a_real(&variant[i]) || open_setup(&u, &variant[i], BASE, WINDOW)) continue;
        CU_ASSERT_FATAL(!open_setup(&w, &variant[i], ORDER, WINDOW));
        compute(&u, alone, PLANTED, &a);
        compute(&w, alone, PLANTED, &b);
        double scale = 1e-12, worst = 0, tolerance = config_cut(u.config) ? 1e-7 : 2e-3;
        bool good = a.n == b.n && a.code == b.code;
        for (int k = 0; k < a.n; k++) scale = fmax(scale, fabs(a.value[a.record + k]));
        for (int k = 0; good && k < a.n && context_weighs(&(struct fit_context){.job = &u.job, .config = u.config}); k++) {
            int64_t id = id_of(ORDER, (int)a.ids[k]);
            int at = 0;
            while (at < b.n && b.ids[at] != id) at++;
            worst = fmax(worst, at < b.n ? fabs(a.value[a.record + k] - b.value[b.record + at]) : INFINITY);
        }
        good = good && worst <= tolerance * scale && fabs(a.value[0] - b.value[0]) <= tolerance * (fabs(a.value[0]) + scale);
        if (!good) fprintf(stderr, "off by %g of %g, return %g %g\n", worst, scale, a.value[0], b.value[0]);
        blame(&variant[i], "depends on the order of the assets", good);
        release(&u);
        release(&w);
    }
}

/* What create() and a fit take, at their peak, is what the class said. */
static void memory_is_as_planned(void)
{
    for (int i = 0; i < variants; i++) {
        struct setup u;
        struct error e = {""};
        struct fit_note note = {0};
        if (!mine(i) || turns_a_real(&variant[i]) || open_setup(&u, &variant[i], LARGE, WINDOW)) continue;
        struct fit_context x = {.job = &u.job, .team = alone};
        const struct config *c = u.config;
        CU_ASSERT_FATAL(!context_take(&x, c, 0, &e));
        if (config_cut(c) < 2) {
            windows_take(&x.source, PLANTED, WINDOW, &e);
            char *ballast = memory_array(char, memory_peak() - memory_held(), "test"); /* so that any more is a new peak */
            size_t before = memory_peak();
            struct model *m = c->class->create(&c->shape, 1, &c->values);
            c->class->fit(m, &x.source.window, alone, &note);
            double took = (double)(memory_peak() - before), planned = c->cost.bytes;
            c->class->destroy(m);
            memory_free(ballast);
            bool good = took <= 1.15 * planned + 64 && planned <= 3 * took + 512;
            if (!good) fprintf(stderr, "took %.0f bytes, planned %.0f\n", took, planned);
            blame(&variant[i], "memory is not as planned", good);
        }
        context_leave(&x);
        release(&u);
    }
}

/* The smallest windows, one characteristic, one asset or none, options at the ends of their ranges: refused with a word on what is needed, or
 * a record that is whole. */
static void bad_shapes_are_refused(void)
{
    static struct outcome o;
    char text[64];
    int n = 0;
    for (const struct model_class *const *c = model_classes(); *c; c++)
        for (const struct model_option *k = (*c)->options; k->key; k++)
            for (enum place place = SMALL; place <= HIGH; place++) {
                struct variant v = {.class = *c};
                struct setup u;
                if (k->type == OPTION_BOOL || k->type == OPTION_WORD || !mine(n++)) continue;
                number_at(k, place, text, sizeof text);
                options_with(*c, k->key, text, v.options);
                if (place == HIGH) { /* too large to be tried: it must be known to be */
                    if (bind(&u, *c, v.options, BASE, WINDOW)) continue;
                    blame(&v, "costs nothing, or no number",
                          u.config->cost.bytes > 0 && isfinite(u.config->cost.bytes) && u.config->cost.seconds > 0 &&
                              isfinite(u.config->cost.seconds));
                } else if (!open_setup(&u, &v, TINY, 2))
                    for (int now = 9; now < 12 && config_cut(u.config) < 2; now++) {
                        compute(&u, alone, now, &o);
                        bool empty = u.config->class->trades != TRADE_BENCHMARK && assets_of(TINY, now) == 0;
                        blame(&v, "a record of nobody", !empty || (o.code && isnan(o.value[0])));
                        blame(&v, "a code and a return", (o.code != 0) == !isfinite(o.value[0]));
                    }
                else continue;
                release(&u);
            }
    for (int i = 0; i < variants; i++) {
        struct setup u;
        if (!mine(i)) continue;
        int rc = bind(&u, variant[i].class, variant[i].options, BASE, PERIODS);
        blame(&variant[i], "takes a window as long as the panel", rc != 0);
    }
}

/* ---- what a part promises ---- */

struct stop_at {
    struct fit_monitor monitor;
    int steps, stop;
    char *state;
};
static enum fit_poll poll(void *context)
{
    struct stop_at *s = context;
    return ++s->steps == s->stop ? FIT_STOP : FIT_CONTINUE;
}
static void save(void *context, const void *state, size_t bytes)
{
    struct stop_at *s = context;
    memory_free(s->state);
    s->state = memcpy(memory_allocate(bytes, 1, "test"), state, bytes);
    s->monitor.state = s->state;
    s->monitor.state_bytes = bytes;
}

/* A fit of the row of PLANTED from s->monitor.state on, by a team; its code. Portfolio on the leader. */
static int fit_monitored(struct setup *u, struct team *team, struct stop_at *s, float *weights)
{
    struct error e = {""};
    struct fit_note note = {0};
    struct fit_context x = {.job = &u->job, .team = team};
    CU_ASSERT_FATAL(!context_take(&x, u->config, 0, &e) && !windows_take(&x.source, PLANTED, WINDOW, &e));
    u->config->class->trainable->monitor(x.model, &s->monitor);
    int code = u->config->class->fit(x.model, &x.source.window, team, &note);
    if (!code && team_rank(team) == 0) {
        CU_ASSERT(!context_settle(&x, PLANTED - u->study.min_window, 0, &e));
        memcpy(weights, x.weights, sizeof(float) * (size_t)x.now.n);
    }
    context_leave(&x);
    return code;
}

/* Stopped after its third step on two ranks, a fit is gone on with by three, to the same bits. */
static void stopped_fits_go_on_elsewhere(void)
{
    int me = team_rank(world), tried = 0;
    if (team_size(world) < 3) return SKIP("needs three ranks");
    struct team *pair = team_split(world, me < 2 ? 0 : -1);
    for (int i = 0; i < variants; i++) {
        struct setup u;
        float whole[32] = {0}, resumed[32] = {0};
        if (!variant[i].class->trainable || open_setup(&u, &variant[i], BASE, WINDOW)) continue;
        struct stop_at s = {.monitor = {.poll = poll, .save = save, .context = &s}, .stop = 3}, never = s;
        never.stop = 0, never.monitor.context = &never;
        int code = pair ? fit_monitored(&u, pair, &s, resumed) : -1;
        team_broadcast(world, &code, sizeof code, 0);
        if (code < 0) { /* it had three steps */
            s.stop = 0;
            CU_ASSERT_EQUAL(fit_monitored(&u, world, &s, resumed), 0);
            CU_ASSERT_EQUAL(fit_monitored(&u, alone, &never, whole), 0);
            if (me == 0) blame(&variant[i], "resumed, it ends otherwise", !memcmp(whole, resumed, sizeof whole));
            tried++;
        }
        memory_free(s.state);
        release(&u);
    }
    CU_ASSERT(tried > (SLOW ? 5 : 20));
    team_close(pair);
}

/* Parameters written and read by another model of other initial values give the portfolio that they gave. */
static void parameters_come_back(void)
{
    char place[96];
    snprintf(place, sizeof place, "%s/parameters-%d", folder, team_rank(world));
    for (int i = 0; i < variants; i++) {
        const struct trainable *t = variant[i].class->trainable;
        struct setup u;
        struct error e = {""};
        struct fit_note note = {0};
        int64_t found;
        float weights[32];
        if (!t || !mine(i) || turns_a_real(&variant[i]) || open_setup(&u, &variant[i], BASE, WINDOW)) continue;
        struct fit_context x = {.job = &u.job, .team = alone};
        int row = PLANTED - u.study.min_window;
        CU_ASSERT_FATAL(!context_take(&x, u.config, 0, &e) && !context_compute(&x, row, &e));
        memcpy(weights, x.weights, sizeof(float) * (size_t)x.now.n);
        CU_ASSERT(!parameters_save(place, x.now.date, t->network(x.model), &e));
        x.config->class->destroy(x.model);
        x.model = x.config->class->create(&x.config->shape, 77, &x.config->values);
        CU_ASSERT(!parameters_load(place, x.now.date, t->network(x.model), &found, &e) && found == x.now.date);
        CU_ASSERT(!windows_take(&x.source, PLANTED, 0, &e));
        CU_ASSERT(!t->apply(x.model, &x.source.window, alone, &note) && !context_settle(&x, row, 0, &e));
        blame(&variant[i], "parameters do not come back", !memcmp(weights, x.weights, sizeof(float) * (size_t)x.now.n));
        CU_ASSERT_STRING_EQUAL(e.text, "");
        context_leave(&x);
        release(&u);
    }
}

/* ---- costs ---- */

#if !defined(__SANITIZE_ADDRESS__)
/* Processor seconds of the least of three fits over windows of a configuration's length. */
static double seconds_of(struct setup *u, const struct config *c)
{
    struct error e = {""};
    struct fit_context x = {.job = &u->job, .team = alone};
    double least = INFINITY;
    CU_ASSERT_FATAL(!context_take(&x, c, 0, &e));
    for (int k = 0; k < 4; k++) {
        struct fit_note note = {0};
        CU_ASSERT_FATAL(!windows_take(&x.source, WINDOW + 3 + k, c->shape.T, &e));
        double start = clock_thread();
        c->class->fit(x.model, &x.source.window, alone, &note);
        if (!note.code) c->class->positions(x.model, &x.source.window, x.positions);
        if (k) least = fmin(least, clock_thread() - start); /* the first has more to do */
    }
    context_leave(&x);
    return least;
}

/* A plan measures a smaller fit and scales it by the class's cost: within a factor of four of what the fit takes. */
static void costs_scale(void)
{
    const struct model_class *last = NULL;
    for (int i = 0, n = 0; i < variants; i++) {
        struct setup u;
        if (bind(&u, variant[i].class, variant[i].options, LARGE, WINDOW)) continue;
        bool new = u.config->class != last &&config_cut(u.config) < 2; /* once a class, and once where another serves */
        if (new) last = u.config->class, new = mine(n++);
        release(&u);
        if (!new || open_setup(&u, &variant[i], LARGE, WINDOW)) continue;
        struct config small = *u.config;
        small.values.value = memory_array(struct value, small.values.n, "test");
        memcpy(small.values.value, u.config->values.value, sizeof(struct value) * (size_t)small.values.n);
        small.layout = (struct layout){0};
        if (small.class->trainable) small.class->trainable->shorten(3, &small.shape, &small.values);
        else small.shape.T = WINDOW / 2;
        small.class->layout(&small.shape, &small.values, &small.layout);
        small.class->cost(&small.shape, &small.values, &small.cost);
        double took = seconds_of(&u, u.config), part = seconds_of(&u, &small),
               said = part * u.config->cost.seconds / small.cost.seconds;
        bool good = took < 1e-4 || (said < 4 * took && took < 4 * said); /* less is a start's, no fit's */
        if (!good) fprintf(stderr, "%g s, by a fit of %g s %g s\n", took, part, said);
        blame(&variant[i], "costs do not scale", good);
        memory_free(small.values.value);
        layout_free(&small.layout);
        release(&u);
    }
}
#else
static void costs_scale(void)
{
    SKIP("sanitisers slow some fits more than others");
}
#endif

int main(int argc, char **argv)
{
    static const struct check tests[] = {
        {"no look-ahead", no_look_ahead},
        {"the same bits on any ranks", same_bits_on_any_ranks},
        {"the order of assets is irrelevant", order_of_assets_is_irrelevant},
        {"memory is as planned", memory_is_as_planned},
        {"bad shapes are refused", bad_shapes_are_refused},
        {"stopped fits go on on other ranks", stopped_fits_go_on_elsewhere},
        {"parameters come back", parameters_come_back},
        {"costs scale", costs_scale},
    };
    static char name[] = "contract";
    static const struct study quiet = {.name = name};
    world = world_open(&argc, &argv);
    log_set_quiet(true);
    alone = team_split(world, team_rank(world));
    snprintf(folder, sizeof folder, "/tmp/aipm-contract-XXXXXX");
    if (team_rank(world) == 0 && !mkdtemp(folder)) return 2;
    team_broadcast(world, folder, sizeof folder, 0);
    for (enum panel_kind k = BASE; k < PANELS && team_rank(world) == 0; k++) write_panel(k);
    team_barrier(world);
    progress_counter_open(world);
    fits_idle(&(struct fit_job){.world = world, .study = &quiet, .log = "/dev/null", .total = 1});
    find_variants();
    int status = check_run("the contract of model classes", tests, sizeof tests / sizeof *tests);
    progress_counter_close();
    team_close(alone);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (team_rank(world) == 0 && system(command)) status = 2;
    world_close(world);
    if (memory_blocks()) fprintf(stderr, "%ld blocks not freed\n", memory_blocks()), status = 1;
    return status;
}
