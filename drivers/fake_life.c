#include "drivers/fake_life.h"
#include "base/test.h"

#include "base/memory.h"
#include "drivers/fake_look.h"
#include <stdio.h>

enum { REQUESTS_MAX = 200, TURNS_MAX = 1000 };

/*
 * Ports are picked on the real host, which does not know of those that are
 * taken in the world: once in ten thousand times one is picked that is.
 */
static bool is_port_clash(const struct error *failure)
{
    return failure && strstr(failure->message, "port is already allocated");
}

/* Asks once more after a clash of ports, as a round would. */
static struct error *apply(struct fake_lab *lab, const struct cluster_spec *spec,
                           enum action_kind kind, const char *subject)
{
    struct error *failure = fake_lab_apply(lab, spec, kind, subject);
    if (!is_port_clash(failure))
        return failure;
    error_free(failure);
    return fake_lab_apply(lab, spec, kind, subject);
}

void fake_life_do(struct fake_lab *lab, const struct cluster_spec *spec, enum action_kind kind,
                  const char *subject)
{
    struct error *failure = apply(lab, spec, kind, subject);
    test_equal(failure ? failure->message : NULL, NULL);
}

/* What sets up a cluster by its nodes: each one, the first control plane, or the others. */
static void do_nodes(struct fake_lab *lab, const struct cluster_spec *spec, enum action_kind kind)
{
    const struct node_spec *first = spec_first_control_plane(spec);
    for (size_t i = 0; i < spec->node_count; i++) {
        bool is_first = &spec->nodes[i] == first;
        if (kind == ACTION_CREATE_NODE || is_first == (kind == ACTION_BOOTSTRAP))
            fake_life_do(lab, spec, kind, spec->nodes[i].name);
    }
}

void fake_life_until(struct fake_lab *lab, const struct cluster_spec *spec, enum action_kind kind)
{
    fake_life_do(lab, spec, ACTION_NETWORK, "kind");
    for (enum action_kind each = ACTION_CREATE_NODE; each < kind && each < ACTION_FORGET; each++) {
        bool left_out = each == ACTION_START_NODE || each == ACTION_REVIVE ||
                        each == ACTION_PRELOAD || each == ACTION_NODE_SETTINGS ||
                        each == ACTION_ENDPOINT || each == ACTION_REROUTE ||
                        each == ACTION_READDRESS || (each == ACTION_BALANCER && !spec->balancer) ||
                        (each == ACTION_CNI && spec->networking.disable_default_cni);
        if (each == ACTION_CREATE_NODE || each == ACTION_BOOTSTRAP || each == ACTION_JOIN)
            do_nodes(lab, spec, each);
        else if (!left_out)
            fake_life_do(lab, spec, each, each == ACTION_BALANCER ? spec->balancer : spec->name);
    }
}

static void do_row(const struct fake_life *life, struct fake_lab *lab,
                   const struct cluster_spec *spec, const struct life_row *row)
{
    fake_life_do(lab, spec, row->kind, row->subject);
    life->check(lab, row);
}

const struct cluster_spec *fake_life_open(const struct fake_life *life, struct fake_lab *lab,
                                          size_t rows)
{
    fake_lab_open(lab, life->settings);
    struct cluster_spec *spec = arena_alloc(lab->arena, sizeof(*spec));
    *spec = *fake_lab_spec(lab, life->yaml);
    if (life->prepare)
        life->prepare(spec);
    for (size_t i = 0; i < rows; i++)
        do_row(life, lab, spec, &life->rows[i]);
    fake_lab_control(lab, "POST /_fake/reset-log", NULL);
    return spec;
}

/* As a round would that has looked again: what is there already is started, not made. */
static void do_again(const struct fake_life *life, struct fake_lab *lab,
                     const struct cluster_spec *spec, const struct life_row *row)
{
    struct error *failure = apply(lab, spec, row->kind, row->subject);
    if (failure && failure->kind == ERROR_CONFLICT && row->kind == ACTION_CREATE_NODE) {
        error_free(failure);
        failure = fake_lab_apply(lab, spec, ACTION_START_NODE, row->subject);
    }
    if (is_port_clash(failure)) {
        fake_life_do(lab, spec, ACTION_DELETE_NODE, row->subject);
        error_free(failure);
        failure = apply(lab, spec, row->kind, row->subject);
    }
    test_equal(failure ? failure->message : NULL, NULL);
    life->check(lab, row);
    life->undo(lab, spec, row);
}

