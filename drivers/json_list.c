#include "drivers/json_list.h"

static bool wrong(struct error **err, const char *what)
{
    error_set(err, ERROR_UNAVAILABLE, "%s", what);
    return false;
}

/* The next character that is no space, or '\0' at the end. */
static char next_character(struct json_list *list)
{
    while (list->at < list->end &&
           (*list->at == ' ' || *list->at == '\t' || *list->at == '\n' || *list->at == '\r'))
        list->at++;
    return list->at < list->end ? *list->at : '\0';
}

static bool end_of_list(struct json_list *list, struct error **err)
{
    list->at++;
    (void)next_character(list);
    return list->at == list->end ? false : wrong(err, "there is more behind it");
}

bool json_list_next(struct json_list *list, json_t **element, struct error **err)
{
    json_error_t where;
    char character = next_character(list);
    if (list->begun && character == ']')
        return end_of_list(list, err);
    if (character != (list->begun ? ',' : '['))
        return wrong(err, list->begun ? "an element does not end" : "it does not begin with '['");
    list->at++;
    if (!list->begun && next_character(list) == ']')
        return end_of_list(list, err);
    list->begun = true;
    *element = json_loadb(list->at, (size_t)(list->end - list->at),
                          JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK, &where);
    if (!*element)
        return wrong(err, where.text);
    list->at += where.position;
    return true;
}
