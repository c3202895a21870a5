/* Clusters of several nodes, and living ones that follow their file. */
#include "reconciler/diff_rows.h"

/* clang-format off */
static const struct row rows[] = {
    /* --- Several nodes. --- */
    {"two workers", "cp w w2", NULL, "", "", "@create-workers"},
    {"three control planes and a worker", "cp cp2 cp3 w", NULL, "", "", "@create-ha"},
    {"images and manifests of the user's", "cp w preload manifest", NULL, "", "", "@create-preload"},
    {"unfinished: a worker is not there yet", "cp w w2", NULL, "cp:running w:exited", "",
     "@resume-workers"},
    {"unfinished: the load balancer stands still", "cp cp2 nocni proxy=none", NULL,
     "cp:running cp2:running lb:exited", "", "@resume-ha"},
    {"all is well with several nodes", "cp cp2 cp3 w", NULL,
     "cp:running cp2:running cp3:running lb:running w:running recorded ready kubeconfig", "", ""},
    {"a worker is missing", "cp w w2", NULL, "cp:running w:running recorded ready kubeconfig", "",
     "network kind (a node is missing)\n"
     "image default (a node is missing)\n"
     "create-node a-worker2 <- 0 1 (missing)\n"
     "join a-worker2 <- 2 (a node is missing)\n"
     "await-ready a <- 3 (something changed)\n"
     "record a <- 4 (a node is missing)\n"},
    {"a worker more in the spec", "cp w", "cp", "cp:exited recorded", "",
     "start-node a-control-plane (exited)\n"
     "network kind (a node is missing)\n"
     "image default (a node is missing)\n"
     "create-node a-worker <- 1 2 (missing)\n"
     "join a-worker <- 3 0 (a node is missing)\n"
     "await-ready a <- 0 4 (something changed)\n"
     "record a <- 5 (a node is missing)\n"},
    {"a worker more, without a CNI", "cp w nocni", "cp nocni", "cp:running recorded kubeconfig", "",
     "network kind (a node is missing)\n"
     "image default (a node is missing)\n"
     "create-node a-worker <- 0 1 (missing)\n"
     "join a-worker <- 2 (a node is missing)\n"
     "record a <- 3 (a node is missing)\n"},
    {"a worker more, and another subnet", "cp w pod=10.8.0.0/16", "cp",
     "cp:running recorded ready kubeconfig", "",
     "network kind (a node is missing)\n"
     "image default (a node is missing)\n"
     "create-node a-worker <- 0 1 (missing)\n"
     "join a-worker <- 2 (a node is missing)\n"
     "await-ready a <- 3 (something changed)\n"
     "record a <- 4 (a node is missing)\n"
     "! networking.podSubnet [recreate]: 10.244.0.0/16 -> 10.8.0.0/16; refused: needs --allow "
     "recreate (all its data would go)\n"},
    {"a worker lost, and another subnet", "cp w nocni pod=10.8.0.0/16", "cp w nocni",
     "cp:running recorded kubeconfig", "",
     "network kind (a node is missing)\n"
     "image default (a node is missing)\n"
     "create-node a-worker <- 0 1 (missing)\n"
     "join a-worker <- 2 (a node is missing)\n"
     "record a <- 3 (a node is missing)\n"
     "! networking.podSubnet [recreate]: 10.244.0.0/16 -> 10.8.0.0/16; refused: needs --allow "
     "recreate (all its data would go)\n"},
    {"only a dead load balancer is left", "cp cp2", NULL, "lb:dead unreadable", "",
     "delete-node a-external-load-balancer (the first control plane is gone)\n"},
    {"a worker more, for one too many", "cp w2", "cp w", "cp:running w:running recorded ready kubeconfig",
     "",
     "network kind (a node is missing)\n"
     "image default (a node is missing)\n"
     "create-node a-worker2 <- 0 1 (missing)\n"
     "join a-worker2 <- 2 (a node is missing)\n"
     "await-ready a <- 3 (something changed)\n"
     "record a <- 4 (a node is missing)\n"},
    {"a worker is dead", "cp w", NULL, "cp:running w:dead recorded ready kubeconfig", "",
     "delete-node a-worker (the container is dead)\n"},
    {"a worker is dead, another is missing", "cp w w2", NULL, "cp:exited w:dead recorded unready", "",
     "delete-node a-worker (the container is dead)\n"},
    {"a worker is dead, the record cannot be read", "cp w", NULL, "cp:running w:dead unreadable",
     "recreate", "! a [live]: cannot be read now: no reason is known\n"},
    {"a worker stands still", "cp w", NULL, "cp:running w:exited recorded unready kubeconfig", "",
     "start-node a-worker (exited)\n"
     "join a-worker <- 0 (not known to have joined)\n"
     "await-ready a <- 0 1 (not Ready)\n"},
    {"a worker may not have joined", "cp w", NULL, "cp:running w:running recorded unready kubeconfig",
     "",
     "join a-worker (not known to have joined)\n"
     "await-ready a <- 0 (not Ready)\n"},
    {"a new worker of another shape", "cp w", "cp", "cp:running w:running:misshapen recorded", "",
     "delete-node a-worker (made for other settings, and never finished)\n"},
    {"a new worker of another shape, and another subnet", "cp w pod=10.8.0.0/16", "cp",
     "cp:running w:running:misshapen recorded ready kubeconfig", "",
     "delete-node a-worker (made for other settings, and never finished)\n"
     "! networking.podSubnet [recreate]: 10.244.0.0/16 -> 10.8.0.0/16; refused: needs --allow "
     "recreate (all its data would go)\n"},
    {"unfinished: only a worker is there", "cp w", NULL, "lb:running w:running", "",
     "delete-node a-external-load-balancer (the first control plane is gone)\n"
     "delete-node a-worker (the first control plane is gone)\n"},
    {"unfinished: only a worker and strays", "cp w", NULL, "w:running w2:running unreadable", "",
     "delete-node a-worker (the first control plane is gone)\n"
     "delete-node a-worker2 (the first control plane is gone)\n"},
    {"unfinished: the first control plane is gone", "cp cp2", NULL, "cp2:running", "",
     "delete-node a-control-plane2 (the first control plane is gone)\n"},
    {"only the load balancer is left", "cp cp2 nocni proxy=none", NULL, "lb:running unreadable", "",
     "@create-balancer"},
    {"the load balancer is gone", "cp cp2 cp3", NULL,
     "cp:running cp2:running cp3:running recorded nokubeconfig", "",
     "network kind (a node is missing)\n"
     "balancer a-external-load-balancer <- 0 (missing)\n"
     "kubeconfig a <- 1 (entry is missing or out of date)\n"
     "await-ready a <- 1 2 (something changed)\n"},
    {"the load balancer is dead", "cp cp2 cp3", NULL,
     "cp:running cp2:running cp3:running lb:dead recorded", "",
     "delete-node a-external-load-balancer (the container is dead)\n"},
    {"the load balancer stands still", "cp cp2 cp3", NULL,
     "cp:running cp2:running cp3:running lb:exited recorded", "",
     "balancer a-external-load-balancer (exited)\n"
     "await-ready a <- 0 (something changed)\n"},
    {"the load balancer stands still, a control plane is gone", "cp cp2 cp3 w", "cp cp2 cp3",
     "cp:running cp3:running lb:exited recorded kubeconfig", "",
     "balancer a-external-load-balancer (exited)\n"
     "network kind (a node is missing)\n"
     "image default (a node is missing)\n"
     "drain a-control-plane2 <- 0 (its container is gone)\n"
     "leave-etcd a-control-plane2 <- 3 0 (its container is gone)\n"
     "create-node a-control-plane2 <- 3 1 2 (missing)\n"
     "create-node a-worker <- 1 2 (missing)\n"
     "join a-control-plane2 <- 5 0 4 (a node is missing)\n"
     "join a-worker <- 6 0 4 (a node is missing)\n"
     "await-ready a <- 0 4 7 8 (something changed)\n"
     "record a <- 9 (a node is missing)\n"},
    {"a worker joins by the load balancer", "cp cp2 w nocni", "cp cp2 nocni",
     "cp:exited cp2:running lb:exited recorded", "",
     "start-node a-control-plane (exited)\n"
     "balancer a-external-load-balancer (exited)\n"
     "network kind (a node is missing)\n"
     "image default (a node is missing)\n"
     "create-node a-worker <- 2 3 (missing)\n"
     "join a-worker <- 4 0 1 (a node is missing)\n"
     "record a <- 0 1 5 (a node is missing)\n"},
    {"a control plane is gone", "cp cp2 cp3", NULL,
     "cp:running cp3:running lb:running recorded ready kubeconfig", "",
     "balancer a-external-load-balancer (control planes come)\n"
     "network kind (a node is missing)\n"
     "image default (a node is missing)\n"
     "drain a-control-plane2 <- 0 (its container is gone)\n"
     "leave-etcd a-control-plane2 <- 3 0 (its container is gone)\n"
     "create-node a-control-plane2 <- 3 1 2 (missing)\n"
     "join a-control-plane2 <- 5 0 4 (a node is missing)\n"
     "await-ready a <- 0 4 6 (something changed)\n"
     "record a <- 7 (a node is missing)\n"},
    {"from three control planes to one", "cp", "cp cp2 cp3",
     "cp:running cp2:running cp3:running lb:running recorded ready kubeconfig", "",
     "balancer a-external-load-balancer (a-control-plane3 goes)\n"
     "drain a-control-plane3 [remove] <- 0 (not in the spec)\n"
     "leave-etcd a-control-plane3 [remove] <- 1 (not in the spec)\n"
     "delete-node a-control-plane3 [remove] <- 2 (not in the spec)\n"
     "record a <- 0 2 3 (not in the spec)\n"},
    {"a control plane never joined", "cp cp2 nocni", "cp nocni",
     "cp:running cp2:running lb:running recorded kubeconfig", "recreate",
     "balancer a-external-load-balancer (control planes come)\n"
     "delete-node a-external-load-balancer <- 0 (made for other settings, and never finished)\n"
     "drain a-control-plane2 <- 1 (made for other settings, and never finished)\n"
     "leave-etcd a-control-plane2 <- 2 (made for other settings, and never finished)\n"
     "delete-node a-control-plane2 <- 3 (made for other settings, and never finished)\n"},
    {"from two control planes to three, never joined", "cp cp2 cp3", "cp cp2",
     "cp:running cp2:running cp3:running lb:running recorded ready kubeconfig", "recreate",
     "balancer a-external-load-balancer (control planes come)\n"
     "drain a-control-plane3 <- 0 (made for other settings, and never finished)\n"
     "leave-etcd a-control-plane3 <- 1 (made for other settings, and never finished)\n"
     "delete-node a-control-plane3 <- 2 (made for other settings, and never finished)\n"},
    {"from one control plane to two", "cp cp2", "cp", "cp:running recorded ready kubeconfig", "",
     "network kind (a node is missing)\n"
     "balancer a-external-load-balancer <- 0 (missing)\n"
     "endpoint a-control-plane <- 1 (the API is published elsewhere)\n"
     "kubeconfig a <- 1 2 (the API is published elsewhere)\n"
     "image default (a node is missing)\n"
     "create-node a-control-plane2 <- 0 4 (missing)\n"
     "join a-control-plane2 <- 5 1 2 (a node is missing)\n"
     "await-ready a <- 1 2 3 6 (something changed)\n"
     "record a <- 7 (a node is missing)\n"},

    /* --- Complete, and it follows. --- */
    {"several labels and a taint", "cp label=tier:db w taint=gpu:NoSchedule label=a:b", "cp label=tier:web w", "cp:running w:running recorded ready kubeconfig", "",
     "node-settings a-control-plane (labels tier: web -> db)\n"
     "node-settings a-worker (2 settings differ)\n"
     "record a <- 0 1 (3 settings differ)\n"},
    {"a label goes, a node stands still", "cp w", "cp w label=tier:db", "cp:exited w:running recorded kubeconfig", "",
     "start-node a-control-plane (exited)\n"
     "join a-worker <- 0 (not known to have joined)\n"
     "node-settings a-worker <- 1 0 (labels tier: db -> none)\n"
     "await-ready a <- 0 1 2 (something changed)\n"
     "record a <- 3 (labels tier: db -> none)\n"},
    {"a label, not Ready", "cp w label=tier:db", "cp w", "cp:running w:running recorded unready kubeconfig", "",
     "join a-worker (not known to have joined)\n"
     "node-settings a-worker <- 0 (labels tier: none -> db)\n"
     "await-ready a <- 0 1 (not Ready)\n"
     "record a <- 2 (labels tier: none -> db)\n"},
    {"a label of a worker that is missing", "cp nocni w label=tier:db", "cp nocni w", "cp:running recorded kubeconfig", "",
     "network kind (a node is missing)\n"
     "image default (a node is missing)\n"
     "create-node a-worker <- 0 1 (missing)\n"
     "join a-worker <- 2 (a node is missing)\n"
     "record a <- 3 (a node is missing)\n"},
    {"a label, and another subnet", "cp pod=10.8.0.0/16 label=tier:db", "cp", "cp:running recorded ready kubeconfig", "",
     "node-settings a-control-plane (labels tier: none -> db)\n"
     "record a <- 0 (labels tier: none -> db)\n"
     "! networking.podSubnet [recreate]: 10.244.0.0/16 -> 10.8.0.0/16; refused: needs --allow "
     "recreate (all its data would go)\n"},
    {"a label, and nobody knows whether it answers", "cp label=tier:db", "cp", "cp:running recorded kubeconfig", "",
     "node-settings a-control-plane (labels tier: none -> db)\n"
     "await-ready a <- 0 (something changed)\n"
     "record a <- 1 (labels tier: none -> db)\n"},
    {"images to preload, and manifests", "cp w preload manifest", "cp w", "cp:running w:exited recorded ready kubeconfig", "",
     "start-node a-worker (exited)\n"
     "manifests a <- 0 (manifests app.yaml: none -> sha256:690b80d89912)\n"
     "preload a-control-plane (preload busybox:v1: none -> wanted)\n"
     "preload a-worker <- 0 (preload busybox:v1: none -> wanted)\n"
     "await-ready a <- 0 1 2 3 (something changed)\n"
     "record a <- 4 (2 settings differ)\n"},
    {"images to preload, and a worker: it comes when they are recorded", "cp w preload", "cp", "cp:running recorded ready kubeconfig", "",
     "preload a-control-plane (preload busybox:v1: none -> wanted)\n"
     "record a <- 0 (preload busybox:v1: none -> wanted)\n"},
    {"a worker that the cluster does not know", "cp w w2", NULL,
     "cp:running w:running:forgotten w2:running unwell kubeconfig recorded", "",
     "join a-worker (the cluster does not know it)\n"
     "node-settings a-worker <- 0 (not known to have joined)\n"
     "await-ready a <- 0 1 (not Ready)\n"
     "record a <- 2 (a node is missing)\n"},
    {"the same without a CNI", "cp nocni w", NULL, "cp:running w:running:forgotten unwell kubeconfig recorded", "",
     "join a-worker (the cluster does not know it)\n"
     "node-settings a-worker <- 0 (not known to have joined)\n"
     "record a <- 0 1 (a node is missing)\n"},
    {"one that stands still is started first", "cp w", NULL, "cp:running w:exited:forgotten unwell kubeconfig recorded", "",
     "start-node a-worker (exited)\n"
     "join a-worker <- 0 (not known to have joined)\n"
     "await-ready a <- 0 1 (not Ready)\n"},
    {"no images to preload any more, nor manifests", "cp", "cp preload manifest", "cp:running recorded ready kubeconfig", "",
     "manifests a (manifests app.yaml: sha256:690b80d89912 -> none)\n"
     "record a <- 0 (2 settings differ)\n"},
    {"no images to preload any more", "cp", "cp preload", "cp:running recorded ready kubeconfig", "",
     "record a (preload busybox:v1: wanted -> none)\n"},
    {"a label that the record tells is missing", "cp w label=tier:db", NULL,
     "cp:running w:running:drift recorded ready kubeconfig", "",
     "node-settings a-worker (label tier is missing)\n"},
    {"a label is missing, another differs", "cp w label=tier:db", "cp w label=tier:web",
     "cp:running w:running:drift recorded ready kubeconfig", "",
     "node-settings a-worker (labels tier: web -> db)\n"
     "record a <- 0 (labels tier: web -> db)\n"},
    {"only a load balancer of other settings is left", "cp cp2 port=6443", "cp cp2", "lb:running unreadable",
     "",
     "delete-node a-external-load-balancer (the first control plane is gone)\n"},
    {"a worker too many in a cluster without a CNI", "cp nocni", "cp nocni w", "cp:running w:running recorded "
     "unwell kubeconfig", "",
     "drain a-worker [remove] (not in the spec)\n"
     "delete-node a-worker [remove] <- 0 (not in the spec)\n"
     "record a <- 1 (not in the spec)\n"},
    {"two workers too many, the highest goes first", "cp", "cp w w2 w10", "cp:running w:running w10:running w2:exited recorded ready kubeconfig", "",
     "drain a-worker10 [remove] (not in the spec)\n"
     "delete-node a-worker10 [remove] <- 0 (not in the spec)\n"
     "drain a-worker2 [remove] <- 1 (not in the spec)\n"
     "delete-node a-worker2 [remove] <- 2 (not in the spec)\n"
     "drain a-worker [remove] <- 3 (not in the spec)\n"
     "delete-node a-worker [remove] <- 4 (not in the spec)\n"
     "record a <- 5 (not in the spec)\n"},
    {"a worker too many, and a label", "cp label=tier:db", "cp w", "cp:running w:running recorded ready kubeconfig", "",
     "node-settings a-control-plane (labels tier: none -> db)\n"
     "drain a-worker [remove] (not in the spec)\n"
     "delete-node a-worker [remove] <- 1 (not in the spec)\n"
     "record a <- 0 2 (labels tier: none -> db)\n"},
    {"a worker too many is not Ready", "cp", "cp w", "cp:running w:exited recorded unwell kubeconfig", "",
     "drain a-worker [remove] (not in the spec)\n"
     "delete-node a-worker [remove] <- 0 (not in the spec)\n"
     "record a <- 1 (not in the spec)\n"},
    {"a worker too many, the API does not answer", "cp", "cp w", "cp:running w:running recorded unready kubeconfig", "",
     "await-ready a (not Ready)\n"},
    {"a worker too many, nobody knows", "cp", "cp w", "cp:running w:running recorded kubeconfig", "",
     "! a-worker [remove]: not in the spec; is removed once the cluster answers\n"},
    {"a worker too many, the entry is missing", "cp", "cp w", "cp:running w:running recorded nokubeconfig", "",
     "kubeconfig a (entry is missing or out of date)\n"
     "await-ready a <- 0 (something changed)\n"},
    {"a worker too many, a control plane is missing", "cp cp2 cp3", "cp cp2 cp3 w", "cp:running cp2:running lb:running w:running recorded ready kubeconfig", "",
     "balancer a-external-load-balancer (control planes come)\n"
     "network kind (a node is missing)\n"
     "image default (a node is missing)\n"
     "drain a-control-plane3 <- 0 (its container is gone)\n"
     "leave-etcd a-control-plane3 <- 3 0 (its container is gone)\n"
     "create-node a-control-plane3 <- 3 1 2 (missing)\n"
     "join a-control-plane3 <- 5 0 4 (a node is missing)\n"
     "await-ready a <- 0 4 6 (something changed)\n"
     "record a <- 7 (a node is missing)\n"},
    {"a worker too many, a control plane stands still", "cp", "cp w", "cp:exited w:exited recorded", "",
     "start-node a-worker (exited)\n"
     "start-node a-control-plane (exited)\n"
     "await-ready a <- 0 1 (something changed)\n"},
    {"a dead worker too many beside a living one", "cp", "cp w w2", "cp:running w:dead w2:running recorded ready kubeconfig", "",
     "delete-node a-worker [remove] (the container is dead)\n"},
    {"the record knows two nodes that are gone", "cp", "cp w w2", "cp:running recorded kubeconfig", "",
     "record a (2 nodes less)\n"},
    {"a worker of another image", "cp w image=new", "cp w", "cp:running w:running recorded ready kubeconfig", "",
     "! a-worker [replace]: image default -> new; refused: needs --allow replace-nodes (its "
     "pods move, what it keeps outside of mounts goes)\n"},
    {"a worker of another image, allowed", "cp w image=new", "cp w", "cp:running w:running recorded ready kubeconfig", "replace",
     "image new [replace] (image default -> new)\n"
     "check-version a-worker [replace] <- 0 (image default -> new)\n"
     "drain a-worker [replace] <- 1 (image default -> new)\n"
     "delete-node a-worker [replace] <- 2 (image default -> new)\n"},
    {"two workers of other settings, allowed", "cp w image=new mount=/h:/c w2 image=new", "cp w w2", "cp:running w:running w2:running recorded ready kubeconfig", "replace",
     "image new [replace] (extraMounts 0: none -> /h:/c, and 1 more)\n"
     "check-version a-worker [replace] <- 0 (extraMounts 0: none -> /h:/c, and 1 more)\n"
     "drain a-worker [replace] <- 1 (extraMounts 0: none -> /h:/c, and 1 more)\n"
     "delete-node a-worker [replace] <- 2 (extraMounts 0: none -> /h:/c, and 1 more)\n"},
    {"a worker of another image was deleted", "cp w image=new", "cp w", "cp:running recorded ready kubeconfig", "replace",
     "network kind (a node is missing)\n"
     "image new (a node is missing)\n"
     "create-node a-worker <- 0 1 (missing)\n"
     "join a-worker <- 2 (a node is missing)\n"
     "await-ready a <- 3 (something changed)\n"
     "record a <- 4 (a node is missing)\n"},
    {"a worker of another image was made", "cp w image=new", "cp w", "cp:running w:running:anew recorded ready kubeconfig", "replace",
     "join a-worker (not known to have joined)\n"
     "node-settings a-worker <- 0 (not known to have joined)\n"
     "await-ready a <- 0 1 (something changed)\n"
     "record a <- 2 (a node is missing)\n"},
    {"one was made anew, the other comes later", "cp w image=new w2 image=new", "cp w w2", "cp:running w:running:anew w2:running recorded ready kubeconfig", "replace",
     "join a-worker (not known to have joined)\n"
     "node-settings a-worker <- 0 (not known to have joined)\n"
     "await-ready a <- 0 1 (something changed)\n"
     "record a <- 2 (a node is missing)\n"},
    {"a worker of another image, allowed, not Ready", "cp w image=new", "cp w", "cp:running w:running recorded unready kubeconfig", "replace",
     "join a-worker (not known to have joined)\n"
     "await-ready a <- 0 (not Ready)\n"},
    {"a worker of another image, allowed, nobody knows", "cp w image=new", "cp w", "cp:running w:running recorded kubeconfig", "replace",
     "! a-worker [replace]: image default -> new; is replaced once all nodes are there and Ready\n"},
    {"a worker of another image, allowed, and a label", "cp w image=new label=tier:db", "cp w", "cp:running w:running recorded ready kubeconfig", "replace",
     "node-settings a-worker (labels tier: none -> db)\n"
     "record a <- 0 (labels tier: none -> db)\n"},
    {"a worker of another image, allowed, one too many", "cp w image=new", "cp w w2", "cp:running w:running w2:running recorded ready kubeconfig", "replace",
     "drain a-worker2 [remove] (not in the spec)\n"
     "delete-node a-worker2 [remove] <- 0 (not in the spec)\n"
     "record a <- 1 (not in the spec)\n"},
    {"a worker of another image, and another subnet", "cp pod=10.8.0.0/16 w image=new", "cp w", "cp:running w:running recorded ready kubeconfig", "replace",
     "image new [replace] (image default -> new)\n"
     "check-version a-worker [replace] <- 0 (image default -> new)\n"
     "drain a-worker [replace] <- 1 (image default -> new)\n"
     "delete-node a-worker [replace] <- 2 (image default -> new)\n"
     "! networking.podSubnet [recreate]: 10.244.0.0/16 -> 10.8.0.0/16; refused: needs --allow "
     "recreate (all its data would go)\n"},
    {"a worker is made for settings that nobody knows", "cp w", "cp w", "cp:running w:running:misshapen recorded ready kubeconfig", "",
     "! a-worker [replace]: made for other settings; refused: needs --allow replace-nodes (its "
     "pods move, what it keeps outside of mounts goes)\n"},
    {"a worker is made for settings that nobody knows, allowed", "cp w", "cp w", "cp:running w:running:misshapen recorded ready kubeconfig", "replace",
     "drain a-worker [replace] (made for other settings)\n"
     "delete-node a-worker [replace] <- 0 (made for other settings)\n"},
    {"a worker was made for other settings, and never joined", "cp w", "cp w", "cp:running w:running:misshapen recorded unready kubeconfig", "",
     "delete-node a-worker (made for other settings, and never finished)\n"},
    {"shapes are made in another way now", "cp w", NULL, "cp:running:misshapen w:running:misshapen recorded ready kubeconfig", "replace", ""},
    {"shapes are made in another way now, another image", "cp w image=new", "cp w", "cp:running:misshapen w:running:misshapen recorded ready kubeconfig", "replace",
     "image new [replace] (image default -> new)\n"
     "check-version a-worker [replace] <- 0 (image default -> new)\n"
     "drain a-worker [replace] <- 1 (image default -> new)\n"
     "delete-node a-worker [replace] <- 2 (image default -> new)\n"},
    {"shapes are made in another way now, made anew", "cp w image=new", "cp w", "cp:running:misshapen w:running:anew recorded ready kubeconfig", "replace",
     "join a-worker (not known to have joined)\n"
     "node-settings a-worker <- 0 (not known to have joined)\n"
     "await-ready a <- 0 1 (something changed)\n"
     "record a <- 2 (a node is missing)\n"},
    {"one control plane of several", "cp image=new cp2", "cp cp2", "cp:running cp2:running lb:running recorded ready kubeconfig", "replace",
     "! nodes[a-control-plane].image [recreate]: default -> new; refused: two control planes cannot be made anew one by one (a third makes it possible), and all nodes anew need --allow recreate (all its data would go)\n"},
    {"one control plane of several, allowed", "cp image=new cp2", "cp cp2", "cp:running cp2:running lb:running recorded ready kubeconfig", "recreate",
     "delete-node a-control-plane [recreate] (nodes[a-control-plane].image: default -> new)\n"
     "delete-node a-control-plane2 [recreate] (nodes[a-control-plane].image: default -> new)\n"
     "delete-node a-external-load-balancer [recreate] (nodes[a-control-plane].image: default -> new)\n"},
    {"settings of the cluster that containers hold", "cp containerd w", "cp w", "cp:running w:running recorded ready kubeconfig", "replace",
     "! containerdConfigPatches[0] [recreate]: none -> sha256:345134db2e66; refused: needs "
     "--allow recreate (all its data would go)\n"},
};
/* clang-format on */

