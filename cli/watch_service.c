#include "cli/watch_service.h"

#include "base/memory.h"
#include "cli/service.h"

/* What is known of one source by the clock of the loop. */
struct looks {
    char *revision; /* in force, and since when */
    uint64_t changed_at_ms, checked_at_ms, next_at_ms;
    uint64_t checks, failed;
    unsigned failures; /* in a row */
};

struct watch_service {
    struct watch_service_setup setup;
    struct fleet_status *status;
    struct service *service;
    struct looks source, policy;
};

static uint64_t now_of(const struct watch_service *service)
{
    return uv_now(service->setup.loop);
}

static int check_options(const struct watch_service_options *given, struct error **err)
{
    const char *useless = given->listen             ? NULL
                          : given->token_file       ? "--listen-token"
                          : given->hook_secret_file ? "--hook-secret"
                                                    : NULL;
    if (!useless)
        return 0;
    return error_set(err, ERROR_INVALID, "%s is of no use without --listen", useless);
}

int watch_service_open(const struct watch_service_setup *setup, struct watch_service **ret_service,
                       struct error **err)
{
    if (check_options(setup->given, err))
        return -1;
    if (!setup->given->listen)
        return 0;
    struct watch_service *service = memory_new(sizeof(*service));
    service->setup = *setup;
    service->status = fleet_status_new();
    const struct service_options options = {
        .loop = setup->loop,
        .listen = setup->given->listen,
        .token_file = setup->given->token_file,
        .hook_secret_file = setup->given->hook_secret_file,
        .fleet = setup->fleet,
        .status = service->status,
        .poll_now = setup->poll_now,
        .unready = setup->unready,
        .context = setup->context,
    };
    if (service_open(&options, &service->service, err)) {
        watch_service_close(service);
        return -1;
    }
    *ret_service = service;
    return 0;
}

void watch_service_close(struct watch_service *service)
{
    if (!service)
        return;
    service_close(service->service);
    fleet_status_free(service->status);
    free(service->source.revision);
    free(service->policy.revision);
    free(service);
}

const char *watch_service_address(const struct watch_service *service)
{
    return service ? service_address(service->service) : NULL;
}

void watch_service_report(struct watch_service *service, const struct report *report)
{
    if (service)
        fleet_status_report(service->status, report);
}

void watch_service_desire(struct watch_service *service, const struct fleet_spec *fleet)
{
    for (size_t i = 0; service && i < fleet->cluster_count; i++)
        fleet_status_desire(service->status, now_of(service), fleet->clusters[i].name,
                            &fleet->clusters[i]);
}

void watch_service_drop(struct watch_service *service, const char *cluster)
{
    if (service)
        fleet_status_forget(service->status, now_of(service), cluster);
}

static void take_revision(struct looks *looks, uint64_t now_ms, const char *revision)
{
    if (!revision || (looks->revision && strcmp(looks->revision, revision) == 0))
        return;
    free(looks->revision);
    looks->revision = memory_string(revision);
    looks->changed_at_ms = looks->checked_at_ms = now_ms;
}

static void tell_source(struct watch_service *service, struct looks *looks,
                        const struct watched_source *source)
{
    take_revision(looks, now_of(service), source->revision);
    const struct source_status status = {
        .kind = source->kind,
        .where = source->where,
        .revision = source->revision,
        .author = source->author,
        .subject = source->subject,
        .revision_at_s = source->revised_at_s,
        .signer = source->signer,
        .pending = source->pending,
        .problem = source->problem,
        .checked_at_ms = looks->checked_at_ms,
        .changed_at_ms = looks->changed_at_ms,
        .next_at_ms = looks->next_at_ms,
        .failures = looks->failures,
        .checks_total = looks->checks,
        .failed_total = looks->failed,
    };
    fleet_status_source(service->status, now_of(service), &status);
}

void watch_service_tell(struct watch_service *service, const struct watched *watched)
{
    if (!service)
        return;
    tell_source(service, &service->source, &watched->source);
    if (watched->policy.kind)
        tell_source(service, &service->policy, &watched->policy);
    fleet_status_engine(service->status, now_of(service), service->setup.engine,
                        watched->engine_problem);
}

void watch_service_looked(struct watch_service *service, const struct watched *watched,
                          const char *problem, uint64_t next_ms)
{
    if (!service)
        return;
    struct looks *looks = &service->source;
    looks->checks++;
    looks->failed += problem != NULL;
    looks->failures = problem ? looks->failures + 1 : 0;
    if (!problem)
        looks->checked_at_ms = now_of(service);
    looks->next_at_ms = now_of(service) + next_ms;
    watch_service_tell(service, watched);
}

void watch_service_queue(struct watch_service *service, size_t waiting, size_t working)
{
    if (service)
        fleet_status_queue(service->status, waiting, working);
}
