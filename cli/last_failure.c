#include "cli/last_failure.h"

#include "base/memory.h"
#include "base/plain.h"
#include "model/redact.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_MAX = 200, FILE_BYTES_MAX = 256 * 1024, MESSAGE_BYTES_MAX = 4096 };

/* --- where it is --- */

/* NULL: this user has no place for it. */
static char *state_folder(void)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (state && *state == '/')
        return memory_format("%s/kind/failures", state);
    if (geteuid() == 0)
        return memory_string("/var/lib/kind/failures");
    return home && *home == '/' ? memory_format("%s/.local/state/kind/failures", home) : NULL;
}

/* Names of clusters are checked where they are made; others may come from a command line. */
static bool is_plain_name(const char *name)
{
    size_t length =
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");
    return length > 0 && length < 128 && name[length] == '\0' && *name != '.';
}

static char *file_name(const char *engine, const char *cluster)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_Digest(engine, strlen(engine), digest, NULL, EVP_sha256(), NULL);
    return memory_format("%s@%02x%02x%02x%02x.json", cluster, digest[0], digest[1], digest[2],
                         digest[3]);
}

/* The open folder, or -1; made if wanted. It must be ours alone: a stranger's is not used. */
static int open_folder(bool make)
{
    cleanup_free char *folder = state_folder();
    if (!folder)
        return -1;
    for (char *slash = strchr(folder + 1, '/'); make && slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(folder, 0700);
        *slash = '/';
    }
    if (make)
        (void)mkdir(folder, 0700);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    struct stat is;
    if (fd >= 0 && (fstat(fd, &is) || is.st_uid != geteuid() || is.st_mode & (S_IWGRP | S_IWOTH))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* --- writing --- */

/* Without secrets, and with nothing that JSON does not take. */
static json_t *clean_json(const char *string)
{
    cleanup_text struct text clean, plain;
    text_init(&clean, MESSAGE_BYTES_MAX);
    text_init(&plain, 0);
    redact_add(&clean, string, strlen(string));
    plain_add(&plain, clean.data);
    return json_string(plain.data);
}

/* Lines have been made plain when they became evidence. */
static json_t *evidence_json(const struct evidence_item *item)
{
    cleanup_arena struct arena *arena = arena_new();
    return json_pack("{s:s,s:s,s:s}", "source", evidence_source_words(item->source), "subject",
                     item->subject, "text",
                     evidence_digest(arena, item->text, LAST_FAILURE_LINES_MAX));
}

static json_t *cause_json(const struct finding *finding)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "id", finding->id, "cause", finding->words,
                     "cure", finding->cure, "source", evidence_source_words(finding->source),
                     "subject", finding->subject, "line", finding->line);
}

static json_t *failure_json(const struct report *report, uint64_t first_at_s, uint64_t now_s)
{
    json_t *found = json_array(), *evidence = json_array();
    const struct diagnosis *diagnosis = report->diagnosis;
    for (size_t i = 0; diagnosis && i < diagnosis->findings.count; i++)
        json_array_append_new(found, cause_json(&diagnosis->findings.items[i]));
    for (size_t i = 0; diagnosis && i < diagnosis->evidence.count; i++)
        json_array_append_new(evidence, evidence_json(&diagnosis->evidence.items[i]));
    uint64_t next_at_s = report->kind == REPORT_RETRY ? now_s + report->wait_ms / 1000 + 1 : 0;
    return json_pack("{s:s,s:I,s:I,s:I,s:i,s:b,s:s,s:o,s:o,s:o}", "cluster", report->cluster,
                     "firstAt", (json_int_t)first_at_s, "at", (json_int_t)now_s, "nextAt",
                     (json_int_t)next_at_s, "failures", (int)report->failures, "stalled",
                     report->kind == REPORT_STALLED, "kind", error_kind_name(report->failure->kind),
                     "message", clean_json(report->failure->message), "causes", found, "evidence",
                     evidence);
}

