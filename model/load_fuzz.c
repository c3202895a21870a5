/*
 * Any bytes as desired state: no crash, no leak. Every problem is one
 * printable line with a place; what is loaded is complete, and printed and
 * loaded again it is the same.
 */
#include "model/load.h"

#include "model/spec_print.h"
#include "model/tree.h"
#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* The input also stands for each manifest that it names. */
static struct load_text input;

static int read_input(void *context, struct arena *arena, const char *base, const char *path,
                      struct load_text *text, struct error **err)
{
    (void)context, (void)base;
    if (strcmp(path, "none") == 0)
        return error_set(err, ERROR_INVALID, "none: no such file");
    *text = (struct load_text){"manifest", arena_string_n(arena, input.bytes, input.length),
                               input.length};
    return 0;
}

static const struct load_options options = {.base_folder = "/base", .read_file = read_input};

/* Prints what was loaded, unless not all of it can be. */
static int load(struct arena *arena, const char *bytes, size_t length, struct text *printed,
                struct problem_list *problems)
{
    bool whole = true;
    const struct load_text text = {"fuzz", bytes, length};
    struct fleet_spec fleet;
    problem_list_init(problems, arena);
    int result = load_fleet(&text, 1, &options, &fleet, problems);
    for (size_t i = 0; !result && i < fleet.cluster_count; i++) {
        const struct cluster_spec *spec = &fleet.clusters[i];
        assert(spec_role_count(spec, NODE_CONTROL_PLANE) > 0);
        assert(i == 0 || strcmp(fleet.clusters[i - 1].name, spec->name) < 0);
        assert(fleet_spec_find(&fleet, spec->name) == spec);
        assert(spec->node_count <= 100);
        whole = whole && spec->unsupported.count == 0;
    }
    if (!result && whole)
        fleet_spec_print(&fleet, printed);
    return result;
}

static void check_problems(const struct problem_list *problems, size_t length)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *problem = &problems->items[i];
        assert(!strpbrk(problem->message, "\n\r\x1b"));
        assert(problem->place.line > 0 || length > TREE_BYTES_MAX ||
               strstr(problem->message, "holds no document") ||
               strstr(problem->message, "holds no object"));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    cleanup_arena struct arena *arena = arena_new();
    cleanup_text struct text first, second;
    input = (struct load_text){.bytes = (const char *)bytes, .length = length};
    text_init(&first, 0);
    text_init(&second, 0);
    struct problem_list problems;
    int result = load(arena, (const char *)bytes, length, &first, &problems);
    assert((result == 0) == (problems.errors == 0));
    check_problems(&problems, length);
    /* Expanded aliases may make the text too large to be read again. */
    if (result || !first.length || first.length > TREE_BYTES_MAX / 2)
        return 0;
    assert(load(arena, first.data, first.length, &second, &problems) == 0);
    assert(strcmp(first.data, second.data) == 0);
    return 0;
}
