// A small NetworkPolicy enforcer for the test node: informers in, one nftables table out. See README.md.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/knftables"
)

// Without it packets between two pods of one bridge never meet the rules.
const bridgeSwitch = "/proc/sys/net/bridge/bridge-nf-call-iptables"

func main() {
	kubeconfig := flag.String("kubeconfig", "", "who reads pods, namespaces and policies")
	node := flag.String("node-name", "", "enforce for the pods of this node")
	bridge := flag.String("pod-bridge", "cni0", "bridge that the pods hang on")
	cleanup := flag.Bool("cleanup", false, "remove the rules and exit")
	flag.Parse()
	log.SetFlags(log.LstdFlags | log.Lmicroseconds)
	if err := start(*kubeconfig, *node, *bridge, *cleanup); err != nil {
		log.Fatal(err)
	}
}

func start(kubeconfig, node, bridge string, cleanup bool) error {
	nft, err := knftables.New(knftables.InetFamily, table)
	if err != nil {
		return fmt.Errorf("nftables: %w", err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if cleanup {
		tx := nft.NewTransaction()
		tx.Add(&knftables.Table{})
		tx.Delete(&knftables.Table{})
		return nft.Run(ctx, tx)
	}
	if on, err := os.ReadFile(bridgeSwitch); err != nil || strings.TrimSpace(string(on)) != "1" {
		return fmt.Errorf("%s is not 1: traffic between pods would pass unseen", bridgeSwitch)
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	config.QPS, config.Burst = -1, -1
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	enforcer := newEnforcer(factory, nft, node, bridge)
	factory.Start(ctx.Done())
	for kind, synced := range factory.WaitForCacheSync(ctx.Done()) {
		if !synced {
			return fmt.Errorf("stopped before %v were read", kind)
		}
	}
	log.Print("watching")
	enforcer.run(ctx)
	return nil
}
