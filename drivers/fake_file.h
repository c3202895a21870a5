/*
 * fake_file.h - the files of a fake container.
 *
 * Paths are absolute and clean ("/kind/version"). A folder exists if it was
 * made, if something is below it, or if every image has it. The files of a
 * node image are unpacked when somebody looks, so that thousands of containers
 * that nobody looks at stay small.
 */
#ifndef DRIVERS_FAKE_FILE_H
#define DRIVERS_FAKE_FILE_H

#include "drivers/fake_state.h"

/* "/a//b/./c/" as "/a/b/c"; relative paths are taken from the root. */
char *fake_path_clean(const char *path);

/* What a program in the container would read; NULL if it is not there or a folder. */
const struct fake_file *fake_file_get(struct fake_container *container, const char *path);
/* Its text, or NULL. */
const char *fake_file_text(struct fake_container *container, const char *path);
bool fake_file_is_folder(struct fake_container *container, const char *path);

/* Writes or overwrites; bytes NULL makes a folder. */
void fake_file_put(struct fake_container *container, const char *path, const char *bytes,
                   size_t length, unsigned mode);
void fake_file_put_text(struct fake_container *container, const char *path, const char *text);
/* Removes a file, or a folder with all in it; false if there was none. */
bool fake_file_remove(struct fake_container *container, const char *path);

void fake_files_free(struct fake_container *container);

/* Files and made folders at and below path, sorted; the list is in the arena. */
const struct fake_file **fake_file_list(struct arena *arena, struct fake_container *container,
                                        const char *path, size_t *count);

#endif
