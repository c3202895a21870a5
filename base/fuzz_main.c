/*
 * fuzz_main.c - replays a corpus without a fuzzer.
 *
 * Linked with one *_fuzz.c: feeds every file of the folders (or every file)
 * given as arguments to its target. What crashes or fails an assertion ends
 * the program; the file in hand is named first.
 */
#include "base/memory.h"
#include "base/text.h"
#include <dirent.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        exit(1);
    }
    cleanup_text struct text text;
    text_init(&text, 0);
    char buffer[4096];
    size_t length;
    while ((length = fread(buffer, 1, sizeof(buffer), file)) > 0)
        text_add_bytes(&text, buffer, length);
    fclose(file);
    fprintf(stderr, "%s\n", path);
    /* A copy of the exact size, so that reading past its end is seen by a sanitizer. */
    cleanup_free uint8_t *bytes = memory_resize(NULL, text.length, 1);
    memcpy(bytes, text.data, text.length);
    LLVMFuzzerTestOneInput(bytes, text.length);
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void replay_folder(const char *folder, size_t *replayed)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, is_visible, alphasort);
    if (count < 0) {
        replay_file(folder);
        ++*replayed;
        return;
    }
    for (int i = 0; i < count; i++, ++*replayed) {
        cleanup_free char *path = memory_format("%s/%s", folder, entries[i]->d_name);
        replay_file(path);
        free(entries[i]);
    }
    free(entries);
}

int main(int argc, char **argv)
{
    size_t replayed = 0;
    for (int i = 1; i < argc; i++)
        replay_folder(argv[i], &replayed);
    printf("%zu inputs replayed\n", replayed);
    return replayed ? 0 : 1;
}
