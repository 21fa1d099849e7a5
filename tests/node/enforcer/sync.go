// Keeps the node's table as the API server's objects want it.
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
	"sigs.k8s.io/knftables"
)

const (
	gather = 10 * time.Millisecond // changes that come together are applied together
	mend   = 30 * time.Second      // somebody else may have flushed the table
	again  = time.Second           // after a failure
)

// Enforcer applies rules; `applied` is the transaction in force.
type Enforcer struct {
	nft      knftables.Interface
	node     string
	bridge   string
	policies cache.SharedIndexInformer
	pods     cache.SharedIndexInformer
	spaces   cache.SharedIndexInformer
	changed  chan struct{}
	applied  string
}

func newEnforcer(factory informers.SharedInformerFactory, nft knftables.Interface, node, bridge string,
) *Enforcer {
	made := &Enforcer{
		nft: nft, node: node, bridge: bridge, changed: make(chan struct{}, 1),
		policies: factory.Networking().V1().NetworkPolicies().Informer(),
		pods:     factory.Core().V1().Pods().Informer(),
		spaces:   factory.Core().V1().Namespaces().Informer(),
	}
	handler := cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { made.notice() },
		UpdateFunc: func(any, any) { made.notice() },
		DeleteFunc: func(any) { made.notice() },
	}
	for _, informer := range []cache.SharedIndexInformer{made.policies, made.pods, made.spaces} {
		// it fails only for an informer that was stopped
		_, _ = informer.AddEventHandler(handler)
	}
	return made
}

func (e *Enforcer) notice() {
	select {
	case e.changed <- struct{}{}:
	default:
	}
}

// run returns when the context ends. The rules stay in force, as with other enforcers.
func (e *Enforcer) run(ctx context.Context) {
	e.notice()
	for {
		force := false
		select {
		case <-ctx.Done():
			return
		case <-e.changed:
			time.Sleep(gather)
		case <-time.After(mend):
			force = true
		}
		if err := e.sync(ctx, force); err != nil {
			log.Printf("not applied: %v", err)
			e.applied = ""
			time.AfterFunc(again, e.notice)
		}
	}
}

func (e *Enforcer) sync(ctx context.Context, force bool) error {
	rules := Compile(e.cluster(), e.node)
	tx := e.nft.NewTransaction()
	Render(tx, rules, e.bridge)
	wanted := tx.String()
	if wanted == e.applied && !force {
		return nil
	}
	started := time.Now()
	if err := e.nft.Run(ctx, tx); err != nil {
		return fmt.Errorf("nft: %w", err)
	}
	if wanted != e.applied {
		log.Printf("applied: %d isolated pods, %v", len(rules), time.Since(started).Round(time.Millisecond))
	}
	e.applied = wanted
	return nil
}

func (e *Enforcer) cluster() Cluster {
	return Cluster{
		Policies:   listed[networkingv1.NetworkPolicy](e.policies),
		Pods:       listed[corev1.Pod](e.pods),
		Namespaces: listed[corev1.Namespace](e.spaces),
	}
}

func listed[T any](informer cache.SharedIndexInformer) []*T {
	var all []*T
	for _, object := range informer.GetStore().List() {
		all = append(all, object.(*T))
	}
	return all
}
