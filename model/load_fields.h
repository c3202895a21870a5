/*
 * load_fields.h - mappings to structs by table: one row a field, with its place and path.
 *
 * What is wrong with a value is told as "path.to.field: what, what to do" at
 * the value's place, and reading goes on. A null leaves the field as it is; a
 * null item of a list is dropped; field names are matched exactly.
 *
 * The same tables are printed as JSON Schema (model/schema.h): a row knows
 * how its value is read, how it looks, and in a sentence what it is for.
 */
#ifndef MODEL_LOAD_FIELDS_H
#define MODEL_LOAD_FIELDS_H

#include "model/load.h"
#include "model/tree.h"

struct manifest_files;

/* What is known while documents are read. */
struct loader {
    struct arena *arena;
    struct problem_list *problems;
    const struct load_options *options;
    const char *wildcard; /* default listen address: of the family, known before nodes are read */
    bool beside_file;     /* relative host paths: to the file that names them, not to the folder */
    bool hush;            /* no warnings */
    struct manifest_files *manifests; /* read so far, see load_manifests.h */
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

/* How a value looks, and so what the row's `detail` is. */
enum field_shape {
    FIELD_JSON,     /* as `schema` says; detail is for the reader to know */
    FIELD_WORD,     /* one of the names in detail */
    FIELD_ANY_CASE, /* the same, in upper or lower case */
    FIELD_WORDS,    /* a list of them */
    FIELD_MAP,      /* detail is a struct field_table */
    FIELD_LIST,     /* detail is a struct item_type */
};

struct field_type {
    field_reader *read; /* NULL: known and read elsewhere */
    enum field_shape shape;
    const char *schema; /* JSON of what may stand there, null aside; for FIELD_JSON */
};

struct field {
    const char *name;
    const struct field_type *type;
    size_t offset; /* of what a reader fills in */
    const void *detail;
    const char *about; /* for who writes it in an editor */
    bool required;
};

/* The fields of one mapping: rows, ended by one without a name, and those of another table. */
struct field_table {
    const struct field *rows;
    const struct field_table *base; /* NULL: none; its names are others */
};

/* One struct type that is the item of a list. `finish` may be NULL; it sees each mapping read. */
struct item_type {
    size_t size_bytes;
    const struct field_table *table;
    void (*finish)(struct loader *loader, const struct cursor *at, void *item);
};

/* Reads the fields of a mapping, in the order of the table; unknown ones are errors. */
void fields_read(struct loader *loader, const struct cursor *at, const struct field_table *table,
                 void *object);

/* A new array of structs from a list of mappings; NULL and 0 if there are none. */
void *fields_read_items(struct loader *loader, const struct cursor *at,
                        const struct item_type *type, size_t *count);

struct cursor cursor_document(const struct tree *tree);
struct cursor cursor_field(const struct cursor *at, const char *name);
struct cursor cursor_item(const struct cursor *at, size_t index);
struct cursor cursor_entry(const struct cursor *at, size_t index); /* of a mapping */

/* "nodes[0].extraMounts", in the loader's arena; "" for a document. */
const char *cursor_path(struct loader *loader, const struct cursor *at);

/* Adds "path: message" at the cursor's place. */
void load_error(struct loader *loader, const struct cursor *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void load_warning(struct loader *loader, const struct cursor *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* True if the value is of this kind; reports it otherwise, as "expected ..., found ...". */
bool load_expect(struct loader *loader, const struct cursor *at, enum tree_kind kind,
                 const char *expected);
void load_report_type(struct loader *loader, const struct cursor *at, const char *expected);

/* The word of a list that was probably meant: alike but for case, or near. NULL: none. */
const char *load_suggest(const char *typed, const char *const *words);

/* "a, b or c", in the loader's arena. */
const char *load_choices(struct loader *loader, const char *const *words);

#endif
