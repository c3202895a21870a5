/*
 * answer.h - what the cluster says to a question, or whom else to ask.
 *
 * Pure: a zone and a question in, a reply out.
 */
#ifndef CLUSTER_DNS_ANSWER_H
#define CLUSTER_DNS_ANSWER_H

#include "message.h"
#include "zone.h"

enum answer {
    ANSWER_READY, /* reply is complete */
    ANSWER_ASK,   /* reply holds aliases; ask for the name they lead to and add what comes */
    ANSWER_RELAY, /* not the cluster's business: the outside may know */
};

/*
 * reply has been begun. target is set with ANSWER_ASK. zone is NULL as long as
 * the cluster has not been seen: then nothing is denied, the answer is "later".
 */
enum answer answer_make(const struct zone *zone, struct message *reply,
                        char target[MESSAGE_NAME_SIZE]);

#endif
