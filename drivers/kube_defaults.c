#include "drivers/kube_defaults.h"

#include <string.h>

static void set_protocol(json_t *ports)
{
    size_t index;
    json_t *port;
    json_array_foreach(ports, index, port)
    {
        if (json_is_object(port) && !json_object_get(port, "protocol"))
            json_object_set_new(port, "protocol", json_string("TCP"));
    }
}

static void set_containers(json_t *containers)
{
    size_t index;
    json_t *container;
    json_array_foreach(containers, index, container)
    {
        set_protocol(json_object_get(container, "ports"));
    }
}

static void set_pod(json_t *spec)
{
    set_containers(json_object_get(spec, "containers"));
    set_containers(json_object_get(spec, "initContainers"));
}

static json_t *template_spec(json_t *spec)
{
    return json_object_get(json_object_get(spec, "template"), "spec");
}

void kube_set_defaults(json_t *object)
{
    const char *kind = json_string_value(json_object_get(object, "kind"));
    json_t *spec = json_object_get(object, "spec");
    if (!kind)
        return;
    if (strcmp(kind, "Service") == 0)
        set_protocol(json_object_get(spec, "ports"));
    else if (strcmp(kind, "Pod") == 0)
        set_pod(spec);
    else if (strcmp(kind, "CronJob") == 0)
        set_pod(template_spec(json_object_get(json_object_get(spec, "jobTemplate"), "spec")));
    else
        set_pod(template_spec(spec));
}