static void test_rows(void **state)
{
    (void)state;
    check_plans(rows, COUNT_OF(rows));
}

static void test_same_bytes_twice(void **state)
{
    (void)state;
    check_same_bytes_twice(rows, COUNT_OF(rows));
}

static void test_strangers_are_safe(void **state)
{
    (void)state;
    check_strangers_are_safe(rows, COUNT_OF(rows));
}

/* Made for the spec, but the process ended before the record knew of it. */
static void test_unrecorded_workers(void **state)
{
    (void)state;
    static const char *const recorded[] = {"cp nocni preload", "cp nocni preload w image=other"};
    for (size_t i = 0; i < COUNT_OF(recorded); i++) {
        test_row(recorded[i]);
        cleanup_arena struct arena *arena = arena_new();
        const struct cluster_spec *desired = notation_spec(arena, "cp w nocni preload");
        struct cluster_state observed =
            notation_state(arena, desired, "cp:running w:exited recorded kubeconfig");
        spec_facets(arena, notation_spec(arena, recorded[i]), &observed.applied);
        struct diff_policy policy = read_policy("");
        struct plan plan;
        diff_cluster(arena, desired, &observed, &policy, &plan);
        cleanup_text struct text text;
        text_init(&text, 0);
        plan_print(&plan, &text);
        test_equal(text.data, "start-node a-worker (exited)\n"
                              "preload a-worker <- 0 (not known to have joined)\n"
                              "join a-worker <- 1 0 (not known to have joined)\n"
                              "node-settings a-worker <- 2 0 (not known to have joined)\n"
                              "record a <- 0 1 2 3 (a node is missing)\n");
    }
}