static bool write_all(int fd, const char *bytes, size_t length)
{
    while (length) {
        ssize_t written = write(fd, bytes, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        bytes += written;
        length -= (size_t)written;
    }
    return true;
}

/* A full disk leaves the file as it was, or none. */
static void replace_file(int folder, const char *name, const char *bytes)
{
    cleanup_free char *fresh = memory_format(".%d.tmp", (int)getpid());
    (void)unlinkat(folder, fresh, 0);
    int fd = openat(folder, fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return;
    bool good = write_all(fd, bytes, strlen(bytes));
    good &= close(fd) == 0;
    if (!good || renameat(folder, fresh, folder, name))
        (void)unlinkat(folder, fresh, 0);
}

/* Where there are too many, the oldest goes. */
static void make_room(int folder)
{
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *files = copy < 0 ? NULL : fdopendir(copy);
    cleanup_free char *oldest = NULL;
    time_t oldest_at = 0;
    size_t count = 0;
    for (const struct dirent *entry; files && (entry = readdir(files));) {
        struct stat is;
        if (*entry->d_name == '.' || fstatat(folder, entry->d_name, &is, AT_SYMLINK_NOFOLLOW))
            continue;
        count++;
        if (oldest && is.st_mtime >= oldest_at)
            continue;
        free(oldest);
        oldest = memory_string(entry->d_name);
        oldest_at = is.st_mtime;
    }
    if (files)
        closedir(files);
    if (oldest && count >= FILES_MAX)
        (void)unlinkat(folder, oldest, 0);
}

void last_failure_write(const char *engine, const struct report *report, uint64_t now_s)
{
    if (!report->failure || !is_plain_name(report->cluster))
        return;
    cleanup_arena struct arena *arena = arena_new();
    struct last_failure before;
    bool known = last_failure_read(arena, engine, report->cluster, &before);
    int folder = open_folder(true);
    if (folder < 0)
        return;
    if (!known)
        make_room(folder);
    json_t *json = failure_json(report, known ? before.first_at_s : now_s, now_s);
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    cleanup_free char *name = file_name(engine, report->cluster);
    if (text)
        replace_file(folder, name, text);
    free(text);
    json_decref(json);
    close(folder);
}

void last_failure_forget(const char *engine, const char *cluster)
{
    int folder = is_plain_name(cluster) ? open_folder(false) : -1;
    if (folder < 0)
        return;
    cleanup_free char *name = file_name(engine, cluster);
    (void)unlinkat(folder, name, 0);
    close(folder);
}

/* --- reading --- */

static const char *string_of(struct arena *arena, const json_t *object, const char *key)
{
    const char *string = json_string_value(json_object_get(object, key));
    return arena_string(arena, string ? string : "");
}

static uint64_t number_of(const json_t *object, const char *key)
{
    json_int_t number = json_integer_value(json_object_get(object, key));
    return number > 0 ? (uint64_t)number : 0;
}

static void take(struct arena *arena, const json_t *json, struct last_failure *last)
{
    *last = (struct last_failure){
        .first_at_s = number_of(json, "firstAt"),
        .at_s = number_of(json, "at"),
        .next_at_s = number_of(json, "nextAt"),
        .failures = (unsigned)number_of(json, "failures"),
        .stalled = json_is_true(json_object_get(json, "stalled")),
        .kind = string_of(arena, json, "kind"),
        .message = string_of(arena, json, "message"),
    };
    const json_t *item;
    size_t i;
    json_array_foreach(json_object_get(json, "causes"), i, item)
    {
        if (last->cause_count < COUNT_OF(last->causes))
            last->causes[last->cause_count++] = (struct last_cause){
                string_of(arena, item, "id"),      string_of(arena, item, "cause"),
                string_of(arena, item, "cure"),    string_of(arena, item, "source"),
                string_of(arena, item, "subject"), string_of(arena, item, "line")};
    }
    json_array_foreach(json_object_get(json, "evidence"), i, item)
    {
        if (last->evidence_count < COUNT_OF(last->evidence))
            last->evidence[last->evidence_count++] = (struct last_evidence){
                string_of(arena, item, "source"), string_of(arena, item, "subject"),
                string_of(arena, item, "text")};
    }
}

/* All of it, but not more than we would write; NULL if it cannot be read. */
static char *read_whole(int fd)
{
    struct text text;
    text_init(&text, FILE_BYTES_MAX);
    char piece[4096];
    ssize_t got;
    while (!text.overflow && (got = read(fd, piece, sizeof(piece))) > 0)
        text_add_bytes(&text, piece, (size_t)got);
    if (!text.overflow)
        return text_take(&text);
    text_done(&text);
    return NULL;
}

bool last_failure_read(struct arena *arena, const char *engine, const char *cluster,
                       struct last_failure *last)
{
    int folder = is_plain_name(cluster) ? open_folder(false) : -1;
    if (folder < 0)
        return false;
    cleanup_free char *name = file_name(engine, cluster);
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    close(folder);
    if (fd < 0)
        return false;
    cleanup_free char *text = read_whole(fd);
    close(fd);
    json_t *json = text ? json_loads(text, 0, NULL) : NULL;
    bool whole = json_is_object(json) && number_of(json, "at") > 0;
    if (whole)
        take(arena, json, last);
    json_decref(json);
    return whole;
}

void last_failure_take(struct last_failure *last, const struct diagnosis *diagnosis)
{
    *last = (struct last_failure){.kind = "", .message = ""};
    for (size_t i = 0; i < diagnosis->findings.count; i++) {
        const struct finding *finding = &diagnosis->findings.items[i];
        last->causes[last->cause_count++] = (struct last_cause){
            finding->id,      finding->words, finding->cure, evidence_source_words(finding->source),
            finding->subject, finding->line};
    }
    for (size_t i = 0; i < diagnosis->evidence.count; i++) {
        const struct evidence_item *item = &diagnosis->evidence.items[i];
        last->evidence[last->evidence_count++] =
            (struct last_evidence){evidence_source_words(item->source), item->subject, item->text};
    }
}
