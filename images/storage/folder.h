/*
 * folder.h - a volume's folder: made for everybody's use, cleared away whole.
 *
 * What lies in it was made by pods and may be anything: links that lead out,
 * other file systems, trees deeper than any path or stack. Nothing outside of
 * the folder is ever touched.
 */
#ifndef STORAGE_FOLDER_H
#define STORAGE_FOLDER_H

/* base is a folder that exists, name one in it. Already made is fine. 0, or -1 with errno set. */
int folder_make(const char *base, const char *name);

/*
 * Removes it with all that is in it. Already gone is fine. 0, or -1 with errno
 * set: then part of it is gone, and the rest may be tried again.
 */
int folder_remove(const char *base, const char *name);

#endif
