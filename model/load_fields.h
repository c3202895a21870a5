/*
 * load_fields.h - mappings to structs by table: one row a field, with its place and path.
 *
 * What is wrong with a value is told as "path.to.field: what, what to do" at
 * the value's place, and reading goes on. A null leaves the field as it is; a
 * null item of a list is dropped; field names are matched exactly.
 */
#ifndef MODEL_LOAD_FIELDS_H
#define MODEL_LOAD_FIELDS_H

#include "model/load.h"
#include "model/tree.h"

/* What is known while one document is read. */
struct loader {
    struct arena *arena;
    struct problem_list *problems;
    const struct load_options *options;
    const char *wildcard; /* default listen address: of the family, known before nodes are read */
};

/* A value and how we came to it; parents live on the stack of who reads them. */
struct cursor {
    const struct cursor *parent; /* NULL: the document */
    const char *name;            /* the field or key; NULL: an item */
    size_t index;                /* of an item, as written: nulls count */
    const struct tree *tree;     /* NULL: not given, or null */
    struct place place;          /* of the value; of what should hold it if it is not given */
};

struct field;
typedef void field_reader(struct loader *loader, const struct cursor *at, const struct field *field,
                          void *object);

struct field {
    const char *name;
    field_reader *read; /* NULL: known and read elsewhere */
    size_t offset;      /* of what a reader below fills in */
    const void *detail; /* names for read_word; else for the reader to know */
};

/* One struct type that is the item of a list. `finish` may be NULL; it sees each mapping read. */
struct item_type {
    size_t size_bytes;
    const struct field *fields; /* ended by a row without a name */
    void (*finish)(struct loader *loader, const struct cursor *at, void *item);
};

/* Reads the fields of a mapping, in the order of the table; unknown ones are errors. */
void fields_read(struct loader *loader, const struct cursor *at, const struct field *fields,
                 void *object);

/* A new array of structs from a list of mappings; NULL and 0 if there are none. */
void *fields_read_items(struct loader *loader, const struct cursor *at,
                        const struct item_type *type, size_t *count);

/* Rows' readers, by the type of what they fill in. */
field_reader read_string;   /* const char *: any scalar, as written */
field_reader read_bool;     /* bool */
field_reader read_int32;    /* int32_t */
field_reader read_word;     /* an enum whose names are `detail`; "" leaves it as it is */
field_reader read_any_case; /* as read_word, in upper or lower case */
field_reader read_strings;  /* struct string_list */
field_reader read_pairs;    /* struct pair_list: any scalars, as written */
field_reader read_flags;    /* struct pair_list: booleans, as "true" and "false" */

struct cursor cursor_document(const struct tree *tree);
struct cursor cursor_field(const struct cursor *at, const char *name);
struct cursor cursor_item(const struct cursor *at, size_t index);

/* "nodes[0].extraMounts", in the loader's arena; "" for a document. */
const char *cursor_path(struct loader *loader, const struct cursor *at);

/* Adds "path: message" at the cursor's place. */
void load_error(struct loader *loader, const struct cursor *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void load_warning(struct loader *loader, const struct cursor *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The word of a list that was probably meant: alike but for case, or near. NULL: none. */
const char *load_suggest(const char *typed, const char *const *words);

/* "a, b or c", in the loader's arena. */
const char *load_choices(struct loader *loader, const char *const *words);

#endif
