#include "base/options_given.h"

#include "base/duration.h"
#include "base/shell_word.h"
#include <string.h>

static void add_word(struct text *text, const char *name, const char *value)
{
    if (!value)
        return;
    text_add_format(text, " --%s ", name);
    shell_word_add(text, value);
}

static void add_choice(struct text *text, const struct option_spec *spec, int value)
{
    for (const struct option_choice *choice = spec->choices; value && choice->name; choice++)
        if (choice->value == value)
            add_word(text, spec->long_name, choice->name);
}

static void add_set(struct text *text, const struct option_spec *spec, unsigned bits)
{
    for (const struct option_choice *choice = spec->choices; choice->name; choice++)
        if (bits & 1u << choice->value)
            add_word(text, spec->long_name, choice->name);
}

static void add_duration(struct text *text, const struct option_spec *spec, uint64_t ms)
{
    if (!ms)
        return;
    /* What may stand without a value has it in the same word. */
    text_add_format(text, " --%s%s", spec->long_name,
                    spec->kind == OPTION_OPTIONAL_DURATION ? "=" : " ");
    duration_add(text, ms);
}

static void add_strings(struct text *text, const char *name, const struct option_strings *strings)
{
    for (size_t i = 0; i < strings->count; i++)
        add_word(text, name, strings->items[i]);
}

static void add_option(struct text *text, const struct option_spec *spec, const void *field)
{
    switch (spec->kind) {
    case OPTION_FLAG:
        if (*(const bool *)field)
            text_add_format(text, " --%s", spec->long_name);
        return;
    case OPTION_COUNT:
        if (*(const int *)field)
            text_add_format(text, " --%s=%d", spec->long_name, *(const int *)field);
        return;
    case OPTION_NUMBER:
        if (*(const uint32_t *)field)
            text_add_format(text, " --%s %u", spec->long_name, *(const uint32_t *)field);
        return;
    case OPTION_STRING:
        add_word(text, spec->long_name, *(const char *const *)field);
        return;
    case OPTION_STRINGS:
        add_strings(text, spec->long_name, field);
        return;
    case OPTION_DURATION:
    case OPTION_OPTIONAL_DURATION:
        add_duration(text, spec, *(const uint64_t *)field);
        return;
    case OPTION_CHOICE:
        add_choice(text, spec, *(const int *)field);
        return;
    case OPTION_SET:
        add_set(text, spec, *(const unsigned *)field);
        return;
    }
}

static bool is_among(const char *const *names, const char *name)
{
    for (; *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

void options_add_given(struct text *text, const struct option_table *table,
                       const char *const *without)
{
    for (const struct option_spec *spec = table->specs; spec->long_name; spec++)
        if (!is_among(without, spec->long_name))
            add_option(text, spec, (const char *)table->target + spec->offset);
}