/* Names the row; the text stays until the next. */
static void name_row(const struct life_row *row, const char *what, size_t number)
{
    static char name[120];
    snprintf(name, sizeof(name), "%s %s, %s at %zu", action_kind_name(row->kind), row->subject,
             what, number);
    test_row(name);
}

/* One fault at the Nth request of an action, then once more without. False: there was no Nth. */
static bool meets(const struct fake_life *life, struct fake_lab *lab,
                  const struct cluster_spec *spec, const struct life_row *row, const char *order)
{
    size_t before = lab->transport.requests;
    fake_lab_control(lab, "POST /_fake/reset-log", NULL);
    fake_lab_control(lab, "POST /_fake/fault", order);
    struct error *failure = fake_lab_apply(lab, spec, row->kind, row->subject);
    bool met = lab->transport.requests - before >= strtoul(strrchr(order, ':') + 1, NULL, 10);
    if (failure) {
        bool clash = is_port_clash(failure);
        bool is_ours = (!met && !clash) || failure->kind == ERROR_INTERNAL ||
                       failure->kind == ERROR_CANCELED || !strstr(failure->message, ": ");
        test_equal(is_ours ? failure->message : NULL, NULL);
        error_free(failure);
    }
    fake_lab_control(lab, "POST /_fake/clear", NULL);
    /* Of what an answer did not hold nothing was asked. */
    assert_int_equal(fake_look_requests(lab->world, "(null)"), 0);
    do_again(life, lab, spec, row);
    return met;
}

void fake_life_meets_every_fault(const struct fake_life *life)
{
    static const char *const faults[] = {"fail", "drop-after", "garbage", "fail-after", "drop"};
    struct fake_lab lab;
    const struct cluster_spec *spec = fake_life_open(life, &lab, 0);
    for (size_t i = 0; i < life->row_count; i++) {
        const struct life_row *row = &life->rows[i];
        unsigned stride = row->stride ? row->stride : 1;
        for (unsigned j = 0; j < COUNT_OF(faults); j++) {
            bool met = true;
            for (unsigned at = 1 + j % stride; met; at += stride) {
                cleanup_free char *order = memory_format(
                    "{\"where\": \"any\", \"action\": \"%s\", \"at\": %u}", faults[j], at);
                name_row(row, faults[j], at);
                assert_true(at < REQUESTS_MAX);
                met = meets(life, &lab, spec, row, order);
            }
        }
        do_row(life, &lab, spec, row);
    }
    fake_lab_close(&lab);
}

/* Stopped after so many turns, then done. False: it had ended by then. */
static bool stops(const struct fake_life *life, struct fake_lab *lab,
                  const struct cluster_spec *spec, const struct life_row *row,
                  enum fake_interrupt how, size_t turns)
{
    bool ended = false;
    struct error *failure =
        fake_lab_interrupt(lab, spec, row->kind, row->subject, how, turns, &ended);
    bool clash = is_port_clash(failure);
    bool well = !failure || failure->kind == ERROR_CANCELED || clash;
    test_equal(well ? NULL : failure->message, NULL);
    assert_true(how == FAKE_DRAIN || ended == !failure || clash);
    error_free(failure);
    do_again(life, lab, spec, row);
    return !ended;
}

void fake_life_stops_at_every_moment(const struct fake_life *life)
{
    static const char *const words[] = {"drained", "canceled"};
    struct fake_lab lab;
    const struct cluster_spec *spec = fake_life_open(life, &lab, 0);
    for (size_t i = 0; i < life->row_count; i++) {
        const struct life_row *row = &life->rows[i];
        for (enum fake_interrupt how = FAKE_DRAIN; how <= FAKE_CANCEL; how++) {
            /* A row that is drained ends when its request does: there are fewer such moments. */
            unsigned stride = how == FAKE_DRAIN ? row->stride : row->stride / 2;
            stride = stride ? stride : 1;
            bool stopped = true;
            for (size_t turns = 0; stopped; turns += stride) {
                name_row(row, words[how], turns);
                assert_true(turns < TURNS_MAX);
                stopped = stops(life, &lab, spec, row, how, turns);
            }
        }
        do_row(life, &lab, spec, row);
    }
    fake_lab_close(&lab);
}
