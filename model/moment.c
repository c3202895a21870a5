#include "model/moment.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DAY_S = 86400 };

/* True if text begins as the pattern, whose 0 stands for any digit. */
static bool is_like(const char *text, const char *pattern)
{
    for (; *pattern; text++, pattern++) {
        if (*pattern == '0' ? !isdigit((unsigned char)*text) : *text != *pattern)
            return false;
    }
    return true;
}

static int two_digits(const char *digits)
{
    return (digits[0] - '0') * 10 + (digits[1] - '0');
}

static bool is_within(const char *digits, int least, int most)
{
    return two_digits(digits) >= least && two_digits(digits) <= most;
}

/* Seconds east of Greenwich, of "Z" or "+02:00". */
static bool read_zone(const char *text, long *offset_s)
{
    *offset_s = 0;
    if (strcmp(text, "Z") == 0)
        return true;
    if ((*text != '+' && *text != '-') || !is_like(text + 1, "00:00") || text[6] != '\0' ||
        !is_within(text + 1, 0, 23) || !is_within(text + 4, 0, 59))
        return false;
    *offset_s = (two_digits(text + 1) * 60L + two_digits(text + 4)) * 60;
    if (*text == '-')
        *offset_s = -*offset_s;
    return true;
}

/* Days since 1970-01-01 of a date of the Gregorian calendar; years begin in March here. */
static long days_since_1970(long year, long month, long day)
{
    year -= month <= 2;
    long era = year / 400, of_era = year % 400;
    long of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

bool moment_parse(const char *text, uint64_t *ret_unix_s)
{
    bool good = is_like(text, "0000-00-00T00:00:00") && is_within(text + 5, 1, 12) &&
                is_within(text + 8, 1, 31) && is_within(text + 11, 0, 23) &&
                is_within(text + 14, 0, 59) && is_within(text + 17, 0, 60);
    const char *zone = good ? text + strlen("0000-00-00T00:00:00") : "";
    if (*zone == '.')
        zone += 1 + strspn(zone + 1, "0123456789");
    long offset_s;
    if (!read_zone(zone, &offset_s))
        return false;
    long days = days_since_1970(strtol(text, NULL, 10), two_digits(text + 5), two_digits(text + 8));
    long long seconds = (long long)days * DAY_S + two_digits(text + 11) * 3600LL +
                        two_digits(text + 14) * 60LL + two_digits(text + 17) - offset_s;
    if (seconds < 0)
        return false;
    *ret_unix_s = (uint64_t)seconds;
    return true;
}

void moment_add(struct text *text, uint64_t unix_s)
{
    time_t seconds = (time_t)unix_s;
    struct tm parts;
    char buffer[64];
    if (!gmtime_r(&seconds, &parts) ||
        !strftime(buffer, sizeof(buffer), "%Y-%m-%dT%H:%M:%SZ", &parts)) {
        text_add_format(text, "second %llu of 1970", (unsigned long long)unix_s);
        return;
    }
    text_add(text, buffer);
}
