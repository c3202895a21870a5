/*
 * api.h - where the cluster's API is, and how a pod shows who it is.
 *
 * Found in the environment, in this order; all that are set are kept, so that
 * one which does not answer can be passed over for the next:
 *   KUBE_API_URL                      a whole URL, for tests; then the only one
 *   CONTROL_PLANE_ENDPOINT            host:port, known before kube-proxy runs
 *   KUBERNETES_SERVICE_HOST, _PORT    the service, which needs kube-proxy
 * The service account's token and CA are read anew for every request: kubelet
 * replaces them while we run.
 */
#ifndef CLUSTER_API_API_H
#define CLUSTER_API_API_H

#include <stddef.h>

#include <curl/curl.h>

enum { API_BASES_MAX = 2 };

struct api {
    char *bases[API_BASES_MAX]; /* "https://host:port", best first */
    size_t base_count, current;
};

/* Returns -1 if the environment names no API. */
int api_init(struct api *api);
void api_done(struct api *api);

/* The base did not answer: the next request takes another, if there is one. */
void api_pass_over(struct api *api);

/*
 * Points a request at a path of the API. *headers is a new list to be freed
 * after the request, or NULL.
 */
void api_address(const struct api *api, CURL *request, const char *path_and_query,
                 struct curl_slist **headers);

#endif
