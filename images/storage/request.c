#include "request.h"

#include <stdio.h>
#include <string.h>

#include "../cluster-api/memory.h"

enum {
    ANSWER_SIZE_MAX = 16 * 1024, /* the object comes back; beyond this nothing is read of it */
    WHY_SIZE = 256,
    CONNECT_TIMEOUT_MS = 2000,
    TIMEOUT_MS = 10 * 1000,
};

struct request {
    struct loop_transfer transfer; /* first: see loop.h */
    struct api *api;
    struct loop *loop;
    void (*ended)(void *context, long status, const char *why);
    void *context;
    CURL *curl;
    struct curl_slist *headers;
    char *body;
    char answer[ANSWER_SIZE_MAX];
    size_t size;
    bool busy;
};

/* What does not fit is passed over: a Status, which is all that is read, is short. */
static size_t receive(char *data, size_t unit, size_t count, void *context)
{
    struct request *request = context;
    size_t size = unit * count, room = sizeof(request->answer) - request->size;
    size_t taken = size < room ? size : room;
    memcpy(request->answer + request->size, data, taken);
    request->size += taken;
    return size;
}

static void request_rest(struct request *request)
{
    curl_multi_remove_handle(loop_transfers(request->loop), request->curl);
    curl_slist_free_all(request->headers);
    free(request->body);
    request->headers = NULL;
    request->body = NULL;
    request->busy = false;
}

static void explain(const struct request *request, CURLcode result, long status, char *why)
{
    json_error_t error;
    json_t *answer = json_loadb(request->answer, request->size, 0, &error);
    const char *message = json_string_value(json_object_get(answer, "message"));
    if (!status)
        snprintf(why, WHY_SIZE, "%s", curl_easy_strerror(result));
    else if (message)
        snprintf(why, WHY_SIZE, "%s", message);
    else
        snprintf(why, WHY_SIZE, "HTTP status %ld", status);
    json_decref(answer);
}

static void request_ended(struct loop_transfer *transfer, CURLcode result)
{
    /* transfer is the first member of its request. */
    struct request *request = (void *)transfer;
    char why[WHY_SIZE] = "";
    long status = 0;
    curl_easy_getinfo(request->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200 || status > 299)
        explain(request, result, status, why);
    request_rest(request);
    if (!status)
        api_pass_over(request->api);
    request->ended(request->context, status, why);
}

struct request *request_new(struct api *api, struct loop *loop,
                            void (*ended)(void *context, long status, const char *why),
                            void *context)
{
    struct request *request = must(calloc(1, sizeof(*request)));
    request->transfer.ended = request_ended;
    request->api = api;
    request->loop = loop;
    request->ended = ended;
    request->context = context;
    request->curl = must(curl_easy_init());
    return request;
}

void request_free(struct request *request)
{
    if (!request)
        return;
    request_rest(request);
    curl_easy_cleanup(request->curl);
    free(request);
}

bool request_busy(const struct request *request)
{
    return request->busy;
}

void request_send(struct request *request, const char *method, const char *path, json_t *body)
{
    CURL *curl = request->curl;
    request->body = must(json_dumps(body, JSON_COMPACT));
    json_decref(body);
    request->size = 0;
    curl_easy_reset(curl);
    api_address(request->api, curl, path, &request->headers);
    request->headers = must(curl_slist_append(request->headers, "Content-Type: application/json"));
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, request->headers);
    /* By this name the API says who manages the object's fields. */
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "kind-storage");
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, request);
    curl_easy_setopt(curl, CURLOPT_PRIVATE, &request->transfer);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS);
    request->busy = true;
    curl_multi_add_handle(loop_transfers(request->loop), curl);
}