/* What a plan records, as the spec that has just these settings; NULL: nothing. */
static const struct record_row {
    const char *name, *desired, *made, *observed, *policy, *record;
} record_rows[] = {
    {"a set-up", "cp w label=a:b", NULL, "", "", "cp w label=a:b"},
    {"nothing to do", "cp", NULL, "cp:running recorded ready kubeconfig", "", NULL},
    {"all that is desired", "cp w label=a:b image=new", "cp",
     "cp:running recorded ready kubeconfig", "", "cp w label=a:b image=new"},
    {"what is refused stays", "cp pod=10.8.0.0/16 gate=A:true w image=new label=a:b", "cp w",
     "cp:running w:running recorded ready kubeconfig", "", "cp w label=a:b"},
    {"a worker beside refusals", "cp pod=10.8.0.0/16 w label=a:b", "cp",
     "cp:running recorded ready kubeconfig", "", "cp w label=a:b"},
    {"a worker that is replaced has its old settings until it is back",
     "cp w image=new w2 label=a:b", "cp w w2",
     "cp:running w:running w2:running recorded ready kubeconfig", "replace", "cp w w2 label=a:b"},
    {"a worker that was replaced", "cp w image=new w2 image=new", "cp w w2",
     "cp:running w2:running recorded ready kubeconfig", "replace", "cp w image=new w2"},
    {"what goes is left out", "cp label=a:b", "cp w w2",
     "cp:running w:running w2:running recorded ready kubeconfig", "", "cp label=a:b"},
    {"what cannot go yet is not", "cp label=a:b", "cp w",
     "cp:running w:running recorded kubeconfig", "", "cp label=a:b w"},
    {"what comes while another has to go", "cp w2", "cp w",
     "cp:running w:running recorded ready kubeconfig", "", "cp w w2"},
    {"what is gone is left out", "cp", "cp w", "cp:running recorded ready kubeconfig", "", "cp"},
    {"preload and manifests", "cp preload", "cp manifest", "cp:running recorded ready kubeconfig",
     "", "cp preload"},
};

