/*
 * request.h - one change asked of the API at a time.
 */
#ifndef STORAGE_REQUEST_H
#define STORAGE_REQUEST_H

#include <stdbool.h>

#include <jansson.h>

#include "../cluster-api/api.h"
#include "../cluster-api/loop.h"

struct request;

/* ended(context, status, why): the HTTP status, 0 without an answer; why explains all but 2xx. */
struct request *request_new(struct api *api, struct loop *loop,
                            void (*ended)(void *context, long status, const char *why),
                            void *context);
void request_free(struct request *request);

bool request_busy(const struct request *request);

/* Not while busy. Steals body. path need not live on. */
void request_send(struct request *request, const char *method, const char *path, json_t *body);

#endif
