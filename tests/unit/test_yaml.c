/* YAML and studies of any size: the time to read one grows with its length and no faster, and names that stand twice are found at once. */
#include "check.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "io/yaml.h"
#include "study/study.h"

static struct error e;

/* A text made piece by piece. */
static char text[1 << 22];
static size_t end;
static void add(const char *format, ...)
{
    va_list a;
    va_start(a, format);
    end += (size_t)vsnprintf(text + end, sizeof text - end, format, a);
    va_end(a);
}

static void says(const char *what)
{
    if (!strstr(e.text, what)) fprintf(stderr, "'%s' does not say '%s'\n", e.text, what);
    CU_ASSERT(strstr(e.text, what) != NULL);
    e = (struct error){0};
}

/* Seconds of this process's own time. */
/* Processor seconds that must do; the sanitizers take several times as long. */
#ifdef __SANITIZE_ADDRESS__
enum { ENOUGH = 40 };
#else
enum { ENOUGH = 5 };
#endif

static double seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static void long_lists_and_maps(void)
{
    enum { MANY = 60000 };
    double began = seconds();
    end = 0;
    add("list: [0");
    for (int i = 1; i < MANY; i++) add(", %d", i);
    add("]\nmap:\n");
    for (int i = 0; i < MANY; i++) add("  key%d: %d\n", i, i);
    struct yaml_node *root = node_parse("long.yaml", text, &e);
    CU_ASSERT_FATAL(root != NULL);
    const struct yaml_node *list = node_find(root, "list"), *map = node_find(root, "map");
    CU_ASSERT_FATAL(list && map && list->n == MANY && map->n == MANY);
    for (int i = 0; i < MANY; i += 999) {
        CU_ASSERT(atoi(list->item[i]->text) == i && atoi(map->key[i] + 3) == i && atoi(map->item[i]->text) == i);
        CU_ASSERT(map->key_line[i] == 3 + i);
    }
    node_free(root);
    add("  key7: again\n");
    CU_ASSERT(!node_parse("long.yaml", text, &e));
    says("line 60003: found the key 'key7' twice");
    CU_ASSERT(seconds() - began < ENOUGH); /* 0.5 s; 40 s when every entry copied the list and looked through the keys */
}

static void keys(void)
{
    char key[400];
    memset(key, 'k', sizeof key);
    key[sizeof key - 1] = '\0';
    end = 0;
    add("%sa: 1\n%sb: 2\n", key, key); /* differ beyond any buffer */
    struct yaml_node *root = node_parse("k.yaml", text, &e);
    CU_ASSERT_FATAL(root != NULL && root->n == 2);
    node_free(root);
    CU_ASSERT(!node_parse("k.yaml", "a: 1\nb: {c: 1, d: [1, {x: 1, y: 2, x: 3}]}\n", &e));
    says("line 2: found the key 'x' twice");
    CU_ASSERT(!node_parse("k.yaml", "a: {b: 1, [c]: 2}\n", &e));
    says("not plain text");
    CU_ASSERT(!node_parse("k.yaml", "a: {b: 1, c: *d}\n", &e));
    says("aliases");
}

static void many_models(void)
{
    enum { MANY = 4000, SWEPT = 5000 };
    struct study s;
    double began = seconds();
    end = 0;
    add("window: 10\nmodels:\n");
    for (int i = 0; i < MANY; i++) add("  - {name: m%d, kind: bsv}\n", i);
    add("  - {name: sweep, kind: bsv, window: [2");
    for (int i = 1; i < SWEPT; i++) add(", %d", 2 + i);
    size_t open_list = end;
    add("]}\n");
    CU_ASSERT_FATAL(!study_parse("many.yaml", text, &s, &e));
    CU_ASSERT(s.configs == MANY + SWEPT);
    study_free(&s);
    end = open_list;
    add(", 77]}\n");
    CU_ASSERT(study_parse("many.yaml", text, &s, &e) == -1);
    says("line 4003: found sweep.window=77 twice");
    end = open_list;
    add("]}\n  - {name: m3, kind: bsv}\n");
    CU_ASSERT(study_parse("many.yaml", text, &s, &e) == -1);
    says("line 4004: found the model name 'm3' twice (first on line 6)");
    CU_ASSERT(seconds() - began < ENOUGH);
}

/* The same model in several universes is no name twice. */
static void universes(void)
{
    struct study s;
    CU_ASSERT_FATAL(
        !study_parse("u.yaml", "universes: [all, mega]\nmodels: [{name: b, kind: bsv, window: [5, 6]}]\n", &s, &e));
    CU_ASSERT(s.configs == 4);
    study_free(&s);
}

int main(void)
{
    static const struct check tests[] = {{"long lists and maps", long_lists_and_maps},
                                         {"keys", keys},
                                         {"many models", many_models},
                                         {"universes", universes}};
    int status = check_run("YAML", tests, sizeof tests / sizeof *tests);
    if (memory_blocks()) fprintf(stderr, "%ld blocks not freed\n", memory_blocks()), status = 1;
    return status;
}