static void print_facets(const struct facet_list *facets, struct text *text)
{
    for (size_t i = 0; i < facets->count; i++)
        text_add_format(text, "%s = %s\n", facets->items[i].path, facets->items[i].value);
}

static void test_records(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(record_rows); i++) {
        const struct record_row *row = &record_rows[i];
        test_row(row->name);
        cleanup_arena struct arena *arena = arena_new();
        const struct cluster_spec *desired = notation_spec(arena, row->desired);
        const struct cluster_spec *made = row->made ? notation_spec(arena, row->made) : desired;
        struct cluster_state observed = notation_state(arena, made, row->observed);
        struct diff_policy policy = read_policy(row->policy);
        struct plan plan;
        diff_cluster(arena, desired, &observed, &policy, &plan);
        struct facet_list want = {0};
        if (row->record)
            spec_facets(arena, notation_spec(arena, row->record), &want);
        cleanup_text struct text got, wanted;
        text_init(&got, 0);
        text_init(&wanted, 0);
        print_facets(&plan.record, &got);
        print_facets(&want, &wanted);
        test_equal(got.data, wanted.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_same_bytes_twice),
        cmocka_unit_test(test_strangers_are_safe),
        cmocka_unit_test(test_unrecorded_workers),
        cmocka_unit_test(test_records),
    };
    return cmocka_run_group_tests_name("diff_nodes", tests, NULL, NULL);
}
