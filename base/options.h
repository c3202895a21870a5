/*
 * options.h - one table of options: parsing, help, completion and manual page.
 *
 * A row says what an option is called, what it takes and where in a struct
 * its value goes. A table is an array of rows ended by an empty one.
 *
 *     struct apply_options { bool dry_run; uint64_t wait_ms; };
 *     static const struct option_spec rows[] = {
 *         {.long_name = "dry-run", .help = "show what would be done", .kind = OPTION_FLAG,
 *          .offset = offsetof(struct apply_options, dry_run)},
 *         {0},
 *     };
 *
 * GNU rules: options and words may be mixed, "--flag=value" or "--flag value",
 * short ones may be clustered, "--" ends the options. Also what pflag allows:
 * "-n=x", "--flag=false". A long name must be written out.
 *
 * This stands on getopt_long, not on argp: argp does not tell its caller which
 * option was unknown (so no "did you mean"), takes abbreviations (so a new
 * option could break a script), knows no value that may stand in the next word
 * or not at all ("-v 3", "-v"), and prints help in its own form.
 */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_kind {
    OPTION_FLAG,              /* bool */
    OPTION_COUNT,             /* int; -v -v, -vv, -v 3, -v3, --verbosity=3 */
    OPTION_NUMBER,            /* uint32_t, 1 to 10000; --concurrency 4 */
    OPTION_STRING,            /* const char *, into argv */
    OPTION_STRINGS,           /* struct option_strings; repeatable */
    OPTION_DURATION,          /* uint64_t, milliseconds; "1m30s" */
    OPTION_OPTIONAL_DURATION, /* the same; --wait means fallback_ms, --wait=5m that */
    OPTION_CHOICE,            /* int, the value of one of choices */
    OPTION_SET,               /* unsigned, bit (1 << value) for each; repeatable, comma list */
};

struct option_choice {
    const char *name; /* NULL ends the list */
    int value;
};

struct option_spec {
    char short_name;       /* 0: none */
    const char *long_name; /* NULL ends the table */
    const char *argument;  /* what help calls the value, "SOURCE"; NULL if there is none */
    const char *help;      /* begins with a verb; no capital, no period */
    enum option_kind kind;
    size_t offset; /* of the field in the target */
    const struct option_choice *choices;
    uint64_t fallback_ms;
    bool rare; /* told in the manual page alone, so that help stays one screen */
};

enum { OPTION_STRINGS_MAX = 64, OPTIONS_MAX = 64 };

struct option_strings {
    const char *items[OPTION_STRINGS_MAX];
    size_t count;
};

/* Rows and the struct they fill. Fields of options not given are left alone. */
struct option_table {
    const struct option_spec *specs;
    void *target;
};

/*
 * Reads argv[1] .. argv[argc - 1] against all tables together. Words that are
 * not options go to words, which has room for argc of them, in their order.
 * Neither prints nor exits: wrong use is ERROR_INVALID.
 */
int options_parse(const struct option_table *tables, size_t table_count, int argc, char **argv,
                  const char **words, size_t *ret_word_count, struct error **err);

/*
 * Reads options up to the first word and returns its index in argv (argc if
 * there is none). An unknown option is an error or, with stop_at_unknown, ends
 * the reading as a word does. -1: wrong use.
 */
enum options_unknown { OPTIONS_REFUSE_UNKNOWN, OPTIONS_STOP_AT_UNKNOWN };
int options_parse_until_word(const struct option_table *tables, size_t table_count, int argc,
                             char **argv, enum options_unknown unknown, struct error **err);

#endif
