/* Control planes that come and go in a living cluster, and who answers for them. */
#include "reconciler/diff_rows.h"

/* clang-format off */
static const struct row rows[] = {
    /* --- More. --- */
    {"from one to three", "cp cp2 cp3", "cp", "cp:running recorded ready kubeconfig", "",
     "network kind (a node is missing)\n"
     "balancer a-external-load-balancer <- 0 (missing)\n"
     "endpoint a-control-plane <- 1 (the API is published elsewhere)\n"
     "kubeconfig a <- 1 2 (the API is published elsewhere)\n"
     "image default (a node is missing)\n"
     "create-node a-control-plane2 <- 0 4 (missing)\n"
     "create-node a-control-plane3 <- 0 4 (missing)\n"
     "join a-control-plane2 <- 5 1 2 (a node is missing)\n"
     "join a-control-plane3 <- 6 1 2 7 (a node is missing)\n"
     "await-ready a <- 1 2 3 7 8 (something changed)\n"
     "record a <- 9 (a node is missing)\n"},
    {"from one to two, the port is held", "cp cp2 port=6443", "cp port=6443", "cp:running:port=6443 recorded ready kubeconfig", "",
     "! nodes[a-external-load-balancer].apiServerPort [recreate]: 6443 is published by the container of a control plane, which cannot leave it to the load balancer; another port can be had at once (0 picks one); refused: needs --allow recreate (all its data would go)\n"
     "! a-control-plane2 [live]: missing; comes once the load balancer can publish the API\n"},
    {"from one to two, the port was held before", "cp cp2 port=6443", "cp", "cp:running:port=6443 recorded ready kubeconfig", "",
     "! nodes[a-external-load-balancer].apiServerPort [recreate]: 6443 is published by the container of a control plane, which cannot leave it to the load balancer; another port can be had at once (0 picks one); refused: needs --allow recreate (all its data would go)\n"
     "! a-control-plane2 [live]: missing; comes once the load balancer can publish the API\n"},
    {"from one to two, another port", "cp cp2 port=7443", "cp port=6443", "cp:running:port=6443 recorded ready kubeconfig", "",
     "network kind (a node is missing)\n"
     "balancer a-external-load-balancer <- 0 (missing)\n"
     "endpoint a-control-plane <- 1 (the API is published elsewhere)\n"
     "kubeconfig a <- 1 2 (the API is published elsewhere)\n"
     "image default (a node is missing)\n"
     "create-node a-control-plane2 <- 0 4 (missing)\n"
     "join a-control-plane2 <- 5 1 2 (a node is missing)\n"
     "await-ready a <- 1 2 3 6 (something changed)\n"
     "record a <- 7 (a node is missing)\n"},
    {"from one to two, another address", "cp cp2 address=0.0.0.0", "cp", "cp:running recorded ready kubeconfig", "",
     "! nodes[a-external-load-balancer].apiServerAddress [recreate]: 127.0.0.1 -> 0.0.0.0; refused: needs --allow recreate (all its data would go)\n"
     "! a-control-plane2 [live]: missing; comes once the load balancer can publish the API\n"},
    {"from one to two, another address, allowed", "cp cp2 address=0.0.0.0", "cp", "cp:running recorded ready kubeconfig", "recreate",
     "delete-node a-control-plane [recreate] (nodes[a-external-load-balancer].apiServerAddress: 127.0.0.1 -> 0.0.0.0)\n"},
    {"from one to two, begun: the load balancer is there", "cp cp2", "cp", "cp:running lb:running:anew recorded nokubeconfig", "",
     "balancer a-external-load-balancer (control planes come)\n"
     "endpoint a-control-plane <- 0 (the API is published elsewhere)\n"
     "kubeconfig a <- 0 1 (the API is published elsewhere)\n"
     "network kind (a node is missing)\n"
     "image default (a node is missing)\n"
     "create-node a-control-plane2 <- 3 4 (missing)\n"
     "join a-control-plane2 <- 5 0 1 (a node is missing)\n"
     "await-ready a <- 0 1 2 6 (something changed)\n"
     "record a <- 7 (a node is missing)\n"},
    {"from one to two, begun with another port", "cp cp2", "cp", "cp:running lb:running:misshapen recorded nokubeconfig", "",
     "delete-node a-external-load-balancer (made for other settings, and never finished)\n"},
    {"from one to two, begun: the load balancer is dead", "cp cp2", "cp", "cp:running lb:dead recorded nokubeconfig", "",
     "delete-node a-external-load-balancer (the container is dead)\n"},
    {"from one to two, begun: it has joined", "cp cp2", "cp", "cp:running cp2:running:anew lb:running:anew recorded nokubeconfig", "",
     "balancer a-external-load-balancer (control planes come)\n"
     "endpoint a-control-plane <- 0 (the API is published elsewhere)\n"
     "kubeconfig a <- 0 1 (the API is published elsewhere)\n"
     "join a-control-plane2 <- 0 1 (not known to have joined)\n"
     "node-settings a-control-plane2 <- 3 0 (not known to have joined)\n"
     "await-ready a <- 0 1 2 3 4 (something changed)\n"
     "record a <- 5 (a node is missing)\n"},
    {"a control plane of another shape was never finished", "cp cp2", "cp", "cp:exited cp2:running:misshapen lb:exited:anew recorded nokubeconfig", "",
     "start-node a-control-plane (exited)\n"
     "balancer a-external-load-balancer (exited)\n"
     "endpoint a-control-plane <- 0 1 (the API is published elsewhere)\n"
     "drain a-control-plane2 <- 0 1 2 (made for other settings, and never finished)\n"
     "leave-etcd a-control-plane2 <- 3 (made for other settings, and never finished)\n"
     "delete-node a-control-plane2 <- 4 (made for other settings, and never finished)\n"},
    {"one that hangs between networks", "cp", NULL, "cp:running:detached recorded", "",
     "endpoint a-control-plane (it is in no network)\n"},
    {"one that lost the endpoint's name", "cp", NULL, "cp:running:unnamed recorded unready kubeconfig", "",
     "endpoint a-control-plane (it does not answer to the endpoint's name)\n"
     "await-ready a <- 0 (not Ready)\n"},
    /* --- Gone, and back. --- */
    {"the first is gone", "cp cp2 cp3", NULL, "cp2:running cp3:running lb:running recorded ready kubeconfig", "",
     "balancer a-external-load-balancer (control planes come)\n"
     "network kind (a node is missing)\n"
     "image default (a node is missing)\n"
     "drain a-control-plane <- 0 (its container is gone)\n"
     "leave-etcd a-control-plane <- 3 0 (its container is gone)\n"
     "create-node a-control-plane <- 3 1 2 (missing)\n"
     "join a-control-plane <- 5 0 4 (a node is missing)\n"
     "upload-config a <- 6 (comes with the image)\n"
     "token a <- 6 (comes with the image)\n"
     "proxy a <- 6 (comes with the image)\n"
     "dns a <- 6 (comes with the image)\n"
     "cni a <- 6 (comes with the image)\n"
     "storage a <- 6 (comes with the image)\n"
     "await-ready a <- 0 4 6 7 8 9 10 11 12 (something changed)\n"
     "record a <- 13 (a node is missing)\n"},
    {"one of three is dead", "cp cp2 cp3", NULL, "cp:running cp2:dead cp3:exited lb:running recorded unready kubeconfig", "",
     "start-node a-control-plane3 (exited)\n"
     "drain a-control-plane2 <- 0 (the container is dead)\n"
     "leave-etcd a-control-plane2 <- 1 (the container is dead)\n"
     "delete-node a-control-plane2 <- 2 (the container is dead)\n"},
    {"one of two is gone", "cp cp2", NULL, "cp:running lb:running recorded unready kubeconfig", "",
     "! a-control-plane2 [recreate]: gone, and with it the majority of etcd's members, which nothing can be changed without; refused: needs --allow recreate (all its data would go)\n"},
    {"two of three are gone, allowed", "cp cp2 cp3", NULL, "cp:running cp3:dead lb:running recorded unready kubeconfig", "recreate",
     "delete-node a-control-plane [recreate] (gone, and with it the majority of etcd's members, which nothing can be changed without)\n"
     "delete-node a-control-plane3 [recreate] (gone, and with it the majority of etcd's members, which nothing can be changed without)\n"
     "delete-node a-external-load-balancer [recreate] (gone, and with it the majority of etcd's members, which nothing can be changed without)\n"},
    {"the record is not on the first", "cp cp2 cp3", NULL, "cp:running cp2:running cp3:running lb:running recorded partial ready kubeconfig", "",
     "record a (not on all control planes)\n"},
    {"the API has forgotten one", "cp cp2 cp3", NULL, "cp:running cp2:running:forgotten cp3:running lb:running recorded unwell kubeconfig", "",
     "balancer a-external-load-balancer (control planes come)\n"
     "join a-control-plane2 <- 0 (the cluster does not know it)\n"
     "node-settings a-control-plane2 <- 1 0 (not known to have joined)\n"
     "await-ready a <- 0 1 2 (not Ready)\n"
     "record a <- 3 (a node is missing)\n"},
    /* --- Fewer. --- */
    {"two of three are left, and one more goes", "cp", "cp cp2 cp3", "cp:running cp2:running lb:running recorded ready kubeconfig", "",
     "drain a-control-plane3 [remove] (its container is gone)\n"
     "leave-etcd a-control-plane3 [remove] <- 0 (its container is gone)\n"
     "await-ready a <- 1 (something changed)\n"
     "record a <- 2 (1 node less)\n"},
    {"the last one left", "cp", "cp lb", "cp:running lb:running recorded ready kubeconfig", "",
     "endpoint a-control-plane (a-external-load-balancer goes)\n"
     "delete-node a-external-load-balancer [remove] <- 0 (not in the spec)\n"
     "kubeconfig a <- 1 (a-external-load-balancer goes)\n"
     "await-ready a <- 2 (a-external-load-balancer goes)\n"
     "record a <- 3 1 (not in the spec)\n"},
    {"the last one left, without a CNI", "cp nocni", "cp lb nocni", "cp:running lb:running recorded unwell kubeconfig", "",
     "endpoint a-control-plane (a-external-load-balancer goes)\n"
     "delete-node a-external-load-balancer [remove] <- 0 (not in the spec)\n"
     "kubeconfig a <- 1 (a-external-load-balancer goes)\n"
     "record a <- 0 1 (not in the spec)\n"},
    {"the last one left cannot take the port over", "cp port=6443", "cp lb port=6443", "cp:running:port=40000 lb:running recorded ready kubeconfig", "",
     "! nodes[a-control-plane].apiServerPort [recreate]: a-control-plane publishes the API on port 40000, and its container cannot do so on another; 0 takes it as it is; refused: needs --allow recreate (all its data would go)\n"},
    {"the last one left cannot take the address over", "cp address=0.0.0.0", "cp lb address=0.0.0.0", "cp:running:port=40000:host=127.0.0.1 lb:running recorded ready kubeconfig", "",
     "! nodes[a-control-plane].apiServerAddress [recreate]: a-control-plane publishes the API at 127.0.0.1, and its container cannot do so elsewhere; refused: needs --allow recreate (all its data would go)\n"},
    {"the load balancer is gone before the others", "cp", "cp cp2 cp3", "cp:running cp2:running cp3:running recorded nokubeconfig", "",
     "network kind (a node is missing)\n"
     "balancer a-external-load-balancer <- 0 (missing, until others go)\n"
     "kubeconfig a <- 1 (entry is missing or out of date)\n"
     "await-ready a <- 1 2 (something changed)\n"
     "record a <- 3 (1 node less)\n"},
    {"the load balancer is gone before its time", "cp", "cp lb", "cp:running recorded nokubeconfig", "",
     "endpoint a-control-plane (the API is published elsewhere)\n"
     "kubeconfig a <- 0 (the API is published elsewhere)\n"
     "await-ready a <- 0 1 (something changed)\n"
     "record a <- 2 (the API is published elsewhere)\n"},
    {"one too many is drained already", "cp cp2", "cp cp2 cp3", "cp:running cp2:running cp3:running:forgotten lb:running recorded unwell kubeconfig", "",
     "balancer a-external-load-balancer (a-control-plane3 goes)\n"
     "drain a-control-plane3 [remove] <- 0 (not in the spec)\n"
     "leave-etcd a-control-plane3 [remove] <- 1 (not in the spec)\n"
     "delete-node a-control-plane3 [remove] <- 2 (not in the spec)\n"
     "record a <- 0 2 3 (not in the spec)\n"},
    {"one too many, nobody knows", "cp cp2", "cp cp2 cp3", "cp:running cp2:running cp3:running lb:running recorded kubeconfig", "",
     "! a-control-plane3 [remove]: not in the spec; is removed once all other nodes are there and Ready\n"},
    {"one too many, a worker stands still", "cp cp2 w", "cp cp2 cp3 w", "cp:running cp2:running cp3:running lb:running w:exited recorded unwell kubeconfig", "",
     "start-node a-worker (exited)\n"
     "join a-worker <- 0 (not known to have joined)\n"
     "await-ready a <- 0 1 (not Ready)\n"},
    /* --- Anew. --- */
    {"the last one left, while the record is late", "cp", "cp cp2", "cp:running lb:running recorded ready kubeconfig", "",
     "drain a-control-plane2 [remove] (its container is gone)\n"
     "leave-etcd a-control-plane2 [remove] <- 0 (its container is gone)\n"
     "await-ready a <- 1 (something changed)\n"
     "record a <- 2 (1 node less)\n"},
    {"one of two is gone, another stands still", "cp cp2", NULL, "cp:exited lb:running recorded unready kubeconfig", "",
     "start-node a-control-plane (exited)\n"
     "balancer a-external-load-balancer (control planes come)\n"
     "network kind (a node is missing)\n"
     "image default (a node is missing)\n"
     "drain a-control-plane2 <- 0 1 (its container is gone)\n"
     "leave-etcd a-control-plane2 <- 4 0 1 (its container is gone)\n"
     "create-node a-control-plane2 <- 4 2 3 (missing)\n"
     "join a-control-plane2 <- 6 0 1 5 (a node is missing)\n"
     "await-ready a <- 0 1 5 7 (not Ready)\n"
     "record a <- 8 (a node is missing)\n"},
    {"two of another mount", "cp cp2 mount=/h:/c", "cp cp2", "cp:running cp2:running lb:running recorded ready kubeconfig", "replace",
     "! nodes[a-control-plane2].extraMounts[0] [recreate]: none -> /h:/c; refused: two control planes cannot be made anew one by one (a third makes it possible), and all nodes anew need --allow recreate (all its data would go)\n"},
    {"two of another image", "cp cp2", "cp image=new cp2 image=new", "cp:running cp2:running lb:running recorded ready kubeconfig", "replace",
     "! nodes[a-control-plane2].image [recreate]: new -> default; refused: two control planes cannot be made anew one by one (a third makes it possible), and all nodes anew need --allow recreate (all its data would go)\n"
     "! nodes[a-control-plane].image [recreate]: new -> default; refused: two control planes cannot be made anew one by one (a third makes it possible), and all nodes anew need --allow recreate (all its data would go)\n"},
    {"one of two is made for settings that nobody knows", "cp cp2", NULL, "cp:running cp2:running:misshapen lb:running recorded ready kubeconfig", "replace",
     "! a-control-plane2 [recreate]: made for other settings; refused: two control planes cannot be made anew one by one (a third makes it possible), and all nodes anew need --allow recreate (all its data would go)\n"},
    {"one of two is made for settings that nobody knows, allowed", "cp cp2", NULL, "cp:running cp2:running:misshapen lb:running recorded ready kubeconfig", "recreate",
     "delete-node a-control-plane [recreate] (a-control-plane2 was made for other settings)\n"
     "delete-node a-control-plane2 [recreate] (a-control-plane2 was made for other settings)\n"
     "delete-node a-external-load-balancer [recreate] (a-control-plane2 was made for other settings)\n"},
    {"a third comes first, before two are of another image", "cp image=new cp2 image=new cp3 image=new", "cp cp2", "cp:running cp2:running lb:running recorded ready kubeconfig", "replace",
     "balancer a-external-load-balancer (control planes come)\n"
     "network kind (a node is missing)\n"
     "image new (a node is missing)\n"
     "create-node a-control-plane3 <- 1 2 (missing)\n"
     "join a-control-plane3 <- 3 0 (a node is missing)\n"
     "await-ready a <- 0 4 (something changed)\n"
     "record a <- 5 (a node is missing)\n"},
    {"three of another version", "cp image=n:v1.20.3 cp2 image=n:v1.20.3 cp3 image=n:v1.20.3 w image=n:v1.20.3", "cp image=n:v1.20.2 cp2 image=n:v1.20.2 cp3 image=n:v1.20.2 w image=n:v1.20.2", "cp:running cp2:running cp3:running lb:running w:running recorded ready kubeconfig", "replace",
     "image n:v1.20.3 [replace] (image n:v1.20.2 -> n:v1.20.3)\n"
     "check-version a-control-plane [replace] <- 0 (image n:v1.20.2 -> n:v1.20.3)\n"
     "save-etcd a-control-plane [replace] <- 1 (image n:v1.20.2 -> n:v1.20.3)\n"
     "balancer a-external-load-balancer <- 1 2 (a-control-plane goes)\n"
     "drain a-control-plane [replace] <- 3 1 2 (image n:v1.20.2 -> n:v1.20.3)\n"
     "leave-etcd a-control-plane [replace] <- 4 (image n:v1.20.2 -> n:v1.20.3)\n"
     "delete-node a-control-plane [replace] <- 5 (image n:v1.20.2 -> n:v1.20.3)\n"},
    {"three of another version, without leave", "cp image=n:v1.20.3 cp2 image=n:v1.20.3 cp3 image=n:v1.20.3", "cp image=n:v1.20.2 cp2 image=n:v1.20.2 cp3 image=n:v1.20.2", "cp:running cp2:running cp3:running lb:running recorded ready kubeconfig", "",
     "! a-control-plane [replace]: image n:v1.20.2 -> n:v1.20.3; refused: needs --allow replace-nodes (its pods move, what it keeps outside of mounts goes)\n"
     "! a-control-plane2 [replace]: image n:v1.20.2 -> n:v1.20.3; refused: needs --allow replace-nodes (its pods move, what it keeps outside of mounts goes)\n"
     "! a-control-plane3 [replace]: image n:v1.20.2 -> n:v1.20.3; refused: needs --allow replace-nodes (its pods move, what it keeps outside of mounts goes)\n"},
    {"three of another version: the first comes", "cp image=n:v1.20.3 cp2 image=n:v1.20.3 cp3 image=n:v1.20.3 w image=n:v1.20.3", "cp image=n:v1.20.2 cp2 image=n:v1.20.2 cp3 image=n:v1.20.2 w image=n:v1.20.2", "cp2:running cp3:running lb:running w:running recorded ready kubeconfig", "replace",
     "balancer a-external-load-balancer (control planes come)\n"
     "network kind (a node is missing)\n"
     "image n:v1.20.3 (a node is missing)\n"
     "drain a-control-plane <- 0 (its container is gone)\n"
     "leave-etcd a-control-plane <- 3 0 (its container is gone)\n"
     "create-node a-control-plane <- 3 1 2 (missing)\n"
     "join a-control-plane <- 5 0 4 (a node is missing)\n"
     "upload-config a <- 6 (comes with the image)\n"
     "token a <- 6 (comes with the image)\n"
     "proxy a <- 6 (comes with the image)\n"
     "dns a <- 6 (comes with the image)\n"
     "cni a <- 6 (comes with the image)\n"
     "storage a <- 6 (comes with the image)\n"
     "await-ready a <- 0 4 6 7 8 9 10 11 12 (something changed)\n"
     "record a <- 13 (a node is missing)\n"},
    {"three of another version: the first came, and was never recorded", "cp image=n:v1.20.3 cp2 image=n:v1.20.3 cp3 image=n:v1.20.3", "cp image=n:v1.20.2 cp2 image=n:v1.20.2 cp3 image=n:v1.20.2", "cp:running:anew cp2:running cp3:running lb:running recorded ready kubeconfig", "replace",
     "balancer a-external-load-balancer (control planes come)\n"
     "join a-control-plane <- 0 (not known to have joined)\n"
     "upload-config a <- 1 (comes with the image)\n"
     "token a <- 1 (comes with the image)\n"
     "proxy a <- 1 (comes with the image)\n"
     "dns a <- 1 (comes with the image)\n"
     "cni a <- 1 (comes with the image)\n"
     "storage a <- 1 (comes with the image)\n"
     "node-settings a-control-plane <- 1 0 (not known to have joined)\n"
     "await-ready a <- 0 1 2 3 4 5 6 7 8 (something changed)\n"
     "record a <- 9 (a node is missing)\n"},
    {"three of another version: then the second", "cp image=n:v1.20.3 cp2 image=n:v1.20.3 cp3 image=n:v1.20.3 w image=n:v1.20.3", "cp image=n:v1.20.3 cp2 image=n:v1.20.2 cp3 image=n:v1.20.2 w image=n:v1.20.2", "cp:running cp2:running cp3:running lb:running w:running recorded ready kubeconfig", "replace",
     "image n:v1.20.3 [replace] (image n:v1.20.2 -> n:v1.20.3)\n"
     "check-version a-control-plane2 [replace] <- 0 (image n:v1.20.2 -> n:v1.20.3)\n"
     "save-etcd a-control-plane2 [replace] <- 1 (image n:v1.20.2 -> n:v1.20.3)\n"
     "balancer a-external-load-balancer <- 1 2 (a-control-plane2 goes)\n"
     "drain a-control-plane2 [replace] <- 3 1 2 (image n:v1.20.2 -> n:v1.20.3)\n"
     "leave-etcd a-control-plane2 [replace] <- 4 (image n:v1.20.2 -> n:v1.20.3)\n"
     "delete-node a-control-plane2 [replace] <- 5 (image n:v1.20.2 -> n:v1.20.3)\n"},
    {"three of another version: the second comes", "cp image=n:v1.20.3 cp2 image=n:v1.20.3 cp3 image=n:v1.20.3 w image=n:v1.20.3", "cp image=n:v1.20.3 cp2 image=n:v1.20.2 cp3 image=n:v1.20.2 w image=n:v1.20.2", "cp:running cp3:running lb:running w:running recorded ready kubeconfig", "replace",
     "balancer a-external-load-balancer (control planes come)\n"
     "network kind (a node is missing)\n"
     "image n:v1.20.3 (a node is missing)\n"
     "drain a-control-plane2 <- 0 (its container is gone)\n"
     "leave-etcd a-control-plane2 <- 3 0 (its container is gone)\n"
     "create-node a-control-plane2 <- 3 1 2 (missing)\n"
     "join a-control-plane2 <- 5 0 4 (a node is missing)\n"
     "upload-config a <- 6 (comes with the image)\n"
     "token a <- 6 (comes with the image)\n"
     "proxy a <- 6 (comes with the image)\n"
     "dns a <- 6 (comes with the image)\n"
     "cni a <- 6 (comes with the image)\n"
     "storage a <- 6 (comes with the image)\n"
     "await-ready a <- 0 4 6 7 8 9 10 11 12 (something changed)\n"
     "record a <- 13 (a node is missing)\n"},
    {"three of another version: a worker only when all are", "cp image=n:v1.20.3 cp2 image=n:v1.20.2 cp3 image=n:v1.20.2 w image=n:v1.20.3", "cp image=n:v1.20.3 cp2 image=n:v1.20.2 cp3 image=n:v1.20.2 w image=n:v1.20.2", "cp:running cp2:running cp3:running lb:running w:running recorded ready kubeconfig", "replace",
     "! a-worker [replace]: image n:v1.20.2 -> n:v1.20.3; refused: v1.20.3 is newer than the control planes' v1.20.2, which Kubernetes does not support; upgrade the control planes first\n"},
    {"three of another version: then the worker", "cp image=n:v1.20.3 cp2 image=n:v1.20.3 cp3 image=n:v1.20.3 w image=n:v1.20.3", "cp image=n:v1.20.3 cp2 image=n:v1.20.3 cp3 image=n:v1.20.3 w image=n:v1.20.2", "cp:running cp2:running cp3:running lb:running w:running recorded ready kubeconfig", "replace",
     "image n:v1.20.3 [replace] (image n:v1.20.2 -> n:v1.20.3)\n"
     "check-version a-worker [replace] <- 0 (image n:v1.20.2 -> n:v1.20.3)\n"
     "drain a-worker [replace] <- 1 (image n:v1.20.2 -> n:v1.20.3)\n"
     "delete-node a-worker [replace] <- 2 (image n:v1.20.2 -> n:v1.20.3)\n"},
    {"three go past a minor version", "cp image=n:v1.22.0 cp2 image=n:v1.22.0 cp3 image=n:v1.22.0", "cp image=n:v1.20.2 cp2 image=n:v1.20.2 cp3 image=n:v1.20.2", "cp:running cp2:running cp3:running lb:running recorded ready kubeconfig", "replace",
     "! nodes[a-control-plane2].image [recreate]: n:v1.20.2 -> n:v1.22.0; refused: v1.20.2 -> v1.22.0 skips a minor version, which Kubernetes does not support; go to v1.21 first (all its data would go)\n"
     "! nodes[a-control-plane3].image [recreate]: n:v1.20.2 -> n:v1.22.0; refused: v1.20.2 -> v1.22.0 skips a minor version, which Kubernetes does not support; go to v1.21 first (all its data would go)\n"
     "! nodes[a-control-plane].image [recreate]: n:v1.20.2 -> n:v1.22.0; refused: v1.20.2 -> v1.22.0 skips a minor version, which Kubernetes does not support; go to v1.21 first (all its data would go)\n"},
    {"three go down", "cp image=n:v1.20.2 cp2 image=n:v1.20.2 cp3 image=n:v1.20.2", "cp image=n:v1.20.3 cp2 image=n:v1.20.3 cp3 image=n:v1.20.3", "cp:running cp2:running cp3:running lb:running recorded ready kubeconfig", "replace",
     "! nodes[a-control-plane2].image [recreate]: n:v1.20.3 -> n:v1.20.2; refused: v1.20.3 -> v1.20.2 is a downgrade, which Kubernetes does not support; keep v1.20.3, or make the cluster anew with --allow recreate (all its data would go)\n"
     "! nodes[a-control-plane3].image [recreate]: n:v1.20.3 -> n:v1.20.2; refused: v1.20.3 -> v1.20.2 is a downgrade, which Kubernetes does not support; keep v1.20.3, or make the cluster anew with --allow recreate (all its data would go)\n"
     "! nodes[a-control-plane].image [recreate]: n:v1.20.3 -> n:v1.20.2; refused: v1.20.3 -> v1.20.2 is a downgrade, which Kubernetes does not support; keep v1.20.3, or make the cluster anew with --allow recreate (all its data would go)\n"},
    {"two minor versions beside each other", "cp image=n:v1.22.0 cp2 image=n:v1.22.0 cp3 image=n:v1.22.0", "cp image=n:v1.21.0 cp2 image=n:v1.20.2 cp3 image=n:v1.20.2", "cp:running cp2:running cp3:running lb:running recorded ready kubeconfig", "replace",
     "! nodes[a-control-plane2].image [recreate]: n:v1.20.2 -> n:v1.22.0; refused: v1.20.2 -> v1.22.0 skips a minor version, which Kubernetes does not support; go to v1.21 first (all its data would go)\n"
     "! nodes[a-control-plane3].image [recreate]: n:v1.20.2 -> n:v1.22.0; refused: v1.20.2 -> v1.22.0 skips a minor version, which Kubernetes does not support; go to v1.21 first (all its data would go)\n"
     "! nodes[a-control-plane].image [recreate]: n:v1.21.0 -> n:v1.22.0; refused: v1.22.0 is more than one minor version newer than another control plane's v1.20.2, which Kubernetes does not support; upgrade that one first (all its data would go)\n"},
    {"three of another version, and something is refused", "cp image=n:v1.20.3 cp2 image=n:v1.20.3 cp3 image=n:v1.20.3 pod=10.8.0.0/16", "cp image=n:v1.20.2 cp2 image=n:v1.20.2 cp3 image=n:v1.20.2", "cp:running cp2:running cp3:running lb:running recorded ready kubeconfig", "replace",
     "! networking.podSubnet [recreate]: 10.244.0.0/16 -> 10.8.0.0/16; refused: needs --allow recreate (all its data would go)\n"
     "! a-control-plane [replace]: image n:v1.20.2 -> n:v1.20.3; is replaced once nothing else of the cluster is refused\n"
     "! a-control-plane2 [replace]: image n:v1.20.2 -> n:v1.20.3; is replaced once nothing else of the cluster is refused\n"
     "! a-control-plane3 [replace]: image n:v1.20.2 -> n:v1.20.3; is replaced once nothing else of the cluster is refused\n"},
    {"the first comes of another version, and something is refused", "cp image=n:v1.20.3 cp2 image=n:v1.20.3 cp3 image=n:v1.20.3 pod=10.8.0.0/16", "cp image=n:v1.20.2 cp2 image=n:v1.20.2 cp3 image=n:v1.20.2", "cp2:running cp3:running lb:running recorded ready kubeconfig", "replace",
     "balancer a-external-load-balancer (control planes come)\n"
     "network kind (a node is missing)\n"
     "image n:v1.20.3 (a node is missing)\n"
     "drain a-control-plane <- 0 (its container is gone)\n"
     "leave-etcd a-control-plane <- 3 0 (its container is gone)\n"
     "create-node a-control-plane <- 3 1 2 (missing)\n"
     "join a-control-plane <- 5 0 4 (a node is missing)\n"
     "await-ready a <- 0 4 6 (something changed)\n"
     "record a <- 7 (a node is missing)\n"
     "! networking.podSubnet [recreate]: 10.244.0.0/16 -> 10.8.0.0/16; refused: needs --allow recreate (all its data would go)\n"},
    {"the first comes of another version, without CNI and proxy", "cp image=n:v1.20.3 cp2 image=n:v1.20.3 cp3 image=n:v1.20.3 nocni proxy=none", "cp image=n:v1.20.2 cp2 image=n:v1.20.2 cp3 image=n:v1.20.2 nocni proxy=none", "cp2:running cp3:running lb:running recorded ready kubeconfig", "replace",
     "balancer a-external-load-balancer (control planes come)\n"
     "network kind (a node is missing)\n"
     "image n:v1.20.3 (a node is missing)\n"
     "drain a-control-plane <- 0 (its container is gone)\n"
     "leave-etcd a-control-plane <- 3 0 (its container is gone)\n"
     "create-node a-control-plane <- 3 1 2 (missing)\n"
     "join a-control-plane <- 5 0 4 (a node is missing)\n"
     "upload-config a <- 6 (comes with the image)\n"
     "token a <- 6 (comes with the image)\n"
     "dns a <- 6 (comes with the image)\n"
     "storage a <- 6 (comes with the image)\n"
     "record a <- 0 4 6 7 8 9 10 (a node is missing)\n"},
    {"one that hangs between networks, the load balancer is gone", "cp cp2", NULL, "cp:running:detached cp2:running recorded nokubeconfig", "",
     "network kind (a node is missing)\n"
     "balancer a-external-load-balancer <- 0 (missing)\n"
     "endpoint a-control-plane <- 1 (it is in no network)\n"},
    {"two of three of another image", "cp image=new cp2 image=new cp3 w image=new", "cp cp2 cp3 w", "cp:running cp2:running cp3:running lb:running w:running recorded ready kubeconfig", "replace",
     "image new [replace] (image default -> new)\n"
     "check-version a-control-plane [replace] <- 0 (image default -> new)\n"
     "save-etcd a-control-plane [replace] <- 1 (image default -> new)\n"
     "balancer a-external-load-balancer <- 1 2 (a-control-plane goes)\n"
     "drain a-control-plane [replace] <- 3 1 2 (image default -> new)\n"
     "leave-etcd a-control-plane [replace] <- 4 (image default -> new)\n"
     "delete-node a-control-plane [replace] <- 5 (image default -> new)\n"},
    {"the first alone of another image", "cp image=new cp2 cp3 w image=new", "cp cp2 cp3 w", "cp:running cp2:running cp3:running lb:running w:running recorded ready kubeconfig", "replace",
     "image new [replace] (image default -> new)\n"
     "check-version a-control-plane [replace] <- 0 (image default -> new)\n"
     "save-etcd a-control-plane [replace] <- 1 (image default -> new)\n"
     "balancer a-external-load-balancer <- 1 2 (a-control-plane goes)\n"
     "drain a-control-plane [replace] <- 3 1 2 (image default -> new)\n"
     "leave-etcd a-control-plane [replace] <- 4 (image default -> new)\n"
     "delete-node a-control-plane [replace] <- 5 (image default -> new)\n"},
    {"one was made anew, and never recorded", "cp cp2 image=new cp3", "cp cp2 cp3", "cp:running cp2:running:anew cp3:running lb:running recorded unwell kubeconfig", "replace",
     "balancer a-external-load-balancer (control planes come)\n"
     "join a-control-plane2 <- 0 (not known to have joined)\n"
     "upload-config a <- 1 (comes with the image)\n"
     "token a <- 1 (comes with the image)\n"
     "proxy a <- 1 (comes with the image)\n"
     "dns a <- 1 (comes with the image)\n"
     "cni a <- 1 (comes with the image)\n"
     "storage a <- 1 (comes with the image)\n"
     "node-settings a-control-plane2 <- 1 0 (not known to have joined)\n"
     "await-ready a <- 0 1 2 3 4 5 6 7 8 (not Ready)\n"
     "record a <- 9 (a node is missing)\n"},
    {"one is made for settings that nobody knows", "cp cp2 cp3", NULL, "cp:running cp2:running:misshapen cp3:running lb:running recorded ready kubeconfig", "replace",
     "save-etcd a-control-plane2 [replace] (made for other settings)\n"
     "balancer a-external-load-balancer <- 0 (a-control-plane2 goes)\n"
     "drain a-control-plane2 [replace] <- 1 0 (made for other settings)\n"
     "leave-etcd a-control-plane2 [replace] <- 2 (made for other settings)\n"
     "delete-node a-control-plane2 [replace] <- 3 (made for other settings)\n"},
    {"the last one left, nobody knows", "cp", "cp lb", "cp:running lb:running recorded kubeconfig", "",
     "! a-external-load-balancer [remove]: not in the spec; is removed once all other nodes are there and Ready\n"},
    {"the last one left publishes the API at the port already", "cp port=6443", "cp lb port=6443", "cp:running:port=6443 lb:running recorded ready kubeconfig", "",
     "endpoint a-control-plane (a-external-load-balancer goes)\n"
     "delete-node a-external-load-balancer [remove] <- 0 (not in the spec)\n"
     "kubeconfig a <- 1 (a-external-load-balancer goes)\n"
     "await-ready a <- 2 (a-external-load-balancer goes)\n"
     "record a <- 3 1 (not in the spec)\n"},
    {"the last one left publishes the API at the address already", "cp address=0.0.0.0", "cp lb address=0.0.0.0", "cp:running:host=0.0.0.0 lb:running recorded ready kubeconfig", "",
     "endpoint a-control-plane (a-external-load-balancer goes)\n"
     "delete-node a-external-load-balancer [remove] <- 0 (not in the spec)\n"
     "kubeconfig a <- 1 (a-external-load-balancer goes)\n"
     "await-ready a <- 2 (a-external-load-balancer goes)\n"
     "record a <- 3 1 (not in the spec)\n"},
    {"a worker hangs between networks", "cp w", NULL, "cp:running w:running:detached recorded ready kubeconfig", "",
     ""},
    {"one hangs between networks, and is dead", "cp cp2 cp3", NULL, "cp:running cp2:dead:detached cp3:running lb:running recorded unready kubeconfig", "",
     "drain a-control-plane2 (the container is dead)\n"
     "leave-etcd a-control-plane2 <- 0 (the container is dead)\n"
     "delete-node a-control-plane2 <- 1 (the container is dead)\n"},
    {"one too many, the load balancer stands still", "cp cp2", "cp cp2 cp3", "cp:running cp2:running cp3:running lb:exited recorded unready kubeconfig", "",
     "balancer a-external-load-balancer (exited)\n"
     "await-ready a <- 0 (not Ready)\n"},
    {"one too many, without a CNI", "cp cp2 nocni", "cp cp2 cp3 nocni", "cp:running:joined cp2:running:joined cp3:running lb:running recorded unwell kubeconfig", "",
     "balancer a-external-load-balancer (a-control-plane3 goes)\n"
     "drain a-control-plane3 [remove] <- 0 (not in the spec)\n"
     "leave-etcd a-control-plane3 [remove] <- 1 (not in the spec)\n"
     "delete-node a-control-plane3 [remove] <- 2 (not in the spec)\n"
     "record a <- 0 2 3 (not in the spec)\n"},
    {"a worker is never newer than the oldest", "cp image=n:v1.20.2 cp2 image=n:v1.20.3 cp3 image=n:v1.20.3 w image=n:v1.20.3", "cp image=n:v1.20.2 cp2 image=n:v1.20.3 cp3 image=n:v1.20.3 w image=n:v1.20.2", "cp:running cp2:running cp3:running lb:running w:running recorded ready kubeconfig", "replace",
     "! a-worker [replace]: image n:v1.20.2 -> n:v1.20.3; refused: v1.20.3 is newer than the control planes' v1.20.2, which Kubernetes does not support; upgrade the control planes first\n"},
    {"one that nobody recorded may be a member", "cp cp2 cp3", "cp cp2", "cp2:running cp3:running:anew lb:running recorded unready kubeconfig", "",
     "balancer a-external-load-balancer (control planes come)\n"
     "network kind (a node is missing)\n"
     "image default (a node is missing)\n"
     "drain a-control-plane <- 0 (its container is gone)\n"
     "leave-etcd a-control-plane <- 3 0 (its container is gone)\n"
     "create-node a-control-plane <- 3 1 2 (missing)\n"
     "join a-control-plane <- 5 0 4 (a node is missing)\n"
     "join a-control-plane3 <- 0 4 6 (not known to have joined)\n"
     "upload-config a <- 6 7 (comes with the image)\n"
     "token a <- 6 7 (comes with the image)\n"
     "proxy a <- 6 7 (comes with the image)\n"
     "dns a <- 6 7 (comes with the image)\n"
     "cni a <- 6 7 (comes with the image)\n"
     "storage a <- 6 7 (comes with the image)\n"
     "node-settings a-control-plane3 <- 7 0 (not known to have joined)\n"
     "await-ready a <- 0 4 6 7 8 9 10 11 12 13 14 (not Ready)\n"
     "record a <- 15 (a node is missing)\n"},
    {"anew before it is the only one", "cp image=new", "cp cp2", "cp:running cp2:running lb:running recorded ready kubeconfig", "replace",
     "balancer a-external-load-balancer (a-control-plane2 goes)\n"
     "drain a-control-plane2 [remove] <- 0 (not in the spec)\n"
     "leave-etcd a-control-plane2 [remove] <- 1 (not in the spec)\n"
     "delete-node a-control-plane2 [remove] <- 2 (not in the spec)\n"
     "record a <- 0 2 3 (not in the spec)\n"},
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_same_bytes_twice),
    };
    return cmocka_run_group_tests_name("diff_planes", tests, NULL, NULL);
}
