/*
 * load_types.h - the types of values that more than one table has, by what they fill in.
 */
#ifndef MODEL_LOAD_TYPES_H
#define MODEL_LOAD_TYPES_H

#include "model/load_fields.h"

extern const struct field_type type_string;   /* const char *: any scalar, as written */
extern const struct field_type type_bool;     /* bool */
extern const struct field_type type_port;     /* int32_t; who reads it checks the range */
extern const struct field_type type_word;     /* an enum whose names are `detail`; "" leaves it */
extern const struct field_type type_any_case; /* as a word, in upper or lower case */
extern const struct field_type type_strings;  /* struct string_list */
extern const struct field_type type_texts;    /* as strings; `detail`: a struct text_check */
extern const struct field_type type_words;    /* struct string_list of the names in `detail` */
extern const struct field_type type_pairs;    /* struct pair_list: any scalars, as written */
extern const struct field_type type_flags;    /* struct pair_list: booleans, "true" and "false" */
extern const struct field_type type_mapping;  /* the struct that its table describes */
extern const struct field_type type_items;    /* a pointer to structs, and after it their count */
extern const struct field_type type_header;   /* apiVersion and kind: read before all else */

/* What texts must be; its error may begin with a place within the text. */
struct text_check {
    int (*check)(const char *text, struct error **err);
};

/* For readers of their own: those of the types above. */
field_reader read_string, read_int32, read_strings;

/* Where the row's field is in the object. */
void *field_slot(const struct field *field, void *object);

/* True for a field whose list is as type_items fills it in: the count after the pointer. */
#define COUNT_FOLLOWS(type, items, count)                                                          \
    (offsetof(type, count) == offsetof(type, items) + sizeof(void *))

#endif
